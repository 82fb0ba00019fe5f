// Who has which way of the directory, and who waits for one.
//
// A tracker locks the way of its line, or the way it will write, from its start to its end; a locked
// way is never chosen as victim, so the line of an active transaction is never recalled and no way
// is given away twice. At the end of a transaction the lock passes to the next tracker of the line.
//
// A tracker that finds every way of its set locked waits in a queue. Its head tries again whenever a
// way was unlocked; who comes later and needs a new way queues up behind, so nobody is overtaken.
// Those who wait hold no way, and those who hold one do not wait for trackers: no cycle.
//
// A choice among the ways of a set: the set is given with issue_i and held until the next; with
// choose_i the victim is shown at once, for the directory to read it, and the result from the next
// cycle on. The other inputs concern the tracker in the action stage (tracker_i) and are seen in
// the next cycle.
module home_ways #(
    parameter int unsigned DirSets = 64,
    parameter int unsigned DirWays = 8,
    parameter int unsigned Trackers = 32,
    localparam int unsigned SetWidth = $clog2(DirSets),
    localparam int unsigned WayWidth = $clog2(DirWays),
    localparam int unsigned TrackerWidth = $clog2(Trackers)
) (
    input logic clk_i,
    input logic rst_ni,
    // A tracker is taken for a line of a set
    input logic take_i,
    input logic [TrackerWidth-1:0] take_tracker_i,
    input logic [SetWidth-1:0] take_set_i,
    // Set of a tracker
    input logic [TrackerWidth-1:0] issue_tracker_i,
    output logic [SetWidth-1:0] issue_tracker_set_o,
    // Choice among the ways of a set
    input logic issue_i,
    input logic [SetWidth-1:0] issue_set_i,
    input logic choose_valid_i,  // someone waits for it
    input logic choose_i,  // now
    input logic [DirWays-1:0] used_i,  // ways that hold a line
    output logic [WayWidth-1:0] victim_way_o,
    // Result: a way that is free, or else that of a victim
    output logic free_o,
    output logic victim_o,
    output logic [WayWidth-1:0] way_o,
    // The tracker that is in the action stage in the next cycle
    input logic event_i,
    input logic [TrackerWidth-1:0] event_tracker_i,
    // The tracker in the action stage
    input logic [TrackerWidth-1:0] tracker_i,
    output logic held_o,  // it has a way locked
    output logic [WayWidth-1:0] held_way_o,
    output logic [SetWidth-1:0] held_set_o,
    // What it does: lock a way
    input logic lock_i,
    input logic [WayWidth-1:0] lock_way_i,
    input logic recall_begin_i,  // a victim's
    // wait for one
    input logic wait_i,  // at the end of the queue
    input logic tried_i,  // again, as the head of the queue
    input logic served_i,  // with success
    // end
    input logic close_i,
    input logic heir_valid_i,  // the next of its line
    input logic [TrackerWidth-1:0] heir_i,
    // A tracker that nobody follows ends beside the action stage
    input logic [TrackerWidth-1:0] retire_tracker_i,
    output logic [SetWidth-1:0] retire_set_o,
    input logic retire_i,
    // Trackers that wait, and whether the first should try again
    output logic waiting_o,
    output logic retry_valid_o,
    output logic [TrackerWidth-1:0] retry_tracker_o,
    input logic retry_grant_i
);

  logic [SetWidth-1:0] set_q[Trackers];
  logic [WayWidth-1:0] way_q[Trackers];
  logic [Trackers-1:0] locked_q;

  assign issue_tracker_set_o = set_q[issue_tracker_i];
  assign retire_set_o = set_q[retire_tracker_i];

  // Never stale: a tracker gets a way as it starts or inherits, and the only event that can come
  // right behind that is an answer that will be refused.
  always_ff @(posedge clk_i) begin
    if (event_i) begin
      held_o <= locked_q[event_tracker_i];
      held_way_o <= way_q[event_tracker_i];
      held_set_o <= set_q[event_tracker_i];
    end
  end

  // ---------------------------------------------------------------- Choice

  logic [Trackers-1:0] same_set_q;  // as the set that was issued
  logic [DirWays-1:0] locked_ways, free_ways, victim_ways, late_ways;
  logic [WayWidth-1:0] turn_q;  // victims are looked for from here on

  always_ff @(posedge clk_i) begin
    if (issue_i) begin
      for (int unsigned t = 0; t < Trackers; t++) same_set_q[t] <= set_q[t] == issue_set_i;
    end
  end

  function automatic logic [WayWidth-1:0] lowest(logic [DirWays-1:0] ways);
    logic [WayWidth-1:0] way;
    way = '0;
    for (int unsigned w = DirWays; w > 0; w--) if (ways[w-1]) way = WayWidth'(w - 1);
    return way;
  endfunction

  always_comb begin
    locked_ways = '0;
    free_ways = '0;
    victim_ways = '0;
    late_ways = '0;
    victim_way_o = '0;
    if (choose_valid_i) begin
      for (int unsigned t = 0; t < Trackers; t++) begin
        if (locked_q[t] && same_set_q[t]) locked_ways[way_q[t]] = 1'b1;
      end
      free_ways = ~used_i & ~locked_ways;
      victim_ways = used_i & ~locked_ways;
      late_ways = victim_ways & ({DirWays{1'b1}} << turn_q);
      victim_way_o = (late_ways != '0) ? lowest(late_ways) : lowest(victim_ways);
    end
  end

  always_ff @(posedge clk_i) begin
    if (choose_i) begin
      free_o <= free_ways != '0;
      victim_o <= victim_ways != '0;
      way_o <= (free_ways != '0) ? lowest(free_ways) : victim_way_o;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      turn_q <= '0;
    end else if (recall_begin_i) begin
      turn_q <= (lock_way_i == WayWidth'(DirWays - 1)) ? '0 : lock_way_i + WayWidth'(1);
    end
  end

  // ---------------------------------------------------------------- Locks

  always_ff @(posedge clk_i) begin
    if (take_i) set_q[take_tracker_i] <= take_set_i;
  end

  always_ff @(posedge clk_i) begin
    if (lock_i) way_q[tracker_i] <= lock_way_i;
    if (close_i && heir_valid_i) way_q[heir_i] <= lock_i ? lock_way_i : held_way_o;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      locked_q <= '0;
    end else begin
      if (lock_i) locked_q[tracker_i] <= 1'b1;
      if (close_i) begin
        locked_q[tracker_i] <= 1'b0;
        if (heir_valid_i) locked_q[heir_i] <= held_o || lock_i;
      end
      if (retire_i) locked_q[retire_tracker_i] <= 1'b0;
    end
  end

  // ---------------------------------------------------------------- Waiting for a way

  home_queue #(
      .Width(TrackerWidth),
      .Depth(Trackers)
  ) u_waiting (
      .clk_i,
      .rst_ni,
      .push_i (wait_i),
      .data_i (tracker_i),
      .valid_o(waiting_o),
      .data_o (retry_tracker_o),
      .pop_i  (served_i)
  );

  logic retry_q;  // something changed since the head of the queue tried last
  logic trying_q;  // it is on its way to the action stage
  logic unlock;

  assign unlock = (close_i && (held_o || lock_i) && !heir_valid_i)
      || (retire_i && locked_q[retire_tracker_i]);
  assign retry_valid_o = retry_q && waiting_o && !trying_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      retry_q  <= 1'b0;
      trying_q <= 1'b0;
    end else begin
      if (unlock || served_i) retry_q <= 1'b1;
      else if (retry_grant_i) retry_q <= 1'b0;
      if (retry_grant_i) trying_q <= 1'b1;
      else if (tried_i) trying_q <= 1'b0;
    end
  end

  // ---------------------------------------------------------------- Checks

  always_ff @(posedge clk_i) begin
    if (rst_ni && (take_i || lock_i || close_i)) begin
      assert (!take_i || !locked_q[take_tracker_i])
      else $error("a new tracker has a way");
      assert (!lock_i || !held_o)
      else $error("a tracker with two ways");
      assert (!close_i || !heir_valid_i || !locked_q[heir_i])
      else $error("an heir with a way");
      for (int unsigned t = 0; t < Trackers; t++) begin
        if (lock_i && locked_q[t]) begin
          assert ((set_q[t] != held_set_o) || (way_q[t] != lock_way_i))
          else $error("a way locked twice");
        end
      end
    end
  end

endmodule
