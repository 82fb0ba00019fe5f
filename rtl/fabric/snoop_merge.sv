// Merges the answers of this chip's nodes to a snoop of another chip's home into one.
//
// Purpose: a snoop of several nodes that only takes their copies away comes from another chip as one
// word, and is noted here as it comes in. The SnpResp of its nodes are taken at their ports, all
// ports in the same cycle, but for the last: that one goes to the home in the name of the chip
// (`speaks_o`, UnitChip), and says so for every node that was snooped. Such a snoop has no other
// answers: what else a node says goes on to the home, which finds fault with it.
// Latency: combinational from `words_i`, which are registers of ingress_check.
// Reset: no snoop is noted.
//
// A snoop is noted if an entry is free and no lower port brings one in the same cycle; otherwise its
// answers go to the home one by one, which is slower and no less right. At most one entry is of one
// home and transaction: a new snoop of theirs ends the old one, which the home has given up.
// A node that is silent leaves its entry behind. Nothing having happened to it for 2**timeout_log2_i
// to 2 * 2**timeout_log2_i cycles, the entry is free again; the home, which waits as long, makes up
// the answer of the chip. 0: never.
module snoop_merge
  import flit_pkg::*;
  import supernode_pkg::*;
  import fabric_pkg::*;
#(
    parameter int unsigned Ports   = 8,
    parameter int unsigned Entries = 8   // at least 2
) (
    input logic clk_i,
    input logic rst_ni,
    input chip_id_t chip_i,
    input logic [Ports-1:0] fabric_ports_i,  // another chip is there, no node
    input logic [4:0] timeout_log2_i,
    input checked_word_t words_i[Ports],
    output logic [Ports-1:0] taken_o,  // the word goes no further
    output logic [Ports-1:0] speaks_o  // it goes on in the name of this chip
);

  localparam int unsigned EntryWidth = $clog2(Entries);

  typedef logic [Ports-1:0] ports_t;
  typedef logic [Entries-1:0] entries_t;
  typedef logic [EntryWidth-1:0] entry_t;

  // Which snoop an entry is of, and an answer is to.
  typedef struct packed {
    node_id_t home;
    logic [TxnWidth-1:0] txn;
  } snoop_t;

  snoop_t snoop_q[Entries];
  ports_t [Entries-1:0] owed_q;  // who has yet to answer; nobody: the entry is free
  entries_t busy_q;

  // ---------------------------------------------------------------- What comes in

  // Not all fields of headers matter.
  // verilator lint_off UNUSEDSIGNAL
  snp_header_t snoop;
  rsp_header_t answer;
  // verilator lint_on UNUSEDSIGNAL
  ports_t targets, note_targets;
  logic note;  // an entry is wanted
  snoop_t came, note_snoop;
  entries_t ended;  // a new snoop of the same home and transaction has come
  ports_t [Entries-1:0] answered;

  always_comb begin
    snoop = '0;
    answer = '0;
    came = '0;
    targets = '0;
    note = 1'b0;
    note_targets = '0;
    note_snoop = '0;
    ended = '0;
    answered = '0;
    for (int unsigned p = 0; p < Ports; p++) begin
      if (words_i[p].valid && !words_i[p].drop && fabric_ports_i[p]
          && words_i[p].cls == ClassSnp) begin
        snoop = words_i[p].flit;
        came  = '{home: snoop.src, txn: snoop.txn};
        if (snoop.dst[NodeIdWidth-1:UnitWidth] == chip_i) begin
          for (int unsigned e = 0; e < Entries; e++) ended[e] |= snoop_q[e] == came;
          targets = Ports'(snoop.targets) & ~fabric_ports_i;
          if (!note && snoop.opcode == OpSnpMakeInvalid && (targets & (targets - 1'b1)) != '0) begin
            note = 1'b1;
            note_targets = targets;
            note_snoop = came;
          end
        end
      end
      if (busy_q != '0 && words_i[p].valid && !words_i[p].drop && !fabric_ports_i[p]
          && words_i[p].cls == ClassRsp) begin
        answer = words_i[p].flit;
        came   = '{home: answer.dst, txn: answer.txn};
        if (answer.opcode == OpSnpResp) begin
          for (int unsigned e = 0; e < Entries; e++) begin
            answered[e][p] = owed_q[e][p] && snoop_q[e] == came;
          end
        end
      end
    end
  end

  // ---------------------------------------------------------------- Answers

  always_comb begin
    taken_o  = '0;
    speaks_o = '0;
    for (int unsigned e = 0; e < Entries; e++) begin
      if (answered[e] != '0) begin
        taken_o |= answered[e];
        // The lowest of those that came last.
        if (answered[e] == owed_q[e]) speaks_o |= answered[e] & ~(answered[e] - 1'b1);
      end
    end
    taken_o &= ~speaks_o;
  end

  // ---------------------------------------------------------------- Entries

  logic   free;
  entry_t free_entry;

  assign free = busy_q != '1;

  always_comb begin
    free_entry = '0;
    for (int unsigned e = Entries; e > 0; e--) if (!busy_q[e-1]) free_entry = entry_t'(e - 1);
  end

  logic tick;
  entries_t old_q;  // nothing has happened to it since the last tick

  interval_tick u_tick (
      .clk_i,
      .rst_ni,
      .log2_i(timeout_log2_i),
      .tick_o(tick)
  );

  always_ff @(posedge clk_i) begin
    if (note && free) snoop_q[free_entry] <= note_snoop;
  end

  ports_t [Entries-1:0] owed_d;

  always_comb begin
    owed_d = owed_q & ~answered;
    for (int unsigned e = 0; e < Entries; e++) begin
      if (ended[e] || (tick && old_q[e] && answered[e] == '0)) owed_d[e] = '0;
    end
    if (note && free) owed_d[free_entry] = note_targets;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      owed_q <= '0;
      busy_q <= '0;
      old_q  <= '0;
    end else if (tick || note || (ended | busy_q) != '0) begin
      owed_q <= owed_d;
      for (int unsigned e = 0; e < Entries; e++) begin
        busy_q[e] <= owed_d[e] != '0;
        if (tick) old_q[e] <= busy_q[e];
        if (answered[e] != '0) old_q[e] <= 1'b0;
      end
      if (note && free) old_q[free_entry] <= 1'b0;
    end
  end

endmodule
