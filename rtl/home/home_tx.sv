// Transmitter of a home slice: sends what the trackers order, one link word a cycle.
//
// Snoops, MEM and answers have a queue of orders each, in which each tracker has at most one place,
// so it never fills up and orders of a queue leave in order. The queues take turns word by word among
// those with a word and a credit; words of one class are never interleaved. A snoop of several
// targets leaves as one SNP a chip, lowest first; the fabric of that chip makes the copies. An answer
// is a Comp or, to an atomic that asks for it, a CompData with the old value.
//
// An order's words are made as they leave, from the tracker's request (read port) and line buffer.
// Latency: a packet ordered in one cycle is on tx_o two cycles later, at the earliest.
module home_tx
  import flit_pkg::*;
  import home_pkg::*;
  import supernode_pkg::ChipWidth, supernode_pkg::UnitWidth, supernode_pkg::node_id_t;
#(
    parameter int unsigned Nodes = 8,
    parameter int unsigned NodesPerChip = 8,
    parameter int unsigned Trackers = 32,
    localparam int unsigned TrackerWidth = $clog2(Trackers)
) (
    input logic clk_i,
    input logic rst_ni,
    input node_id_t node_id_i,
    // Orders, all for order_tracker_i
    input logic [TrackerWidth-1:0] order_tracker_i,
    input logic order_snp_i,
    input snp_order_t snp_order_i,
    input logic [Nodes-1:0] snp_targets_i,
    input logic order_mem_i,
    input mem_order_t mem_order_i,
    input logic order_rsp_i,
    input rsp_order_t rsp_order_i,
    // Whether a MEM or an answer is not sent yet, orders of this cycle included; and one that leaves
    input logic [TrackerWidth-1:0] query_tracker_i,
    output logic unsent_o,
    output logic left_o,
    output logic [TrackerWidth-1:0] left_tracker_o,
    // Snoops that leave, and trackers that have more to snoop
    output logic sent_o,
    output logic [TrackerWidth-1:0] sent_tracker_o,
    output logic [Nodes-1:0] sent_targets_o,
    output logic [Trackers-1:0] snooping_o,
    output logic release_valid_o,  // the last packet of a tracker leaves
    output logic [TrackerWidth-1:0] release_tracker_o,
    // The tracker whose word leaves; some fields of its request are of no use here
    output logic [TrackerWidth-1:0] read_tracker_o,
    // verilator lint_off UNUSEDSIGNAL
    input req_header_t read_request_i,
    // verilator lint_on UNUSEDSIGNAL
    input line_addr_t read_victim_i,
    output flit_index_t read_index_o,
    input logic [FlitWidth-1:0] read_data_i,
    input logic [FlitWidth-1:0] read_piece_i,
    // Link; a home sends no REQ
    output link_word_t tx_o,
    // verilator lint_off UNUSEDSIGNAL
    input logic [NumClasses-1:0] tx_credit_i,
    // verilator lint_on UNUSEDSIGNAL
    // Events
    output logic event_snoop_o,
    output logic event_mem_read_o,
    output logic event_mem_write_o
);

  typedef logic [TrackerWidth-1:0] tracker_t;

  // ---------------------------------------------------------------- Orders

  typedef struct packed {
    tracker_t tracker;
    opcode_e  opcode;
    logic     recall;
  } snp_entry_t;

  typedef struct packed {
    tracker_t   tracker;
    mem_order_t order;
  } mem_entry_t;

  typedef struct packed {
    tracker_t   tracker;
    rsp_order_t order;
  } rsp_entry_t;

  snp_entry_t snp;
  mem_entry_t mem;
  rsp_entry_t rsp;
  logic snp_valid, mem_valid, rsp_valid, snp_pop, mem_pop, rsp_pop;

  home_queue #(
      .Width($bits(snp_entry_t)),
      .Depth(Trackers)
  ) u_snp_orders (
      .clk_i,
      .rst_ni,
      .push_i (order_snp_i),
      .data_i ({order_tracker_i, snp_order_i.opcode, snp_order_i.recall}),
      .valid_o(snp_valid),
      .data_o (snp),
      .pop_i  (snp_pop)
  );

  home_queue #(
      .Width($bits(mem_entry_t)),
      .Depth(Trackers)
  ) u_mem_orders (
      .clk_i,
      .rst_ni,
      .push_i (order_mem_i),
      .data_i ({order_tracker_i, mem_order_i}),
      .valid_o(mem_valid),
      .data_o (mem),
      .pop_i  (mem_pop)
  );

  home_queue #(
      .Width($bits(rsp_entry_t)),
      .Depth(Trackers)
  ) u_rsp_orders (
      .clk_i,
      .rst_ni,
      .push_i (order_rsp_i),
      .data_i ({order_tracker_i, rsp_order_i}),
      .valid_o(rsp_valid),
      .data_o (rsp),
      .pop_i  (rsp_pop)
  );

  // ---------------------------------------------------------------- Credits and turns

  localparam int unsigned CreditWidth = 8;
  typedef logic [CreditWidth-1:0] credit_t;

  credit_t snp_credit_q, mem_credit_q, rsp_credit_q, dat_credit_q;
  logic send_snp, send_mem, send_rsp;
  class_e turn_q;  // the class that sent last

  always_comb begin
    logic can_snp, can_mem, can_rsp;
    can_snp = snp_valid && (snp_credit_q != '0);
    can_mem = mem_valid && (mem_credit_q != '0);
    can_rsp = rsp_valid && ((rsp.order.data ? dat_credit_q : rsp_credit_q) != '0);
    unique case (turn_q)
      ClassSnp: begin
        send_mem = can_mem;
        send_rsp = can_rsp && !can_mem;
        send_snp = can_snp && !can_mem && !can_rsp;
      end
      ClassMem: begin
        send_rsp = can_rsp;
        send_snp = can_snp && !can_rsp;
        send_mem = can_mem && !can_snp && !can_rsp;
      end
      default: begin
        send_snp = can_snp;
        send_mem = can_mem && !can_snp;
        send_rsp = can_rsp && !can_snp && !can_mem;
      end
    endcase
  end

  function automatic credit_t credit(credit_t count, logic granted, logic spent);
    return count + credit_t'(granted) - credit_t'(spent);
  endfunction

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      snp_credit_q <= '0;
      mem_credit_q <= '0;
      rsp_credit_q <= '0;
      dat_credit_q <= '0;
      turn_q <= ClassRsp;
    end else begin
      snp_credit_q <= credit(snp_credit_q, tx_credit_i[ClassSnp], send_snp);
      mem_credit_q <= credit(mem_credit_q, tx_credit_i[ClassMem], send_mem);
      rsp_credit_q <= credit(rsp_credit_q, tx_credit_i[ClassRsp], send_rsp && !rsp.order.data);
      dat_credit_q <= credit(dat_credit_q, tx_credit_i[ClassDat], send_rsp && rsp.order.data);
      if (send_snp) turn_q <= ClassSnp;
      if (send_mem) turn_q <= ClassMem;
      if (send_rsp) turn_q <= ClassRsp;
    end
  end

  // ---------------------------------------------------------------- Snoops: one chip at a time

  localparam int unsigned Chips = (Nodes + NodesPerChip - 1) / NodesPerChip;

  logic [Nodes-1:0] targets_q[Trackers];  // not yet sent, by tracker
  logic [Trackers-1:0] snooping_q;  // targets_q is valid
  logic [Nodes-1:0] targets, targets_left;
  logic [ChipWidth-1:0] target_chip;
  logic [NodesPerChip-1:0] chip_targets;

  assign targets = targets_q[snp.tracker];

  always_comb begin
    target_chip  = '0;
    chip_targets = '0;
    targets_left = targets;
    if (snp_valid) begin
      for (int unsigned c = Chips; c > 0; c--) begin
        if (NodesPerChip'(targets >> ((c - 1) * NodesPerChip)) != '0) begin
          target_chip = ChipWidth'(c - 1);
        end
      end
      chip_targets = NodesPerChip'(targets >> (target_chip * NodesPerChip));
      targets_left = targets & ~(Nodes'(chip_targets) << (target_chip * NodesPerChip));
    end
  end

  assign snp_pop = send_snp && (targets_left == '0);

  assign sent_o = send_snp;
  assign sent_tracker_o = snp.tracker;
  assign sent_targets_o = targets & ~targets_left;
  assign snooping_o = snooping_q;

  always_ff @(posedge clk_i) begin
    if (order_snp_i) targets_q[order_tracker_i] <= snp_targets_i;
    if (send_snp) targets_q[snp.tracker] <= targets_left;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      snooping_q <= '0;
    end else begin
      if (order_snp_i) snooping_q[order_tracker_i] <= 1'b1;
      if (snp_pop) snooping_q[snp.tracker] <= 1'b0;
    end
  end

  // ---------------------------------------------------------------- Headers, then payload

  logic mem_small, mem_tail;
  logic        mem_payload_q;  // the header has left
  flit_index_t mem_index_q;  // payload flit to be sent

  assign mem_small = mem.order.write && !mem.order.whole;
  assign mem_tail  = mem_payload_q ? (mem_small || (mem_index_q == '1)) : !mem.order.write;
  assign mem_pop   = send_mem && mem_tail;

  logic rsp_tail;
  logic rsp_payload_q;  // the header of a CompData has left

  assign rsp_tail = !rsp.order.data || rsp_payload_q;
  assign rsp_pop  = send_rsp && rsp_tail;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) rsp_payload_q <= 1'b0;
    else if (send_rsp) rsp_payload_q <= !rsp_tail;
  end

  // The flit of the line that the request's payload belongs to, or the next.
  flit_index_t piece_index;
  assign piece_index  = read_request_i.addr[5:4];
  assign read_index_o = (send_rsp || mem_small) ? piece_index : mem_index_q;

  // What a request of up to 16 bytes makes of that flit. A line that is written back has none.
  logic changes;
  logic [FlitWidth-1:0] changed, old_word;
  logic [FlitBytes-1:0] changed_be;

  assign changes = ((send_mem && mem.order.write && !mem.order.recall) || send_rsp)
      && (mem_small || send_rsp || (read_request_i.size <= 4'd4));

  home_atomic u_atomic (
      .valid_i  (changes),
      .request_i(read_request_i),
      .payload_i(read_piece_i),
      .old_i    (read_data_i),
      .new_o    (changed),
      .be_o     (changed_be),
      .word_o   (old_word)
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      mem_payload_q <= 1'b0;
      mem_index_q   <= '0;
    end else if (send_mem) begin
      mem_payload_q <= !mem_tail;
      mem_index_q   <= mem_payload_q ? mem_index_q + flit_index_t'(1) : '0;
    end
  end

  // ---------------------------------------------------------------- What has left

  logic [Trackers-1:0] unsent_q;

  assign left_o = mem_pop || rsp_pop;
  assign left_tracker_o = mem_pop ? mem.tracker : rsp.tracker;
  assign release_valid_o = rsp_pop && rsp.order.last;
  assign release_tracker_o = rsp.tracker;
  assign unsent_o = unsent_q[query_tracker_i]
      || ((order_mem_i || order_rsp_i) && (order_tracker_i == query_tracker_i));

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      unsent_q <= '0;
    end else begin
      if (mem_pop) unsent_q[mem.tracker] <= 1'b0;
      if (rsp_pop) unsent_q[rsp.tracker] <= 1'b0;
      if (order_mem_i || order_rsp_i) unsent_q[order_tracker_i] <= 1'b1;
    end
  end

  // ---------------------------------------------------------------- Words

  assign read_tracker_o = send_snp ? snp.tracker : (send_mem ? mem.tracker : rsp.tracker);

  snp_header_t snp_header;
  mem_read_header_t mem_read_header;
  mem_write_header_t mem_write_header;
  rsp_header_t rsp_header;
  dat_header_t dat_header;
  logic [AddrWidth-1:0] line_addr, victim_addr;

  assign line_addr   = {read_request_i.addr[AddrWidth-1:LineOffsetWidth], LineOffsetWidth'(0)};
  assign victim_addr = {read_victim_i, LineOffsetWidth'(0)};

  always_comb begin
    snp_header = '0;
    snp_header.opcode = snp.opcode;
    snp_header.qos = read_request_i.qos;
    snp_header.src = node_id_i;
    snp_header.dst = {target_chip, UnitWidth'(0)};
    snp_header.txn = TxnWidth'(snp.tracker);
    snp_header.addr = snp.recall ? victim_addr : line_addr;
    snp_header.forward_node = read_request_i.src;
    snp_header.forward_txn = read_request_i.txn;
    snp_header.targets = MaxTargets'(chip_targets);
  end

  // The address map behind the home turns the global address into memory node and local address.
  always_comb begin
    mem_read_header = '0;
    mem_read_header.opcode = OpMemRead;
    mem_read_header.qos = read_request_i.qos;
    mem_read_header.src = node_id_i;
    mem_read_header.txn = TxnWidth'(mem.tracker);
    mem_read_header.addr = line_addr;
    mem_read_header.size = LineSize;
    mem_read_header.state = mem.order.grant;
    mem_read_header.return_node = mem.order.fetch ? node_id_i : read_request_i.src;
    mem_read_header.return_txn = mem.order.fetch ? TxnWidth'(mem.tracker) : read_request_i.txn;
  end

  always_comb begin
    mem_write_header = '0;
    mem_write_header.opcode = OpMemWrite;
    mem_write_header.qos = read_request_i.qos;
    mem_write_header.src = node_id_i;
    mem_write_header.txn = TxnWidth'(mem.tracker);
    mem_write_header.addr = mem.order.recall ? victim_addr
                            : (mem.order.whole ? line_addr : read_request_i.addr);
    mem_write_header.size = mem.order.whole ? LineSize : read_request_i.size;
    mem_write_header.state = StateI;
    mem_write_header.poison = mem.order.poison;
    mem_write_header.be = mem.order.whole ? '1 : changed_be;
  end

  always_comb begin
    rsp_header = '0;
    rsp_header.opcode = OpComp;
    rsp_header.qos = read_request_i.qos;
    rsp_header.src = node_id_i;
    rsp_header.dst = read_request_i.src;
    rsp_header.txn = read_request_i.txn;
    rsp_header.addr = read_request_i.addr;
    rsp_header.state = rsp.order.grant;
    rsp_header.resp = rsp.order.resp;
    rsp_header.home_node = node_id_i;
    rsp_header.home_txn = TxnWidth'(rsp.tracker);
  end

  logic [FlitWidth-1:0] mem_payload;

  always_comb begin
    mem_payload = read_data_i;
    if (changes && (mem_small || (mem_index_q == piece_index))) mem_payload = changed;
    // No line is there that a WriteUnique by itself could be merged into.
    if (mem_small && (read_request_i.opcode == OpWriteUnique)) mem_payload = read_piece_i;
  end

  always_comb begin
    dat_header = '0;
    dat_header.opcode = OpCompData;
    dat_header.qos = read_request_i.qos;
    dat_header.src = node_id_i;
    dat_header.dst = read_request_i.src;
    dat_header.txn = read_request_i.txn;
    dat_header.addr = read_request_i.addr;
    dat_header.size = read_request_i.size;
    dat_header.state = StateI;
    dat_header.poison = rsp.order.poison;
    dat_header.resp = rsp.order.resp;
    dat_header.home_node = node_id_i;
    dat_header.home_txn = TxnWidth'(rsp.tracker);
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      tx_o <= '0;
    end else begin
      tx_o.valid <= send_snp || send_mem || send_rsp;
      if (send_snp) begin
        tx_o <= '{valid: 1'b1, cls: ClassSnp, head: 1'b1, tail: 1'b1, flit: snp_header};
      end
      if (send_mem) begin
        tx_o <= '{
            valid: 1'b1,
            cls: ClassMem,
            head: !mem_payload_q,
            tail: mem_tail,
            flit:
            mem_payload_q
            ?
            mem_payload
            : (
            mem.order.write ? mem_write_header : mem_read_header
            )
        };
      end
      if (send_rsp && rsp.order.data) begin
        tx_o <= '{
            valid: 1'b1,
            cls: ClassDat,
            head: !rsp_payload_q,
            tail: rsp_payload_q,
            flit: rsp_payload_q ? old_word : dat_header
        };
      end else if (send_rsp) begin
        tx_o <= '{valid: 1'b1, cls: ClassRsp, head: 1'b1, tail: 1'b1, flit: rsp_header};
      end
    end
  end

  assign event_snoop_o = send_snp;
  assign event_mem_read_o = mem_pop && !mem.order.write;
  assign event_mem_write_o = mem_pop && mem.order.write;

  // ---------------------------------------------------------------- Checks

  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      assert (!tx_credit_i[ClassSnp] || (snp_credit_q != '1) || send_snp)
      else $error("too many credits");
      assert (!tx_credit_i[ClassMem] || (mem_credit_q != '1) || send_mem)
      else $error("too many credits");
      assert (!tx_credit_i[ClassRsp] || (rsp_credit_q != '1) || send_rsp)
      else $error("too many credits");
      assert (!tx_credit_i[ClassDat] || (dat_credit_q != '1) || send_rsp)
      else $error("too many credits");
      assert (!snp_valid || (targets != '0))
      else $error("a snoop of nobody");
      assert (!order_snp_i || !snooping_q[order_tracker_i])
      else $error("two snoops of one tracker");
      assert (!order_snp_i || (snp_targets_i != '0))
      else $error("a snoop ordered of nobody");
      assert (!(order_mem_i || order_rsp_i) || !unsent_q[order_tracker_i])
      else $error("two packets of one tracker in the queues");
    end
  end

endmodule
