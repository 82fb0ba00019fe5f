// Several chips, cabled: leaves with nodes, and spines to each of which every leaf has a cable.
//
// Purpose: one system of Leaves * NodesPerLeaf nodes. The node on unit u of leaf l is port
// l * NodesPerLeaf + u here. A leaf has its nodes on its lower ports and the cable to spine s on
// port LeafPorts / 2 + s; a spine has the cable to leaf l on port l. Chips are numbered leaves first.
// Software gives each chip its number, directions and routes; until then nothing crosses a cable.
// Latency: that of the chips: a cable is a wire between registers.
// Reset: that of the chips, all at once.
// The registers of chip c are at c * 4096 and above of one APB port.
module supernode_fabric
  import flit_pkg::*;
  import supernode_pkg::*;
#(
    parameter int unsigned Leaves = 4,
    parameter int unsigned NodesPerLeaf = 4,
    parameter int unsigned Spines = 2,
    parameter int unsigned LeafPorts = 8,
    parameter int unsigned SpinePorts = 8,
    parameter int unsigned HomeSlices = 2,
    parameter int unsigned DirSets = 64,
    parameter int unsigned DirWays = 8,
    parameter int unsigned Trackers = 32,
    parameter int unsigned ClassDepth = 24,
    parameter int unsigned SharedDepth = 40,
    localparam int unsigned Ports = Leaves * NodesPerLeaf,
    localparam int unsigned Chips = Leaves + Spines,
    localparam int unsigned AddrBits = 12 + $clog2(Chips)
) (
    input logic clk_i,
    input logic rst_ni,

    // From the nodes.
    input  logic [Ports-1:0]                 rx_valid_i,
    input  logic [Ports-1:0][           2:0] rx_class_i,
    input  logic [Ports-1:0]                 rx_head_i,
    input  logic [Ports-1:0]                 rx_tail_i,
    input  logic [Ports-1:0][ FlitWidth-1:0] rx_flit_i,
    output logic [Ports-1:0][NumClasses-1:0] rx_credit_o,

    // To the nodes.
    output logic [Ports-1:0]                 tx_valid_o,
    output logic [Ports-1:0][           2:0] tx_class_o,
    output logic [Ports-1:0]                 tx_head_o,
    output logic [Ports-1:0]                 tx_tail_o,
    output logic [Ports-1:0][ FlitWidth-1:0] tx_flit_o,
    input  logic [Ports-1:0][NumClasses-1:0] tx_credit_i,

    // Nodes whose link is down, and what the ends of their links noticed.
    input logic         [Ports-1:0] output_dead_i,
    input link_events_t [Ports-1:0] link_events_i,

    // APB4: registers of all chips.
    input  logic                psel_i,
    input  logic                penable_i,
    input  logic                pwrite_i,
    input  logic [         2:0] pprot_i,
    input  logic [AddrBits-1:0] paddr_i,
    input  logic [        31:0] pwdata_i,
    input  logic [         3:0] pstrb_i,
    output logic                pready_o,
    output logic [        31:0] prdata_o,
    output logic                pslverr_o
);

  localparam int unsigned FirstUp = LeafPorts / 2;

  if (NodesPerLeaf > FirstUp || Spines > LeafPorts - FirstUp) begin : gen_bad_leaf
    $error(
        "supernode_fabric: LeafPorts is %0d, too few for %0d nodes and %0d spines in halves",
        LeafPorts,
        NodesPerLeaf,
        Spines
    );
  end
  if (Leaves < 2 || Leaves > SpinePorts) begin : gen_bad_spine
    $error(
        "supernode_fabric: Leaves is %0d, must be 2 to SpinePorts, which is %0d", Leaves, SpinePorts
    );
  end

  // What travels on one direction of a cable, with the credits for the other.
  typedef struct packed {
    link_word_t            word;
    logic [NumClasses-1:0] credit;
  } cable_t;

  cable_t up  [Leaves][Spines];
  cable_t down[Leaves][Spines];

  // ---------------------------------------------------------------- Registers

  localparam int unsigned ChipIndexWidth = $clog2(Chips);

  logic [Chips-1:0] sel, ready, error;
  logic [Chips-1:0][31:0] rdata;
  logic [ChipIndexWidth-1:0] chip;

  assign chip = paddr_i[AddrBits-1:12];
  assign sel  = Chips'(psel_i) << chip;

  // Beyond the last chip there is nothing: the access ends with an error at once.
  always_comb begin
    pready_o  = 1'b1;
    prdata_o  = '0;
    pslverr_o = 1'b1;
    if (32'(chip) < Chips) begin
      pready_o  = ready[chip];
      prdata_o  = rdata[chip];
      pslverr_o = error[chip];
    end
  end

  // ---------------------------------------------------------------- Leaves

  for (genvar l = 0; l < Leaves; l++) begin : gen_leaf
    localparam int unsigned First = l * NodesPerLeaf;

    logic [LeafPorts-1:0] rx_valid, rx_head, rx_tail, dead;
    logic [LeafPorts-1:0][2:0] rx_class;
    logic [LeafPorts-1:0][FlitWidth-1:0] rx_flit;
    logic [LeafPorts-1:0][NumClasses-1:0] tx_credit;
    // A leaf may have more ports than nodes and cables.
    // verilator lint_off UNUSEDSIGNAL
    logic [LeafPorts-1:0] tx_valid, tx_head, tx_tail;
    logic [LeafPorts-1:0][2:0] tx_class;
    logic [LeafPorts-1:0][FlitWidth-1:0] tx_flit;
    logic [LeafPorts-1:0][NumClasses-1:0] rx_credit;
    // verilator lint_on UNUSEDSIGNAL
    link_events_t [LeafPorts-1:0] link_events;

    always_comb begin
      rx_valid = '0;
      rx_class = '0;
      rx_head = '0;
      rx_tail = '0;
      rx_flit = '0;
      tx_credit = '0;
      dead = '0;
      link_events = '0;
      rx_valid[NodesPerLeaf-1:0] = rx_valid_i[First+:NodesPerLeaf];
      rx_class[NodesPerLeaf-1:0] = rx_class_i[First+:NodesPerLeaf];
      rx_head[NodesPerLeaf-1:0] = rx_head_i[First+:NodesPerLeaf];
      rx_tail[NodesPerLeaf-1:0] = rx_tail_i[First+:NodesPerLeaf];
      rx_flit[NodesPerLeaf-1:0] = rx_flit_i[First+:NodesPerLeaf];
      tx_credit[NodesPerLeaf-1:0] = tx_credit_i[First+:NodesPerLeaf];
      dead[NodesPerLeaf-1:0] = output_dead_i[First+:NodesPerLeaf];
      link_events[NodesPerLeaf-1:0] = link_events_i[First+:NodesPerLeaf];
      for (int unsigned s = 0; s < Spines; s++) begin
        rx_valid[FirstUp+s]  = down[l][s].word.valid;
        rx_class[FirstUp+s]  = down[l][s].word.cls;
        rx_head[FirstUp+s]   = down[l][s].word.head;
        rx_tail[FirstUp+s]   = down[l][s].word.tail;
        rx_flit[FirstUp+s]   = down[l][s].word.flit;
        tx_credit[FirstUp+s] = down[l][s].credit;
      end
    end

    for (genvar s = 0; s < Spines; s++) begin : gen_up
      assign up[l][s].word = '{
              valid: tx_valid[FirstUp+s],
              cls: class_e'(tx_class[FirstUp+s]),
              head: tx_head[FirstUp+s],
              tail: tx_tail[FirstUp+s],
              flit: tx_flit[FirstUp+s]
          };
      assign up[l][s].credit = rx_credit[FirstUp+s];
    end

    assign rx_credit_o[First+:NodesPerLeaf] = rx_credit[NodesPerLeaf-1:0];
    assign tx_valid_o[First+:NodesPerLeaf]  = tx_valid[NodesPerLeaf-1:0];
    assign tx_class_o[First+:NodesPerLeaf]  = tx_class[NodesPerLeaf-1:0];
    assign tx_head_o[First+:NodesPerLeaf]   = tx_head[NodesPerLeaf-1:0];
    assign tx_tail_o[First+:NodesPerLeaf]   = tx_tail[NodesPerLeaf-1:0];
    assign tx_flit_o[First+:NodesPerLeaf]   = tx_flit[NodesPerLeaf-1:0];

    switch_core #(
        .Ports       (LeafPorts),
        .HomeSlices  (HomeSlices),
        .DirSets     (DirSets),
        .DirWays     (DirWays),
        .Trackers    (Trackers),
        .ClassDepth  (ClassDepth),
        .SharedDepth (SharedDepth),
        .Nodes       (Ports),
        .NodesPerChip(NodesPerLeaf),
        .Chips       (Leaves)
    ) u_leaf (
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
        .psel_i       (sel[l]),
        .penable_i,
        .pwrite_i,
        .pprot_i,
        .paddr_i      (paddr_i[11:0]),
        .pwdata_i,
        .pstrb_i,
        .pready_o     (ready[l]),
        .prdata_o     (rdata[l]),
        .pslverr_o    (error[l])
    );
  end

  // ---------------------------------------------------------------- Spines

  for (genvar s = 0; s < Spines; s++) begin : gen_spine
    logic [SpinePorts-1:0] rx_valid, rx_head, rx_tail;
    logic [SpinePorts-1:0][2:0] rx_class;
    logic [SpinePorts-1:0][FlitWidth-1:0] rx_flit;
    logic [SpinePorts-1:0][NumClasses-1:0] tx_credit;
    // A spine may have more ports than there are leaves.
    // verilator lint_off UNUSEDSIGNAL
    logic [SpinePorts-1:0] tx_valid, tx_head, tx_tail;
    logic [SpinePorts-1:0][2:0] tx_class;
    logic [SpinePorts-1:0][FlitWidth-1:0] tx_flit;
    logic [SpinePorts-1:0][NumClasses-1:0] rx_credit;
    // verilator lint_on UNUSEDSIGNAL

    always_comb begin
      rx_valid  = '0;
      rx_class  = '0;
      rx_head   = '0;
      rx_tail   = '0;
      rx_flit   = '0;
      tx_credit = '0;
      for (int unsigned l = 0; l < Leaves; l++) begin
        rx_valid[l]  = up[l][s].word.valid;
        rx_class[l]  = up[l][s].word.cls;
        rx_head[l]   = up[l][s].word.head;
        rx_tail[l]   = up[l][s].word.tail;
        rx_flit[l]   = up[l][s].word.flit;
        tx_credit[l] = up[l][s].credit;
      end
    end

    for (genvar l = 0; l < Leaves; l++) begin : gen_down
      assign down[l][s].word = '{
              valid: tx_valid[l],
              cls: class_e'(tx_class[l]),
              head: tx_head[l],
              tail: tx_tail[l],
              flit: tx_flit[l]
          };
      assign down[l][s].credit = rx_credit[l];
    end

    switch_core #(
        .Ports       (SpinePorts),
        .HomeSlices  (HomeSlices),
        .DirSets     (DirSets),
        .DirWays     (DirWays),
        .Trackers    (Trackers),
        .ClassDepth  (ClassDepth),
        .SharedDepth (SharedDepth),
        .Nodes       (Ports),
        .NodesPerChip(NodesPerLeaf),
        .Chips       (Leaves)
    ) u_spine (
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
        .output_dead_i('0),
        .link_events_i('0),
        .psel_i       (sel[Leaves+s]),
        .penable_i,
        .pwrite_i,
        .pprot_i,
        .paddr_i      (paddr_i[11:0]),
        .pwdata_i,
        .pstrb_i,
        .pready_o     (ready[Leaves+s]),
        .prdata_o     (rdata[Leaves+s]),
        .pslverr_o    (error[Leaves+s])
    );
  end

endmodule
