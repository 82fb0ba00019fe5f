// First stage of an external port's way in: every word that leaves it belongs to a legal packet.
//
// Purpose: checks that the sender holds a credit for the word, that its packet has the head, the
// tail and the number of words that its header declares, and that the header is one that this
// sender may send: class, opcode, size, alignment, other fields, source. A node sends REQ, RSP and DAT
// in its own name only; another chip, on a fabric port, sends all classes in the name of any but this
// chip.
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
//   ever; of the other packet, the rest is dropped;
// - a packet that a node does not go on with, though it has a credit, is ended by packet_guard as if
//   such a head had come, with a word of zeros. Another chip's packets are watched where they began.
// That word takes the slot of a credit which the node still holds. So the node owes one: it is not
// shown the next credit of the class, or a word that it sends before that without another is ignored.
module ingress_check
  import flit_pkg::*;
  import supernode_pkg::*;
  import fabric_pkg::*;
  import arbiter_pkg::*;
(
    input  logic                           clk_i,
    input  logic                           rst_ni,
    input  node_id_t                       node_id_i,
    input  logic                           fabric_i,    // another chip is on this port, no node
    input  logic                           rx_valid_i,
    input  logic          [           2:0] rx_class_i,
    input  logic                           rx_head_i,
    input  logic                           rx_tail_i,
    input  logic          [ FlitWidth-1:0] rx_flit_i,
    input  logic                           tick_i,      // see packet_guard
    input  logic          [NumClasses-1:0] credit_i,    // pulses
    output logic          [NumClasses-1:0] credit_o,    // those that the sender sees, in this cycle
    output checked_word_t                  word_o
);

  typedef enum logic [1:0] {
    Idle,
    Body,  // the payload of a legal packet
    Skip   // the rest of a dropped one
  } framing_e;

  typedef logic [$clog2(MaxPayloadFlits + 1)-1:0] count_t;

  // What becomes of a word and of the framing of its class.
  typedef struct packed {
    framing_e     framing;
    count_t       left;     // payload words still to come, in Body
    logic         drop;
    error_cause_e cause;
    logic         head;
    logic         tail;
    fill_t        fill;
  } verdict_t;

  // The sizes of REQ and DAT headers are at the same place, so one form serves for all. Most other
  // fields do not matter here.
  // verilator lint_off UNUSEDSIGNAL
  function automatic error_cause_e header_error(class_e cls, dat_header_t header, node_id_t node_id,
                                                logic fabric);
    logic known;
    if (!fabric && !(cls inside {ClassReq, ClassRsp, ClassDat})) return ErrBadOpcode;
    if (!is_legal(cls, header.opcode, header.size, header.addr[7:0])) begin
      return opcode_in_class(header.opcode, cls) ? ErrBadSize : ErrBadOpcode;
    end
    if (!fields_legal(cls, header)) return ErrBadField;
    known = fabric ? header.src[NodeIdWidth-1:UnitWidth] != node_id[NodeIdWidth-1:UnitWidth] :
        header.src == node_id;
    return known ? ErrNone : ErrWrongSource;
  endfunction
  // verilator lint_on UNUSEDSIGNAL

  // A word while the payload of a legal packet is under way.
  function automatic verdict_t judge_payload(count_t left, logic head, logic tail);
    verdict_t verdict;
    verdict = verdict_t'('0);
    verdict.left = left - 1'b1;
    verdict.tail = head || tail || verdict.left == '0;
    if (head || tail) verdict.fill = fill_t'(verdict.left);
    if (verdict.tail) verdict.framing = tail ? Idle : Skip;
    else verdict.framing = Body;
    if (head || verdict.fill != '0 || verdict.framing == Skip) verdict.cause = ErrTornPacket;
    return verdict;
  endfunction

  // The first word of a packet.
  function automatic verdict_t judge_header(class_e cls, dat_header_t header, logic tail,
                                            node_id_t node_id, logic fabric);
    verdict_t verdict;
    verdict = verdict_t'('0);
    verdict.head = 1'b1;
    verdict.tail = tail;
    verdict.left = has_payload(header.opcode) ? payload_flits(header.size) : '0;
    verdict.cause = header_error(cls, header, node_id, fabric);
    if (verdict.cause == ErrNone && tail != (verdict.left == '0)) verdict.cause = ErrTornPacket;
    verdict.drop = verdict.cause != ErrNone;
    if (!tail) verdict.framing = verdict.drop ? Skip : Body;
    return verdict;
  endfunction

  // A word that belongs to no legal packet.
  function automatic verdict_t judge_stray(framing_e framing, logic tail);
    verdict_t verdict;
    verdict = verdict_t'('0);
    verdict.drop = 1'b1;
    verdict.cause = (framing == Idle) ? ErrTornPacket : ErrNone;
    verdict.framing = tail ? Idle : Skip;
    return verdict;
  endfunction

  framing_e [NumClasses-1:0] framing_q;
  count_t   [NumClasses-1:0] left_q;
  credit_t  [NumClasses-1:0] credits_q;  // with a slot for the word of each
  logic     [NumClasses-1:0] owed_q;  // the sender holds one more, whose slot is taken

  assign credit_o = credit_i & ~owed_q;

  // A credit may be spent in the cycle in which it is seen.
  logic [NumClasses-1:0] rx_class;  // that a word comes of
  logic [NumClasses-1:0] comes;  // ... for which there is a slot
  logic [NumClasses-1:0] pays;  // ... against the credit that is owed
  logic [NumClasses-1:0] stalled;
  logic [NumClasses-1:0] ended;

  always_comb begin
    rx_class = NumClasses'(rx_valid_i) << rx_class_i;
    comes = '0;
    pays = '0;
    if (rx_class != '0) begin
      if (credits_q[rx_class_i] != '0 || credit_i[rx_class_i]) comes = rx_class;
      else pays = rx_class & owed_q;
    end
  end

  always_comb begin
    stalled = '0;
    if (tick_i && !fabric_i) begin
      for (int unsigned c = 0; c < NumClasses; c++) begin
        stalled[c] = framing_q[c] == Body && credits_q[c] != '0 && !owed_q[c];
      end
    end
  end

  packet_guard u_packet_guard (
      .clk_i,
      .rst_ni,
      .tick_i,
      .stalled_i(stalled),
      .comes_i  (comes),
      .end_o    (ended)
  );

  class_e   cls;
  verdict_t verdict;
  always_comb begin
    cls = class_e'(rx_class_i);
    verdict = verdict_t'('0);
    if (ended != '0) begin
      cls = class_e'(index_of(arbiter_vec_t'(ended)));
      verdict = judge_payload(left_q[cls], 1'b1, 1'b0);
    end else if (comes != '0) begin
      if (framing_q[cls] == Body) begin
        verdict = judge_payload(left_q[cls], rx_head_i, rx_tail_i);
      end else if (rx_head_i) begin
        verdict = judge_header(cls, rx_flit_i, rx_tail_i, node_id_i, fabric_i);
      end else begin
        verdict = judge_stray(framing_q[cls], rx_tail_i);
      end
    end else if (pays != '0) begin
      if (framing_q[cls] != Skip) verdict.cause = ErrTornPacket;
    end else if (rx_valid_i) begin
      verdict.cause = (rx_class != '0) ? ErrNoCredit : ErrBadOpcode;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      framing_q <= {NumClasses{Idle}};
      word_o.valid <= 1'b0;
      word_o.cause <= ErrNone;
      word_o.displaced <= '0;
    end else begin
      word_o.valid <= (comes | ended) != '0;
      word_o.cause <= verdict.cause;
      word_o.displaced <= (ended != '0) ? comes : '0;
      if ((comes | ended) != '0) begin
        framing_q[cls] <= verdict.framing;
        left_q[cls] <= verdict.left;
        word_o.drop <= verdict.drop;
        word_o.cls <= cls;
        word_o.head <= verdict.head;
        word_o.tail <= verdict.tail;
        word_o.fill <= verdict.fill;
        word_o.flit <= (ended != '0) ? '0 : rx_flit_i;
      end
    end
  end

  logic [NumClasses-1:0] spent;
  assign spent = comes | ended;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) owed_q <= '0;
    else owed_q <= (owed_q & ~credit_i & ~pays) | ended;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      credits_q <= '0;
    end else if (spent != credit_i) begin
      for (int unsigned c = 0; c < NumClasses; c++) begin
        credits_q[c] <= credits_q[c] + credit_t'(credit_i[c]) - credit_t'(spent[c]);
      end
    end
  end

  // Implementation checks.
  always_ff @(posedge clk_i) begin
    if (rst_ni && ended != '0) begin
      assert (framing_q[cls] == Body && credits_q[cls] != '0 && !owed_q[cls])
      else
        $error("ingress_check: a packet is ended that is not open, or for which there is no slot");
    end
  end

endmodule
