// One end of a link; the other end is the same module.
//
// Purpose: carries link words and credits between two cores over a wire that may flip, lose,
// repeat and displace words: each core sees exactly the words and credits of the other, in
// order, once. docs/link.md describes the words on the wire and what happens in which case.
// Latency: one cycle from the core to the wire, one cycle from the wire to the core with the CRC
// checked; two more for credits each way.
// Reset: synchronous, active low. The link trains; until it is up the core gets no credit.
// Dropped: words of the core without a credit, and all of them once the link is dead (`dead_o`).
// A dead link stays so until reset. Both outputs are registers.
module link_end
  import flit_pkg::*;
  import supernode_pkg::*;
  import link_pkg::*;
#(
    parameter int unsigned Window        = 160,  // flits on their way, 1 to 2**SeqBits - 1
    parameter int unsigned SeqBits       = 8,    // of the sequence numbers, at most 8
    parameter int unsigned AskInterval   = 32,   // cycles, about a round trip
    parameter int unsigned ReplayTimeout = 128,  // cycles, more than a round trip
    parameter int unsigned LossTimeout   = 256,  // cycles without a good word
    parameter int unsigned DeadTimeout   = 1024  // cycles of training
) (
    input logic clk_i,
    input logic rst_ni,

    // Core side: as between two cores without a link.
    input  link_word_t                  tx_i,
    output logic       [NumClasses-1:0] tx_credit_o,
    output link_word_t                  rx_o,
    input  logic       [NumClasses-1:0] rx_credit_i,

    // Wire side.
    input  wire_word_t wire_i,
    output wire_word_t wire_o,

    output logic         up_o,
    output logic         dead_o,
    output link_events_t events_o
);

  if (SeqBits > SeqWidth) begin : gen_bad_seq
    $error("link_end: SeqBits is %0d, must be at most 8", SeqBits);
  end
  if (Window < NumClasses) begin : gen_bad_window
    $error("link_end: Window is %0d, must be at least one flit a class", Window);
  end

  logic run, train, train_seen, fruitless;
  logic [2:0] train_kind;
  logic good, crc_error, accept, ask;
  logic [2:0] heard_kind, heard_ret_kind;
  logic heard_seen;
  count_t heard_ret;
  count_t [NumClasses-1:0] heard_counts;
  seq_t expected;
  link_word_t delivered;

  link_rx #(
      .Window     (Window),
      .SeqBits    (SeqBits),
      .AskInterval(AskInterval)
  ) u_link_rx (
      .clk_i,
      .rst_ni,
      .wire_i,
      .run_i      (run),
      .word_o     (delivered),
      .good_o     (good),
      .kind_o     (heard_kind),
      .seen_o     (heard_seen),
      .ret_kind_o (heard_ret_kind),
      .ret_o      (heard_ret),
      .counts_o   (heard_counts),
      .crc_error_o(crc_error),
      .accept_o   (accept),
      .ask_o      (ask),
      .expected_o (expected)
  );

  link_close u_link_close (
      .clk_i,
      .rst_ni,
      .dead_i  (dead_o),
      .word_i  (delivered),
      .credit_i(rx_credit_i),
      .word_o  (rx_o)
  );

  link_train #(
      .LossTimeout(LossTimeout),
      .DeadTimeout(DeadTimeout)
  ) u_link_train (
      .clk_i,
      .rst_ni,
      .good_i      (good),
      .kind_i      (heard_kind),
      .seen_i      (heard_seen),
      .fruitless_i (fruitless),
      .run_o       (run),
      .dead_o,
      .up_o,
      .train_o     (train),
      .train_kind_o(train_kind),
      .train_seen_o(train_seen),
      .retrain_o   (events_o.retrain)
  );

  // What a good word says about flits sent is looked at in the next cycle. Training words that still
  // come after training ask for nothing: the other end does not listen yet.
  logic ack_q, nak_q;
  logic [SeqBits-1:0] acked_q;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      ack_q <= 1'b0;
      nak_q <= 1'b0;
    end else begin
      ack_q <= good && heard_kind != KindInit && heard_ret_kind >= RetAck;
      nak_q <= good && heard_kind != KindInit && heard_ret_kind == RetNak &&
          !(run && heard_kind == KindTrain);
      if (good) acked_q <= heard_ret[SeqBits-1:0];
    end
  end

  // A word without a credit is no word.
  logic [NumClasses-1:0] held;
  link_word_t taken;
  always_comb begin
    taken = tx_i;
    taken.valid = tx_i.valid && !dead_o && held[tx_i.cls];
  end

  logic flit, status, pending;
  logic [2:0] ret_kind;
  count_t ret;
  ret_kind_e ack_kind;
  count_t [NumClasses-1:0] counts;
  count_t freed;

  link_returns u_link_returns (
      .clk_i,
      .rst_ni,
      .credit_i  (rx_credit_i),
      .accept_i  (accept),
      .ask_i     (ask),
      .expected_i(expected),
      .flit_i    (flit),
      .status_i  (status),
      .ret_kind_o(ret_kind),
      .ret_o     (ret),
      .ack_kind_o(ack_kind),
      .counts_o  (counts),
      .pending_o (pending)
  );

  link_credits #(
      .Window(Window)
  ) u_link_credits (
      .clk_i,
      .rst_ni,
      .told_i      (good && run),
      .kind_i      (heard_kind),
      .ret_kind_i  (heard_ret_kind),
      .ret_i       (heard_ret),
      .counts_i    (heard_counts),
      .take_i      (taken.valid),
      .take_class_i(taken.cls),
      .freed_i     (freed),
      .credit_o    (tx_credit_o),
      .held_o      (held)
  );

  link_tx #(
      .Window       (Window),
      .SeqBits      (SeqBits),
      .ReplayTimeout(ReplayTimeout)
  ) u_link_tx (
      .clk_i,
      .rst_ni,
      .word_i      (taken),
      .wire_o,
      .run_i       (run),
      .train_i     (train),
      .train_kind_i(train_kind),
      .train_seen_i(train_seen),
      .ack_i       (ack_q),
      .nak_i       (nak_q),
      .acked_i     (acked_q),
      .ret_kind_i  (ret_kind),
      .ret_i       (ret),
      .ack_kind_i  (ack_kind),
      .expected_i  (expected),
      .counts_i    (counts),
      .pending_i   (pending),
      .flit_o      (flit),
      .status_o    (status),
      .freed_o     (freed),
      .replay_o    (events_o.replay),
      .timeout_o   (events_o.timeout),
      .fruitless_o (fruitless)
  );

  assign events_o.crc_error = crc_error;

  logic dead_q;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) dead_q <= 1'b0;
    else dead_q <= dead_o;
  end
  assign events_o.dead = dead_o && !dead_q;

endmodule
