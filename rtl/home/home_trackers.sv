// Trackers of a home slice: the transactions in flight and the pipeline that moves them.
//
// Two stages, one event a cycle, never stalled:
//   issue   chooses the event (an answer, else a woken tracker, else one that tries again for a
//           directory way, else a request) and reads the directory set;
//   action  looks the line up, applies the table (home_pkg::home_row) and orders at most one packet
//           (or one snoop of several targets) from the transmitter.
// All state of a transaction changes in the action stage only, so no two events ever meet.
//
// A tracker goes through these steps; each is left when everything it sent is answered:
//   [RecallSnoop -> [RecallWrite]] -> Snoop -> Answer -> closed
// Before its first step it may wait behind another tracker of its line (home_conflicts) or for a way
// of the directory (home_ways).
//
// An answer that its tracker does not wait for (idle or unknown tracker, wrong source, not sent yet,
// wrong kind) changes nothing and is reported. A request the home does not serve is dropped and
// reported; the ingress lets none through.
module home_trackers
  import flit_pkg::*;
  import home_pkg::*;
  import supernode_pkg::ChipWidth, supernode_pkg::UnitWidth, supernode_pkg::node_id_t;
  import supernode_pkg::error_event_t, supernode_pkg::ErrBadOpcode, supernode_pkg::ErrNoTransaction;
