// Receiver of a home slice: takes the link apart into requests, answers and their data.
//
// REQ words wait in a queue of ReqDepth flits. A header leaves it when a tracker is free, which it
// then occupies; payload flits follow into the tracker's line buffer; with its last flit the request
// has arrived and is offered to the pipeline (request_valid_o). RSP and DAT words are taken in the
// cycle in which they come: an RSP flit is an answer at once, a DAT packet with its last flit, after
// its payload has gone to the line buffer.
//
// Credits: after reset the whole depth of REQ, RSP and DAT, one a cycle and class; later one for
// every flit that leaves its buffer. SNP and MEM are never granted.
//
// Stalls: REQ while no tracker is free, or while the pipeline or the line buffer is busy with
// answers. Never RSP or DAT. The ingress has checked opcodes, sizes and packet lengths.
module home_rx
  import flit_pkg::*;
  import home_pkg::*;
#(
    parameter int unsigned ReqDepth = 16,     // flits; a write packet is 5
    parameter int unsigned AnswerCredits = 16, // of RSP and of DAT: what a round trip needs
    parameter int unsigned TrackerWidth = 5
) (
    input logic clk_i,
    input logic rst_ni,
    // Link
    input link_word_t rx_i,
    output logic [NumClasses-1:0] rx_credit_o,
    // A request takes the free tracker
    input logic free_valid_i,
    input logic [TrackerWidth-1:0] free_tracker_i,
    output logic take_o,
    output req_header_t take_header_o,
    // A request has arrived whole; it may be the one that takes its tracker in this cycle
    output logic request_valid_o,
    output logic request_fresh_o,  // a header waits for the free tracker
    output logic [TrackerWidth-1:0] request_tracker_o,
    input logic request_ready_i,
    // Answer of a node or memory, to be taken in this cycle
    output logic answer_valid_o,
    output answer_t answer_o,
    // Payload for the line buffer: of requests, and of answers (never stalled)
    output logic request_data_valid_o,
    input logic request_data_ready_i,
    output logic [TrackerWidth-1:0] request_data_tracker_o,
    output logic request_data_piece_o,  // up to 16 bytes, no line
    output flit_index_t request_data_index_o,
    output logic [FlitWidth-1:0] request_data_o,
    output logic answer_data_valid_o,
    output flit_index_t answer_data_index_o,
    output logic [FlitWidth-1:0] answer_data_o
);

  // ---------------------------------------------------------------- Requests

  typedef struct packed {
    logic                 tail;
    logic [FlitWidth-1:0] flit;
  } req_word_t;

  logic req_push, req_pop, req_valid;
  req_word_t req_word;

  assign req_push = rx_i.valid && (rx_i.cls == ClassReq);

  home_queue #(
      .Width($bits(req_word_t)),
      .Depth(ReqDepth)
  ) u_req_queue (
      .clk_i,
      .rst_ni,
      .push_i (req_push),
      .data_i ({rx_i.tail, rx_i.flit}),
      .valid_o(req_valid),
      .data_o (req_word),
      .pop_i  (req_pop)
  );

  // Inside a packet, behind its header.
  logic in_payload_q;
  logic [TrackerWidth-1:0] payload_tracker_q;
  logic payload_piece_q;
  flit_index_t payload_index_q;

  logic header_waits, payload_waits, step_ready;

  assign header_waits = req_valid && !in_payload_q;
  assign payload_waits = req_valid && in_payload_q;
  // Only the last flit of a packet needs the pipeline.
  assign step_ready = !req_word.tail || request_ready_i;

  assign take_header_o = req_header_t'(req_word.flit);
  assign take_o = header_waits && free_valid_i && step_ready;

  assign request_data_valid_o = payload_waits && step_ready;
  assign request_data_tracker_o = payload_tracker_q;
  assign request_data_piece_o = payload_piece_q;
  assign request_data_index_o = payload_index_q;
  assign request_data_o = req_word.flit;

  assign request_valid_o = req_word.tail
                           && (in_payload_q ? (payload_waits && request_data_ready_i)
                                            : (header_waits && free_valid_i));
  assign request_fresh_o = header_waits;
  assign request_tracker_o = in_payload_q ? payload_tracker_q : free_tracker_i;

  assign req_pop = take_o || (request_data_valid_o && request_data_ready_i);

  always_ff @(posedge clk_i) begin
    if (take_o) begin
      payload_tracker_q <= free_tracker_i;
      payload_piece_q   <= take_header_o.size <= 4'd4;
      payload_index_q   <= '0;
    end else if (req_pop) begin
      payload_index_q <= payload_index_q + flit_index_t'(1);
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) in_payload_q <= 1'b0;
    else if (req_pop) in_payload_q <= !req_word.tail;
  end

  // ---------------------------------------------------------------- Answers

  // An answer needs neither its destination nor its priority, and has no transaction of a home.
  // verilator lint_off UNUSEDSIGNAL
  rsp_header_t rsp;
  dat_header_t dat;
  // verilator lint_on UNUSEDSIGNAL
  answer_t     dat_answer_q;  // of the DAT packet under way
  flit_index_t dat_index_q;
  logic        dat_done_q;  // no DAT packet is under way
  logic rsp_valid, dat_valid;

  assign rsp_valid = rx_i.valid && (rx_i.cls == ClassRsp);
  assign dat_valid = rx_i.valid && (rx_i.cls == ClassDat);
  assign rsp = rsp_header_t'(rx_i.flit);
  assign dat = dat_header_t'(rx_i.flit);

  assign answer_valid_o = rsp_valid || (dat_valid && rx_i.tail && !rx_i.head);
  assign answer_o = (rx_i.cls == ClassRsp) ?
      '{
          opcode: rsp.opcode,
          src: rsp.src,
          txn: rsp.txn,
          addr: rsp.addr,
          state: rsp.state,
          resp: rsp.resp,
          poison: 1'b0,
          line: 1'b0,
          lost: 1'b0,
          last: 1'b0
      }
      : dat_answer_q;

  assign answer_data_valid_o = dat_valid && !rx_i.head;
  assign answer_data_index_o = dat_index_q;
  assign answer_data_o = rx_i.flit;

  always_ff @(posedge clk_i) begin
    if (dat_valid) begin
      if (rx_i.head) begin
        dat_answer_q <= '{
            opcode: dat.opcode,
            src: dat.src,
            txn: dat.txn,
            addr: dat.addr,
            state: dat.state,
            resp: dat.resp,
            poison: dat.poison,
            line: dat.size == LineSize,
            lost: 1'b0,
            last: 1'b0
        };
      end
      dat_index_q <= rx_i.head ? '0 : dat_index_q + flit_index_t'(1);
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) dat_done_q <= 1'b1;
    else if (dat_valid) dat_done_q <= rx_i.tail;
  end

  // ---------------------------------------------------------------- Credits

  localparam int unsigned OwedWidth = $clog2(
      ((ReqDepth > AnswerCredits) ? ReqDepth : AnswerCredits) + 1
  );

  // Credits still to be given back.
  logic [OwedWidth-1:0] req_owed_q, rsp_owed_q, dat_owed_q;
  logic [NumClasses-1:0] give;

  always_comb begin
    give = '0;
    give[ClassReq] = req_owed_q != '0;
    give[ClassRsp] = rsp_owed_q != '0;
    give[ClassDat] = dat_owed_q != '0;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      req_owed_q  <= OwedWidth'(ReqDepth);
      rsp_owed_q  <= OwedWidth'(AnswerCredits);
      dat_owed_q  <= OwedWidth'(AnswerCredits);
      rx_credit_o <= '0;
    end else begin
      req_owed_q  <= req_owed_q + OwedWidth'(req_pop) - OwedWidth'(give[ClassReq]);
      rsp_owed_q  <= rsp_owed_q + OwedWidth'(rsp_valid) - OwedWidth'(give[ClassRsp]);
      dat_owed_q  <= dat_owed_q + OwedWidth'(dat_valid) - OwedWidth'(give[ClassDat]);
      rx_credit_o <= give;
      // The link sends only what it was granted, in packets that do not interleave.
      assert (!rx_i.valid || (rx_i.cls inside {ClassReq, ClassRsp, ClassDat}));
      assert (!dat_valid || (rx_i.head == dat_done_q));
      assert (!rsp_valid || (rx_i.head && rx_i.tail));
    end
  end

endmodule
