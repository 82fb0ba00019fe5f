// Answers that do not come: makes one up for a transaction in which nothing has happened for long.
//
// A node or memory that is cut off never answers. So that the line, and the tracker, come free in
// bounded time, a started transaction to which nothing has happened for 2**timeout_log2_i to
// 2 * 2**timeout_log2_i cycles is given the answer it waits for, marked `lost`: SnpResp I of one
// snooped node, or of another chip for all its nodes, else the Comp (Timeout) of the memory, else the CompAck I of the requester. What
// follows from that is home_action's. An answer made up is worth no more than a real one: the action
// ignores it if its packet has not even left, and it is made up again later.
//
// The timeout must be longer than any answer can take. 0 turns it off.
// Latency: combinational from registers; used only in a cycle without a real answer.
module home_timeouts
  import flit_pkg::*;
  import home_pkg::*;
  import supernode_pkg::UnitWidth, supernode_pkg::UnitChip;
  import supernode_pkg::node_id_t, supernode_pkg::chip_id_t;
#(
    parameter int unsigned Nodes = 8,
    parameter int unsigned NodesPerChip = 8,
    parameter int unsigned Trackers = 32,
    localparam int unsigned TrackerWidth = $clog2(Trackers)
) (
    input logic clk_i,
    input logic rst_ni,
    input chip_id_t chip_i,
    input logic [4:0] timeout_log2_i,
    input logic [Trackers-1:0] started_i,
    input logic moved_valid_i,  // something happens to a transaction
    input logic [TrackerWidth-1:0] moved_tracker_i,
    input logic [Trackers-1:0] answered_i,  // and to these
    input logic enable_i,  // there is room for an answer in this cycle
    // The transaction asked about, and what it waits for
    output logic [TrackerWidth-1:0] tracker_o,
    input logic [Nodes-1:0] owed_i,
    input logic wait_mem_i,
    input node_id_t requester_i,
    output logic valid_o,
    output answer_t answer_o
);

  logic tick;
  logic [Trackers-1:0] quiet_q;  // nothing has happened since the last tick
  logic [Trackers-1:0] expired_q;  // nor in a whole interval before it

  interval_tick u_tick (
      .clk_i,
      .rst_ni,
      .log2_i(timeout_log2_i),
      .tick_o(tick)
  );

  assign valid_o = enable_i && (expired_q != '0);

  always_comb begin
    tracker_o = '0;
    for (int unsigned t = Trackers; t > 0; t--) begin
      if (expired_q[t-1]) tracker_o = TrackerWidth'(t - 1);
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni || (timeout_log2_i == '0)) begin
      quiet_q   <= '0;
      expired_q <= '0;
    end else begin
      if (tick) begin
        quiet_q   <= started_i;
        expired_q <= started_i & quiet_q;
      end
      if (valid_o) begin
        quiet_q[tracker_o]   <= 1'b0;
        expired_q[tracker_o] <= 1'b0;
      end
      if (moved_valid_i) begin
        quiet_q[moved_tracker_i]   <= 1'b0;
        expired_q[moved_tracker_i] <= 1'b0;
      end
      if (answered_i != '0) begin
        quiet_q   <= (tick ? started_i : quiet_q) & ~answered_i;
        expired_q <= (tick ? started_i & quiet_q : expired_q) & ~answered_i;
      end
    end
  end

  // Whom to give up: the lowest who owes an answer. Another chip answers for all its nodes at once, or
  // not at all if one of them is silent.
  chip_id_t lost_chip;
  logic [UnitWidth-1:0] lost_unit;

  always_comb begin
    logic [NodesPerChip-1:0] owed_there;
    lost_chip  = '0;
    lost_unit  = '0;
    owed_there = '0;
    if (valid_o && (owed_i != '0)) begin
      for (int unsigned n = Nodes; n > 0; n--) begin
        if (owed_i[n-1]) begin
          lost_chip = chip_id_t'((n - 1) / NodesPerChip);
          lost_unit = UnitWidth'((n - 1) % NodesPerChip);
        end
      end
      owed_there = NodesPerChip'(owed_i >> (32'(lost_chip) * NodesPerChip));
      if (lost_chip != chip_i && !$onehot(owed_there)) lost_unit = UnitWidth'(UnitChip);
    end
  end

  always_comb begin
    answer_o = '0;
    answer_o.opcode = OpCompAck;
    answer_o.src = requester_i;
    answer_o.txn = TxnWidth'(tracker_o);
    answer_o.state = StateI;
    answer_o.lost = 1'b1;
    if (valid_o && wait_mem_i) begin
      answer_o.opcode = OpComp;
      answer_o.src = '0;
      answer_o.resp = RespTimeout;
    end
    if (valid_o && (owed_i != '0)) begin
      answer_o.opcode = OpSnpResp;
      answer_o.src = {lost_chip, lost_unit};
    end
  end

endmodule
