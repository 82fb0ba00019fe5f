// Receiving side of a link end: lets only those flits through that are what was sent, in order.
//
// Purpose: checks the CRC of each wire word and the sequence number of each flit, delivers the
// flit that is due, and asks for replay when it sees that flits are missing, again
// if what is due has not come after AskInterval cycles.
// Latency: one cycle, one word a cycle, no stall.
// Reset: no flit has arrived.
// Dropped: words whose CRC is wrong; flits that are not due; everything but training while
// `run_i` is low.
module link_rx
  import flit_pkg::*;
  import link_pkg::*;
#(
    parameter int unsigned Window      = 160,  // flits that may be on their way
    parameter int unsigned SeqBits     = 8,    // bits of the sequence numbers that are used
    parameter int unsigned AskInterval = 32    // cycles until replay is asked for again
) (
    input logic clk_i,
    input logic rst_ni,

    input  wire_word_t wire_i,
    input  logic       run_i,   // the link is trained
    output link_word_t word_o,

    // In the cycle in which the word is on the wire.
    output logic                    good_o,       // it is what was sent
    output logic   [           2:0] kind_o,
    output logic                    seen_o,
    output logic   [           2:0] ret_kind_o,
    output count_t                  ret_o,
    output count_t [NumClasses-1:0] counts_o,     // in a status word
    output logic                    crc_error_o,
    output logic                    accept_o,     // its flit is delivered
    output logic                    ask_o,        // it shows that flits are missing

    output seq_t expected_o  // all flits before it have been delivered
);

  typedef logic [SeqBits-1:0] number_t;

  number_t expected_q;
  // Not zero while the replay that has been asked for may still come.
  logic [$clog2(AskInterval+1)-1:0] patience_q;

  // How far the word's number is behind the flit that is due: flits up to Old behind have arrived
  // before; what would be further behind is ahead, since it is within the window of the sender.
  localparam int unsigned Old = 2 ** SeqBits - 1 - Window;
  number_t behind;
  logic good, is_flit, missing;

  always_comb begin
    good = 1'b0;
    is_flit = 1'b0;
    behind = '0;
    missing = 1'b0;
    if (wire_i.valid) begin
      good = crc(wire_i.body) == wire_i.crc;
      is_flit = wire_i.body.kind < KindStatus;
      behind = expected_q - number_t'(wire_i.body.seq);
      missing = run_i && good && wire_i.body.kind <= KindStatus && behind > number_t'(Old);
    end
  end

  assign good_o = good;
  assign kind_o = wire_i.body.kind;
  assign seen_o = wire_i.body.head;
  assign ret_kind_o = wire_i.body.ret_kind;
  assign ret_o = wire_i.body.ret;
  assign counts_o = wire_i.body.flit[NumClasses*CountWidth-1:0];
  assign crc_error_o = wire_i.valid && !good;
  assign accept_o = run_i && good && is_flit && behind == '0;
  assign ask_o = missing && patience_q == '0;
  assign expected_o = seq_t'(expected_q);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      expected_q   <= '0;
      patience_q   <= '0;
      word_o.valid <= 1'b0;
    end else begin
      word_o.valid <= accept_o;
      if (accept_o) begin
        expected_q  <= expected_q + 1'b1;
        patience_q  <= '0;
        word_o.cls  <= class_e'(wire_i.body.kind);
        word_o.head <= wire_i.body.head;
        word_o.tail <= wire_i.body.tail;
        word_o.flit <= wire_i.body.flit;
      end else if (!run_i) begin
        patience_q <= '0;
      end else if (ask_o) begin
        patience_q <= ($bits(patience_q))'(AskInterval);
      end else if (patience_q != '0) begin
        patience_q <= patience_q - 1'b1;
      end
    end
  end

endmodule
