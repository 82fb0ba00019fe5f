// Order of the requests of each line: which trackers are in flight, and who follows whom.
//
// An active tracker stands for its line, and during a recall for the victim's line too. A request
// whose line is taken follows the last tracker of that line's chain: each tracker has a link to the
// one that follows it on its own line, and a second to the first that waits for its victim. Both
// chains are in order of arrival; the end of the transaction, or of the recall, wakes the first.
// When the recall has its answers, the recalling tracker is itself woken to go on; then it ends.
//
// The results of a lookup are there from the next cycle on. The other inputs concern the tracker in
// the action stage (tracker_i) and are seen in the next cycle. At most one tracker is woken in a
// cycle.
module home_conflicts
  import home_pkg::*;
#(
    parameter int unsigned Trackers = 32,
    localparam int unsigned TrackerWidth = $clog2(Trackers)
) (
    input logic clk_i,
    input logic rst_ni,
    // A tracker is taken for a line
    input logic take_i,
    input logic [TrackerWidth-1:0] take_tracker_i,
    input line_addr_t take_line_i,
    // Lines of trackers: to be looked up, and a recall's victim for the transmitter
    input logic [TrackerWidth-1:0] issue_tracker_i,
    output line_addr_t issue_line_o,
    input logic [TrackerWidth-1:0] read_tracker_i,
    output line_addr_t read_victim_o,
    // Lookup: does a new request of the line have to follow another?
    input logic lookup_new_i,  // one waits for it; others have followed already
    input logic lookup_i,  // now
    input line_addr_t lookup_line_i,
    output logic conflict_o,
    // The tracker in the action stage
    input logic [TrackerWidth-1:0] tracker_i,
    output logic recalling_o,  // its recall is under way
    output logic heir_valid_o,  // the next of its line
    output logic [TrackerWidth-1:0] heir_o,
    // What it does: its request has arrived, and follows another if there is a conflict
    input logic enter_i,
    // recall a victim's line
    input logic recall_begin_i,
    input line_addr_t recall_line_i,
    input logic recall_answered_i,
    input logic recall_end_i,
    // end
    input logic close_i,
    // Trackers that others follow on their own line; one without ends beside the action stage
    output logic [Trackers-1:0] followed_o,
    input logic retire_i,
    input logic [TrackerWidth-1:0] retire_tracker_i,
    // Trackers to be woken
    output logic wake_valid_o,
    output logic [TrackerWidth-1:0] wake_tracker_o,
    input logic wake_pop_i
);

  line_addr_t line_q[Trackers];
  line_addr_t victim_q[Trackers];
  logic [TrackerWidth-1:0] next_q[Trackers];
  logic [TrackerWidth-1:0] victim_next_q[Trackers];

  logic [Trackers-1:0] active_q;  // line_q is taken or waited for
  logic [Trackers-1:0] recalling_q;  // victim_q is taken
  logic [Trackers-1:0] followed_q;  // next_q is valid
  logic [Trackers-1:0] victim_followed_q;  // victim_next_q is valid

  assign issue_line_o  = line_q[issue_tracker_i];
  assign read_victim_o = victim_q[read_tracker_i];

  // ---------------------------------------------------------------- The last tracker of the line

  logic [Trackers-1:0] is_last, is_last_victim;
  logic [TrackerWidth-1:0] last, last_q;
  logic last_victim_q;  // it recalls the line

  always_comb begin
    is_last = '0;
    is_last_victim = '0;
    last = '0;
    if (lookup_new_i) begin
      for (int unsigned t = 0; t < Trackers; t++) begin
        is_last[t] = active_q[t] && !followed_q[t] && (line_q[t] == lookup_line_i);
        is_last_victim[t] = recalling_q[t] && !victim_followed_q[t]
            && (victim_q[t] == lookup_line_i);
        if (is_last[t] || is_last_victim[t]) last |= TrackerWidth'(t);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (lookup_i) begin
      conflict_o <= (is_last | is_last_victim) != '0;
      last_victim_q <= is_last_victim != '0;
      last_q <= last;
    end
  end

  // ---------------------------------------------------------------- Chains

  logic follow, follow_victim;

  assign follow        = enter_i && conflict_o && !last_victim_q;
  assign follow_victim = enter_i && conflict_o && last_victim_q;

  assign followed_o    = followed_q;
  assign recalling_o   = recalling_q[tracker_i];
  assign heir_valid_o  = followed_q[tracker_i];
  assign heir_o        = next_q[tracker_i];

  always_ff @(posedge clk_i) begin
    if (take_i) line_q[take_tracker_i] <= take_line_i;
    if (recall_begin_i) victim_q[tracker_i] <= recall_line_i;
    if (follow) next_q[last_q] <= tracker_i;
    if (follow_victim) victim_next_q[last_q] <= tracker_i;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      active_q <= '0;
      recalling_q <= '0;
      followed_q <= '0;
      victim_followed_q <= '0;
    end else begin
      if (enter_i) active_q[tracker_i] <= 1'b1;
      if (follow) followed_q[last_q] <= 1'b1;
      if (follow_victim) victim_followed_q[last_q] <= 1'b1;
      if (recall_begin_i) recalling_q[tracker_i] <= 1'b1;
      if (recall_end_i) begin
        recalling_q[tracker_i] <= 1'b0;
        victim_followed_q[tracker_i] <= 1'b0;
      end
      if (close_i) begin
        active_q[tracker_i]   <= 1'b0;
        followed_q[tracker_i] <= 1'b0;
      end
      if (retire_i) active_q[retire_tracker_i] <= 1'b0;
    end
  end

  // ---------------------------------------------------------------- Waking

  logic wake_heir, wake_victim;
  logic [TrackerWidth-1:0] wake_tracker;

  assign wake_heir   = close_i && heir_valid_o;
  assign wake_victim = recall_end_i && victim_followed_q[tracker_i];

  always_comb begin
    wake_tracker = tracker_i;
    if (wake_heir) wake_tracker = heir_o;
    if (wake_victim) wake_tracker = victim_next_q[tracker_i];
  end

  home_queue #(
      .Width(TrackerWidth),
      .Depth(Trackers)
  ) u_wake (
      .clk_i,
      .rst_ni,
      .push_i (wake_heir || wake_victim || recall_answered_i),
      .data_i (wake_tracker),
      .valid_o(wake_valid_o),
      .data_o (wake_tracker_o),
      .pop_i  (wake_pop_i)
  );

  // ---------------------------------------------------------------- Checks

  always_ff @(posedge clk_i) begin
    if (rst_ni && (lookup_i || enter_i || close_i || retire_i || recall_answered_i)) begin
      assert ($onehot0({is_last, is_last_victim}))
      else $error("a line with two chains");
      assert (!enter_i || !active_q[tracker_i])
      else $error("a tracker entered twice");
      assert (!follow || (active_q[last_q] && !followed_q[last_q]))
      else $error("a tracker follows one that is gone");
      assert (!follow_victim || (recalling_q[last_q] && !victim_followed_q[last_q]))
      else $error("a tracker waits for a recall that is over");
      assert (!close_i || active_q[tracker_i] || enter_i)
      else $error("an idle tracker closed");
      assert (!retire_i || !(follow && (last_q == retire_tracker_i)))
      else $error("a tracker follows one that ends");
      assert (!close_i || !recalling_q[tracker_i])
      else $error("a tracker closed in its recall");
      assert ($onehot0({wake_heir, wake_victim, recall_answered_i}))
      else $error("two trackers woken at once");
      assert (!heir_valid_o || !close_i || active_q[heir_o])
      else $error("a broken chain");
    end
  end

endmodule
