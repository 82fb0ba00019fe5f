// The core of the switch: what gives the nodes on its ports one coherent address space.
//
// Purpose: carries packets between ports and home slices; see rtl/README.md for a flit's way and
// docs/protocol.md for what it means.
// Latency: three cycles from port to port when nothing contends, two from a home slice to a port.
// Reset: synchronous, active low. Links are idle, no packets are inside, and each port is granted
// ClassDepth credits of each class, one a cycle, from the first cycle after reset.
// Outputs change only after the rising clock edge and depend on no input combinationally.
module switch_core
  import flit_pkg::*;
  import supernode_pkg::*;
  import fabric_pkg::*;
#(
    parameter int unsigned Ports = 8,  // 2 to 16; 4, 8 and 16 are tried
    parameter int unsigned HomeSlices = 2,  // power of two, at most 8
    parameter int unsigned DirSets = 64,  // of each slice, power of two
    parameter int unsigned DirWays = 8,
    parameter int unsigned Trackers = 32,  // transactions in flight in each slice
    parameter int unsigned ClassDepth = 24,  // words an input buffers of each class, at least 1
    parameter int unsigned SharedDepth = 40,  // and of any class; with the others at most 255
    parameter int unsigned Regions = 8,  // of the address map, 1 to 8
    parameter int unsigned Nodes = Ports,  // of the whole system, that may hold lines
    parameter int unsigned NodesPerChip = Ports,  // node n is port n mod this of chip n / this
    parameter int unsigned Chips = 1  // that there are routes to, 1 to 32
) (
    input logic clk_i,
    input logic rst_ni,

    // From the nodes, or other chips.
    input  logic [Ports-1:0]                 rx_valid_i,
    input  logic [Ports-1:0][           2:0] rx_class_i,
    input  logic [Ports-1:0]                 rx_head_i,
    input  logic [Ports-1:0]                 rx_tail_i,
    input  logic [Ports-1:0][ FlitWidth-1:0] rx_flit_i,
    output logic [Ports-1:0][NumClasses-1:0] rx_credit_o,

    // To the nodes, or other chips.
    output logic [Ports-1:0]                 tx_valid_o,
    output logic [Ports-1:0][           2:0] tx_class_o,
    output logic [Ports-1:0]                 tx_head_o,
    output logic [Ports-1:0]                 tx_tail_o,
    output logic [Ports-1:0][ FlitWidth-1:0] tx_flit_o,
    input  logic [Ports-1:0][NumClasses-1:0] tx_credit_i,

    // Ports whose link is down: requests for them are answered with an error, and other words for
    // them dropped.
    input logic [Ports-1:0] output_dead_i,

    // What the link ends of the ports noticed, to be counted.
    input link_events_t [Ports-1:0] link_events_i,

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

  // Integration checks.
  if (Ports < 2 || Ports > MaxPorts) begin : gen_bad_ports
    $error("switch_core: Ports is %0d, must be 2 to 16", Ports);
  end
  if (!(HomeSlices inside {1, 2, 4, 8})) begin : gen_bad_homes
    $error("switch_core: HomeSlices is %0d, must be 1, 2, 4 or 8", HomeSlices);
  end
  if (ClassDepth < 1 || ClassDepth + SharedDepth >= 2 ** CreditWidth) begin : gen_bad_depth
    $error(
        "switch_core: ClassDepth is %0d, must be 1 or more; with SharedDepth, %0d, 255 or less",
        ClassDepth,
        SharedDepth
    );
  end
  if (Regions < 1 || Regions > MaxRegions) begin : gen_bad_regions
    $error("switch_core: Regions is %0d, must be 1 to 8", Regions);
  end

  if (Chips < 1 || Chips > MaxChips) begin : gen_bad_chips
    $error("switch_core: Chips is %0d, must be 1 to 32", Chips);
  end
  if (NodesPerChip < 1 || NodesPerChip > Ports) begin : gen_bad_nodes_per_chip
    $error(
        "switch_core: NodesPerChip is %0d, must be 1 to Ports, which is %0d", NodesPerChip, Ports
    );
  end
  if (Nodes < NodesPerChip) begin : gen_bad_nodes
    $error("switch_core: Nodes is %0d, must be NodesPerChip or more", Nodes);
  end

  // Crossbar ports: the external ones, then the home slices.
  localparam int unsigned Size = Ports + HomeSlices;
  localparam int unsigned IndexWidth = $clog2(Size);

  chip_id_t chip;
  logic [Ports-1:0] down_ports, up_ports, fabric_ports;
  weight_t [NumClasses-1:0] class_weights;
  logic [4:0] home_timeout_log2, packet_timeout_log2;
  route_t [Chips-1:0] routes;
  region_t [Regions-1:0] regions;
  logic [Ports-1:0][15:0] partitions;

  assign fabric_ports = down_ports | up_ports;

  // Who goes next is not to depend on a pin.
  logic [Ports-1:0] output_dead_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) output_dead_q <= '0;
    else output_dead_q <= output_dead_i;
  end

  // External ways in, homes' ways in, homes; answers to homes, by the port they came in at.
  error_event_t [2*(Ports+HomeSlices)-1:0] errors;
  logic [HomeSlices-1:0][Ports-1:0] answer_valid;  // which home takes the answer at which port
  port_answer_t [Ports-1:0] answers;
  error_event_t [HomeSlices-1:0][Ports-1:0] answer_errors;
  logic [Ports-1:0] answer_taken, merged, answer_speaks;
  home_events_t [HomeSlices-1:0] home_events;
  logic [Ports-1:0] rx_event_valid, tx_event_valid;
  logic [Ports-1:0][2:0] rx_event_class, tx_event_class;

  checked_word_t checked[Size];
  logic [Size-1:0] write;
  logic [Size-1:0][NumClasses-1:0] drop;
  class_e write_class[Size];
  logic [Size-1:0] write_outputs[Size];
  slot_t write_slot[Size];
  logic [Size-1:0][NumClasses-1:0] rx_credit, tx_credit;
  link_word_t tx[Size];

  // Only a home has to know whom the memory packets that it sends go to.
  // verilator lint_off UNUSEDSIGNAL
  node_id_t port_memory[Ports];
  // verilator lint_on UNUSEDSIGNAL

  // When to look for packets whose sender has stopped.
  logic packet_tick;

  interval_tick u_packet_tick (
      .clk_i,
      .rst_ni,
      .log2_i(packet_timeout_log2),
      .tick_o(packet_tick)
  );

  // External ports.
  for (genvar p = 0; p < Ports; p++) begin : gen_port
    // What came down goes no way up again, and nothing goes back where it came from.
    logic [Ports-1:0] exits;
    assign exits = (up_ports[p] ? down_ports : fabric_ports) & ~(Ports'(1) << p);

    ingress_check u_ingress_check (
        .clk_i,
        .rst_ni,
        .node_id_i ({chip, UnitWidth'(p)}),
        .fabric_i  (fabric_ports[p]),
        .rx_valid_i(rx_valid_i[p]),
        .rx_class_i(rx_class_i[p]),
        .rx_head_i (rx_head_i[p]),
        .rx_tail_i (rx_tail_i[p]),
        .rx_flit_i (rx_flit_i[p]),
        .tick_i    (packet_tick),
        .credit_i  (rx_credit[p]),
        .credit_o  (rx_credit_o[p]),
        .word_o    (checked[p])
    );

    ingress_route #(
        .Ports     (Ports),
        .HomeSlices(HomeSlices),
        .Regions   (Regions),
        .Chips     (Chips)
    ) u_ingress_route (
        .clk_i,
        .rst_ni,
        .node_id_i      ({chip, UnitWidth'(p)}),
        .own_output_i   (IndexWidth'(p)),
        .fabric_i       (fabric_ports[p]),
        .node_ports_i   (~fabric_ports),
        .exits_i        (exits),
        .dead_ports_i   (output_dead_q),
        .partitions_i   (partitions[p]),
        .regions_i      (regions),
        .routes_i       (routes),
        .word_i         (checked[p]),
        .taken_i        (answer_taken[p] || merged[p]),
        .speaks_i       (answer_speaks[p]),
        .write_o        (write[p]),
        .write_class_o  (write_class[p]),
        .write_outputs_o(write_outputs[p]),
        .write_slot_o   (write_slot[p]),
        .drop_o         (drop[p]),
        .memory_o       (port_memory[p]),
        .error_o        (errors[p])
    );

    assign tx_credit[p] = tx_credit_i[p];
    assign tx_valid_o[p] = tx[p].valid;
    assign tx_class_o[p] = tx[p].cls;
    assign tx_head_o[p] = tx[p].head;
    assign tx_tail_o[p] = tx[p].tail;
    assign tx_flit_o[p] = tx[p].flit;

    assign rx_event_valid[p] = checked[p].valid;
    assign rx_event_class[p] = checked[p].cls;
    assign tx_event_valid[p] = tx[p].valid;
    assign tx_event_class[p] = tx[p].cls;
  end

  port_answers #(
      .Ports     (Ports),
      .HomeSlices(HomeSlices)
  ) u_port_answers (
      .chip_i  (chip),
      .words_i (checked[0:Ports-1]),
      .taken_o (answer_taken),
      .valid_o (answer_valid),
      .answer_o(answers)
  );

  if (Chips > 1) begin : gen_merge
    snoop_merge #(
        .Ports(Ports)
    ) u_snoop_merge (
        .clk_i,
        .rst_ni,
        .chip_i        (chip),
        .fabric_ports_i(fabric_ports),
        .timeout_log2_i(home_timeout_log2),
        .words_i       (checked[0:Ports-1]),
        .taken_o       (merged),
        .speaks_o      (answer_speaks)
    );
  end else begin : gen_no_merge
    assign merged = '0;
    assign answer_speaks = '0;
  end

  // Only the home that an answer is for finds fault with it.
  always_comb begin
    errors[2*(Ports+HomeSlices)-1-:Ports] = '0;
    for (int unsigned h = 0; h < HomeSlices; h++) begin
      errors[2*(Ports+HomeSlices)-1-:Ports] |= answer_errors[h];
    end
  end

  // Home slices. Their words need no check and are registered already.
  for (genvar h = 0; h < HomeSlices; h++) begin : gen_home
    localparam int unsigned X = Ports + h;
    link_word_t home_tx;
    node_id_t   memory;

    home_slice #(
        .Ports       (Ports),
        .Nodes       (Nodes),
        .NodesPerChip(NodesPerChip),
        .DirSets     (DirSets),
        .DirWays     (DirWays),
        .Trackers    (Trackers)
    ) u_home_slice (
        .clk_i,
        .rst_ni,
        .node_id_i          ({chip, UnitWidth'(UnitHome0 + h)}),
        .timeout_log2_i     (home_timeout_log2),
        .rx_i               (tx[X]),
        .rx_credit_o        (tx_credit[X]),
        .port_answer_valid_i(answer_valid[h]),
        .port_answers_i     (answers),
        .port_errors_o      (answer_errors[h]),
        .tx_o               (home_tx),
        .tx_credit_i        (rx_credit[X]),
        .memory_i           (memory),
        .events_o           (home_events[h]),
        .error_o            (errors[X+HomeSlices])
    );

    assign checked[X] = '{
            valid: home_tx.valid,
            drop: 1'b0,
            displaced: '0,
            cause: ErrNone,
            cls: home_tx.cls,
            head: home_tx.head,
            tail: home_tx.tail,
            fill: '0,
            flit: home_tx.flit
        };

    ingress_route #(
        .Ports     (Ports),
        .HomeSlices(HomeSlices),
        .Regions   (Regions),
        .Chips     (Chips)
    ) u_ingress_route (
        .clk_i,
        .rst_ni,
        .node_id_i      ({chip, UnitWidth'(UnitHome0 + h)}),
        .own_output_i   (IndexWidth'(X)),
        .fabric_i       (1'b0),
        .node_ports_i   (~fabric_ports),
        .exits_i        (fabric_ports),
        .dead_ports_i   (output_dead_q),
        .partitions_i   ('1),
        .regions_i      (regions),
        .routes_i       (routes),
        .word_i         (checked[X]),
        .taken_i        (1'b0),
        .speaks_i       (1'b0),
        .write_o        (write[X]),
        .write_class_o  (write_class[X]),
        .write_outputs_o(write_outputs[X]),
        .write_slot_o   (write_slot[X]),
        .drop_o         (drop[X]),
        .memory_o       (memory),
        .error_o        (errors[X])
    );
  end

  // Those of the homes' ways in are not counted.
  // verilator lint_off UNUSEDSIGNAL
  fabric_events_t [Size-1:0] fabric_events;
  logic [Size-1:0][NumClasses-1:0] high_water[CreditWidth];
  // verilator lint_on UNUSEDSIGNAL
  logic [Ports-1:0][NumClasses-1:0] port_high_water[CreditWidth];

  for (genvar b = 0; b < CreditWidth; b++) begin : gen_high_water
    assign port_high_water[b] = high_water[b][Ports-1:0];
  end

  crossbar #(
      .Size       (Size),
      .ClassDepth (ClassDepth),
      .SharedDepth(SharedDepth)
  ) u_crossbar (
      .clk_i,
      .rst_ni,
      .chip_i         (chip),
      .class_weights_i(class_weights),
      .output_dead_i  (Size'(output_dead_i)),
      .write_i        (write),
      .write_class_i  (write_class),
      .write_outputs_i(write_outputs),
      .write_slot_i   (write_slot),
      .drop_i         (drop),
      .rx_credit_o    (rx_credit),
      .tx_o           (tx),
      .tx_credit_i    (tx_credit),
      .events_o       (fabric_events),
      .high_water_o   (high_water)
  );

  supernode_csr #(
      .Ports       (Ports),
      .HomeSlices  (HomeSlices),
      .Regions     (Regions),
      .DirSets     (DirSets),
      .DirWays     (DirWays),
      .Trackers    (Trackers),
      .ClassDepth  (ClassDepth),
      .SharedDepth (SharedDepth),
      .Nodes       (Nodes),
      .NodesPerChip(NodesPerChip),
      .Chips       (Chips)
  ) u_supernode_csr (
      .clk_i,
      .rst_ni,
      .psel_i,
      .penable_i,
      .pwrite_i,
      .pprot_i,
      .paddr_i,
      .pwdata_i,
      .pstrb_i,
      .pready_o,
      .prdata_o,
      .pslverr_o,
      .chip_id_o        (chip),
      .down_ports_o     (down_ports),
      .up_ports_o       (up_ports),
      .routes_o         (routes),
      .class_weights_o  (class_weights),
      .home_timeout_o   (home_timeout_log2),
      .packet_timeout_o (packet_timeout_log2),
      .regions_o        (regions),
      .port_partitions_o(partitions),
      .rx_event_valid_i (rx_event_valid),
      .rx_event_class_i (rx_event_class),
      .tx_event_valid_i (tx_event_valid),
      .tx_event_class_i (tx_event_class),
      .fabric_events_i  (fabric_events[Ports-1:0]),
      .high_water_i     (port_high_water),
      .link_events_i,
      .home_events_i    (home_events),
      .errors_i         (errors)
  );

endmodule
