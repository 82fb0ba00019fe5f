// Trackers of a home slice: the requests in flight, and the pipeline that serves them.
//
// The pipeline is issue, lookup (both home_start) and action (home_action); an answer goes straight
// to the action, one cycle after it came, before any start. Answers are never stalled. What a
// request says is kept here, from the header's arrival until the tracker is free again.
//
// A tracker is taken by the header of a request. It becomes free when its transaction is closed
// and, where the last word is a Comp that nobody answers, when that has been sent. One that waits for
// nothing but its CompAck is closed beside the pipeline (home_acks).
module home_trackers
  import flit_pkg::*;
  import home_pkg::*;
  import supernode_pkg::error_event_t, supernode_pkg::port_answer_t, supernode_pkg::chip_id_t;
  import supernode_pkg::node_id_t;
#(
    parameter int unsigned Ports = 8,
    parameter int unsigned Nodes = 8,
    parameter int unsigned NodesPerChip = 8,
    parameter int unsigned DirSets = 64,
    parameter int unsigned DirWays = 8,
    parameter int unsigned Trackers = 32,
    localparam int unsigned TrackerWidth = $clog2(Trackers)
) (
    input logic clk_i,
    input logic rst_ni,
    input chip_id_t chip_i,
    // Requests
    output logic free_valid_o,
    output logic [TrackerWidth-1:0] free_tracker_o,
    input logic take_i,
    input req_header_t take_header_i,
    input logic request_valid_i,
    input logic request_fresh_i,  // takes its tracker in this cycle
    input logic [TrackerWidth-1:0] request_tracker_i,
    output logic request_ready_o,
    // SnpResp and CompAck, as they come in at the ports of the chip
    input logic [Ports-1:0] port_answer_valid_i,
    input port_answer_t [Ports-1:0] port_answers_i,
    output error_event_t [Ports-1:0] port_errors_o,
    // Answers on the link; after 2**timeout_log2_i cycles without any one is made up, with 0 never
    input logic [4:0] timeout_log2_i,
    input logic answer_valid_i,
    input answer_t answer_i,
    // Payload of answers: whether it belongs in the line buffer
    input answer_t data_answer_i,
    output logic data_accept_o,
    // Orders to the transmitter, all for order_tracker_o
    output logic [TrackerWidth-1:0] order_tracker_o,
    output logic order_snp_o,
    output snp_order_t snp_order_o,
    output logic [Nodes-1:0] snp_targets_o,
    output logic order_mem_o,
    output mem_order_t mem_order_o,
    output logic order_rsp_o,
    output rsp_order_t rsp_order_o,
    // What it has yet to send for a tracker, and whose last packet is sent
    output logic [TrackerWidth-1:0] query_tracker_o,
    input logic unsent_i,
    input logic left_i,
    input logic [TrackerWidth-1:0] left_tracker_i,
    // The memory that a MEM has gone to
    input logic memory_valid_i,
    input logic [TrackerWidth-1:0] memory_tracker_i,
    input node_id_t memory_i,
    input logic sent_i,
    input logic [TrackerWidth-1:0] sent_tracker_i,
    input logic [Nodes-1:0] sent_targets_i,
    input logic [Trackers-1:0] snooping_i,
    input logic release_valid_i,
    input logic [TrackerWidth-1:0] release_tracker_i,
    // What it reads
    input logic [TrackerWidth-1:0] read_tracker_i,
    output req_header_t read_request_o,
    output line_addr_t read_victim_o,
    // Events
    output logic event_request_o,
    output logic event_recall_o,
    output logic event_stale_o,
    output error_event_t error_o
);

  // ---------------------------------------------------------------- Requests in flight

  req_header_t request_q[Trackers];
  logic [Trackers-1:0] free_q;
  logic free, retire_valid, retire;
  logic [TrackerWidth-1:0] action_tracker, retire_tracker;

  assign free_valid_o = free_q != '0;

  always_comb begin
    free_tracker_o = '0;
    for (int unsigned t = Trackers; t > 0; t--) begin
      if (free_q[t-1]) free_tracker_o = TrackerWidth'(t - 1);
    end
  end

  always_ff @(posedge clk_i) begin
    if (take_i) request_q[free_tracker_o] <= take_header_i;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      free_q <= '1;
    end else begin
      if (take_i) free_q[free_tracker_o] <= 1'b0;
      if (free) free_q[action_tracker] <= 1'b1;
      if (retire) free_q[retire_tracker] <= 1'b1;
      if (release_valid_i) free_q[release_tracker_i] <= 1'b1;
    end
  end

  assign read_request_o = request_q[read_tracker_i];

  node_id_t memory_q[Trackers];  // that was asked last

  always_ff @(posedge clk_i) begin
    if (memory_valid_i) memory_q[memory_tracker_i] <= memory_i;
  end

  // ---------------------------------------------------------------- Events

  logic answer_valid_q, start_valid, moved, lost_valid, lost_wait_mem;
  answer_t answer_q, lost_answer;
  logic [Trackers-1:0] started;
  logic [Nodes-1:0] lost_owed;
  logic [TrackerWidth-1:0] start_tracker, event_tracker, lost_tracker;

  // One answer for all to a snoop.
  logic last_valid, last_grant, taken_last;
  logic [TrackerWidth-1:0] last_tracker;
  logic [Trackers-1:0] answered;
  logic [Nodes-1:0] owed, taken, data_owed;
  error_event_t [Ports-1:0] snoop_errors, ack_errors;

  // The CompAck of a transaction that does not end beside the pipeline.
  logic ack_valid, ack_grant, ack_failed, ack_due, ack_open, ack_came_failed;
  logic expects, expects_packet, gives_up, settles, close;
  logic [TrackerWidth-1:0] ack_tracker;
  logic [Trackers-1:0] acknowledged, followed;
  answer_t port_answer;

  always_comb begin
    port_answer = '0;
    port_answer.opcode = last_valid ? OpSnpResp : OpCompAck;
    port_answer.txn = last_valid ? TxnWidth'(last_tracker) : TxnWidth'(ack_tracker);
    port_answer.state = (last_valid || ack_failed) ? StateI : StateSC;
    port_answer.last = 1'b1;
  end

  // What came in at the ports waits for a cycle without an answer on the link. There are only as
  // many of those as packets in flight, and trackers that wait here send none.
  assign last_grant = last_valid && !answer_valid_i;
  assign ack_grant  = ack_valid && !answer_valid_i && !last_valid;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) answer_valid_q <= 1'b0;
    else answer_valid_q <= answer_valid_i || last_valid || ack_valid || lost_valid;
  end

  always_ff @(posedge clk_i) begin
    if (answer_valid_i) answer_q <= answer_i;
    else if (last_valid || ack_valid) answer_q <= port_answer;
    else if (lost_valid) answer_q <= lost_answer;
  end

  // Only one of the two takes what comes in at a port, and finds fault with it.
  assign port_errors_o = snoop_errors | ack_errors;

  home_answers #(
      .Ports       (Ports),
      .Nodes       (Nodes),
      .NodesPerChip(NodesPerChip),
      .Trackers    (Trackers)
  ) u_answers (
      .clk_i,
      .rst_ni,
      .valid_i         (port_answer_valid_i),
      .answers_i       (port_answers_i),
      .errors_o        (snoop_errors),
      .order_i         (order_snp_o),
      .order_tracker_i (action_tracker),
      .sent_i,
      .sent_tracker_i,
      .sent_targets_i,
      .snooping_i,
      .action_tracker_i(action_tracker),
      .action_owed_o   (owed),
      .action_taken_i  (taken),
      .action_last_i   (taken_last),
      .data_tracker_i  (data_answer_i.txn[TrackerWidth-1:0]),
      .data_owed_o     (data_owed),
      .look_tracker_i  (lost_tracker),
      .look_owed_o     (lost_owed),
      .moved_o         (answered),
      .last_valid_o    (last_valid),
      .last_tracker_o  (last_tracker),
      .last_grant_i    (last_grant)
  );

  home_acks #(
      .Ports   (Ports),
      .Trackers(Trackers)
  ) u_acks (
      .clk_i,
      .rst_ni,
      .valid_i         (port_answer_valid_i),
      .answers_i       (port_answers_i),
      .errors_o        (ack_errors),
      .moved_o         (acknowledged),
      .take_i,
      .take_tracker_i  (free_tracker_o),
      .take_src_i      (take_header_i.src),
      .action_tracker_i(action_tracker),
      .action_due_o    (ack_due),
      .action_open_o   (ack_open),
      .action_failed_o (ack_came_failed),
      .expect_i        (expects),
      .expect_packet_i (expects_packet),
      .give_up_i       (gives_up),
      .settle_i        (settles),
      .close_i         (close),
      .snooping_i,
      .left_i,
      .left_tracker_i,
      .followed_i      (followed),
      .retire_valid_o  (retire_valid),
      .retire_tracker_o(retire_tracker),
      .retire_i        (retire),
      .event_valid_o   (ack_valid),
      .event_tracker_o (ack_tracker),
      .event_failed_o  (ack_failed),
      .event_grant_i   (ack_grant)
  );

  home_timeouts #(
      .Nodes       (Nodes),
      .NodesPerChip(NodesPerChip),
      .Trackers    (Trackers)
  ) u_timeouts (
      .clk_i,
      .rst_ni,
      .chip_i,
      .timeout_log2_i,
      .started_i      (started),
      .moved_valid_i  (moved),
      .moved_tracker_i(action_tracker),
      .answered_i     (answered | acknowledged),
      .enable_i       (!answer_valid_i && !last_valid && !ack_valid),
      .tracker_o      (lost_tracker),
      .owed_i         (lost_owed),
      .wait_mem_i     (lost_wait_mem),
      .requester_i    (request_q[lost_tracker].src),
      .valid_o        (lost_valid),
      .answer_o       (lost_answer)
  );

  assign event_tracker   = answer_valid_q ? answer_q.txn[TrackerWidth-1:0] : start_tracker;
  assign query_tracker_o = event_tracker;
  assign order_tracker_o = action_tracker;

  // ---------------------------------------------------------------- Pipeline

  logic is_new, is_retry, conflict, hit, hit_unique, free_valid, victim_valid, victim_unique;
  logic held, waiting, recalling;
  logic [Nodes-1:0] hit_sharers, victim_sharers, sharers_after;
  logic action_valid, enter, lock, recall_begin, recall_answered, recall_end;
  logic wait_way, served, unique_after;
  line_addr_t action_line;

  home_start #(
      .Nodes   (Nodes),
      .DirSets (DirSets),
      .DirWays (DirWays),
      .Trackers(Trackers)
  ) u_start (
      .clk_i,
      .rst_ni,
      .take_i,
      .take_tracker_i          (free_tracker_o),
      .take_line_i             (take_header_i.addr[AddrWidth-1:LineOffsetWidth]),
      .request_valid_i,
      .request_fresh_i,
      .request_tracker_i,
      .request_ready_o,
      .answer_valid_i          (answer_valid_q),
      .start_valid_o           (start_valid),
      .start_tracker_o         (start_tracker),
      .event_tracker_i         (event_tracker),
      .new_o                   (is_new),
      .retry_o                 (is_retry),
      .conflict_o              (conflict),
      .hit_o                   (hit),
      .hit_unique_o            (hit_unique),
      .hit_sharers_o           (hit_sharers),
      .free_valid_o            (free_valid),
      .victim_valid_o          (victim_valid),
      .victim_unique_o         (victim_unique),
      .victim_sharers_o        (victim_sharers),
      .held_o                  (held),
      .waiting_o               (waiting),
      .recalling_o             (recalling),
      .action_valid_i          (action_valid),
      .action_tracker_i        (action_tracker),
      .action_line_i           (action_line),
      .action_enter_i          (enter),
      .action_lock_i           (lock),
      .action_recall_begin_i   (recall_begin),
      .action_recall_answered_i(recall_answered),
      .action_recall_end_i     (recall_end),
      .action_wait_i           (wait_way),
      .action_served_i         (served),
      .action_settle_i         (settles),
      .action_close_i          (close),
      .action_unique_i         (unique_after),
      .action_sharers_i        (sharers_after),
      .followed_o              (followed),
      .retire_valid_i          (retire_valid),
      .retire_tracker_i        (retire_tracker),
      .retire_o                (retire),
      .read_tracker_i,
      .read_victim_o
  );

  home_action #(
      .Nodes       (Nodes),
      .NodesPerChip(NodesPerChip),
      .Trackers    (Trackers)
  ) u_action (
      .clk_i,
      .rst_ni,
      .start_valid_i     (start_valid),
      .answer_valid_i    (answer_valid_q),
      .answer_i          (answer_q),
      .tracker_i         (event_tracker),
      .request_i         (request_q[event_tracker]),
      .from_memory_i     (answer_q.src == memory_q[event_tracker]),
      .unsent_i,
      .new_i             (is_new),
      .retry_i           (is_retry),
      .conflict_i        (conflict),
      .hit_i             (hit),
      .hit_unique_i      (hit_unique),
      .hit_sharers_i     (hit_sharers),
      .free_valid_i      (free_valid),
      .victim_valid_i    (victim_valid),
      .victim_unique_i   (victim_unique),
      .victim_sharers_i  (victim_sharers),
      .held_i            (held),
      .waiting_i         (waiting),
      .recalling_i       (recalling),
      .owed_i            (owed),
      .taken_o           (taken),
      .taken_last_o      (taken_last),
      .ack_due_i         (ack_due),
      .ack_open_i        (ack_open),
      .ack_failed_i      (ack_came_failed),
      .expect_o          (expects),
      .expect_packet_o   (expects_packet),
      .give_up_o         (gives_up),
      .settle_o          (settles),
      .retire_i          (retire),
      .retire_tracker_i  (retire_tracker),
      .valid_o           (action_valid),
      .tracker_o         (action_tracker),
      .line_o            (action_line),
      .enter_o           (enter),
      .lock_o            (lock),
      .recall_begin_o    (recall_begin),
      .recall_answered_o (recall_answered),
      .recall_end_o      (recall_end),
      .wait_o            (wait_way),
      .served_o          (served),
      .close_o           (close),
      .unique_o          (unique_after),
      .sharers_o         (sharers_after),
      .free_o            (free),
      .order_snp_o,
      .snp_order_o,
      .snp_targets_o,
      .order_mem_o,
      .mem_order_o,
      .order_rsp_o,
      .rsp_order_o,
      .data_answer_i,
      .data_owed_i       (data_owed),
      .data_from_memory_i(data_answer_i.src == memory_q[data_answer_i.txn[TrackerWidth-1:0]]),
      .data_accept_o,
      .started_o         (started),
      .moved_o           (moved),
      .look_tracker_i    (lost_tracker),
      .look_wait_mem_o   (lost_wait_mem),
      .event_stale_o,
      .error_o
  );

  assign event_request_o = enter;
  assign event_recall_o  = recall_begin;

endmodule
