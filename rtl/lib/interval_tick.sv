// Ticks at a fixed interval.
//
// Purpose: `tick_o` is high for one cycle every 2**log2_i cycles, with log2_i = 0 never. What has
// been so at two ticks running, and watched in between, has been so for one to two intervals: a
// time-out for many things at once that needs one counter and a bit for each of them.
// Latency: combinational from a register; the first tick comes as soon as log2_i is not 0.
// Reset: no tick is due.
module interval_tick (
    input  logic       clk_i,
    input  logic       rst_ni,
    input  logic [4:0] log2_i,
    output logic       tick_o
);

  logic [31:0] count_q;  // cycles to the next tick

  assign tick_o = (log2_i != '0) && (count_q == '0);

  always_ff @(posedge clk_i) begin
    if (!rst_ni || (log2_i == '0)) count_q <= '0;
    else count_q <= tick_o ? (32'd1 << log2_i) - 32'd1 : count_q - 32'd1;
  end

endmodule
