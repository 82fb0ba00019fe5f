// Flits of each class taken from and sent to each port's node.
//
// Purpose: one bank of counters for each port and direction, read by software.
// Latency: rdata_o is valid one cycle after req_i.
// Reset:   all counts are 0.
// Drops:   flits counted in the cycle of a clear; ports the switch does not have read as 0.
module csr_port_counters
  import supernode_csr_pkg::*;
#(
    parameter int unsigned Ports = 8  // 1 to 16
) (
    input logic clk_i,
    input logic rst_ni,
    input logic clear_i,

    input logic [Ports-1:0]      rx_valid_i,
    input logic [Ports-1:0][2:0] rx_class_i,
    input logic [Ports-1:0]      tx_valid_i,
    input logic [Ports-1:0][2:0] tx_class_i,

    // A read of the register block.
    input  logic        req_i,
    input  logic [ 3:0] port_i,
    input  logic [ 3:0] word_i,
    output logic [31:0] rdata_o
);

  localparam int unsigned IndexWidth = Ports > 1 ? $clog2(Ports) : 1;

  logic [Ports-1:0][31:0] rx_count, tx_count;
  logic [31:0] rdata_q;
  logic [IndexWidth-1:0] index;

  assign index = port_i[IndexWidth-1:0];

  for (genvar p = 0; p < Ports; p++) begin : gen_port
    csr_counter_bank u_rx (
        .clk_i,
        .rst_ni,
        .clear_i,
        .event_valid_i(rx_valid_i[p]),
        .event_index_i(rx_class_i[p]),
        .read_index_i (word_i[2:0]),
        .count_o      (rx_count[p])
    );

    csr_counter_bank u_tx (
        .clk_i,
        .rst_ni,
        .clear_i,
        .event_valid_i(tx_valid_i[p]),
        .event_index_i(tx_class_i[p]),
        .read_index_i (word_i[2:0]),
        .count_o      (tx_count[p])
    );
  end

  always_ff @(posedge clk_i) begin
    if (req_i) begin
      if (32'(port_i) >= Ports) begin
        rdata_q <= '0;
      end else if (32'(word_i) < PortTxFlits) begin
        rdata_q <= rx_count[index];
      end else begin
        rdata_q <= tx_count[index];
      end
    end
  end

  assign rdata_o = rdata_q;

endmodule
