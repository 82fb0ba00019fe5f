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
// All inputs but the allocation and the retry grant concern the tracker in the pipeline's action
// stage (tracker_i). Queries are combinational, changes are seen in the next cycle.
module home_ways #(
    parameter int unsigned DirSets = 64,
    parameter int unsigned DirWays = 8,
    parameter int unsigned Trackers = 16,
    localparam int unsigned SetWidth = $clog2(DirSets),
    localparam int unsigned WayWidth = $clog2(DirWays),
    localparam int unsigned TrackerWidth = $clog2(Trackers)
) (
    input  logic                    clk_i,
    input  logic                    rst_ni,
    // A tracker is taken by a request of a line in a set
    input  logic                    alloc_valid_i,
    input  logic [TrackerWidth-1:0] alloc_tracker_i,
    input  logic [    SetWidth-1:0] alloc_set_i,
    // Set of a tracker, to read the directory
    input  logic [TrackerWidth-1:0] read_tracker_i,
    output logic [    SetWidth-1:0] read_set_o,
    // The tracker in the action stage
    input  logic [TrackerWidth-1:0] tracker_i,
    output logic                    own_valid_o,      // it has a way locked
    output logic [    WayWidth-1:0] own_way_o,
    output logic [    SetWidth-1:0] own_set_o,
    // Choice among the ways of its set
    input  logic                    choose_i,
    input  logic [     DirWays-1:0] used_i,           // ways that hold a line
    output logic                    free_valid_o,
    output logic [    WayWidth-1:0] free_way_o,
    output logic                    victim_valid_o,
    output logic [    WayWidth-1:0] victim_way_o,
    // What it decides
    input  logic                    lock_i,
    input  logic [    WayWidth-1:0] lock_way_i,
    input  logic                    recall_i,         // the locked way is a victim's
    input  logic                    close_i,
    input  logic                    heir_valid_i,     // who is next of the line
    input  logic [TrackerWidth-1:0] heir_i,
    // Waiting for a way
    input  logic                    wait_i,           // the tracker joins the queue
    input  logic                    served_i,         // the head of the queue has its way
    output logic                    waiting_o,
    output logic                    retry_valid_o,
    output logic [TrackerWidth-1:0] retry_tracker_o,
    input  logic                    retry_grant_i
);

  logic [SetWidth-1:0] set_q[Trackers];
  logic [WayWidth-1:0] way_q[Trackers];
  logic [Trackers-1:0] locked_q;

  assign read_set_o  = set_q[read_tracker_i];
  assign own_set_o   = set_q[tracker_i];
  assign own_valid_o = locked_q[tracker_i];
  assign own_way_o   = way_q[tracker_i];

  // ---------------------------------------------------------------- Choice

  logic [DirWays-1:0] locked_ways, free_ways, victim_ways, late_ways;
  logic [WayWidth-1:0] turn_q;  // victims are looked for from here on

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
    free_way_o = '0;
    victim_way_o = '0;
    if (choose_i) begin
      for (int unsigned t = 0; t < Trackers; t++) begin
        if (locked_q[t] && (set_q[t] == own_set_o)) locked_ways[way_q[t]] = 1'b1;
      end
      free_ways = ~used_i & ~locked_ways;
      victim_ways = used_i & ~locked_ways;
      late_ways = victim_ways & ({DirWays{1'b1}} << turn_q);
      free_way_o = lowest(free_ways);
      victim_way_o = lowest((late_ways != '0) ? late_ways : victim_ways);
    end
  end

  assign free_valid_o   = free_ways != '0;
  assign victim_valid_o = victim_ways != '0;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      turn_q <= '0;
    end else if (recall_i) begin
      turn_q <= (lock_way_i == WayWidth'(DirWays - 1)) ? '0 : lock_way_i + WayWidth'(1);
    end
  end

  // ---------------------------------------------------------------- Locks

  logic has_way;
  logic [WayWidth-1:0] has_way_index;
  assign has_way = locked_q[tracker_i] || lock_i;
  assign has_way_index = lock_i ? lock_way_i : way_q[tracker_i];

  always_ff @(posedge clk_i) begin
    if (alloc_valid_i) set_q[alloc_tracker_i] <= alloc_set_i;
  end

  always_ff @(posedge clk_i) begin
    if (lock_i) way_q[tracker_i] <= lock_way_i;
    if (close_i && heir_valid_i) way_q[heir_i] <= has_way_index;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      locked_q <= '0;
    end else begin
      if (lock_i) locked_q[tracker_i] <= 1'b1;
      if (close_i) begin
        locked_q[tracker_i] <= 1'b0;
        if (heir_valid_i) locked_q[heir_i] <= has_way;
      end
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
  logic trying_q;  // it is in the action stage
  logic unlocked;

  assign unlocked = close_i && has_way && !heir_valid_i;
  assign retry_valid_o = retry_q && waiting_o && !trying_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      retry_q  <= 1'b0;
      trying_q <= 1'b0;
    end else begin
      trying_q <= retry_grant_i;
      if (unlocked || served_i) retry_q <= 1'b1;
      else if (retry_grant_i) retry_q <= 1'b0;
    end
  end

  // ---------------------------------------------------------------- Checks

  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      assert (!alloc_valid_i || !locked_q[alloc_tracker_i])
      else $error("a new tracker has a way");
      assert (!choose_i || !lock_i || locked_q[tracker_i] || !locked_ways[lock_way_i])
      else $error("a way locked twice");
      assert (!heir_valid_i || !close_i || !locked_q[heir_i])
      else $error("an heir with a way");
    end
  end

endmodule
