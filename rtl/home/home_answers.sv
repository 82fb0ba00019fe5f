// Who owes an answer to a snoop of this home, and when nobody does any more.
//
// Purpose: a SnpResp, which says nothing but that a node does not hold the line any more, is taken
// here straight from the port it came in at, whatever comes in at the others in the same cycle. So
// the time that a snoop takes does not depend on how many it was for. When the last of a tracker's
// snoops is answered, one answer (`last`) stands for all in the pipeline.
// Answers that say more (data, or that it was forwarded) come to the action stage by the link, and
// so do those made up for want of a real one; the action stage tells which of them it takes. A snoop
// that may be answered with more is for one node, so such an answer is itself the last.
//
// A SnpResp from another chip may be in the name of the chip: then it stands for all nodes of the
// chip that owe one (snoop_merge).
//
// Latency: a SnpResp counts in the cycle after it came; the answer for all is offered in that cycle.
// Reset: nobody owes anything.
// Dropped and reported: a SnpResp of a node that owes none; one that comes twice in one cycle, at
// two ports, counts as one. Never stalls.
//
// A SnpResp taken at its port overtakes what its sender sent to this home before and what still
// waits in the queues of RSP and DAT: answers by the link. Each of those belongs to a tracker of its
// own, by number, and the home has no order between trackers. It does not overtake a CompAck, which
// is taken at the port too.
module home_answers
  import flit_pkg::*;
  import home_pkg::*;
  import supernode_pkg::UnitWidth, supernode_pkg::port_answer_t, supernode_pkg::error_event_t;
  import supernode_pkg::ErrNoTransaction;
