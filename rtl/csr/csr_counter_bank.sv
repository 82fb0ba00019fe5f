// Eight event counters of 32 bits in one small memory.
//
// Purpose: counts at most one event a cycle. A clear only marks the memory stale; a counter
//          starts again at its next event, so nothing has to walk through the memory.
// Latency: an event shows in reads one cycle later; count_o is combinational.
// Reset:   all counts are 0.
// Drops:   an event in the cycle of a clear. Counts wrap.
module csr_counter_bank (
    input logic clk_i,
    input logic rst_ni,
    input logic clear_i,

    input logic       event_valid_i,
    input logic [2:0] event_index_i,

    input  logic [ 2:0] read_index_i,
    output logic [31:0] count_o
);

  logic [31:0] count_q[8];
  logic [ 7:0] live_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni || clear_i) begin
      live_q <= '0;
    end else if (event_valid_i) begin
      live_q[event_index_i] <= 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (event_valid_i) begin
      count_q[event_index_i] <= live_q[event_index_i] ? count_q[event_index_i] + 1 : 1;
    end
  end

  assign count_o = live_q[read_index_i] ? count_q[read_index_i] : '0;

endmodule
