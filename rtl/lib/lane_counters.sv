// Many small counters side by side.
//
// Purpose: counts up and down by one in each lane. The bits are kept by weight: `count_o[b]` holds
// bit b of all counters, so that what every counter does is a few operations on whole vectors,
// which a simulation does at once for all lanes.
// Latency: a count shows in `count_o` one cycle later; what the flags say is true of it then.
// Reset: all counters are 0.
// Up and down in the same cycle leave a counter as it is. Counters wrap.
module lane_counters #(
    parameter int unsigned Lanes = 10,
    parameter int unsigned Width = 8,
    parameter int unsigned Mark  = 0
) (
    input  logic             clk_i,
    input  logic             rst_ni,
    input  logic [Lanes-1:0] clear_i,           // goes to 0 whatever else happens
    input  logic [Lanes-1:0] up_i,
    input  logic [Lanes-1:0] down_i,
    output logic [Lanes-1:0] count_o  [Width],
    // Of the next count: it is 1 or more, 2 or more, Mark.
    output logic [Lanes-1:0] some_o,
    output logic [Lanes-1:0] several_o,
    output logic [Lanes-1:0] mark_o
);

  logic [Lanes-1:0] count_d[Width];

  always_comb begin
    logic [Lanes-1:0] carry, borrow;
    carry = up_i & ~down_i;
    borrow = down_i & ~up_i;
    several_o = '0;
    mark_o = '1;
    for (int unsigned b = 0; b < Width; b++) begin
      count_d[b] = (count_o[b] ^ (carry | borrow)) & ~clear_i;
      carry &= count_o[b];
      borrow &= ~count_o[b];
      if (b > 0) several_o |= count_d[b];
      mark_o &= Mark[b] ? count_d[b] : ~count_d[b];
    end
    some_o = several_o | count_d[0];
  end

  always_ff @(posedge clk_i) begin
    for (int unsigned b = 0; b < Width; b++) begin
      if (!rst_ni) count_o[b] <= '0;
      else count_o[b] <= count_d[b];
    end
  end

endmodule
