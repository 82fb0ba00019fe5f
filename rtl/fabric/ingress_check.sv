// First stage of an external port's way in: every word that leaves it belongs to a legal packet.
//
// Purpose: checks that the node holds a credit for the word, that its packet has the head, the
// tail and the number of words that its header declares, and that the header is one that this node
// may send: class, opcode, size, alignment, source.
// Latency: one cycle, one word a cycle, no stall.
// Reset: no packet is open.
//
// Dropped (`drop`, the credit returns at once) and logged once a packet:
// - a packet whose header is not legal, to its tail or to the next head;
// - a word that is no head while no packet is open, to the tail or the next head;
// - a packet that declares a payload and ends with its header, or the reverse.
// Ignored and logged, as if never sent: a word without credit; a word of no class.
// The header of a packet may have left already when its payload turns out wrong, so what was
// declared is kept:
// - words beyond the declared length are dropped; the last declared word becomes the tail;
// - a packet that ends early, by a tail or by the head of another, is filled to its declared
//   length with copies of that last word (`fill`), without which it would hold its output for
//   ever; of the other packet, the rest is dropped.
module ingress_check
  import flit_pkg::*;
  import supernode_pkg::*;
  import fabric_pkg::*;
(
    input  logic                           clk_i,
    input  logic                           rst_ni,
    input  node_id_t                       node_id_i,
    input  logic                           rx_valid_i,
    input  logic          [           2:0] rx_class_i,
    input  logic                           rx_head_i,
    input  logic                           rx_tail_i,
    input  logic          [ FlitWidth-1:0] rx_flit_i,
    input  logic          [NumClasses-1:0] credit_i,    // pulses that the node sees in this cycle
    output checked_word_t                  word_o
);

  typedef enum logic [1:0] {
    Idle,
    Body,  // the payload of a legal packet
    Skip   // the rest of a dropped one
  } framing_e;

  localparam int unsigned CountWidth = $clog2(MaxPayloadFlits + 1);
  typedef logic [CountWidth-1:0] count_t;

  framing_e framing_q[NumClasses], framing_d;
  count_t left_q[NumClasses], left_d;  // payload words still to come, in Body
  credit_t     credits_q[NumClasses];  // held by the node

  // The sizes of REQ and DAT headers are at the same place, so one form serves for both; most
  // other fields do not matter here.
  // verilator lint_off UNUSEDSIGNAL
  dat_header_t header;
  // verilator lint_on UNUSEDSIGNAL
  assign header = rx_flit_i;

  class_e cls;
  assign cls = class_e'(rx_class_i);

  logic known_class, taken;
  assign known_class = rx_class_i < 3'(NumClasses);
  // A credit may be spent in the cycle in which it is seen.
  assign taken = rx_valid_i && known_class && (credits_q[rx_class_i] != '0 || credit_i[rx_class_i]);

  logic drop;
  error_cause_e cause;
  logic head, tail;
  count_t fill, declared;

  always_comb begin
    drop = 1'b0;
    cause = ErrNone;
    head = rx_head_i;
    tail = rx_tail_i;
    fill = '0;
    declared = '0;
    framing_d = Idle;
    left_d = '0;
    if (rx_valid_i && !taken) begin
      cause = known_class ? ErrNoCredit : ErrBadOpcode;
    end else if (taken && framing_q[rx_class_i] == Body) begin
      head   = 1'b0;
      left_d = left_q[rx_class_i] - 1'b1;
      if (rx_head_i || rx_tail_i) begin
        fill = left_d;
        tail = 1'b1;
      end else begin
        tail = left_d == '0;
      end
      if (tail) framing_d = rx_tail_i ? Idle : Skip;
      else framing_d = Body;
      if (rx_head_i || fill != '0 || framing_d == Skip) cause = ErrTornPacket;
    end else if (taken && rx_head_i) begin
      if (has_payload(header.opcode)) declared = payload_flits(header.size);
      if (!(cls inside {ClassReq, ClassRsp, ClassDat}) || !opcode_in_class(
              header.opcode, cls
          )) begin
        cause = ErrBadOpcode;
      end else if (!is_legal(cls, header.opcode, header.size, header.addr[7:0])) begin
        cause = ErrBadSize;
      end else if (header.src != node_id_i) begin
        cause = ErrWrongSource;
      end else if (rx_tail_i != (declared == '0)) begin
        cause = ErrTornPacket;
      end
      drop = cause != ErrNone;
      if (!rx_tail_i) framing_d = drop ? Skip : Body;
      left_d = declared;
    end else if (taken) begin
      drop = 1'b1;
      if (framing_q[rx_class_i] == Idle) cause = ErrTornPacket;
      framing_d = rx_tail_i ? Idle : Skip;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      for (int unsigned c = 0; c < NumClasses; c++) begin
        framing_q[c] <= Idle;
        credits_q[c] <= '0;
      end
    end else begin
      if (taken) begin
        framing_q[rx_class_i] <= framing_d;
        left_q[rx_class_i] <= left_d;
      end
      if (taken || credit_i != '0) begin
        for (int unsigned c = 0; c < NumClasses; c++) begin
          credits_q[c] <= credits_q[c] + credit_t'(credit_i[c]) -
              credit_t'(taken && rx_class_i == 3'(c));
        end
      end
    end
  end

  always_ff @(posedge clk_i) begin
    word_o.valid <= taken && rst_ni;
    word_o.cause <= rst_ni ? cause : ErrNone;
    if (taken) begin
      word_o.drop <= drop;
      word_o.cls  <= cls;
      word_o.head <= head;
      word_o.tail <= tail;
      word_o.fill <= fill_t'(fill);
      word_o.flit <= rx_flit_i;
    end
  end

endmodule
