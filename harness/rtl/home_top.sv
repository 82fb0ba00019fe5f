// A home slice alone, between pins: what conformance with the model checker's own traces is tried on.
//
// Purpose: nothing stands between the pins and the slice, so that who drives them decides in which
// order, and how close together, messages reach the home. The link of the slice to the crossbar is
// rx_* and tx_* with their credits; SnpResp and CompAck come in at the ports, answer_*, as
// port_answers hands them over. All MEM packets go to the one memory memory_i. The view pins are
// those of watched_switch, with one slice.
// Latency: the pins are wires; a view shows, after a clock edge, what that edge took.
// Reset: that of home_slice; nothing is in view.
// Dropped: what home_slice drops; dropped_o then is high for a cycle.
module home_top
  import flit_pkg::*;
  import supernode_pkg::*;
#(
    parameter int unsigned Ports = 4,
    parameter int unsigned DirSets = 2,
    parameter int unsigned DirWays = 2,
    parameter int unsigned Trackers = 4,
    localparam int unsigned HomeSlices = 1
) (
    input logic clk_i,
    input logic rst_ni,

    // Words are {class, head, tail, flit}.
    input  logic                  rx_valid_i,
    input  logic [         132:0] rx_i,
    output logic [NumClasses-1:0] rx_credit_o,
    output logic                  tx_valid_o,
    output logic [         132:0] tx_o,
    input  logic [NumClasses-1:0] tx_credit_i,

    // {CompAck, state, txn, src} of each port
    input logic [Ports-1:0] answer_valid_i,
    input logic [     22:0] answer_i      [Ports],

    input node_id_t memory_i,

    output logic dropped_o,

    output logic [HomeSlices-1:0] home_rx_valid_o,
    output logic [         132:0] home_rx_o[HomeSlices],
    output logic [HomeSlices-1:0] home_tx_valid_o,
    output logic [         132:0] home_tx_o[HomeSlices],
    output logic [HomeSlices-1:0] home_answers_valid_o,
    output logic [     Ports-1:0] home_answers_o[HomeSlices],
    output logic [          22:0] port_answer_o [     Ports],
    output logic [HomeSlices-1:0] home_event_valid_o,
    output logic [         255:0] home_event_o[HomeSlices],
    output logic [HomeSlices-1:0] home_retire_valid_o,
    output logic [           9:0] home_retire_o[HomeSlices]
);

  link_word_t rx_word, tx_word;
  port_answer_t [Ports-1:0] answers;
  // What was dropped does not matter, nothing may be.
  // verilator lint_off UNUSEDSIGNAL
  home_events_t events;
  error_event_t error;
  error_event_t [Ports-1:0] port_errors;
  // verilator lint_on UNUSEDSIGNAL
  logic [Ports-1:0] port_dropped;

  assign rx_word = '{
          valid: rx_valid_i,
          cls: class_e'(rx_i[132:130]),
          head: rx_i[129],
          tail: rx_i[128],
          flit: rx_i[127:0]
      };

  assign tx_valid_o = tx_word.valid;
  assign tx_o = {tx_word.cls, tx_word.head, tx_word.tail, tx_word.flit};

  for (genvar p = 0; p < Ports; p++) begin : gen_answer
    assign answers[p] = '{
            ack: answer_i[p][22],
            state: state_e'(answer_i[p][21:20]),
            txn: answer_i[p][19:10],
            src: answer_i[p][9:0],
            addr: '0
        };
    assign port_dropped[p] = port_errors[p].valid;
  end

  assign dropped_o = error.valid || (port_dropped != '0);

  home_slice #(
      .Ports       (Ports),
      .Nodes       (Ports),
      .NodesPerChip(Ports),
      .DirSets     (DirSets),
      .DirWays     (DirWays),
      .Trackers    (Trackers)
  ) u_home_slice (
      .clk_i,
      .rst_ni,
      .node_id_i          ({ChipWidth'(0), UnitWidth'(UnitHome0)}),
      .timeout_log2_i     ('0),
      .rx_i               (rx_word),
      .rx_credit_o,
      .port_answer_valid_i(answer_valid_i),
      .port_answers_i     (answers),
      .port_errors_o      (port_errors),
      .tx_o               (tx_word),
      .tx_credit_i,
      .memory_i,
      .events_o           (events),
      .error_o            (error)
  );

`define HOME_SLICE u_home_slice
`define PORT_ANSWER_VALID answer_valid_i[p]
`define PORT_ANSWER answers[p]
`include "home_view.svh"
`undef PORT_ANSWER
`undef PORT_ANSWER_VALID
`undef HOME_SLICE

endmodule