#(
    parameter int unsigned Ports = 8,
    parameter int unsigned Nodes = 8,
    parameter int unsigned NodesPerChip = 8,
    parameter int unsigned Trackers = 32,
    localparam int unsigned TrackerWidth = $clog2(Trackers)
) (
    input logic clk_i,
    input logic rst_ni,
    // Answers at the ports
    input logic [Ports-1:0] valid_i,
    input port_answer_t [Ports-1:0] answers_i,
    output error_event_t [Ports-1:0] errors_o,
    // A snoop is ordered; a part of one leaves; and those of which not all has left
    input logic order_i,
    input logic [TrackerWidth-1:0] order_tracker_i,
    input logic sent_i,
    input logic [TrackerWidth-1:0] sent_tracker_i,
    input logic [Nodes-1:0] sent_targets_i,
    input logic [Trackers-1:0] snooping_i,
    // The tracker in the action stage, who owes it an answer, and whose the action takes; it is the
    // last, and needs no other to stand for all
    input logic [TrackerWidth-1:0] action_tracker_i,
    output logic [Nodes-1:0] action_owed_o,
    input logic [Nodes-1:0] action_taken_i,
    input logic action_last_i,
    // Who owes others an answer
    input logic [TrackerWidth-1:0] data_tracker_i,
    output logic [Nodes-1:0] data_owed_o,
    input logic [TrackerWidth-1:0] look_tracker_i,
    output logic [Nodes-1:0] look_owed_o,
    output logic [Trackers-1:0] moved_o,  // trackers of which an answer came
    // A tracker whose snoops are all answered
    output logic last_valid_o,
    output logic [TrackerWidth-1:0] last_tracker_o,
    input logic last_grant_i
);

  typedef logic [Nodes-1:0] nodes_t;

  nodes_t [Trackers-1:0] owed_q;  // snooped, and has not answered
  logic   [Trackers-1:0] owes_q;  // someone owes it an answer
  logic   [Trackers-1:0] open_q;  // it has a snoop whose last answer is yet to be offered

  assign action_owed_o = owed_q[action_tracker_i];
  assign data_owed_o   = owed_q[data_tracker_i];
  assign look_owed_o   = owed_q[look_tracker_i];

  // ---------------------------------------------------------------- At the ports

  // For whom an answer speaks.
  function automatic nodes_t nodes_of(logic [NodeIdWidth-1:0] source);
    nodes_t first;
    first = is_chip(source[UnitWidth-1:0]) ? nodes_t'({NodesPerChip{1'b1}}) : nodes_t'(1);
    return first << place_of(source, NodesPerChip);
  endfunction

  logic [Ports-1:0] matched;
  nodes_t [Trackers-1:0] answered;  // at the ports, in this cycle

  always_comb begin
    logic [TrackerWidth-1:0] tracker;
    nodes_t node;
    matched  = '0;
    answered = '0;
    moved_o  = '0;
    tracker  = '0;
    node     = '0;
    if (valid_i != '0) begin
      for (int unsigned p = 0; p < Ports; p++) begin
        if (valid_i[p] && !answers_i[p].ack && (answers_i[p].txn < TxnWidth'(Trackers))) begin
          tracker = answers_i[p].txn[TrackerWidth-1:0];
          node = nodes_of(answers_i[p].src) & owed_q[tracker];
          // What the action takes is answered already.
          if (tracker == action_tracker_i) node &= ~action_taken_i;
          if (node != '0) begin
            matched[p] = 1'b1;
            moved_o[tracker] = 1'b1;
            answered[tracker] |= node;
          end
        end
      end
    end
  end

  // ---------------------------------------------------------------- Who owes what

  logic change;
  assign change = sent_i || (matched != '0) || (action_taken_i != '0);

  nodes_t [Trackers-1:0] owed_d;

  always_comb begin
    owed_d = owed_q;
    if (change) begin
      owed_d = owed_q & ~answered;
      owed_d[action_tracker_i] &= ~action_taken_i;
      if (sent_i) owed_d[sent_tracker_i] |= sent_targets_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      owed_q <= '0;
      owes_q <= '0;
    end else if (change) begin
      owed_q <= owed_d;
      for (int unsigned t = 0; t < Trackers; t++) owes_q[t] <= owed_d[t] != '0;
    end
  end

  // ---------------------------------------------------------------- The last answer

  logic [Trackers-1:0] done;
  assign done = open_q & ~owes_q & ~snooping_i;
  assign last_valid_o = done != '0;

  always_comb begin
    last_tracker_o = '0;
    if (done != '0) begin
      for (int unsigned t = Trackers; t > 0; t--) begin
        if (done[t-1]) last_tracker_o = TrackerWidth'(t - 1);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      open_q <= '0;
    end else begin
      if (last_grant_i) open_q[last_tracker_o] <= 1'b0;
      if (action_last_i) open_q[action_tracker_i] <= 1'b0;
      if (order_i) open_q[order_tracker_i] <= 1'b1;
    end
  end

  // ---------------------------------------------------------------- Errors

  always_ff @(posedge clk_i) begin
    for (int unsigned p = 0; p < Ports; p++) begin
      errors_o[p].valid <= rst_ni && valid_i[p] && !answers_i[p].ack && !matched[p];
      if (valid_i[p]) begin
        errors_o[p].cause <= ErrNoTransaction;
        errors_o[p].src <= answers_i[p].src;
        errors_o[p].opcode <= OpSnpResp;
        errors_o[p].addr <= answers_i[p].addr;
      end
    end
  end

  // ---------------------------------------------------------------- Checks

  always_ff @(posedge clk_i) begin
    if (rst_ni && (change || order_i || last_grant_i)) begin
      assert (!order_i || (!open_q[order_tracker_i] && !owes_q[order_tracker_i]))
      else $error("a snoop ordered before the last one is answered");
      assert (!action_last_i || ((owed_q[action_tracker_i] == action_taken_i)
                                 && !snooping_i[action_tracker_i] && open_q[action_tracker_i]))
      else $error("an answer is not the last");
      assert (!last_grant_i || last_valid_o)
      else $error("no answer is the last");
      assert ((action_taken_i & ~owed_q[action_tracker_i]) == '0)
      else $error("an answer taken that nobody owes");
    end
  end

endmodule
