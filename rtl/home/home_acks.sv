// Who has yet to acknowledge, and the end of the transactions that wait for nothing else.
//
// Purpose: a CompAck is taken here straight from the port it came in at, whatever comes in at the
// others in the same cycle (fabric/port_answers): the home's port of the crossbar is left to
// requests. A transaction that waits for nothing but its CompAck is `settled`: the directory has
// been written as if the acknowledgement had come. When it comes the transaction ends beside the
// pipeline (`retire_*`), so that a slice can start a request in every cycle. If there is more to do,
// because the requester did not take what it was granted or another tracker follows on the line,
// the CompAck becomes an event of the pipeline (`event_*`) instead.
//
// Latency: a CompAck counts in the cycle after it came; its transaction ends in the second cycle
// after that, at the earliest. One ends beside the pipeline in a cycle.
// Reset: nobody is to acknowledge.
// Dropped and reported: a CompAck that is not due, is not from the requester, or comes before the
// packet it should answer has left. Never stalls.
//
// A CompAck taken at its port overtakes what its sender sent to this home before and what still waits
// in the queues of REQ, RSP and DAT. None of that is of the same transaction: a requester is snooped
// within its own transaction only by a recall, of another line, before it is granted anything. Nor
// is it of an earlier transaction of the same line, since those have ended; nor a WriteBackFull or
// Evict of the line, since a node asks for a line only when those are answered.
module home_acks
  import flit_pkg::*;
  import supernode_pkg::node_id_t, supernode_pkg::port_answer_t, supernode_pkg::error_event_t;
  import supernode_pkg::ErrNoTransaction;
