// Finds the packets of one input whose sender has stopped in the middle.
//
// Purpose: a packet holds its class at its output from head to tail, so one that is never ended
// keeps the packets of others waiting. Where a sender could send the next word of an open packet
// and has sent none at one tick, at the next and in between, `end_o` names the class, one at a time
// and one-hot, for ingress_check to end the packet.
// Latency: one to two intervals of the tick from the last word. A packet is ended in a cycle in which
// no word comes; if none is free, with the tick after that, whatever comes then. `end_o` depends on
// `comes_i`.
// Reset: nothing has been seen.
module packet_guard
  import flit_pkg::*;
(
    input  logic                  clk_i,
    input  logic                  rst_ni,
    input  logic                  tick_i,
    input  logic [NumClasses-1:0] stalled_i,  // the next word could be sent; seen with the tick
    input  logic [NumClasses-1:0] comes_i,    // it comes, or another word of the class
    output logic [NumClasses-1:0] end_o
);

  typedef logic [NumClasses-1:0] classes_t;

  classes_t quiet_q;  // stalled since the last tick
  classes_t expired_q;  // and a whole interval before it
  classes_t still, moves;

  always_comb begin
    still = expired_q & ~comes_i;
    end_o = '0;
    if (comes_i == '0 || tick_i) end_o = still & ~(still - 1'b1);
    moves = comes_i | end_o;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      quiet_q   <= '0;
      expired_q <= '0;
    end else if (tick_i) begin
      quiet_q   <= stalled_i & ~moves;
      expired_q <= stalled_i & quiet_q & ~moves;
    end else if ((moves & quiet_q) != '0) begin
      quiet_q   <= quiet_q & ~moves;
      expired_q <= expired_q & ~moves;
    end
  end

endmodule
