// Sending side of a link end: numbers flits, keeps them until they are acknowledged, and sends
// them again when asked to or when no acknowledgement comes (go back N).
//
// Purpose: one wire word a cycle: a training word, a flit, a status word, or nothing. A flit that
// the core gives leaves at once unless others wait before it.
// Latency: one cycle when no flit waits, one word a cycle; a replay begins three cycles after the
// word that asks for it.
// Reset: nothing kept, the wire silent.
// The core's words always fit: it holds credits for no more than `Window`.
module link_tx
  import flit_pkg::*;
  import link_pkg::*;
#(
    parameter int unsigned Window = 160,  // flits kept until acknowledged
    parameter int unsigned SeqBits = 8,  // bits of the sequence numbers that are used
    parameter int unsigned ReplayTimeout = 128  // cycles without an acknowledgement
) (
    input logic clk_i,
    input logic rst_ni,

    input  link_word_t word_i,  // from the core
    output wire_word_t wire_o,

    // Training.
    input logic       run_i,         // flits may leave
    input logic       train_i,       // a training word leaves
    input logic [2:0] train_kind_i,
    input logic       train_seen_i,

    // What the other end told, in the cycle after its word.
    input logic ack_i,
    input logic nak_i,
    input logic [SeqBits-1:0] acked_i,

    // What is to be told.
    input  logic      [           2:0] ret_kind_i,
    input  count_t                     ret_i,
    input  ret_kind_e                  ack_kind_i,
    input  seq_t                       expected_i,
    input  count_t    [NumClasses-1:0] counts_i,
    input  logic                       pending_i,
    output logic                       flit_o,      // a flit leaves, with ret_i
    output logic                       status_o,    // a status word leaves, with everything

    output count_t freed_o,     // flits acknowledged in this cycle
    output logic   replay_o,
    output logic   timeout_o,
    output logic   fruitless_o  // replays do not help any more
);

  typedef logic [SeqBits-1:0] number_t;

  // Cycles after which a status word leaves though nothing has changed: soon while flits are not
  // acknowledged, so that a lost last flit is noticed; else so that the other end hears anything.
  localparam int unsigned SoonInterval = 8;
  localparam int unsigned AliveInterval = 32;
  localparam int unsigned MaxReplays = 64;  // without any progress

  typedef struct packed {
    class_e               cls;
    logic                 head;
    logic                 tail;
    logic [FlitWidth-1:0] flit;
  } kept_t;

  localparam int unsigned Depth = 2 ** $clog2(Window);
  localparam int unsigned IndexWidth = $clog2(Depth);
  kept_t buffer[Depth];
  kept_t fetched_q, leaving;
  logic fetched_valid_q;

  // Flits base to tail - 1 are kept; `next` leaves next.
  number_t base_q, next_q, tail_q, base_d, next_d, tail_d;
  number_t advance;
  logic progress, back, expired, direct;
  logic [$clog2(ReplayTimeout+1)-1:0] waited_q;
  logic [$clog2(MaxReplays+1)-1:0] replays_q;
  logic [$clog2(AliveInterval+1)-1:0] quiet_q;

  assign direct = !fetched_valid_q && next_q == tail_q;  // nothing waits before the core's word
  assign flit_o = run_i && !train_i && (fetched_valid_q || (direct && word_i.valid));
  assign status_o = run_i && !train_i && !flit_o && (pending_i || quiet_q >= (($bits(
      quiet_q
  ))'((base_q != tail_q) ? SoonInterval : AliveInterval)));

  always_comb begin
    leaving = fetched_q;
    if (direct) leaving = '{word_i.cls, word_i.head, word_i.tail, word_i.flit};
  end

  // Acknowledgements of flits that are not kept are old.
  assign advance     = acked_i - base_q;
  assign progress    = ack_i && advance != '0 && advance <= tail_q - base_q;
  assign expired     = run_i && waited_q == ($bits(waited_q))'(ReplayTimeout);
  assign back        = (nak_i && advance <= tail_q - base_q) || expired;
  assign freed_o     = progress ? count_t'(advance) : '0;
  assign replay_o    = back && run_i && base_d != tail_q;
  assign timeout_o   = expired;
  assign fruitless_o = replays_q == ($bits(replays_q))'(MaxReplays);

  always_comb begin
    base_d = base_q;
    next_d = next_q + number_t'(flit_o);
    tail_d = tail_q + number_t'(word_i.valid);
    if (progress) begin
      base_d = acked_i;
      if (next_d - base_q < advance) next_d = base_d;
    end
    if (back) next_d = base_d;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      base_q <= '0;
      next_q <= '0;
      tail_q <= '0;
      fetched_valid_q <= 1'b0;
      waited_q <= '0;
      replays_q <= '0;
      quiet_q <= '0;
    end else begin
      base_q <= base_d;
      next_q <= next_d;
      tail_q <= tail_d;
      // The flit that is being stored in this cycle can be fetched in the next.
      fetched_valid_q <= next_d != tail_q && next_d != tail_d;
      if (progress || back || base_q == tail_q || !run_i) waited_q <= '0;
      else waited_q <= waited_q + 1'b1;
      if (progress) replays_q <= '0;
      else if (replay_o && !fruitless_o) replays_q <= replays_q + 1'b1;
      if (flit_o || status_o || !run_i) quiet_q <= '0;
      else quiet_q <= quiet_q + 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (word_i.valid) begin
      buffer[IndexWidth'(tail_q)] <= '{word_i.cls, word_i.head, word_i.tail, word_i.flit};
    end
    if (next_d != tail_q) fetched_q <= buffer[IndexWidth'(next_d)];
  end

  wire_body_t body;
  always_comb begin
    body = wire_body_t'('0);
    if (flit_o) begin
      body.kind = leaving.cls;
      body.head = leaving.head;
      body.tail = leaving.tail;
      body.ret_kind = ret_kind_i;
      body.ret = ret_i;
      body.flit = leaving.flit;
    end else begin
      body.kind = train_i ? train_kind_i : KindStatus;
      body.head = train_i && train_seen_i;
      body.ret_kind = train_i ? RetNak : ack_kind_i;
      body.ret = count_t'(expected_i);
      body.flit[NumClasses*CountWidth-1:0] = counts_i;
    end
    body.seq = seq_t'(next_q);
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      wire_o.valid <= 1'b0;
    end else begin
      wire_o.valid <= flit_o || status_o || train_i;
      if (flit_o || status_o || train_i) begin
        wire_o.body <= body;
        wire_o.crc  <= crc(body);
      end
    end
  end

  // Implementation checks.
  number_t kept;
  assign kept = tail_q - base_q;
  if (Window < 1 || Window > 2 ** SeqBits - 1) begin : gen_bad_window
    $error("link_tx: Window is %0d, must be 1 to 2**SeqBits - 1 = %0d", Window, 2 ** SeqBits - 1);
  end
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      assert (32'(kept) <= Window)
      else $error("link_tx: %0d flits are kept, the window is %0d", kept, Window);
    end
  end

endmodule
