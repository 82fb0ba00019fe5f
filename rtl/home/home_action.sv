// Action stage of the home's pipeline: applies the table (home_pkg::home_row) to one event a cycle.
//
// The event is a start (home_start tells what is known of the line) or an answer. It orders at most
// one packet, or one snoop of several targets, from the transmitter and says what changes in
// directory, ways and chains. All state of a transaction changes here, so no two events ever meet.
//
// A transaction goes through these steps, each left when everything it sent is answered:
//   [RecallSnoop -> [RecallWrite] ->] Snoop -> [Fetch ->] Answer -> closed
// Before the first it may follow another of its line or wait for a way. After a recall the tracker is
// woken like one that followed another, holds a way, and finds its own line not in the directory.
//
// A node or memory that is cut off does not answer; home_timeouts then makes its answer up. An owner
// lost that way takes what it had written with it: the request that meets this is answered with a
// Comp (Timeout), and memory's value is the line's from then on. An atomic that meets it, or that
// memory cannot read for, is answered so too and writes nothing.
//
// An answer that its tracker does not wait for (idle or unknown tracker, wrong source, nothing sent
// yet, wrong kind) changes nothing and is reported. A request the home does not serve is dropped and
// reported; the ingress lets none through.
module home_action
  import flit_pkg::*;
  import home_pkg::*;
  import supernode_pkg::UnitWidth, supernode_pkg::node_id_t;
  import supernode_pkg::error_event_t;
  import supernode_pkg::ErrBadOpcode, supernode_pkg::ErrNoTransaction, supernode_pkg::ErrTimeout;
