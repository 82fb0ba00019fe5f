// What each home slice has done.
//
// Purpose: one counter for each kind of event and slice, read by software. Any of the events may
//          happen in one cycle, so these are registers and not a memory.
// Latency: rdata_o is valid one cycle after req_i.
// Reset:   all counts are 0.
// Drops:   events in the cycle of a clear; slices and words that do not exist read as 0.
module csr_home_counters
  import supernode_pkg::*;
  import supernode_csr_pkg::*;
#(
    parameter int unsigned HomeSlices = 2  // 1 to 8
) (
    input logic clk_i,
    input logic rst_ni,
    input logic clear_i,

    input home_events_t [HomeSlices-1:0] events_i,

    // A read of the register block.
    input  logic        req_i,
    input  logic [ 2:0] home_i,
    input  logic [ 2:0] word_i,
    output logic [31:0] rdata_o
);

  localparam int unsigned IndexWidth = HomeSlices > 1 ? $clog2(HomeSlices) : 1;
  localparam int unsigned Words = 8;

  // The events in the order of their counters.
  function automatic logic [Words-1:0] by_word(home_events_t events);
    logic [Words-1:0] hits;
    hits                = '0;
    hits[HomeRequests]  = events.request;
    hits[HomeSnoops]    = events.snoop;
    hits[HomeRecalls]   = events.recall;
    hits[HomeMemReads]  = events.mem_read;
    hits[HomeMemWrites] = events.mem_write;
    hits[HomeStale]     = events.stale;
    return hits;
  endfunction

  logic [HomeSlices-1:0][Words-1:0][31:0] count_q;
  logic [HomeSlices-1:0][Words-1:0] hit;
  logic [31:0] rdata_q;
  logic [IndexWidth-1:0] index;

  assign index = home_i[IndexWidth-1:0];

  for (genvar h = 0; h < HomeSlices; h++) begin : gen_home
    assign hit[h] = by_word(events_i[h]);

    always_ff @(posedge clk_i) begin
      if (!rst_ni || clear_i) begin
        count_q[h] <= '0;
      end else begin
        for (int unsigned w = 0; w < Words; w++) begin
          if (hit[h][w]) begin
            count_q[h][w] <= count_q[h][w] + 1;
          end
        end
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (req_i) begin
      rdata_q <= 32'(home_i) < HomeSlices ? count_q[index][word_i] : '0;
    end
  end

  assign rdata_o = rdata_q;

endmodule
