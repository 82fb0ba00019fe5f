// Directory of a home slice: full map, set associative.
//
// An entry is {unique, sharers, tag}; a way without sharers is free, and a line without a way is
// held by no one (I). With `unique` the one sharer is the owner.
//
// Reading: the set given with read_valid_i is held from the next cycle until the next read. A lookup
// compares a line with the held set; its results, with the line in one chosen way, are there from
// the next cycle on.
//
// Writing: one cycle after it was given a write is in the memory and in the held set. Until then
// busy_o says that the held set is about to change; who looks up waits for that.
//
// Reset: a set counts as empty until its first write after reset (one bit a set), so the directory
// is ready at once.
module home_directory
  import home_pkg::*;
#(
    parameter int unsigned Nodes = 8,
    parameter int unsigned DirSets = 64,  // power of two, at least 2
    parameter int unsigned DirWays = 8,  // at least 2
    localparam int unsigned SetWidth = $clog2(DirSets),
    localparam int unsigned WayWidth = $clog2(DirWays)
) (
    input  logic                      clk_i,
    input  logic                      rst_ni,
    // Read a set
    input  logic                      read_valid_i,
    input  logic       [SetWidth-1:0] read_set_i,
    // Look up in the held set
    output logic                      busy_o,
    output logic       [ DirWays-1:0] used_o,            // ways that hold a line
    input  logic                      lookup_valid_i,    // a line waits for it
    input  logic                      lookup_i,          // now
    input  line_addr_t                lookup_line_i,
    input  logic       [WayWidth-1:0] victim_way_i,
    // Results
    output logic                      hit_o,
    output logic       [WayWidth-1:0] hit_way_o,
    output logic                      hit_unique_o,
    output logic       [   Nodes-1:0] hit_sharers_o,     // none without a hit
    output line_addr_t                victim_line_o,
    output logic                      victim_unique_o,
    output logic       [   Nodes-1:0] victim_sharers_o,
    // Write an entry
    input  logic                      write_valid_i,
    input  logic       [SetWidth-1:0] write_set_i,
    input  logic       [WayWidth-1:0] write_way_i,
    input  line_addr_t                write_line_i,
    input  logic                      write_unique_i,
    input  logic       [   Nodes-1:0] write_sharers_i
);

  localparam int unsigned TagWidth = LineAddrWidth - SetWidth;

  typedef logic [TagWidth-1:0] tag_t;

  typedef struct packed {
    logic             unique_owner;
    logic [Nodes-1:0] sharers;
    tag_t             tag;
  } entry_t;

  entry_t [DirWays-1:0] memory_q[DirSets];
  logic [DirSets-1:0] initialised_q;

  // ---------------------------------------------------------------- Read and write

  typedef struct packed {
    logic [SetWidth-1:0] index;  // of the set
    logic [WayWidth-1:0] way;
    entry_t              entry;
  } write_t;

  logic   write_valid_q;
  write_t write_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) write_valid_q <= 1'b0;
    else write_valid_q <= write_valid_i;
  end

  always_ff @(posedge clk_i) begin
    if (write_valid_i) begin
      write_q.index <= write_set_i;
      write_q.way <= write_way_i;
      write_q.entry <= '{
          unique_owner: write_unique_i,
          sharers: write_sharers_i,
          tag: tag_t'(write_line_i >> SetWidth)
      };
    end
  end

  always_ff @(posedge clk_i) begin
    if (write_valid_q) begin
      if (!initialised_q[write_q.index]) memory_q[write_q.index] <= '0;
      memory_q[write_q.index][write_q.way] <= write_q.entry;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) initialised_q <= '0;
    else if (write_valid_q) initialised_q[write_q.index] <= 1'b1;
  end

  entry_t [ DirWays-1:0] ways_q;  // the set read
  logic   [SetWidth-1:0] set_q;

  always_ff @(posedge clk_i) begin
    if (read_valid_i) begin
      set_q  <= read_set_i;
      ways_q <= initialised_q[read_set_i] ? memory_q[read_set_i] : '0;
    end
    if (write_valid_q && (write_q.index == (read_valid_i ? read_set_i : set_q))) begin
      ways_q[write_q.way] <= write_q.entry;
    end
  end

  assign busy_o = write_valid_q && (write_q.index == set_q);

  // ---------------------------------------------------------------- Lookup

  logic [DirWays-1:0] match;
  entry_t hit_entry, victim_q;
  logic [WayWidth-1:0] hit_way;
  logic [SetWidth-1:0] victim_set_q;
  logic shown_q;  // results of a lookup

  always_ff @(posedge clk_i) begin
    if (!rst_ni) shown_q <= 1'b0;
    else shown_q <= lookup_i;
  end

  always_comb begin
    used_o = '0;
    if (lookup_valid_i) begin
      for (int unsigned w = 0; w < DirWays; w++) used_o[w] = ways_q[w].sharers != '0;
    end
  end

  always_comb begin
    match = '0;
    hit_way = '0;
    hit_entry = '0;
    if (lookup_valid_i) begin
      for (int unsigned w = 0; w < DirWays; w++) begin
        match[w] = used_o[w] && (ways_q[w].tag == tag_t'(lookup_line_i >> SetWidth));
        if (match[w]) begin
          hit_way |= WayWidth'(w);
          hit_entry |= ways_q[w];
        end
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (lookup_i) begin
      hit_o <= match != '0;
      hit_way_o <= hit_way;
      hit_unique_o <= hit_entry.unique_owner;
      hit_sharers_o <= hit_entry.sharers;
      victim_q <= ways_q[victim_way_i];
      victim_set_q <= set_q;
    end
  end

  // The low address bits of a line are its set, less what the tag contributed to the hash.
  logic [SetWidth-1:0] victim_tag_hash;

  home_set_hash #(
      .SetBits(SetWidth)
  ) u_victim_hash (
      .enable_i(shown_q),
      .line_i({victim_q.tag, SetWidth'(0)}),
      .set_o(victim_tag_hash)
  );

  assign victim_line_o = {victim_q.tag, victim_set_q ^ victim_tag_hash};
  assign victim_unique_o = victim_q.unique_owner;
  assign victim_sharers_o = victim_q.sharers;

  // ---------------------------------------------------------------- Checks

  always_ff @(posedge clk_i) begin
    if (rst_ni && lookup_i) begin
      assert ($onehot0(match))
      else $error("a line in two ways of the directory");
      assert (!hit_entry.unique_owner || $onehot(hit_entry.sharers))
      else $error("an owner beside other holders");
    end
  end

endmodule