#(
    parameter int unsigned Nodes = 8,
    parameter int unsigned NodesPerChip = 8,
    parameter int unsigned Trackers = 32,
    localparam int unsigned TrackerWidth = $clog2(Trackers)
) (
    input logic clk_i,
    input logic rst_ni,
    // In the cycle before the action: the event, its tracker and the request in it
    input logic start_valid_i,
    input logic answer_valid_i,
    input answer_t answer_i,
    input logic [TrackerWidth-1:0] tracker_i,
    input req_header_t request_i,
    input logic from_memory_i,  // the answer is from the memory that was asked
    input logic unsent_i,  // a MEM or RSP is yet to be sent
    // What is known of a start
    input logic new_i,
    input logic retry_i,
    input logic conflict_i,
    input logic hit_i,
    input logic hit_unique_i,
    input logic [Nodes-1:0] hit_sharers_i,
    input logic free_valid_i,
    input logic victim_valid_i,
    input logic victim_unique_i,
    input logic [Nodes-1:0] victim_sharers_i,
    input logic held_i,
    input logic waiting_i,
    input logic recalling_i,
    // In the action: who owes the tracker an answer to its snoop; the one whose answer is taken, and
    // whether it is the last
    input logic [Nodes-1:0] owed_i,
    output logic [Nodes-1:0] taken_o,
    output logic taken_last_o,
    // The acknowledgement of the tracker: whether it is due, may come already, came and said I; what
    // the action changes in that; and that nothing else is waited for
    input logic ack_due_i,
    input logic ack_open_i,
    input logic ack_failed_i,
    output logic expect_o,
    output logic expect_packet_o,
    output logic give_up_o,
    output logic settle_o,
    // A transaction ends beside the action
    input logic retire_i,
    input logic [TrackerWidth-1:0] retire_tracker_i,
    // The action
    output logic valid_o,
    output logic [TrackerWidth-1:0] tracker_o,
    output line_addr_t line_o,
    output logic enter_o,
    output logic lock_o,
    output logic recall_begin_o,
    output logic recall_answered_o,
    output logic recall_end_o,
    output logic wait_o,
    output logic served_o,
    output logic close_o,
    output logic unique_o,
    output logic [Nodes-1:0] sharers_o,
    output logic free_o,  // the tracker is free
    // Orders to the transmitter
    output logic order_snp_o,
    output snp_order_t snp_order_o,
    output logic [Nodes-1:0] snp_targets_o,
    output logic order_mem_o,
    output mem_order_t mem_order_o,
    output logic order_rsp_o,
    output rsp_order_t rsp_order_o,
    // Whether the payload of an answer belongs in the line buffer: opcode, source and txn decide,
    // and who owes its tracker an answer
    // verilator lint_off UNUSEDSIGNAL
    input answer_t data_answer_i,
    // verilator lint_on UNUSEDSIGNAL
    input logic [Nodes-1:0] data_owed_i,
    input logic data_from_memory_i,
    output logic data_accept_o,
    // What a transaction waits for
    output logic [Trackers-1:0] started_o,
    output logic moved_o,  // something happens to tracker_o
    input logic [TrackerWidth-1:0] look_tracker_i,
    output logic look_wait_mem_o,
    // Events
    output logic event_stale_o,
    output error_event_t error_o
);

  typedef enum logic [2:0] {
    StepRecallSnoop,
    StepRecallWrite,
    StepSnoop,
    StepFetch,
    StepAnswer
  } step_e;

  typedef logic [Nodes-1:0] nodes_t;

  typedef struct packed {
    step_e      step;
    situation_t dir;           // of the requested line, at the start
    nodes_t     sharers;       // of it, less those that answered I
    opcode_e    snoop_opcode;
    logic       forwarded;
    logic       dirty;         // a snoop brought the line
    logic       poison;        // of the data in the line buffer
    logic       wait_mem;      // for the Comp of a MemWrite, in Fetch for the line
    logic       told;          // the requester got a Comp for want of its CompAck
    resp_e      resp;          // of the memory, or of an owner that did not answer
  } progress_t;

  progress_t progress_q[Trackers];
  logic [Trackers-1:0] started_q;  // has taken its first step

  // As a set of nodes, none if the identifier is that of no node. A chip stands for all of its own.
  function automatic nodes_t nodes_of(node_id_t node);
    nodes_t first;
    first = is_chip(node[UnitWidth-1:0]) ? nodes_t'({NodesPerChip{1'b1}}) : nodes_t'(1);
    return first << place_of(node, NodesPerChip);
  endfunction

  function automatic logic is_tracker(logic [TxnWidth-1:0] txn);
    return txn < TxnWidth'(Trackers);
  endfunction

  // ---------------------------------------------------------------- The event

  logic starts_q, answers_q;
  // The answer is meant for a tracker that is under way. One that starts in this very cycle is not
  // yet, and so cannot be answered before its snoops are seen to be unsent.
  logic known_q;
  logic unsent_q;
  logic from_memory_q;
  // Of the request: the home does not serve it; its requester will hold the line, or at least
  // acknowledge its answer; it is of a whole line; its requester may not write the line; it is an
  // atomic, and asks for the old value.
  logic refused_q, needs_way_q, acknowledged_q, whole_q, read_only_q, atomic_q, returns_old_q;
  logic [TrackerWidth-1:0] tracker_q;
  nodes_t requester_q, answer_node_q;
  progress_t now_q, next;  // of the tracker
  // Not every field matters in this stage, above all not those that only the transmitter copies.
  // verilator lint_off UNUSEDSIGNAL
  answer_t answer_q;
  req_header_t request_q;
  // verilator lint_on UNUSEDSIGNAL
  logic update;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      starts_q  <= 1'b0;
      answers_q <= 1'b0;
    end else begin
      starts_q  <= start_valid_i;
      answers_q <= answer_valid_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (start_valid_i || answer_valid_i) begin
      tracker_q <= tracker_i;
      request_q <= request_i;
      requester_q <= nodes_of(request_i.src);
      refused_q <= !is_home_request(request_i.opcode);
      needs_way_q <= needs_way(request_i.opcode);
      acknowledged_q <= is_acknowledged(request_i.opcode);
      whole_q <= request_i.size == LineSize;
      read_only_q <= request_i.state == StateSC;
      atomic_q <= is_atomic(request_i.opcode);
      returns_old_q <= is_atomic(request_i.opcode) && (request_i.opcode != OpAtomicStore);
    end
    if (answer_valid_i) begin
      answer_q <= answer_i;
      answer_node_q <= nodes_of(answer_i.src);
      known_q <= is_tracker(answer_i.txn) && started_q[tracker_i];
      now_q <= (update && (tracker_q == tracker_i)) ? next : progress_q[tracker_i];
      unsent_q <= unsent_i;
      from_memory_q <= from_memory_i;
    end
  end

  assign valid_o = starts_q || answers_q;
  assign tracker_o = tracker_q;
  assign line_o = request_q.addr[AddrWidth-1:LineOffsetWidth];

  // ---------------------------------------------------------------- Starts

  logic refuse, go, choose, begins;
  situation_t start_dir;

  assign refuse = starts_q && refused_q;
  assign enter_o = starts_q && new_i && !refuse;
  assign go = starts_q && !refuse && !conflict_i;

  // A requester that will hold the line needs a way for it.
  assign choose = go && needs_way_q && !hit_i && !held_i;
  assign wait_o = choose && ((waiting_i && !retry_i) || !(free_valid_i || victim_valid_i));
  assign served_o = choose && !wait_o && retry_i;
  assign recall_begin_o = choose && !wait_o && !free_valid_i;
  assign recall_end_o = go && recalling_i;
  assign lock_o = go && !held_i && (hit_i || (choose && !wait_o));

  assign begins = go && (!choose || (!wait_o && free_valid_i));
  assign start_dir = '{
          unique_owner: hit_unique_i,
          holder: (hit_sharers_i & requester_q) != '0,
          others: (hit_sharers_i & ~requester_q) != '0
      };

  // ---------------------------------------------------------------- Answers

  logic is_ack, is_comp, is_data, is_snoop_answer, accepted, snoops_answered, tell, failed;
  logic fetched;
  progress_t answered;  // the tracker with the answer counted in

  assign is_ack = answer_q.opcode == OpCompAck;
  assign is_comp = answer_q.opcode == OpComp;
  assign is_data = answer_q.opcode == OpCompData;
  // A real SnpResp or CompAck is taken at its port.
  assign is_snoop_answer = answers_snoop(
      answer_q.opcode, now_q.snoop_opcode
  ) && ((answer_q.opcode != OpSnpResp) || answer_q.lost);

  always_comb begin
    accepted = 1'b0;
    if (answers_q && known_q) begin
      if (is_ack) accepted = answer_q.lost && ack_open_i;
      // For a line that was to be read, a Comp can only say that it is not.
      if (is_comp) begin
        accepted = now_q.wait_mem && !unsent_q && (answer_q.lost
            || (from_memory_q && ((now_q.step != StepFetch) || (answer_q.resp != RespOk))));
      end
      if (is_data) begin
        accepted = (now_q.step == StepFetch) && !unsent_q && from_memory_q && answer_q.line;
      end
      if (is_snoop_answer) begin
        accepted = (answer_node_q & owed_i) != '0;
      end
      if (answer_q.last) accepted = 1'b1;
    end
  end

  assign taken_o = (accepted && is_snoop_answer) ? answer_node_q & owed_i : '0;
  assign taken_last_o = accepted && is_snoop_answer && !answer_q.lost;

  // A requester that does not acknowledge may wait itself, for data that never comes: it is told,
  // once, before it is given up too.
  assign tell = accepted && is_ack && answer_q.lost && !now_q.told;
  assign failed = answers_q && (is_ack ? answer_q.state == StateI : ack_failed_i);

  always_comb begin
    answered = now_q;
    if (answers_q) begin
      unique case (answer_q.opcode)
        OpComp: begin
          answered.wait_mem = 1'b0;
          if (now_q.resp == RespOk) answered.resp = answer_q.resp;
        end
        OpCompData: begin
          answered.wait_mem = 1'b0;
          answered.poison   = now_q.poison || answer_q.poison;
        end
        OpCompAck: answered.told = tell;
        default: begin
          answered.forwarded = now_q.forwarded || tells_forwarded(answer_q.opcode);
          if (has_payload(answer_q.opcode)) begin
            answered.dirty  = 1'b1;
            answered.poison = now_q.poison || answer_q.poison;
          end
          if (!tells_forwarded(answer_q.opcode) || (answer_q.state == StateI)) begin
            answered.sharers = now_q.sharers & ~answer_node_q;
          end
          // All who were snooped are I, and everyone but the requester was.
          if (answer_q.last) answered.sharers = '0;
          // What the owner had written is gone with it.
          if (answer_q.lost && now_q.dir.unique_owner) answered.resp = RespTimeout;
        end
      endcase
    end
  end

  assign snoops_answered = accepted && !is_ack && (answer_q.last || taken_last_o);

  // ---------------------------------------------------------------- The table

  row_t row;
  logic snoop, act, recall_write;
  logic starts_and_ends, answered_all, due;

  always_comb begin
    row = '0;
    if (valid_o) begin
      row = home_row(
        request_q.opcode,
        whole_q,
        read_only_q,
        starts_q ? start_dir : now_q.dir,
        answers_q && answered.forwarded,
        answers_q && answered.dirty
      );
    end
  end

  // Memory is no answer to a read when the owner's data is gone: its requester gets none. Nor is
  // anything computed from it.
  action_e action;
  always_comb begin
    action = row.action;
    if (answers_q && (answered.resp != RespOk)) begin
      if (row.action == ActMemRead) action = ActComp;
      if (row.action == ActFetch) action = ActNone;
    end
  end

  assign fetched = accepted && is_data;

  assign snoop = begins && row.snoop;
  // Nothing is left to snoop: send what follows.
  assign act = starts_q ? (begins && !row.snoop) : (snoops_answered && (now_q.step == StepSnoop));

  assign recall_write = snoops_answered && (now_q.step == StepRecallSnoop) && answered.dirty;
  assign recall_answered_o = accepted
      && ((now_q.step == StepRecallSnoop) ? (snoops_answered && !answered.dirty)
                                          : (now_q.step == StepRecallWrite));

  // The end: nothing to send, nothing to wait for.
  assign starts_and_ends = begins && !row.snoop && (row.action == ActNone);
  assign answered_all = accepted && !answered.wait_mem && !tell
      && ((now_q.step == StepAnswer) || ((now_q.step == StepFetch) && !fetched)
          || (act && (action == ActNone)));
  assign due = ack_due_i && !give_up_o;
  assign close_o = starts_and_ends || (answered_all && !due);

  // Only the acknowledgement is missing.
  logic grant;
  assign grant = act && ((action == ActMemRead) || (action == ActComp));
  assign settle_o = grant || (answered_all && due);

  assign expect_o = (snoop && is_forward_snoop(row.snoop_opcode)) || grant || tell;
  assign expect_packet_o = grant || tell;
  assign give_up_o = accepted && is_ack && answer_q.lost;

  always_comb begin
    next = answered;
    if (starts_q) begin
      next = '0;
      next.step = recall_begin_o ? StepRecallSnoop : StepSnoop;
      next.dir = start_dir;
      next.sharers = hit_sharers_i;
      next.snoop_opcode = row.snoop_opcode;
      if (recall_begin_o) next.snoop_opcode = victim_unique_i ? OpSnpUnique : OpSnpMakeInvalid;
      next.poison = has_payload(request_q.opcode) && request_q.poison;
      next.resp   = RespOk;
    end
    if (recall_write) begin
      next.step = StepRecallWrite;
      next.wait_mem = 1'b1;
    end
    if (act) begin
      next.step = (action == ActFetch) ? StepFetch : StepAnswer;
      if ((action == ActMemWrite) || (action == ActFetch)) next.wait_mem = 1'b1;
    end
    if (fetched) begin
      next.step = StepAnswer;
      next.wait_mem = 1'b1;
    end
  end

  assign update = begins || recall_begin_o || accepted;

  always_ff @(posedge clk_i) begin
    if (update) progress_q[tracker_q] <= next;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      started_q <= '0;
    end else begin
      if (begins || recall_begin_o) started_q[tracker_q] <= 1'b1;
      if (close_o) started_q[tracker_q] <= 1'b0;
      if (retire_i) started_q[retire_tracker_i] <= 1'b0;
    end
  end

  // ---------------------------------------------------------------- Directory after

  assign unique_o = row.unique_owner;

  always_comb begin
    sharers_o = '0;
    if (row.keep_others) sharers_o = next.sharers & ~requester_q;
    if (row.keep_requester && !(needs_way_q && failed && !grant)) begin
      sharers_o |= requester_q;
    end
  end

  // ---------------------------------------------------------------- Orders

  // Those who do not acknowledge their answer get it last, and nobody waits for anything then.
  logic last_comp;
  assign last_comp = close_o && !acknowledged_q;
  assign free_o = refuse || (close_o && !last_comp);

  assign order_snp_o = snoop || recall_begin_o;
  assign snp_order_o = '{opcode: next.snoop_opcode, recall: recall_begin_o};
  assign snp_targets_o = recall_begin_o ? victim_sharers_i : (hit_sharers_i & ~requester_q);

  assign order_mem_o = recall_write || fetched
      || (act && (action inside {ActMemRead, ActMemWrite, ActFetch}));
  assign mem_order_o = '{
          write: recall_write || fetched || (action == ActMemWrite),
          recall: recall_write,
          whole: recall_write || row.whole,
          poison: next.poison,
          fetch: action == ActFetch,
          grant: row.grant
      };

  // The old value is there when its write is done, well or not. An atomic says that what it met, or
  // brought, is corrupt.
  resp_e last_resp;
  assign last_resp = (atomic_q && next.poison && (next.resp == RespOk)) ? RespDataError : next.resp;

  assign order_rsp_o = last_comp || tell || (act && (action == ActComp));
  assign rsp_order_o = '{
          last: last_comp,
          data: last_comp && returns_old_q && (now_q.step == StepAnswer),
          poison: next.poison,
          grant: (tell || (next.resp != RespOk)) ? StateI : row.grant,
          resp: tell ? RespTimeout : last_resp
      };

  // ---------------------------------------------------------------- Payload of answers

  logic [TrackerWidth-1:0] data_tracker;
  opcode_e data_snoop;

  assign data_tracker = data_answer_i.txn[TrackerWidth-1:0];
  assign data_snoop = progress_q[data_tracker].snoop_opcode;
  assign data_accept_o = is_tracker(
      data_answer_i.txn
  ) && started_q[data_tracker] &&
      ((data_answer_i.opcode == OpCompData) ? (progress_q[data_tracker].step == StepFetch) &&
       data_from_memory_i && data_answer_i.line : ((nodes_of(
      data_answer_i.src
  ) & data_owed_i) != '0) && answers_snoop(
      data_answer_i.opcode, data_snoop
  ));

  // ---------------------------------------------------------------- Events

  assign started_o = started_q;
  assign moved_o = update;
  assign look_wait_mem_o = progress_q[look_tracker_i].wait_mem;

  assign event_stale_o = begins
      && (((request_q.opcode == OpWriteBackFull) && (row.action == ActNone))
          || ((request_q.opcode == OpEvict) && !start_dir.holder));

  always_comb begin
    error_o = '0;
    if (answers_q && answer_q.lost) begin
      error_o = '{
          valid: accepted,
          cause: ErrTimeout,
          src: answer_q.src,
          opcode: answer_q.opcode,
          addr: request_q.addr
      };
    end else if (answers_q && !accepted) begin
      error_o = '{
          valid: 1'b1,
          cause: ErrNoTransaction,
          src: answer_q.src,
          opcode: answer_q.opcode,
          addr: answer_q.addr
      };
    end else if (refuse) begin
      error_o = '{
          valid: 1'b1,
          cause: ErrBadOpcode,
          src: request_q.src,
          opcode: request_q.opcode,
          addr: request_q.addr
      };
    end
  end

  // ---------------------------------------------------------------- Checks

  always_ff @(posedge clk_i) begin
    if (rst_ni && valid_o) begin
      assert (!(starts_q && answers_q))
      else $error("two events in one cycle");
      assert (!(starts_q && started_q[tracker_q]) || recalling_i)
      else $error("a started tracker starts again");
      assert (!recall_end_o || (held_i && !hit_i))
      else $error("a recall ends without a way");
      assert (!(starts_q && retry_i) || choose)
      else $error("a retry that needs no way");
      assert (!close_o || !row.unique_owner || $onehot0(sharers_o))
      else $error("an owner beside other holders");
      assert (!close_o || held_i || lock_o || !needs_way_q)
      else $error("a holder that the directory does not know");
      assert (!answer_q.last || !answers_q || known_q)
      else $error("the last answer to a tracker that is not under way");
      assert (!close_o || !retire_i || (retire_tracker_i != tracker_q))
      else $error("a transaction ends twice");
      assert (!snoops_answered || (now_q.step inside {StepRecallSnoop, StepSnoop}))
      else $error("a snoop answered in the wrong step");
    end
  end

endmodule
