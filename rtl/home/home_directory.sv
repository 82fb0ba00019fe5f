// Directory of a home slice: full map, set associative.
//
// An entry is {unique, sharers, tag}; a way without sharers is free, and a line without a way is
// held by no one (I). With `unique` the one sharer is the owner.
//
// Reading: the set is given with read_valid_i; in the next cycle, against line_i, the matching way,
// the free ways and the entry of one chosen way are shown. A write in the reading cycle is seen.
//
// Reset: a set counts as empty until its first write after reset (one bit a set), so the directory
// is ready at once.
module home_directory
  import home_pkg::*;
#(
    parameter int unsigned Ports = 8,
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
    // In the cycle after: the line in it
    input  logic                      lookup_valid_i,
    input  line_addr_t                lookup_line_i,
    output logic                      hit_o,
    output logic       [WayWidth-1:0] hit_way_o,
    output logic                      hit_unique_o,
    output logic       [   Ports-1:0] hit_sharers_o,     // none without a hit
    output logic       [ DirWays-1:0] used_o,            // ways that hold a line
    // and the line in one of its ways
    input  logic       [WayWidth-1:0] victim_way_i,
    output line_addr_t                victim_line_o,
    output logic                      victim_unique_o,
    output logic       [   Ports-1:0] victim_sharers_o,
    // Write an entry
    input  logic                      write_valid_i,
    input  logic       [SetWidth-1:0] write_set_i,
    input  logic       [WayWidth-1:0] write_way_i,
    input  line_addr_t                write_line_i,
    input  logic                      write_unique_i,
    input  logic       [   Ports-1:0] write_sharers_i
);

  localparam int unsigned TagWidth = LineAddrWidth - SetWidth;

  typedef logic [TagWidth-1:0] tag_t;

  typedef struct packed {
    logic             unique_owner;
    logic [Ports-1:0] sharers;
    tag_t             tag;
  } entry_t;

  entry_t [DirWays-1:0] memory_q[DirSets];
  logic [DirSets-1:0] initialised_q;

  // ---------------------------------------------------------------- Read and write

  entry_t write_entry;
  assign write_entry = '{
          unique_owner: write_unique_i,
          sharers: write_sharers_i,
          tag: tag_t'(write_line_i >> SetWidth)
      };

  always_ff @(posedge clk_i) begin
    if (write_valid_i) begin
      if (!initialised_q[write_set_i]) memory_q[write_set_i] <= '0;
      memory_q[write_set_i][write_way_i] <= write_entry;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) initialised_q <= '0;
    else if (write_valid_i) initialised_q[write_set_i] <= 1'b1;
  end

  entry_t [ DirWays-1:0] ways_q;  // the set read
  logic   [SetWidth-1:0] set_q;

  always_ff @(posedge clk_i) begin
    if (read_valid_i) begin
      set_q  <= read_set_i;
      ways_q <= initialised_q[read_set_i] ? memory_q[read_set_i] : '0;
      if (write_valid_i && (write_set_i == read_set_i)) ways_q[write_way_i] <= write_entry;
    end
  end

  // ---------------------------------------------------------------- Lookup

  logic [DirWays-1:0] match;
  tag_t lookup_tag;

  assign lookup_tag = tag_t'(lookup_line_i >> SetWidth);

  always_comb begin
    match = '0;
    used_o = '0;
    hit_way_o = '0;
    if (lookup_valid_i) begin
      for (int unsigned w = 0; w < DirWays; w++) begin
        used_o[w] = ways_q[w].sharers != '0;
        match[w]  = used_o[w] && (ways_q[w].tag == lookup_tag);
        if (match[w]) hit_way_o = WayWidth'(w);
      end
    end
  end

  assign hit_o = match != '0;
  assign hit_unique_o = hit_o && ways_q[hit_way_o].unique_owner;
  assign hit_sharers_o = hit_o ? ways_q[hit_way_o].sharers : '0;

  // The low address bits of a line are its set, less what the tag contributed to the hash.
  logic [SetWidth-1:0] victim_tag_hash;

  home_set_hash #(
      .SetBits(SetWidth)
  ) u_victim_hash (
      .line_i({ways_q[victim_way_i].tag, SetWidth'(0)}),
      .set_o (victim_tag_hash)
  );

  assign victim_line_o = {ways_q[victim_way_i].tag, set_q ^ victim_tag_hash};
  assign victim_unique_o = ways_q[victim_way_i].unique_owner;
  assign victim_sharers_o = ways_q[victim_way_i].sharers;

  // ---------------------------------------------------------------- Checks

  always_ff @(posedge clk_i) begin
    if (rst_ni && lookup_valid_i) begin
      assert ($onehot0(match))
      else $error("a line in two ways of the directory");
      assert (!hit_unique_o || $onehot(hit_sharers_o))
      else $error("an owner beside other holders");
    end
  end

endmodule
