// Whether a link may be used: training after reset, loss, training again, and giving up.
//
// Purpose: a state machine, the same at both ends.
//   Init     sends Init words that say whether one of the other end has been heard, and becomes
//            Run when the other end says that it has heard.
//   Run      flits flow. No good word for LossTimeout cycles, or a Train word, begins Retrain.
//   Retrain  as Init, with Train words. Nothing is forgotten: each word tells which flit is due,
//            and from there the other end sends again.
//   Dead     training took DeadTimeout cycles, replays do not help, or the other end has been
//            reset. Stays until reset.
// A good word of a running link also ends the training of an end that has heard the other.
// Init words that come late, up to DisplacedWords cycles after the link is known to run, are old.
// Reset: Init.
module link_train
  import flit_pkg::*;
  import link_pkg::*;
#(
    parameter int unsigned LossTimeout = 256,  // cycles
    parameter int unsigned DeadTimeout = 1024  // cycles
) (
    input logic clk_i,
    input logic rst_ni,

    input logic       good_i,      // `body_i` is a word of the other end
    input logic [2:0] kind_i,
    input logic       seen_i,
    input logic       fruitless_i,

    output logic       run_o,
    output logic       dead_o,
    output logic       up_o,          // trained and not dead
    output logic       train_o,       // send a training word
    output logic [2:0] train_kind_o,
    output logic       train_seen_o,
    output logic       retrain_o      // the link was lost in this cycle
);

  localparam int unsigned DisplacedWords = 256;
  localparam int unsigned TrainInterval = 4;  // cycles from training word to training word
  localparam int unsigned MaxTimeout = (LossTimeout > DeadTimeout) ? LossTimeout : DeadTimeout;

  typedef enum logic [1:0] {
    Init,
    Run,
    Retrain,
    Dead
  } state_e;

  state_e state_q;
  logic seen_q;  // a training word of the other end has come in this training
  logic confirmed_q;  // the other end runs too
  logic [$clog2(MaxTimeout+1)-1:0] timer_q;
  logic [$clog2(DisplacedWords+1)-1:0] fresh_q;  // cycles since confirmed
  logic [$clog2(TrainInterval)-1:0] pause_q;

  logic training, ends, restarted, timed_out;
  assign training  = state_q inside {Init, Retrain};
  assign timed_out = timer_q == (($bits(timer_q))'((state_q == Run) ? LossTimeout : DeadTimeout));

  // The word ends the training that is under way.
  always_comb begin
    ends = 1'b0;
    if (good_i) begin
      if (kind_i == train_kind_o) ends = seen_i;
      else ends = seen_q && kind_i <= KindStatus;
    end
  end

  // The other end has begun anew, so what was under way is lost.
  assign restarted = good_i && kind_i == KindInit && confirmed_q && fresh_q == ($bits(
      fresh_q
  ))'(DisplacedWords);

  assign run_o = state_q == Run;
  assign up_o = state_q inside {Run, Retrain};
  assign dead_o = state_q == Dead;
  assign train_o = training && pause_q == '0;
  assign train_kind_o = (state_q == Init) ? KindInit : KindTrain;
  assign train_seen_o = seen_q;

  logic lost;
  assign lost = state_q == Run && (timed_out || (good_i && kind_i == KindTrain && !seen_i));
  assign retrain_o = lost;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q <= Init;
      seen_q <= 1'b0;
      confirmed_q <= 1'b0;
      timer_q <= '0;
      fresh_q <= '0;
      pause_q <= '0;
    end else begin
      pause_q <= training ? pause_q + 1'b1 : '0;
      timer_q <= timer_q + 1'b1;
      if (confirmed_q && fresh_q != ($bits(fresh_q))'(DisplacedWords)) fresh_q <= fresh_q + 1'b1;
      unique case (state_q)
        Init, Retrain: begin
          if (good_i && kind_i == train_kind_o) seen_q <= 1'b1;
          if (ends) begin
            state_q <= Run;
            timer_q <= '0;
          end
          // The other end has run and lost the link since, without ever having heard this one run.
          if (state_q == Init && good_i && kind_i == KindTrain && seen_q) state_q <= Retrain;
          if (timed_out || restarted) state_q <= Dead;
        end
        Run: begin
          if (good_i) timer_q <= '0;
          if (good_i && kind_i <= KindStatus) confirmed_q <= 1'b1;
          if (lost) begin
            state_q <= Retrain;
            seen_q  <= good_i && kind_i == KindTrain;
            timer_q <= '0;
          end
          if (restarted || fruitless_i) state_q <= Dead;
        end
        default: timer_q <= '0;
      endcase
    end
  end

endmodule
