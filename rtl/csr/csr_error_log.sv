// Counts errors and keeps the first.
//
// Purpose: tells software how many errors there were since the last clear, and all about the
//          first; of several in one cycle, that of the lowest source.
// Latency: one cycle.
// Reset:   no error. Clear does the same.
// Drops:   errors in the cycle of a clear. The count stops at its largest value.
module csr_error_log
  import supernode_pkg::*;
#(
    parameter int unsigned Sources = 12  // of one error a cycle each
) (
    input logic clk_i,
    input logic rst_ni,
    input logic clear_i,

    input error_event_t [Sources-1:0] errors_i,

    output logic         [31:0] count_o,
    output error_event_t        first_o
);

  logic [31:0] count_q;
  logic [32:0] sum;
  logic [Sources-1:0] valid;
  error_event_t first_q, lowest;

  for (genvar i = 0; i < Sources; i++) begin : gen_source
    assign valid[i] = errors_i[i].valid;
  end

  always_comb begin
    sum    = {1'b0, count_q};
    lowest = '0;
    if (valid != '0) begin
      for (int unsigned i = Sources; i > 0; i--) begin
        sum += 33'(valid[i-1]);
        if (valid[i-1]) lowest = errors_i[i-1];
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni || clear_i) begin
      count_q <= '0;
      first_q <= '0;
    end else if (valid != '0) begin
      count_q <= sum[32] ? '1 : sum[31:0];
      if (!first_q.valid) begin
        first_q <= lowest;
      end
    end
  end

  assign count_o = count_q;
  assign first_o = first_q;

endmodule
