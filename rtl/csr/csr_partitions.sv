// The partitions that each port belongs to.
//
// Purpose: one 16-bit mask a port, read and written by software, seen whole by the switch.
// Latency: a write shows one cycle after its request; rdata_o is valid one cycle after a read.
// Reset:   every port is in every partition.
// Drops:   writes to ports the switch does not have; they read as 0.
module csr_partitions
  import supernode_csr_pkg::*;
#(
    parameter int unsigned Ports = 8  // 1 to 16
) (
    input logic clk_i,
    input logic rst_ni,

    // A request of the register block; wmask_i says which bits a write changes.
    input  logic        req_i,
    input  logic        write_i,
    input  logic [ 3:0] port_i,
    input  logic [15:0] wdata_i,
    input  logic [15:0] wmask_i,
    output logic [31:0] rdata_o,

    output logic [Ports-1:0][15:0] partitions_o
);

  localparam int unsigned IndexWidth = Ports > 1 ? $clog2(Ports) : 1;

  logic [Ports-1:0][15:0] partitions_q;
  logic [IndexWidth-1:0] index;
  logic [31:0] rdata_q;
  logic exists;

  assign index  = port_i[IndexWidth-1:0];
  assign exists = 32'(port_i) < Ports;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      partitions_q <= {Ports{PortPartitionsReset[15:0]}};
    end else if (req_i && write_i && exists) begin
      partitions_q[index] <= (partitions_q[index] & ~wmask_i) | (wdata_i & wmask_i);
    end
  end

  always_ff @(posedge clk_i) begin
    if (req_i) begin
      rdata_q <= exists ? 32'(partitions_q[index]) : '0;
    end
  end

  assign rdata_o      = rdata_q;
  assign partitions_o = partitions_q;

endmodule
