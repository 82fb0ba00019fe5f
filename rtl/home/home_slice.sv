// A home slice: ordering point and directory of the lines that the address map hashes to it.
//
// To the switch it looks like a node on a link. It takes REQ, RSP and DAT and sends SNP, MEM, RSP and
// DAT; the protocol is docs/protocol.md, section Home, and README.md here says how it is done.
// SNP, RSP and DAT carry their destination; MEM carries the global address and no destination, both
// of which the address map behind the slice fills in.
//
// Latency: from a request on rx_i to its first snoop or memory packet on tx_o, 5 cycles.
// Reset: synchronous; credits are granted and requests taken from the first cycle after it.
// Stalled: REQ, while every tracker is taken. Dropped and reported: answers nobody waits for.
module home_slice
  import flit_pkg::*;
  import home_pkg::*;
  import supernode_pkg::node_id_t;
  import supernode_pkg::home_events_t, supernode_pkg::error_event_t, supernode_pkg::port_answer_t;
#(
    parameter int unsigned Ports        = 8,   // of this chip
    parameter int unsigned Nodes        = 8,   // at least 2: nodes that can hold a line
    parameter int unsigned NodesPerChip = 8,   // at most 16: node n is unit n mod this of a chip
    parameter int unsigned DirSets      = 64,  // power of two, 2 to 65536
    parameter int unsigned DirWays      = 8,   // at least 2
    parameter int unsigned Trackers     = 32   // transactions in flight, a power of two, at least 2
) (
    input  logic                          clk_i,
    input  logic                          rst_ni,
    input  node_id_t                      node_id_i,
    input  logic         [           4:0] timeout_log2_i,       // see home_timeouts; 0: none
    input  link_word_t                    rx_i,
    output logic         [NumClasses-1:0] rx_credit_o,
    // Each SnpResp and CompAck of a node, taken at the port of the chip at which it comes in, and
    // what is wrong with it
    input  logic         [     Ports-1:0] port_answer_valid_i,
    input  port_answer_t [     Ports-1:0] port_answers_i,
    output error_event_t [     Ports-1:0] port_errors_o,
    output link_word_t                    tx_o,
    input  logic         [NumClasses-1:0] tx_credit_i,
    input  node_id_t                      memory_i,             // that a MEM on tx_o goes to
    output home_events_t                  events_o,
    output error_event_t                  error_o
);

  localparam int unsigned TrackerWidth = $clog2(Trackers);

  typedef logic [TrackerWidth-1:0] tracker_t;

  logic free_valid, take, request_valid, request_fresh, request_ready;
  tracker_t free_tracker, request_tracker;
  req_header_t take_header;

  logic answer_valid;
  answer_t answer;

  logic request_data_valid, request_data_ready, request_data_piece;
  logic answer_data_valid, answer_data_accept;
  tracker_t request_data_tracker;
  flit_index_t request_data_index, answer_data_index;
  logic [FlitWidth-1:0] request_data, answer_data;

  logic order_snp, order_mem, order_rsp, unsent, left, release_valid;
  tracker_t order_tracker, query_tracker, left_tracker, release_tracker, read_tracker;
  snp_order_t snp_order;
  mem_order_t mem_order;
  rsp_order_t rsp_order;
  logic [Nodes-1:0] snp_targets, sent_targets;
  logic sent;
  tracker_t sent_tracker;
  logic [Trackers-1:0] snooping;
  req_header_t read_request;
  line_addr_t read_victim;
  flit_index_t read_index;
  logic [FlitWidth-1:0] read_data, read_piece;

  home_events_t events;
  error_event_t error;

  // The address map behind the home says, in the cycle in which a MEM leaves, where it goes.
  logic mem_leaves;
  tracker_t mem_tracker;
  // verilator lint_off UNUSEDSIGNAL
  common_header_t tx_header;
  // verilator lint_on UNUSEDSIGNAL

  assign tx_header   = common_header_t'(tx_o.flit);
  assign mem_leaves  = tx_o.valid && tx_o.head && (tx_o.cls == ClassMem);
  assign mem_tracker = tx_header.txn[TrackerWidth-1:0];

  home_rx #(
      .TrackerWidth(TrackerWidth)
  ) u_rx (
      .clk_i,
      .rst_ni,
      .rx_i,
      .rx_credit_o,
      .free_valid_i          (free_valid),
      .free_tracker_i        (free_tracker),
      .take_o                (take),
      .take_header_o         (take_header),
      .request_valid_o       (request_valid),
      .request_fresh_o       (request_fresh),
      .request_tracker_o     (request_tracker),
      .request_ready_i       (request_ready),
      .answer_valid_o        (answer_valid),
      .answer_o              (answer),
      .request_data_valid_o  (request_data_valid),
      .request_data_ready_i  (request_data_ready),
      .request_data_tracker_o(request_data_tracker),
      .request_data_piece_o  (request_data_piece),
      .request_data_index_o  (request_data_index),
      .request_data_o        (request_data),
      .answer_data_valid_o   (answer_data_valid),
      .answer_data_index_o   (answer_data_index),
      .answer_data_o         (answer_data)
  );

  home_line_buffer #(
      .Trackers(Trackers)
  ) u_line_buffer (
      .clk_i,
      .request_valid_i  (request_data_valid),
      .request_ready_o  (request_data_ready),
      .request_tracker_i(request_data_tracker),
      .request_piece_i  (request_data_piece),
      .request_index_i  (request_data_index),
      .request_data_i   (request_data),
      .answer_valid_i   (answer_data_valid),
      .answer_accept_i  (answer_data_accept),
      .answer_tracker_i (answer.txn[TrackerWidth-1:0]),
      .answer_index_i   (answer_data_index),
      .answer_data_i    (answer_data),
      .read_tracker_i   (read_tracker),
      .read_index_i     (read_index),
      .read_data_o      (read_data),
      .read_piece_o     (read_piece)
  );

  home_trackers #(
      .Ports       (Ports),
      .Nodes       (Nodes),
      .NodesPerChip(NodesPerChip),
      .DirSets     (DirSets),
      .DirWays     (DirWays),
      .Trackers    (Trackers)
  ) u_trackers (
      .clk_i,
      .rst_ni,
      .chip_i           (node_id_i[NodeIdWidth-1:supernode_pkg::UnitWidth]),
      .free_valid_o     (free_valid),
      .free_tracker_o   (free_tracker),
      .take_i           (take),
      .take_header_i    (take_header),
      .request_valid_i  (request_valid),
      .request_fresh_i  (request_fresh),
      .request_tracker_i(request_tracker),
      .request_ready_o  (request_ready),
      .port_answer_valid_i,
      .port_answers_i,
      .port_errors_o,
      .timeout_log2_i,
      .answer_valid_i   (answer_valid),
      .answer_i         (answer),
      .data_answer_i    (answer),
      .data_accept_o    (answer_data_accept),
      .order_tracker_o  (order_tracker),
      .order_snp_o      (order_snp),
      .snp_order_o      (snp_order),
      .snp_targets_o    (snp_targets),
      .order_mem_o      (order_mem),
      .mem_order_o      (mem_order),
      .order_rsp_o      (order_rsp),
      .rsp_order_o      (rsp_order),
      .query_tracker_o  (query_tracker),
      .unsent_i         (unsent),
      .left_i           (left),
      .left_tracker_i   (left_tracker),
      .memory_valid_i   (mem_leaves),
      .memory_tracker_i (mem_tracker),
      .memory_i,
      .sent_i           (sent),
      .sent_tracker_i   (sent_tracker),
      .sent_targets_i   (sent_targets),
      .snooping_i       (snooping),
      .release_valid_i  (release_valid),
      .release_tracker_i(release_tracker),
      .read_tracker_i   (read_tracker),
      .read_request_o   (read_request),
      .read_victim_o    (read_victim),
      .event_request_o  (events.request),
      .event_recall_o   (events.recall),
      .event_stale_o    (events.stale),
      .error_o          (error)
  );

  home_tx #(
      .Nodes       (Nodes),
      .NodesPerChip(NodesPerChip),
      .Trackers    (Trackers)
  ) u_tx (
      .clk_i,
      .rst_ni,
      .node_id_i,
      .order_tracker_i  (order_tracker),
      .order_snp_i      (order_snp),
      .snp_order_i      (snp_order),
      .snp_targets_i    (snp_targets),
      .order_mem_i      (order_mem),
      .mem_order_i      (mem_order),
      .order_rsp_i      (order_rsp),
      .rsp_order_i      (rsp_order),
      .query_tracker_i  (query_tracker),
      .unsent_o         (unsent),
      .left_o           (left),
      .left_tracker_o   (left_tracker),
      .sent_o           (sent),
      .sent_tracker_o   (sent_tracker),
      .sent_targets_o   (sent_targets),
      .snooping_o       (snooping),
      .release_valid_o  (release_valid),
      .release_tracker_o(release_tracker),
      .read_tracker_o   (read_tracker),
      .read_request_i   (read_request),
      .read_victim_i    (read_victim),
      .read_index_o     (read_index),
      .read_data_i      (read_data),
      .read_piece_i     (read_piece),
      .tx_o,
      .tx_credit_i,
      .event_snoop_o    (events.snoop),
      .event_mem_read_o (events.mem_read),
      .event_mem_write_o(events.mem_write)
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      events_o <= '0;
      error_o  <= '0;
    end else begin
      events_o <= events;
      error_o.valid <= error.valid;
      if (error.valid) error_o <= error;
    end
  end

endmodule
