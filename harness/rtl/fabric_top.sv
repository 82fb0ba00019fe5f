// The fabric alone, with the pins of links: what `supernode bench fabric` measures.
//
// Purpose: puts each word that arrives straight into the crossbar, without header check, address map
// or home; the outputs that a word is for are pins. A sender keeps to the credits it is given, sends
// the words of a packet of one class one after the other, and names more than one output only for
// packets of one word of class SNP.
// Latency and reset: those of crossbar. Nothing is dropped.
module fabric_top
  import flit_pkg::*;
  import fabric_pkg::*;
#(
    parameter int unsigned Ports       = 8,
    parameter int unsigned ClassDepth  = 24,
    parameter int unsigned SharedDepth = 40
) (
    input logic clk_i,
    input logic rst_ni,

    input  logic [     Ports-1:0] rx_valid_i,
    input  logic [           2:0] rx_class_i  [Ports],
    input  logic [     Ports-1:0] rx_head_i,
    input  logic [     Ports-1:0] rx_tail_i,
    input  logic [ FlitWidth-1:0] rx_flit_i   [Ports],
    input  logic [     Ports-1:0] rx_outputs_i[Ports],
    output logic [NumClasses-1:0] rx_credit_o [Ports],

    output logic [     Ports-1:0] tx_valid_o,
    output logic [           2:0] tx_class_o [Ports],
    output logic [     Ports-1:0] tx_head_o,
    output logic [     Ports-1:0] tx_tail_o,
    output logic [ FlitWidth-1:0] tx_flit_o  [Ports],
    input  logic [NumClasses-1:0] tx_credit_i[Ports],

    input logic [Ports-1:0] output_dead_i,
    input weight_t [NumClasses-1:0] class_weights_i  // 0 counts as 1
);

  class_e write_class[Ports];
  slot_t  write_slot [Ports];
  logic [Ports-1:0][NumClasses-1:0] rx_credit, tx_credit;
  link_word_t tx[Ports];
  // Counted in supernode_csr, not here.
  // verilator lint_off UNUSEDSIGNAL
  fabric_events_t [Ports-1:0] events;
  logic [Ports-1:0][NumClasses-1:0] high_water[CreditWidth];
  // verilator lint_on UNUSEDSIGNAL

  for (genvar p = 0; p < Ports; p++) begin : gen_port
    assign write_class[p] = class_e'(rx_class_i[p]);
    assign write_slot[p] = '{
            head: rx_head_i[p],
            tail: rx_tail_i[p],
            fill: '0,
            credit_class: class_e'(rx_class_i[p]),
            flit: rx_flit_i[p]
        };

    assign rx_credit_o[p] = rx_credit[p];
    assign tx_credit[p] = tx_credit_i[p];
    assign tx_valid_o[p] = tx[p].valid;
    assign tx_class_o[p] = tx[p].cls;
    assign tx_head_o[p] = tx[p].head;
    assign tx_tail_o[p] = tx[p].tail;
    assign tx_flit_o[p] = tx[p].flit;
  end

  crossbar #(
      .Size       (Ports),
      .ClassDepth (ClassDepth),
      .SharedDepth(SharedDepth)
  ) u_crossbar (
      .clk_i,
      .rst_ni,
      .chip_i         ('0),
      .class_weights_i,
      .output_dead_i,
      .write_i        (rx_valid_i),
      .write_class_i  (write_class),
      .write_outputs_i(rx_outputs_i),
      .write_slot_i   (write_slot),
      .drop_i         ('0),
      .rx_credit_o    (rx_credit),
      .tx_o           (tx),
      .tx_credit_i    (tx_credit),
      .events_o       (events),
      .high_water_o   (high_water)
  );

endmodule
