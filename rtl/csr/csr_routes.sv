// The ways to other chips.
//
// Purpose: one word a destination chip, read and written by software, seen whole by the switch.
// Latency: a write shows one cycle after its request; rdata_o is valid one cycle after a read.
// Reset:   every slot names port 0, which is no fabric port then: there is no way to anywhere.
// Drops:   writes to chips beyond `Chips`; they read as 0.
module csr_routes
  import supernode_pkg::*;
  import supernode_csr_pkg::*;
#(
    parameter int unsigned Chips = 1  // 1 to 32
) (
    input logic clk_i,
    input logic rst_ni,

    // A request of the register block; wmask_i says which bits a write changes.
    input  logic            req_i,
    input  logic            write_i,
    input  chip_id_t        chip_i,
    input  logic     [31:0] wdata_i,
    input  logic     [31:0] wmask_i,
    output logic     [31:0] rdata_o,

    output route_t [Chips-1:0] routes_o
);

  localparam int unsigned IndexWidth = Chips > 1 ? $clog2(Chips) : 1;

  route_t [Chips-1:0] routes_q;
  logic [IndexWidth-1:0] index;
  logic [31:0] rdata_q;
  logic exists;

  assign index  = chip_i[IndexWidth-1:0];
  assign exists = 32'(chip_i) < Chips;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      routes_q <= {Chips{RouteReset}};
    end else if (req_i && write_i && exists) begin
      routes_q[index] <= (routes_q[index] & ~wmask_i) | (wdata_i & wmask_i);
    end
  end

  always_ff @(posedge clk_i) begin
    if (req_i) begin
      rdata_q <= exists ? routes_q[index] : '0;
    end
  end

  assign rdata_o  = rdata_q;
  assign routes_o = routes_q;

endmodule
