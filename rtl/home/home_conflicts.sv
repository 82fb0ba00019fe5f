// Order of the requests of each line: which trackers are in flight, and who follows whom.
//
// An active tracker stands for its line, and during a recall for the victim's line too. A request
// whose line is taken follows the last tracker of that line's chain: each tracker has a link to the
// one that follows it on its own line, and a second to the first that waits for its victim. Both
// chains are in order of arrival; the end of the transaction, or of the recall, wakes the first.
//
// All inputs but wake_pop_i concern the tracker in the pipeline's action stage (tracker_i). Queries
// are combinational, changes are seen in the next cycle. One wake-up a cycle at most.
module home_conflicts
  import home_pkg::*;
#(
    parameter int unsigned Trackers = 16,
    localparam int unsigned TrackerWidth = $clog2(Trackers)
) (
    input  logic                          clk_i,
    input  logic                          rst_ni,
    input  logic       [TrackerWidth-1:0] tracker_i,
    input  line_addr_t                    line_i,          // of its request
    // A request arrives: does it have to wait?
    input  logic                          enter_i,
    output logic                          conflict_o,
    // Recall of a victim line
    input  logic                          recall_begin_i,
    input  line_addr_t                    recall_line_i,
    input  logic                          recall_end_i,
    // End of the transaction; its heir is the next of the line
    input  logic                          close_i,
    output logic                          heir_valid_o,
    output logic       [TrackerWidth-1:0] heir_o,
    // Trackers whose line became theirs
    output logic                          wake_valid_o,
    output logic       [TrackerWidth-1:0] wake_tracker_o,
    input  logic                          wake_pop_i,
    // The victim line of a recall, for the transmitter
    input  logic       [TrackerWidth-1:0] read_tracker_i,
    output line_addr_t                    read_victim_o
);

  line_addr_t                    line_q                                       [Trackers];
  line_addr_t                    victim_q                                     [Trackers];
  logic       [TrackerWidth-1:0] next_q                                       [Trackers];
  logic       [TrackerWidth-1:0] victim_next_q                                [Trackers];

  logic       [    Trackers-1:0] active_q;  // line_q is taken or waited for
  logic       [    Trackers-1:0] recalling_q;  // victim_q is taken
  logic       [    Trackers-1:0] followed_q;  // next_q is valid
  logic       [    Trackers-1:0] victim_followed_q;  // victim_next_q is valid

  assign read_victim_o = victim_q[read_tracker_i];

  // ---------------------------------------------------------------- The last tracker of the line

  logic [Trackers-1:0] is_last, is_last_victim;
  logic [TrackerWidth-1:0] last;

  always_comb begin
    is_last = '0;
    is_last_victim = '0;
    last = '0;
    if (enter_i) begin
      for (int unsigned t = 0; t < Trackers; t++) begin
        is_last[t] = active_q[t] && !followed_q[t] && (line_q[t] == line_i);
        is_last_victim[t] = recalling_q[t] && !victim_followed_q[t] && (victim_q[t] == line_i);
        if (is_last[t] || is_last_victim[t]) last = TrackerWidth'(t);
      end
    end
  end

  assign conflict_o = (is_last | is_last_victim) != '0;

  // ---------------------------------------------------------------- Chains

  assign heir_valid_o = followed_q[tracker_i];
  assign heir_o = next_q[tracker_i];

  always_ff @(posedge clk_i) begin
    if (enter_i) begin
      line_q[tracker_i] <= line_i;
      if (is_last != '0) next_q[last] <= tracker_i;
      if (is_last_victim != '0) victim_next_q[last] <= tracker_i;
    end
    if (recall_begin_i) victim_q[tracker_i] <= recall_line_i;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      active_q <= '0;
      recalling_q <= '0;
      followed_q <= '0;
      victim_followed_q <= '0;
    end else begin
      if (enter_i) begin
        active_q[tracker_i] <= 1'b1;
        followed_q <= followed_q | is_last;
        victim_followed_q <= victim_followed_q | is_last_victim;
      end
      if (recall_begin_i) recalling_q[tracker_i] <= 1'b1;
      if (recall_end_i) begin
        recalling_q[tracker_i] <= 1'b0;
        victim_followed_q[tracker_i] <= 1'b0;
      end
      if (close_i) begin
        active_q[tracker_i]   <= 1'b0;
        followed_q[tracker_i] <= 1'b0;
      end
    end
  end

  // ---------------------------------------------------------------- Waking

  logic wake_victim, wake_heir;
  assign wake_heir   = close_i && heir_valid_o;
  assign wake_victim = recall_end_i && victim_followed_q[tracker_i];

  home_queue #(
      .Width(TrackerWidth),
      .Depth(Trackers)
  ) u_wake (
      .clk_i,
      .rst_ni,
      .push_i (wake_heir || wake_victim),
      .data_i (wake_victim ? victim_next_q[tracker_i] : heir_o),
      .valid_o(wake_valid_o),
      .data_o (wake_tracker_o),
      .pop_i  (wake_pop_i)
  );

  // ---------------------------------------------------------------- Checks

  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      assert ($onehot0({is_last, is_last_victim}))
      else $error("a line with two chains");
      assert (!enter_i || !active_q[tracker_i])
      else $error("a tracker entered twice");
      assert (!close_i || active_q[tracker_i] || enter_i)
      else $error("an idle tracker closed");
      assert (!close_i || !recalling_q[tracker_i])
      else $error("a tracker closed in its recall");
      assert (!(wake_heir && wake_victim))
      else $error("two trackers woken at once");
      assert (!heir_valid_o || !close_i || active_q[heir_o])
      else $error("a broken chain");
    end
  end

endmodule
