// What happened at each external port's way in and on its link.
//
// Purpose: counts grants of the crossbar, stalls by cause and the events of the link end, and shows
//          how full the port's buffer has been, class by class.
// Latency: an event shows in reads one cycle later; rdata_o is valid one cycle after req_i.
// Reset:   all counts are 0.
// Drops:   events in the cycle of a clear; ports and words that do not exist read as 0. A clear
//          leaves the high-water marks, which are the buffer's, as they are.
module csr_port_events
  import supernode_pkg::*;
  import fabric_pkg::*;
  import supernode_csr_pkg::*;
#(
    parameter int unsigned Ports = 8  // 1 to 16
) (
    input logic clk_i,
    input logic rst_ni,
    input logic clear_i,

    input fabric_events_t [Ports-1:0] fabric_events_i,
    input logic [Ports-1:0][flit_pkg::NumClasses-1:0] high_water_i[CreditWidth],  // bit by bit
    input link_events_t [Ports-1:0] link_events_i,

    // A read of the register block.
    input  logic        req_i,
    input  logic [ 3:0] port_i,
    input  logic [ 3:0] word_i,
    output logic [31:0] rdata_o
);

  localparam int unsigned IndexWidth = Ports > 1 ? $clog2(Ports) : 1;
  localparam int unsigned LinkEvents = $bits(link_events_t);

  logic [31:0] rdata_q;
  logic [IndexWidth-1:0] index;
  logic [Ports-1:0][31:0] fabric_count;
  logic [Ports-1:0][LinkEvents-1:0][31:0] link_count_q;

  assign index = port_i[IndexWidth-1:0];

  for (genvar p = 0; p < Ports; p++) begin : gen_port
    // An input sends a word or stalls for one cause, never both.
    logic grant, arbitration, credit, lock;
    logic [2:0] fabric_index;

    assign grant = fabric_events_i[p].grant;
    assign arbitration = fabric_events_i[p].stall.arbitration;
    assign credit = fabric_events_i[p].stall.credit;
    assign lock = fabric_events_i[p].stall.lock;

    always_comb begin
      fabric_index = 3'(PortEventsGrants);
      if (arbitration) fabric_index = 3'(PortEventsStallsArbitration);
      if (credit) fabric_index = 3'(PortEventsStallsCredit);
      if (lock) fabric_index = 3'(PortEventsStallsLock);
    end

    csr_counter_bank u_fabric (
        .clk_i,
        .rst_ni,
        .clear_i,
        .event_valid_i(grant || arbitration || credit || lock),
        .event_index_i(fabric_index),
        .read_index_i (word_i[2:0]),
        .count_o      (fabric_count[p])
    );

    always_ff @(posedge clk_i) begin
      if (!rst_ni || clear_i) begin
        link_count_q[p] <= '0;
      end else if (link_events_i[p] != '0) begin
        for (int unsigned e = 0; e < LinkEvents; e++) begin
          if (link_events_i[p][e]) link_count_q[p][e] <= link_count_q[p][e] + 1;
        end
      end
    end

    always_ff @(posedge clk_i) begin
      if (rst_ni) begin
        assert ($onehot0({grant, arbitration, credit, lock}))
        else $error("an input sends and stalls at once");
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (req_i) begin
      rdata_q <= '0;
      if (32'(port_i) < Ports) begin
        if (32'(word_i) < PortEventsHighWater) begin
          rdata_q <= fabric_count[index];
        end else if (32'(word_i) < PortEventsCrcErrors) begin
          for (int unsigned c = 0; c < flit_pkg::NumClasses; c++) begin
            if (32'(word_i) == PortEventsHighWater + c) begin
              rdata_q <= '0;
              for (int unsigned b = 0; b < CreditWidth; b++) begin
                rdata_q[b] <= high_water_i[b][index][c];
              end
            end
          end
        end else begin
          // The events' bits are counted from the last member of the struct.
          for (int unsigned e = 0; e < LinkEvents; e++) begin
            if (32'(word_i) == PortEventsCrcErrors + e) begin
              rdata_q <= link_count_q[index][LinkEvents-1-e];
            end
          end
        end
      end
    end
  end

  assign rdata_o = rdata_q;

endmodule