#(
    parameter  int unsigned Ports        = 8,                // at most 16
    parameter  int unsigned DirSets      = 64,
    parameter  int unsigned DirWays      = 8,
    parameter  int unsigned Trackers     = 16,               // at least 2
    localparam int unsigned SetWidth     = $clog2(DirSets),
    localparam int unsigned WayWidth     = $clog2(DirWays),
    localparam int unsigned TrackerWidth = $clog2(Trackers)
) (
    input logic clk_i,
    input logic rst_ni,
    input logic [ChipWidth-1:0] chip_i,  // of this home
    // Requests
    output logic free_valid_o,
    output logic [TrackerWidth-1:0] free_tracker_o,
    input logic take_i,
    input req_header_t take_header_i,
    input logic request_valid_i,
    input logic [TrackerWidth-1:0] request_tracker_i,
    output logic request_ready_o,
    // Answers, and whether and where their payload belongs in the line buffer
    input logic answer_valid_i,
    input answer_t answer_i,
    input flit_index_t answer_data_index_i,
    output logic answer_data_accept_o,
    output logic [TrackerWidth-1:0] answer_data_tracker_o,
    output logic [FlitBytes-1:0] answer_data_mask_o,
    // Orders to the transmitter, all for order_tracker_o
    output logic [TrackerWidth-1:0] order_tracker_o,
    output logic order_snp_o,
    output snp_order_t snp_order_o,
    output logic order_mem_o,
    output mem_order_t mem_order_o,
    output logic order_rsp_o,
    output rsp_order_t rsp_order_o,
    input logic [Ports-1:0] unsent_targets_i,  // of order_tracker_o: snoops yet to be sent
    input logic unsent_i,  // and whether a MEM or RSP is yet to be sent
    input logic release_valid_i,  // its last packet is sent
    input logic [TrackerWidth-1:0] release_tracker_i,
    // What the transmitter reads
    input logic [TrackerWidth-1:0] read_tracker_i,
    output req_header_t read_request_o,
    output line_addr_t read_victim_o,
    // Events of the action stage
    output logic event_request_o,
    output logic event_recall_o,
    output logic event_stale_o,
    output error_event_t error_o
);

  typedef enum logic [1:0] {
    KindRequest,
    KindWake,
    KindRetry,
    KindAnswer
  } kind_e;
  typedef enum logic [1:0] {
    StepRecallSnoop,
    StepRecallWrite,
    StepSnoop,
    StepAnswer
  } step_e;

  typedef struct packed {
    step_e            step;
    situation_t       dir;           // of the requested line, at the start
    logic [Ports-1:0] sharers;       // of the line (recall: of the victim) that did not answer I
    logic [Ports-1:0] pending;       // snoops not answered
    opcode_e          snoop_opcode;
    logic             forwarded;
    logic             dirty;         // a snoop brought the line
    logic             poison;        // of the data in the line buffer
    logic             wait_mem;      // for the Comp of a MemWrite
    logic             wait_ack;      // for the CompAck
    logic             failed;        // the requester acknowledged with I
    resp_e            resp;          // of the MemWrite
  } progress_t;

  // ---------------------------------------------------------------- Trackers

  req_header_t request_q[Trackers];
  progress_t progress_q[Trackers];
  logic [Trackers-1:0] free_q;
  logic [Trackers-1:0] started_q;  // has taken its first step

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

  assign read_request_o = request_q[read_tracker_i];

  // ---------------------------------------------------------------- Issue

  logic wake_valid, wake_grant, retry_valid, retry_grant;
  logic [TrackerWidth-1:0] wake_tracker, retry_tracker, issue_tracker;
  logic [SetWidth-1:0] take_set, tracker_set, issue_set;
  logic issue_valid, issue_lookup;
  kind_e issue_kind;

  assign wake_grant = wake_valid && !answer_valid_i;
  assign retry_grant = retry_valid && !wake_valid && !answer_valid_i;
  assign request_ready_o = !answer_valid_i && !wake_valid && !retry_valid;

  always_comb begin
    issue_kind = KindRequest;
    issue_tracker = request_tracker_i;
    if (answer_valid_i) begin
      issue_kind = KindAnswer;
      issue_tracker = answer_i.txn[TrackerWidth-1:0];
    end else if (wake_valid) begin
      issue_kind = KindWake;
      issue_tracker = wake_tracker;
    end else if (retry_valid) begin
      issue_kind = KindRetry;
      issue_tracker = retry_tracker;
    end
  end

  assign issue_valid = answer_valid_i || wake_valid || retry_valid || request_valid_i;
  assign issue_lookup = issue_valid && !answer_valid_i;
  // A request without payload is issued as it takes its tracker.
  assign issue_set = (take_i && (issue_kind == KindRequest)) ? take_set : tracker_set;

  home_set_hash #(
      .SetBits(SetWidth)
  ) u_set_hash (
      .line_i(take_header_i.addr[AddrWidth-1:LineOffsetWidth]),
      .set_o (take_set)
  );

  // ---------------------------------------------------------------- Action: what is known

  logic valid_q;
  kind_e kind_q;
  logic [TrackerWidth-1:0] tracker_q;
  answer_t answer_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= 1'b0;
    else valid_q <= issue_valid;
  end

  always_ff @(posedge clk_i) begin
    if (issue_valid) begin
      kind_q <= issue_kind;
      tracker_q <= issue_tracker;
    end
    if (answer_valid_i) answer_q <= answer_i;
  end

  // Not every field matters here, above all not those that only the transmitter copies.
  // verilator lint_off UNUSEDSIGNAL
  req_header_t             request;
  // verilator lint_on UNUSEDSIGNAL
  progress_t               progress;
  line_addr_t              line;
  logic        [Ports-1:0] requester;  // as a bit of the sharers
  logic                    whole;  // the request carries a whole line

  assign request = request_q[tracker_q];
  assign progress = progress_q[tracker_q];
  assign line = request.addr[AddrWidth-1:LineOffsetWidth];
  assign requester = port_bit(request.src[UnitWidth-1:0]);
  assign whole = request.size == LineSize;

  function automatic logic [Ports-1:0] port_bit(logic [UnitWidth-1:0] unit);
    return Ports'(1) << unit;
  endfunction

  logic starts, answers;
  assign starts  = valid_q && (kind_q != KindAnswer);
  assign answers = valid_q && (kind_q == KindAnswer);

  // ---------------------------------------------------------------- Action: start or wait

  logic enter, refuse, conflict, go, choose, wait_way, lock, recall_begin, has_way_now;
  logic hit, hit_unique, victim_unique, own_valid, free_valid, victim_valid, waiting;
  logic [Ports-1:0] hit_sharers, victim_sharers;
  logic [WayWidth-1:0] hit_way, own_way, free_way, victim_way, lock_way, way_now;
  logic [SetWidth-1:0] own_set;
  logic [DirWays-1:0] used_ways;
  line_addr_t victim_line;

  assign refuse = starts && !is_home_request(request.opcode);
  assign enter = starts && (kind_q == KindRequest) && !refuse;
  assign go = starts && !refuse && !conflict;
  assign choose = go && needs_way(request.opcode) && !hit && !own_valid;
  assign wait_way = choose && ((waiting && (kind_q != KindRetry)) || !(free_valid || victim_valid));
  assign recall_begin = choose && !wait_way && !free_valid;
  assign lock = go && !own_valid && !wait_way && (hit || choose);
  assign lock_way = hit ? hit_way : (free_valid ? free_way : victim_way);
  assign has_way_now = own_valid || lock;
  assign way_now = own_valid ? own_way : lock_way;

  // ---------------------------------------------------------------- Action: answers

  logic known, local_src, asked, snoop_answer, ack_answer, comp_answer, accepted;
  logic snoops_answered, recall_write, recall_end;
  logic [Ports-1:0] answer_port;
  progress_t answered;  // the tracker with the answer counted in

  assign known = answers && (answer_q.txn < TxnWidth'(Trackers)) && started_q[tracker_q];
  assign local_src = is_local_port(answer_q.src);
  assign answer_port = port_bit(answer_q.src[UnitWidth-1:0]);

  function automatic logic is_local_port(node_id_t node);
    return (node[NodeIdWidth-1:UnitWidth] == chip_i) && (node[UnitWidth-1:0] < UnitWidth'(Ports));
  endfunction

  assign asked = local_src && ((answer_port & progress.pending & ~unsent_targets_i) != '0);
  assign snoop_answer = known && asked && answers_snoop(answer_q.opcode, progress.snoop_opcode);
  // A CompAck answers what was forwarded, or else what the home itself had sent.
  assign ack_answer = known && (answer_q.opcode == OpCompAck) && (answer_q.src == request.src)
                      && progress.wait_ack && (unsent_targets_i == '0)
                      && (progress.forwarded || !unsent_i);
  assign comp_answer = known && (answer_q.opcode == OpComp) && progress.wait_mem && !unsent_i;
  assign accepted = snoop_answer || ack_answer || comp_answer;

  always_comb begin
    answered = progress;
    if (snoop_answer) begin
      answered.pending = progress.pending & ~answer_port;
      unique case (answer_q.opcode)
        OpSnpRespFwded: answered.forwarded = 1'b1;
        OpSnpRespData: answered.dirty = 1'b1;
        OpSnpRespDataFwded: begin
          answered.forwarded = 1'b1;
          answered.dirty = 1'b1;
        end
        default: ;
      endcase
      answered.poison = progress.poison || (answered.dirty && answer_q.poison);
      if (!answered.forwarded || (answer_q.state == StateI)) begin
        answered.sharers = progress.sharers & ~answer_port;
      end
    end
    if (ack_answer) begin
      answered.wait_ack = 1'b0;
      answered.failed   = answer_q.state == StateI;
    end
    if (comp_answer) begin
      answered.wait_mem = 1'b0;
      answered.resp = answer_q.resp;
    end
  end

  assign snoops_answered = snoop_answer && (answered.pending == '0);
  assign recall_write = snoops_answered && (progress.step == StepRecallSnoop) && answered.dirty;
  assign recall_end = (snoops_answered && (progress.step == StepRecallSnoop) && !answered.dirty)
                      || (comp_answer && (progress.step == StepRecallWrite));

  // ---------------------------------------------------------------- Action: the table

  logic start, snoop, act, close, last_comp;
  logic [Ports-1:0] start_sharers;
  situation_t start_dir;
  row_t row;
  progress_t progress_d;

  // The requested line is looked at: at once, with a free way, or after the recall (then it is I).
  assign start = (go && (!choose || (!wait_way && free_valid))) || recall_end;
  assign start_sharers = recall_end ? '0 : hit_sharers;
  assign start_dir = '{
          unique_owner: hit_unique && !recall_end,
          holder: (start_sharers & requester) != '0,
          others: (start_sharers & ~requester) != '0
      };

  assign row = home_row(
      request.opcode,
      whole,
      start ? start_dir : progress.dir,
      !start && answered.forwarded,
      !start && answered.dirty
  );

  assign snoop = start && row.snoop;
  assign act = start ? !row.snoop : (snoops_answered && (progress.step == StepSnoop));

  always_comb begin
    progress_d = answered;
    if (recall_begin) begin
      progress_d = '0;
      progress_d.step = StepRecallSnoop;
      progress_d.sharers = victim_sharers;
      progress_d.pending = victim_sharers;
      progress_d.snoop_opcode = victim_unique ? OpSnpUnique : OpSnpMakeInvalid;
      progress_d.resp = RespOk;
    end
    if (recall_write) begin
      progress_d.step = StepRecallWrite;
      progress_d.wait_mem = 1'b1;
    end
    if (start) begin
      progress_d = '0;
      progress_d.step = StepSnoop;
      progress_d.dir = start_dir;
      progress_d.sharers = start_sharers;
      progress_d.pending = snoop ? (start_sharers & ~requester) : '0;
      progress_d.snoop_opcode = row.snoop_opcode;
      progress_d.poison = has_payload(request.opcode) && request.poison;
      progress_d.wait_ack = snoop && is_forward_snoop(row.snoop_opcode);
      progress_d.resp = RespOk;
    end
    if (act) begin
      progress_d.step = StepAnswer;
      progress_d.wait_mem = row.action == ActMemWrite;
      if ((row.action == ActMemRead) || (row.action == ActComp)) progress_d.wait_ack = 1'b1;
    end
  end

  assign close = (start || accepted) && (progress_d.step == StepAnswer)
                 && !progress_d.wait_mem && !progress_d.wait_ack;
  // The others have acknowledged their answer; to these it is still due.
  assign last_comp = close && !is_acknowledged(request.opcode);

  always_ff @(posedge clk_i) begin
    if (start || recall_begin || accepted) progress_q[tracker_q] <= progress_d;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      free_q <= '1;
      started_q <= '0;
    end else begin
      if (take_i) free_q[free_tracker_o] <= 1'b0;
      if (refuse || (close && !last_comp)) free_q[tracker_q] <= 1'b1;
      if (release_valid_i) free_q[release_tracker_i] <= 1'b1;
      if (start || recall_begin) started_q[tracker_q] <= 1'b1;
      if (close) started_q[tracker_q] <= 1'b0;
    end
  end

  // ---------------------------------------------------------------- Orders

  assign order_tracker_o = tracker_q;
  assign order_snp_o = snoop || recall_begin;
  assign snp_order_o = '{
          opcode: progress_d.snoop_opcode,
          recall: recall_begin,
          targets: MaxTargets'(progress_d.pending)
      };
  assign order_mem_o = recall_write
      || (act && ((row.action == ActMemRead) || (row.action == ActMemWrite)));
  assign mem_order_o = '{
          write: recall_write || (row.action == ActMemWrite),
          recall: recall_write,
          whole: recall_write || row.whole,
          poison: progress_d.poison,
          grant: row.grant
      };
  assign order_rsp_o = last_comp || (act && (row.action == ActComp));
  assign rsp_order_o = '{last: last_comp, grant: row.grant, resp: progress_d.resp};

  // ---------------------------------------------------------------- Directory, ways, conflicts

  logic heir_valid;
  logic [TrackerWidth-1:0] heir;
  logic [Ports-1:0] sharers_after;

  assign sharers_after =
      (row.keep_others ? (progress_d.sharers & ~requester) : '0)
      | ((row.keep_requester && !(progress_d.failed && needs_way(
      request.opcode
  ))) ? requester : '0);

  home_directory #(
      .Ports  (Ports),
      .DirSets(DirSets),
      .DirWays(DirWays)
  ) u_directory (
      .clk_i,
      .rst_ni,
      .read_valid_i    (issue_lookup),
      .read_set_i      (issue_set),
      .lookup_valid_i  (starts),
      .lookup_line_i   (line),
      .hit_o           (hit),
      .hit_way_o       (hit_way),
      .hit_unique_o    (hit_unique),
      .hit_sharers_o   (hit_sharers),
      .used_o          (used_ways),
      .victim_way_i    (victim_way),
      .victim_line_o   (victim_line),
      .victim_unique_o (victim_unique),
      .victim_sharers_o(victim_sharers),
      .write_valid_i   (recall_end || (close && has_way_now)),
      .write_set_i     (own_set),
      .write_way_i     (way_now),
      .write_line_i    (line),
      .write_unique_i  (row.unique_owner),
      .write_sharers_i (recall_end ? '0 : sharers_after)
  );

  home_ways #(
      .DirSets (DirSets),
      .DirWays (DirWays),
      .Trackers(Trackers)
  ) u_ways (
      .clk_i,
      .rst_ni,
      .alloc_valid_i  (take_i),
      .alloc_tracker_i(free_tracker_o),
      .alloc_set_i    (take_set),
      .read_tracker_i (issue_tracker),
      .read_set_o     (tracker_set),
      .tracker_i      (tracker_q),
      .own_valid_o    (own_valid),
      .own_way_o      (own_way),
      .own_set_o      (own_set),
      .choose_i       (choose),
      .used_i         (used_ways),
      .free_valid_o   (free_valid),
      .free_way_o     (free_way),
      .victim_valid_o (victim_valid),
      .victim_way_o   (victim_way),
      .lock_i         (lock),
      .lock_way_i     (lock_way),
      .recall_i       (recall_begin),
      .close_i        (close),
      .heir_valid_i   (heir_valid),
      .heir_i         (heir),
      .wait_i         (wait_way && (kind_q != KindRetry)),
      .served_i       (choose && !wait_way && (kind_q == KindRetry)),
      .waiting_o      (waiting),
      .retry_valid_o  (retry_valid),
      .retry_tracker_o(retry_tracker),
      .retry_grant_i  (retry_grant)
  );

  home_conflicts #(
      .Trackers(Trackers)
  ) u_conflicts (
      .clk_i,
      .rst_ni,
      .tracker_i     (tracker_q),
      .line_i        (line),
      .enter_i       (enter),
      .conflict_o    (conflict),
      .recall_begin_i(recall_begin),
      .recall_line_i (victim_line),
      .recall_end_i  (recall_end),
      .close_i       (close),
      .heir_valid_o  (heir_valid),
      .heir_o        (heir),
      .wake_valid_o  (wake_valid),
      .wake_tracker_o(wake_tracker),
      .wake_pop_i    (wake_grant),
      .read_tracker_i(read_tracker_i),
      .read_victim_o (read_victim_o)
  );

  // ---------------------------------------------------------------- Payload of answers

  // verilator lint_off UNUSEDSIGNAL
  req_header_t data_request;  // of which the snoop and the byte enables matter
  progress_t   data_progress;
  // verilator lint_on UNUSEDSIGNAL

  logic data_local, data_started;

  assign answer_data_tracker_o = answer_i.txn[TrackerWidth-1:0];
  assign data_request = request_q[answer_data_tracker_o];
  assign data_progress = progress_q[answer_data_tracker_o];
  assign data_local = is_local_port(
      answer_i.src
  ) && ((port_bit(
      answer_i.src[UnitWidth-1:0]
  ) & data_progress.pending) != '0);
  assign data_started = (answer_i.txn < TxnWidth'(Trackers)) && started_q[answer_data_tracker_o];
  assign answer_data_accept_o = data_started && data_local && answers_snoop(
      answer_i.opcode, data_progress.snoop_opcode
  );

  // Bytes that the waiting WriteUnique writes are newer than the snooped line.
  logic data_merges;
  assign data_merges = (data_request.opcode == OpWriteUnique)
      && (answer_data_index_i == data_request.addr[5:4]);
  assign answer_data_mask_o = data_merges ? ~data_request.be : '1;

  // ---------------------------------------------------------------- Events

  assign event_request_o = enter;
  assign event_recall_o = recall_begin;
  assign event_stale_o = start && (((request.opcode == OpWriteBackFull) && (row.action == ActNone))
                                   || ((request.opcode == OpEvict) && !start_dir.holder));

  always_comb begin
    error_o = '0;
    if (answers && !accepted) begin
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
          src: request.src,
          opcode: request.opcode,
          addr: request.addr
      };
    end
  end

  // ---------------------------------------------------------------- Checks

  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      assert (!take_i || free_valid_o)
      else $error("no tracker to take");
      assert (!enter || !started_q[tracker_q])
      else $error("a request in a started tracker");
      assert (!(starts && (kind_q != KindRequest)) || !started_q[tracker_q])
      else $error("a started tracker woken");
      assert (!hit || !go || !own_valid || (hit_way == own_way))
      else $error("a line moved its way");
      assert (!recall_end || own_valid)
      else $error("a recall without a way");
      assert (!(kind_q == KindRetry && starts) || choose)
      else $error("a retry that needs no way");
      assert (!close || !has_way_now || !row.unique_owner || $onehot0(sharers_after))
      else $error("an owner beside other holders");
      assert (!close || has_way_now || !needs_way(request.opcode))
      else $error("holder not recorded");
    end
  end

endmodule
