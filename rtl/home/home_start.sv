// First stages of the home's pipeline: bring to the action stage what may start, with all that is
// known of its line.
//
//   issue   chooses a woken tracker, else one that tries again for a way, else a request that has
//           arrived, and reads the set of its line from the directory;
//   lookup  compares the line with the set and with the trackers in flight, and chooses a way.
//
// The results are registered: they belong to the tracker that is in the action stage in the next
// cycle. A start waits in the lookup stage while an answer goes first (answer_valid_i), while the
// action stage works on a line of the same set, until the directory has taken what that wrote, and
// while a transaction of the set ends beside the action stage (retire_*), which in turn waits for the
// action stage to be done with the set: so it never meets a change in the making of its line, set or
// ways, whatever tracker makes it.
//
// Holds the directory, the locks on its ways and the chains of the lines; the action stage tells
// what to change in them (action_*_i).
module home_start
  import flit_pkg::*;
  import home_pkg::*;
#(
    parameter int unsigned Nodes = 8,
    parameter int unsigned DirSets = 64,
    parameter int unsigned DirWays = 8,
    parameter int unsigned Trackers = 32,
    localparam int unsigned WayWidth = $clog2(DirWays),
    localparam int unsigned TrackerWidth = $clog2(Trackers)
) (
    input logic clk_i,
    input logic rst_ni,
    // A request takes a tracker
    input logic take_i,
    input logic [TrackerWidth-1:0] take_tracker_i,
    input line_addr_t take_line_i,
    // A request has arrived whole; a fresh one has no payload and takes its tracker in this cycle
    input logic request_valid_i,
    input logic request_fresh_i,
    input logic [TrackerWidth-1:0] request_tracker_i,
    output logic request_ready_o,
    // Lookup stage: a tracker moves on to the action stage
    input logic answer_valid_i,
    output logic start_valid_o,
    output logic [TrackerWidth-1:0] start_tracker_o,
    input logic [TrackerWidth-1:0] event_tracker_i,  // of the answer or the start
    // Action stage: what is known of it
    output logic new_o,  // a request that has just arrived
    output logic retry_o,  // it waited for a way and tries again
    output logic conflict_o,  // another tracker has the line
    output logic hit_o,  // the directory has the line
    output logic hit_unique_o,
    output logic [Nodes-1:0] hit_sharers_o,
    output logic free_valid_o,  // a way of its set is free
    output logic victim_valid_o,  // or can be recalled
    output logic victim_unique_o,
    output logic [Nodes-1:0] victim_sharers_o,
    output logic held_o,  // it has a way locked
    output logic waiting_o,  // others wait for a way
    output logic recalling_o,  // its recall is under way, or has just been answered
    // Action stage: what it does
    input logic action_valid_i,
    input logic [TrackerWidth-1:0] action_tracker_i,
    input line_addr_t action_line_i,
    input logic action_enter_i,
    input logic action_lock_i,
    input logic action_recall_begin_i,
    input logic action_recall_answered_i,
    input logic action_recall_end_i,
    input logic action_wait_i,
    input logic action_served_i,
    input logic action_settle_i,  // the directory may be written as it will be at the end
    input logic action_close_i,
    input logic action_unique_i,  // directory after the end
    input logic [Nodes-1:0] action_sharers_i,
    // Trackers that others follow; one that nobody follows ends beside the action stage
    output logic [Trackers-1:0] followed_o,
    input logic retire_valid_i,
    input logic [TrackerWidth-1:0] retire_tracker_i,
    output logic retire_o,
    // The victim line of a recall
    input logic [TrackerWidth-1:0] read_tracker_i,
    output line_addr_t read_victim_o
);

  localparam int unsigned SetWidth = $clog2(DirSets);

  // ---------------------------------------------------------------- Issue

  logic wake_valid, wake_grant, retry_valid, retry_grant, request_grant;
  logic issue_ready, issue_valid, issue_fresh;
  logic [TrackerWidth-1:0] wake_tracker, retry_tracker, issue_tracker;
  logic [SetWidth-1:0] take_set, tracker_set, issue_set;
  line_addr_t tracker_line, issue_line;

  assign wake_grant = wake_valid && issue_ready;
  assign retry_grant = retry_valid && issue_ready && !wake_valid;
  assign request_ready_o = issue_ready && !wake_valid && !retry_valid;
  assign request_grant = request_valid_i && request_ready_o;
  assign issue_valid = wake_grant || retry_grant || request_grant;

  always_comb begin
    issue_tracker = request_tracker_i;
    if (retry_valid) issue_tracker = retry_tracker;
    if (wake_valid) issue_tracker = wake_tracker;
  end

  assign issue_fresh = request_fresh_i && !wake_valid && !retry_valid;
  assign issue_set   = issue_fresh ? take_set : tracker_set;
  assign issue_line  = issue_fresh ? take_line_i : tracker_line;

  home_set_hash #(
      .SetBits(SetWidth)
  ) u_set_hash (
      .enable_i(request_fresh_i),
      .line_i(take_line_i),
      .set_o(take_set)
  );

  // ---------------------------------------------------------------- Lookup

  logic valid_q, new_q, retry_q, directory_busy;
  logic [TrackerWidth-1:0] tracker_q;
  logic [SetWidth-1:0] set_q, action_set, retire_set;
  line_addr_t line_q;

  assign start_tracker_o = tracker_q;
  // Neither the action stage nor the directory is about to change what is known of its set.
  assign start_valid_o = valid_q && !answer_valid_i && !directory_busy
      && !(action_valid_i && (action_set == set_q))
      && !(retire_valid_i && (retire_set == set_q));
  assign retire_o = retire_valid_i && !(action_valid_i && (action_set == retire_set));
  assign issue_ready = !valid_q || start_valid_o;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= 1'b0;
    else if (issue_ready) valid_q <= issue_valid;
  end

  always_ff @(posedge clk_i) begin
    if (issue_valid) begin
      new_q <= request_grant;
      retry_q <= retry_grant;
      tracker_q <= issue_tracker;
      set_q <= issue_set;
      line_q <= issue_line;
    end
  end

  always_ff @(posedge clk_i) begin
    if (start_valid_o) begin
      new_o   <= new_q;
      retry_o <= retry_q;
    end
  end

  // ---------------------------------------------------------------- Directory, ways, chains

  logic [DirWays-1:0] used_ways;
  logic [WayWidth-1:0] victim_way, hit_way, chosen_way, held_way, way;
  line_addr_t victim_line;
  logic heir_valid, write;
  logic [TrackerWidth-1:0] heir;

  // Way of the line, or for it.
  assign way = hit_o ? hit_way : chosen_way;

  // A recall that is answered leaves its way empty until the request that needed it ends.
  assign write = action_recall_answered_i
      || ((action_settle_i || action_close_i) && (held_o || action_lock_i));

  home_directory #(
      .Nodes  (Nodes),
      .DirSets(DirSets),
      .DirWays(DirWays)
  ) u_directory (
      .clk_i,
      .rst_ni,
      .read_valid_i   (issue_valid),
      .read_set_i     (issue_set),
      .busy_o         (directory_busy),
      .used_o         (used_ways),
      .lookup_valid_i (valid_q),
      .lookup_i       (start_valid_o),
      .lookup_line_i  (line_q),
      .victim_way_i   (victim_way),
      .hit_o,
      .hit_way_o      (hit_way),
      .hit_unique_o,
      .hit_sharers_o,
      .victim_line_o  (victim_line),
      .victim_unique_o,
      .victim_sharers_o,
      .write_valid_i  (write),
      .write_set_i    (action_set),
      .write_way_i    (held_o ? held_way : way),
      .write_line_i   (action_line_i),
      .write_unique_i (action_unique_i),
      .write_sharers_i(action_recall_answered_i ? '0 : action_sharers_i)
  );

  home_ways #(
      .DirSets (DirSets),
      .DirWays (DirWays),
      .Trackers(Trackers)
  ) u_ways (
      .clk_i,
      .rst_ni,
      .take_i,
      .take_tracker_i,
      .take_set_i         (take_set),
      .issue_tracker_i    (issue_tracker),
      .issue_tracker_set_o(tracker_set),
      .issue_i            (issue_valid),
      .issue_set_i        (issue_set),
      .choose_valid_i     (valid_q),
      .choose_i           (start_valid_o),
      .used_i             (used_ways),
      .victim_way_o       (victim_way),
      .free_o             (free_valid_o),
      .victim_o           (victim_valid_o),
      .way_o              (chosen_way),
      .event_i            (answer_valid_i || start_valid_o),
      .event_tracker_i,
      .tracker_i          (action_tracker_i),
      .held_o,
      .held_way_o         (held_way),
      .held_set_o         (action_set),
      .lock_i             (action_lock_i),
      .lock_way_i         (way),
      .recall_begin_i     (action_recall_begin_i),
      .wait_i             (action_wait_i && !retry_o),
      .tried_i            (retry_o && (action_wait_i || action_served_i)),
      .served_i           (action_served_i),
      .close_i            (action_close_i),
      .heir_valid_i       (heir_valid),
      .heir_i             (heir),
      .retire_tracker_i,
      .retire_set_o       (retire_set),
      .retire_i           (retire_o),
      .waiting_o,
      .retry_valid_o      (retry_valid),
      .retry_tracker_o    (retry_tracker),
      .retry_grant_i      (retry_grant)
  );

  home_conflicts #(
      .Trackers(Trackers)
  ) u_conflicts (
      .clk_i,
      .rst_ni,
      .take_i,
      .take_tracker_i,
      .take_line_i,
      .issue_tracker_i  (issue_tracker),
      .issue_line_o     (tracker_line),
      .read_tracker_i,
      .read_victim_o,
      .lookup_i         (start_valid_o),
      .lookup_new_i     (valid_q && new_q),
      .lookup_line_i    (line_q),
      .conflict_o,
      .tracker_i        (action_tracker_i),
      .recalling_o,
      .heir_valid_o     (heir_valid),
      .heir_o           (heir),
      .enter_i          (action_enter_i),
      .recall_begin_i   (action_recall_begin_i),
      .recall_line_i    (victim_line),
      .recall_answered_i(action_recall_answered_i),
      .recall_end_i     (action_recall_end_i),
      .close_i          (action_close_i),
      .followed_o,
      .retire_i         (retire_o),
      .retire_tracker_i,
      .wake_valid_o     (wake_valid),
      .wake_tracker_o   (wake_tracker),
      .wake_pop_i       (wake_grant)
  );

endmodule
