// Control and status registers of the switch, on APB4.
//
// Purpose: identification, the chip's place among others and the ways to them, the address map,
//          the rights of the ports, traffic counters and the error log. The map of the registers
//          is supernode_csr.rdl.
// Latency: an access takes 3 cycles, one in a table 4, from psel to pready.
// Reset:   chip 0, every port has a node, no region is valid, every port is in every partition,
//          all counts are 0.
// Drops:   writes to counters, to registers of what the switch does not have, and to addresses
//          with no register; the last are answered with pslverr.
module supernode_csr
  import flit_pkg::NumClasses;
  import supernode_pkg::*;
  import fabric_pkg::*;
#(
    parameter int unsigned Ports        = 8,      // 1 to 16
    parameter int unsigned HomeSlices   = 2,      // 1 to 8
    parameter int unsigned Regions      = 8,      // 1 to 8
    parameter int unsigned DirSets      = 64,
    parameter int unsigned DirWays      = 8,
    parameter int unsigned Trackers     = 32,
    parameter int unsigned ClassDepth   = 24,
    parameter int unsigned SharedDepth  = 40,
    parameter int unsigned Nodes        = Ports,
    parameter int unsigned NodesPerChip = Ports,
    parameter int unsigned Chips        = 1       // 1 to 32
) (
    input logic clk_i,
    input logic rst_ni,

    // APB4, 32 bits, 4 KiB.
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

    // What software has set.
    output chip_id_t                        chip_id_o,
    output logic     [     Ports-1:0]       down_ports_o,
    output logic     [     Ports-1:0]       up_ports_o,
    output route_t   [     Chips-1:0]       routes_o,
    output weight_t  [NumClasses-1:0]       class_weights_o,
    output logic     [           4:0]       home_timeout_o,
    output logic     [           4:0]       packet_timeout_o,
    output region_t  [   Regions-1:0]       regions_o,
    output logic     [     Ports-1:0][15:0] port_partitions_o,

    // What happened in this cycle: a flit taken from or sent to a node, work of a home, an error.
    input logic [Ports-1:0] rx_event_valid_i,
    input logic [Ports-1:0][2:0] rx_event_class_i,
    input logic [Ports-1:0] tx_event_valid_i,
    input logic [Ports-1:0][2:0] tx_event_class_i,
    input fabric_events_t [Ports-1:0] fabric_events_i,
    input logic [Ports-1:0][flit_pkg::NumClasses-1:0] high_water_i[CreditWidth],  // bit by bit
    input link_events_t [Ports-1:0] link_events_i,
    input home_events_t [HomeSlices-1:0] home_events_i,
    input error_event_t [2*(Ports+HomeSlices)-1:0] errors_i
);

  supernode_csr_regs_pkg::supernode_csr_regs__in_t  regs_in;
  supernode_csr_regs_pkg::supernode_csr_regs__out_t regs_out;

  supernode_csr_regs u_regs (
      .clk          (clk_i),
      .rst_n        (rst_ni),
      .s_apb_psel   (psel_i),
      .s_apb_penable(penable_i),
      .s_apb_pwrite (pwrite_i),
      .s_apb_pprot  (pprot_i),
      .s_apb_paddr  (paddr_i),
      .s_apb_pwdata (pwdata_i),
      .s_apb_pstrb  (pstrb_i),
      .s_apb_pready (pready_o),
      .s_apb_prdata (prdata_o),
      .s_apb_pslverr(pslverr_o),
      .hwif_in      (regs_in),
      .hwif_out     (regs_out)
  );

  assign regs_in.params0.ports.next = 8'(Ports);
  assign regs_in.params0.home_slices.next = 8'(HomeSlices);
  assign regs_in.params0.regions.next = 8'(Regions);
  assign regs_in.params0.class_depth.next = 8'(ClassDepth);
  assign regs_in.params1.dir_sets.next = 16'(DirSets);
  assign regs_in.params1.dir_ways.next = 8'(DirWays);
  assign regs_in.params1.trackers.next = 8'(Trackers);
  assign regs_in.params2.nodes.next = 16'(Nodes);
  assign regs_in.params2.nodes_per_chip.next = 8'(NodesPerChip);
  assign regs_in.params2.chips.next = 8'(Chips);
  assign regs_in.params3.shared_depth.next = 8'(SharedDepth);

  assign class_weights_o = {
    regs_out.class_weights.data.value,
    regs_out.class_weights.response.value,
    regs_out.class_weights.memory.value,
    regs_out.class_weights.snoop.value,
    regs_out.class_weights.request.value
  };
  assign home_timeout_o = regs_out.home_timeout.value.value;
  assign packet_timeout_o = regs_out.packet_timeout.value.value;

  assign chip_id_o = regs_out.chip_id.value.value;
  assign down_ports_o = regs_out.fabric_ports.down.value[Ports-1:0];
  assign up_ports_o = regs_out.fabric_ports.up.value[Ports-1:0];

  error_event_t first_error;

  csr_error_log #(
      .Sources(2 * (Ports + HomeSlices))
  ) u_error_log (
      .clk_i,
      .rst_ni,
      .clear_i(regs_out.ctrl.clear_error.value),
      .errors_i,
      .count_o(regs_in.error_count.value.next),
      .first_o(first_error)
  );

  assign regs_in.error_info.valid.next    = first_error.valid;
  assign regs_in.error_info.cause.next    = first_error.cause;
  assign regs_in.error_info.opcode.next   = first_error.opcode;
  assign regs_in.error_info.src.next      = first_error.src;
  assign regs_in.error_addr_lo.value.next = first_error.addr[31:0];
  assign regs_in.error_addr_hi.value.next = first_error.addr[47:32];

  // ---- Tables: each answers a request of the register block in the next cycle.

  csr_partitions #(
      .Ports(Ports)
  ) u_partitions (
      .clk_i,
      .rst_ni,
      .req_i       (regs_out.port_rights.req),
      .write_i     (regs_out.port_rights.req_is_wr),
      .port_i      (regs_out.port_rights.addr[5:2]),
      .wdata_i     (regs_out.port_rights.wr_data[15:0]),
      .wmask_i     (regs_out.port_rights.wr_biten[15:0]),
      .rdata_o     (regs_in.port_rights.rd_data),
      .partitions_o(port_partitions_o)
  );

  csr_routes #(
      .Chips(Chips)
  ) u_routes (
      .clk_i,
      .rst_ni,
      .req_i  (regs_out.routes.req),
      .write_i(regs_out.routes.req_is_wr),
      .chip_i (regs_out.routes.addr[6:2]),
      .wdata_i(regs_out.routes.wr_data),
      .wmask_i(regs_out.routes.wr_biten),
      .rdata_o(regs_in.routes.rd_data),
      .routes_o
  );

  csr_regions #(
      .Regions(Regions)
  ) u_regions (
      .clk_i,
      .rst_ni,
      .req_i   (regs_out.regions.req),
      .write_i (regs_out.regions.req_is_wr),
      .region_i(regs_out.regions.addr[8:6]),
      .word_i  (regs_out.regions.addr[5:2]),
      .wdata_i (regs_out.regions.wr_data),
      .wmask_i (regs_out.regions.wr_biten),
      .rdata_o (regs_in.regions.rd_data),
      .regions_o
  );

  csr_port_counters #(
      .Ports(Ports)
  ) u_port_counters (
      .clk_i,
      .rst_ni,
      .clear_i   (regs_out.ctrl.clear_counters.value),
      .rx_valid_i(rx_event_valid_i),
      .rx_class_i(rx_event_class_i),
      .tx_valid_i(tx_event_valid_i),
      .tx_class_i(tx_event_class_i),
      .req_i     (regs_out.port_counters.req),
      .port_i    (regs_out.port_counters.addr[9:6]),
      .word_i    (regs_out.port_counters.addr[5:2]),
      .rdata_o   (regs_in.port_counters.rd_data)
  );

  csr_home_counters #(
      .HomeSlices(HomeSlices)
  ) u_home_counters (
      .clk_i,
      .rst_ni,
      .clear_i (regs_out.ctrl.clear_counters.value),
      .events_i(home_events_i),
      .req_i   (regs_out.home_counters.req),
      .home_i  (regs_out.home_counters.addr[7:5]),
      .word_i  (regs_out.home_counters.addr[4:2]),
      .rdata_o (regs_in.home_counters.rd_data)
  );

  csr_port_events #(
      .Ports(Ports)
  ) u_port_events (
      .clk_i,
      .rst_ni,
      .clear_i(regs_out.ctrl.clear_counters.value),
      .fabric_events_i,
      .high_water_i,
      .link_events_i,
      .req_i  (regs_out.port_event_counters.req),
      .port_i (regs_out.port_event_counters.addr[9:6]),
      .word_i (regs_out.port_event_counters.addr[5:2]),
      .rdata_o(regs_in.port_event_counters.rd_data)
  );

  logic [5:0] table_req, table_ack_q;
  logic table_write_q;

  assign table_req = {
    regs_out.port_event_counters.req,
    regs_out.routes.req,
    regs_out.port_rights.req,
    regs_out.regions.req,
    regs_out.port_counters.req,
    regs_out.home_counters.req
  };

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      table_ack_q   <= '0;
      table_write_q <= '0;
    end else begin
      table_ack_q   <= table_req;
      // The register block gives every table the same request.
      table_write_q <= regs_out.port_rights.req_is_wr;
    end
  end

  assign regs_in.port_event_counters.rd_ack = table_ack_q[5] && !table_write_q;
  assign regs_in.port_event_counters.wr_ack = table_ack_q[5] && table_write_q;
  assign regs_in.routes.rd_ack              = table_ack_q[4] && !table_write_q;
  assign regs_in.routes.wr_ack              = table_ack_q[4] && table_write_q;
  assign regs_in.port_rights.rd_ack         = table_ack_q[3] && !table_write_q;
  assign regs_in.port_rights.wr_ack         = table_ack_q[3] && table_write_q;
  assign regs_in.regions.rd_ack             = table_ack_q[2] && !table_write_q;
  assign regs_in.regions.wr_ack             = table_ack_q[2] && table_write_q;
  assign regs_in.port_counters.rd_ack       = table_ack_q[1] && !table_write_q;
  assign regs_in.port_counters.wr_ack       = table_ack_q[1] && table_write_q;
  assign regs_in.home_counters.rd_ack       = table_ack_q[0] && !table_write_q;
  assign regs_in.home_counters.wr_ack       = table_ack_q[0] && table_write_q;

endmodule
