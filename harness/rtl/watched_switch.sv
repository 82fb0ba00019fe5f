// The switch with a view into its home slices: what the harness simulates.
//
// Purpose: brings to pins what goes into and comes out of each home, in the order in which the home
// takes it, so that the harness can compare it with the specification (harness/src/check/conformance)
// without a line for it in the design. The other pins and all parameters are those of switch_core.
// Latency: the pins of switch_core are wires; a view shows, after a clock edge, what that edge took.
// Reset: that of switch_core; nothing is in view.
// What is read of switch_core is named below and in home_view.svh, nowhere else.
module watched_switch
  import flit_pkg::*;
  import supernode_pkg::*;
#(
    parameter int unsigned Ports = 8,
    parameter int unsigned HomeSlices = 2,
    parameter int unsigned DirSets = 64,
    parameter int unsigned DirWays = 8,
    parameter int unsigned Trackers = 32,
    parameter int unsigned ClassDepth = 24,
    parameter int unsigned SharedDepth = 40,
    parameter int unsigned Regions = 8,
    parameter int unsigned Nodes = Ports,
    parameter int unsigned NodesPerChip = Ports,
    parameter int unsigned Chips = 1
) (
    input logic clk_i,
    input logic rst_ni,

    input  logic [Ports-1:0]                 rx_valid_i,
    input  logic [Ports-1:0][           2:0] rx_class_i,
    input  logic [Ports-1:0]                 rx_head_i,
    input  logic [Ports-1:0]                 rx_tail_i,
    input  logic [Ports-1:0][ FlitWidth-1:0] rx_flit_i,
    output logic [Ports-1:0][NumClasses-1:0] rx_credit_o,

    output logic [Ports-1:0]                 tx_valid_o,
    output logic [Ports-1:0][           2:0] tx_class_o,
    output logic [Ports-1:0]                 tx_head_o,
    output logic [Ports-1:0]                 tx_tail_o,
    output logic [Ports-1:0][ FlitWidth-1:0] tx_flit_o,
    input  logic [Ports-1:0][NumClasses-1:0] tx_credit_i,

    input logic         [Ports-1:0] output_dead_i,
    input link_events_t [Ports-1:0] link_events_i,

    input  logic        psel_i,
    input  logic        penable_i,
    input  logic        pwrite_i,
    input  logic [ 2:0] pprot_i,
    input  logic [11:0] paddr_i,
    input  logic [31:0] pwdata_i,
    input  logic [ 3:0] pstrb_i,
    output logic        pready_o,
    output logic [31:0] prdata_o,
    output logic        pslverr_o,

    // Words into and out of each home: {class, head, tail, flit}.
    output logic [HomeSlices-1:0] home_rx_valid_o,
    output logic [         132:0] home_rx_o[HomeSlices],
    output logic [HomeSlices-1:0] home_tx_valid_o,
    output logic [         132:0] home_tx_o[HomeSlices],

    // Each SnpResp and CompAck that a home takes at a port, one bit a port, and what it says: {CompAck,
    // state, txn, src}.
    output logic [HomeSlices-1:0] home_answers_valid_o,
    output logic [     Ports-1:0] home_answers_o[HomeSlices],
    output logic [          22:0] port_answer_o [     Ports],

    // What the action stage does, see home_view.svh.
    output logic [HomeSlices-1:0] home_event_valid_o,
    output logic [         255:0] home_event_o[HomeSlices],

    // A transaction that ends beside the action stage.
    output logic [HomeSlices-1:0] home_retire_valid_o,
    output logic [           9:0] home_retire_o[HomeSlices]
);

  switch_core #(
      .Ports       (Ports),
      .HomeSlices  (HomeSlices),
      .DirSets     (DirSets),
      .DirWays     (DirWays),
      .Trackers    (Trackers),
      .ClassDepth  (ClassDepth),
      .SharedDepth (SharedDepth),
      .Regions     (Regions),
      .Nodes       (Nodes),
      .NodesPerChip(NodesPerChip),
      .Chips       (Chips)
  ) u_core (
      .clk_i,
      .rst_ni,
      .rx_valid_i,
      .rx_class_i,
      .rx_head_i,
      .rx_tail_i,
      .rx_flit_i,
      .rx_credit_o,
      .tx_valid_o,
      .tx_class_o,
      .tx_head_o,
      .tx_tail_o,
      .tx_flit_o,
      .tx_credit_i,
      .output_dead_i,
      .link_events_i,
      .psel_i,
      .penable_i,
      .pwrite_i,
      .pprot_i,
      .paddr_i,
      .pwdata_i,
      .pstrb_i,
      .pready_o,
      .prdata_o,
      .pslverr_o
  );

`define HOME_SLICE u_core.gen_home[h].u_home_slice
`define PORT_ANSWER_VALID u_core.answer_taken[p]
`define PORT_ANSWER u_core.answers[p]
`include "home_view.svh"
`undef PORT_ANSWER
`undef PORT_ANSWER_VALID
`undef HOME_SLICE

endmodule
