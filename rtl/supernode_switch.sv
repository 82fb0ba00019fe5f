// The chip: a switch core with the end of a link at each port.
//
// Purpose: gives the nodes at the other ends of the links one coherent address space; wires may
// flip, lose, repeat and displace words (rtl/link, docs/link.md).
// Latency: five cycles from wire to wire when nothing contends: one in each link end, three in the
// core.
// Reset: synchronous, active low. The links train; requests wait until the link they need is up. A
// link that has been given up stays so until reset; what is sent to it is answered as
// `switch_core` says of dead outputs.
// Outputs change only after the rising clock edge and depend on no input combinationally.
module supernode_switch
  import flit_pkg::*;
  import supernode_pkg::*;
  import link_pkg::*;
#(
    // As in switch_core.
    parameter int unsigned Ports         = 8,
    parameter int unsigned HomeSlices    = 2,
    parameter int unsigned DirSets       = 64,
    parameter int unsigned DirWays       = 8,
    parameter int unsigned Trackers      = 32,
    parameter int unsigned ClassDepth    = 24,
    parameter int unsigned SharedDepth   = 40,
    parameter int unsigned Regions       = 8,
    parameter int unsigned Nodes         = Ports,
    parameter int unsigned NodesPerChip  = Ports,
    parameter int unsigned Chips         = 1,
    // As in link_end.
    parameter int unsigned Window        = 160,
    parameter int unsigned AskInterval   = 32,
    parameter int unsigned ReplayTimeout = 128,
    parameter int unsigned LossTimeout   = 256,
    parameter int unsigned DeadTimeout   = 1024
) (
    input logic clk_i,
    input logic rst_ni,

    input  wire_word_t [Ports-1:0] wire_i,
    output wire_word_t [Ports-1:0] wire_o,
    output logic       [Ports-1:0] up_o,    // trained and not given up

    // APB4: registers.
    input  logic        psel_i,
    input  logic        penable_i,
    input  logic        pwrite_i,
    input  logic [ 2:0] pprot_i,
    input  logic [11:0] paddr_i,
    input  logic [31:0] pwdata_i,
    input  logic [ 3:0] pstrb_i,
    output logic        pready_o,
    output logic [31:0] prdata_o,
    output logic        pslverr_o
);

  logic [Ports-1:0] rx_valid, rx_head, rx_tail, tx_valid, tx_head, tx_tail, dead;
  logic [Ports-1:0][2:0] rx_class, tx_class;
  logic [Ports-1:0][FlitWidth-1:0] rx_flit, tx_flit;
  logic [Ports-1:0][NumClasses-1:0] rx_credit, tx_credit;
  link_events_t [Ports-1:0] link_events;

  for (genvar p = 0; p < Ports; p++) begin : gen_port
    link_word_t to_core, from_core;

    assign from_core = '{
            valid: tx_valid[p],
            cls: class_e'(tx_class[p]),
            head: tx_head[p],
            tail: tx_tail[p],
            flit: tx_flit[p]
        };
    assign rx_valid[p] = to_core.valid;
    assign rx_class[p] = to_core.cls;
    assign rx_head[p] = to_core.head;
    assign rx_tail[p] = to_core.tail;
    assign rx_flit[p] = to_core.flit;

    link_end #(
        .Window       (Window),
        .AskInterval  (AskInterval),
        .ReplayTimeout(ReplayTimeout),
        .LossTimeout  (LossTimeout),
        .DeadTimeout  (DeadTimeout)
    ) u_link_end (
        .clk_i,
        .rst_ni,
        .tx_i       (from_core),
        .tx_credit_o(tx_credit[p]),
        .rx_o       (to_core),
        .rx_credit_i(rx_credit[p]),
        .wire_i     (wire_i[p]),
        .wire_o     (wire_o[p]),
        .up_o       (up_o[p]),
        .dead_o     (dead[p]),
        .events_o   (link_events[p])
    );
  end

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
  ) u_switch_core (
      .clk_i,
      .rst_ni,
      .rx_valid_i   (rx_valid),
      .rx_class_i   (rx_class),
      .rx_head_i    (rx_head),
      .rx_tail_i    (rx_tail),
      .rx_flit_i    (rx_flit),
      .rx_credit_o  (rx_credit),
      .tx_valid_o   (tx_valid),
      .tx_class_o   (tx_class),
      .tx_head_o    (tx_head),
      .tx_tail_o    (tx_tail),
      .tx_flit_o    (tx_flit),
      .tx_credit_i  (tx_credit),
      .output_dead_i(dead),
      .link_events_i(link_events),
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

endmodule