#(
    parameter int unsigned Ports = 8,
    parameter int unsigned Trackers = 32,
    localparam int unsigned TrackerWidth = $clog2(Trackers)
) (
    input logic clk_i,
    input logic rst_ni,
    // Answers at the ports
    input logic [Ports-1:0] valid_i,
    input port_answer_t [Ports-1:0] answers_i,
    output error_event_t [Ports-1:0] errors_o,
    output logic [Trackers-1:0] moved_o,  // trackers of which a CompAck came
    // A request takes a tracker
    input logic take_i,
    input logic [TrackerWidth-1:0] take_tracker_i,
    input node_id_t take_src_i,
    // The tracker in the action stage: whether its CompAck is due, may come already, came and said I
    input logic [TrackerWidth-1:0] action_tracker_i,
    output logic action_due_o,
    output logic action_open_o,
    output logic action_failed_o,
    // What it does: something is ordered that the requester will acknowledge, a packet of the home
    // or a snoop
    input logic expect_i,
    input logic expect_packet_i,
    input logic give_up_i,  // wait no longer for the CompAck
    input logic settle_i,  // nothing else is waited for any more
    input logic close_i,
    // Trackers whose snoop has not left; a packet that leaves
    input logic [Trackers-1:0] snooping_i,
    input logic left_i,
    input logic [TrackerWidth-1:0] left_tracker_i,
    // Trackers that others follow
    input logic [Trackers-1:0] followed_i,
    // A transaction that can end
    output logic retire_valid_o,
    output logic [TrackerWidth-1:0] retire_tracker_o,
    input logic retire_i,  // it does
    // One that the action has to end
    output logic event_valid_o,
    output logic [TrackerWidth-1:0] event_tracker_o,
    output logic event_failed_o,
    input logic event_grant_i
);

  typedef logic [Trackers-1:0] trackers_t;
  typedef logic [TrackerWidth-1:0] tracker_t;

  node_id_t requester_q[Trackers];
  trackers_t due_q;  // is to be acknowledged
  trackers_t unsent_q;  // but the packet that asks for it has not left
  trackers_t came_q;  // is acknowledged
  trackers_t failed_q;  // by a requester that has nothing
  trackers_t settled_q;  // waits for nothing else

  assign action_due_o = due_q[action_tracker_i];
  assign action_open_o = due_q[action_tracker_i] && !unsent_q[action_tracker_i]
      && !snooping_i[action_tracker_i];
  assign action_failed_o = failed_q[action_tracker_i];

  always_ff @(posedge clk_i) begin
    if (take_i) requester_q[take_tracker_i] <= take_src_i;
  end

  // ---------------------------------------------------------------- At the ports

  logic [Ports-1:0] matched;
  trackers_t failed;

  always_comb begin
    tracker_t tracker;
    matched = '0;
    failed  = '0;
    moved_o = '0;
    tracker = '0;
    if (valid_i != '0) begin
      for (int unsigned p = 0; p < Ports; p++) begin
        if (valid_i[p] && answers_i[p].ack && (answers_i[p].txn < TxnWidth'(Trackers))) begin
          tracker = answers_i[p].txn[TrackerWidth-1:0];
          // What the action gives up, or asks for anew, in this cycle is not answered by it.
          if (due_q[tracker] && !unsent_q[tracker] && !snooping_i[tracker]
              && (requester_q[tracker] == answers_i[p].src)
              && !((expect_i || give_up_i) && (tracker == action_tracker_i))) begin
            matched[p] = 1'b1;
            moved_o[tracker] = 1'b1;
            failed[tracker] = answers_i[p].state == StateI;
          end
        end
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      due_q <= '0;
      unsent_q <= '0;
      came_q <= '0;
      failed_q <= '0;
      settled_q <= '0;
    end else begin
      if (moved_o != '0) begin
        due_q <= due_q & ~moved_o;
        came_q <= came_q | moved_o;
        failed_q <= failed_q | failed;
      end
      if (left_i) unsent_q[left_tracker_i] <= 1'b0;
      if (event_grant_i) came_q[event_tracker_o] <= 1'b0;
      if (give_up_i) due_q[action_tracker_i] <= 1'b0;
      if (settle_i) settled_q[action_tracker_i] <= 1'b1;
      if (expect_i) begin
        due_q[action_tracker_i] <= 1'b1;
        unsent_q[action_tracker_i] <= expect_packet_i;
        came_q[action_tracker_i] <= 1'b0;
        failed_q[action_tracker_i] <= 1'b0;
      end
      if (close_i) begin
        came_q[action_tracker_i] <= 1'b0;
        failed_q[action_tracker_i] <= 1'b0;
        settled_q[action_tracker_i] <= 1'b0;
      end
      if (retire_i) begin
        came_q[retire_tracker_o] <= 1'b0;
        settled_q[retire_tracker_o] <= 1'b0;
      end
    end
  end

  // ---------------------------------------------------------------- The end

  // The first of a set from a place on, round robin.
  function automatic tracker_t first_from(trackers_t set, tracker_t place);
    trackers_t late;
    tracker_t  first;
    late  = set & ({Trackers{1'b1}} << place);
    first = '0;
    if (late == '0) late = set;
    for (int unsigned t = Trackers; t > 0; t--) if (late[t-1]) first = tracker_t'(t - 1);
    return first;
  endfunction

  trackers_t alone, busy;
  logic retire_q, retire_free;
  tracker_t retire_tracker_q, event_turn_q;

  assign retire_tracker_o = retire_tracker_q;
  // Another may have followed since it was chosen.
  assign retire_valid_o = retire_q && !followed_i[retire_tracker_q];
  assign retire_free = !retire_valid_o || retire_i;

  always_comb begin
    alone = '0;
    busy = '0;
    event_tracker_o = '0;
    if (came_q != '0) begin
      alone = came_q & settled_q & ~failed_q & ~followed_i;
      if (retire_q) alone[retire_tracker_q] = 1'b0;
      busy = came_q & settled_q & (failed_q | followed_i);
      if (busy != '0) event_tracker_o = first_from(busy, event_turn_q);
    end
  end

  assign event_valid_o  = busy != '0;
  assign event_failed_o = failed_q[event_tracker_o];

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      retire_q <= 1'b0;
      retire_tracker_q <= '0;
      event_turn_q <= '0;
    end else begin
      if (retire_free) retire_q <= alone != '0;
      if (retire_free && (alone != '0)) retire_tracker_q <= first_from(alone, retire_tracker_q);
      if (event_grant_i) event_turn_q <= event_tracker_o;
    end
  end

  // ---------------------------------------------------------------- Errors

  always_ff @(posedge clk_i) begin
    for (int unsigned p = 0; p < Ports; p++) begin
      errors_o[p].valid <= rst_ni && valid_i[p] && answers_i[p].ack && !matched[p];
      if (valid_i[p]) begin
        errors_o[p].cause <= ErrNoTransaction;
        errors_o[p].src <= answers_i[p].src;
        errors_o[p].opcode <= OpCompAck;
        errors_o[p].addr <= answers_i[p].addr;
      end
    end
  end

  // ---------------------------------------------------------------- Checks

  always_ff @(posedge clk_i) begin
    if (rst_ni && (expect_i || settle_i || close_i || retire_valid_o || event_grant_i)) begin
      assert (!retire_i || (retire_valid_o && !(close_i && action_tracker_i == retire_tracker_q)))
      else $error("a transaction ends twice");
      assert (!retire_valid_o || (came_q[retire_tracker_q] && settled_q[retire_tracker_q]))
      else $error("a transaction ends that waits for something");
      assert (!settle_i || !settled_q[action_tracker_i])
      else $error("a transaction settled twice");
      assert (!close_i || give_up_i || !due_q[action_tracker_i])
      else $error("a transaction ends that is to be acknowledged");
      assert (!event_grant_i || event_valid_o)
      else $error("no acknowledgement is an event");
    end
  end

endmodule
