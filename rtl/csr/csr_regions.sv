// The regions of the address map.
//
// Purpose: software reads and writes a region as 32-bit words, laid out as in supernode_csr.rdl;
//          the switch sees all regions at once, as region_t.
// Latency: a write shows one cycle after its request; rdata_o is valid one cycle after a read.
// Reset:   no region is valid; all partitions have all rights.
// Drops:   writes to regions the switch does not have and where no register is; both read as 0.
module csr_regions
  import supernode_pkg::*;
  import supernode_csr_pkg::*;
#(
    parameter int unsigned Regions = 8  // 1 to 8
) (
    input logic clk_i,
    input logic rst_ni,

    // A request of the register block; wmask_i says which bits a write changes.
    input  logic        req_i,
    input  logic        write_i,
    input  logic [ 2:0] region_i,
    input  logic [ 3:0] word_i,
    input  logic [31:0] wdata_i,
    input  logic [31:0] wmask_i,
    output logic [31:0] rdata_o,

    output region_t [Regions-1:0] regions_o
);

  localparam int unsigned IndexWidth = Regions > 1 ? $clog2(Regions) : 1;
  localparam int unsigned MemNodePairs = 4;

  localparam int unsigned Words = $bits(region_regs_t) / 32;

  typedef logic [Words-1:0][31:0] words_t;

  // A region as software sees it.
  function automatic words_t to_words(region_t region);
    region_regs_t regs;
    regs                      = '0;
    regs.base                 = region.base;
    regs.limit                = region.limit;
    regs.ctrl.valid           = region.valid;
    regs.ctrl.coherent        = region.coherent;
    regs.ctrl.mem_log2        = region.mem_log2;
    regs.ctrl.granule_log2    = region.granule_log2;
    regs.ctrl.home_log2       = region.home_log2;
    regs.ctrl.home_chips_log2 = region.home_chips_log2;
    regs.local_base           = region.local_base;
    for (int unsigned i = 0; i < MemNodePairs; i++) begin
      regs.mem_node[i].even = region.mem_node[2*i];
      regs.mem_node[i].odd  = region.mem_node[2*i+1];
    end
    regs.rights.read  = region.read_partitions;
    regs.rights.write = region.write_partitions;
    regs.home.first   = region.home_first;
    return words_t'(regs);
  endfunction

  // The reverse.
  function automatic region_t from_words(words_t words);
    region_regs_t regs;
    region_t region;
    regs                   = region_regs_t'(words);
    region.base            = regs.base;
    region.limit           = regs.limit;
    region.valid           = regs.ctrl.valid;
    region.coherent        = regs.ctrl.coherent;
    region.mem_log2        = regs.ctrl.mem_log2;
    region.granule_log2    = regs.ctrl.granule_log2;
    region.home_log2       = regs.ctrl.home_log2;
    region.home_chips_log2 = regs.ctrl.home_chips_log2;
    region.local_base      = regs.local_base;
    for (int unsigned i = 0; i < MemNodePairs; i++) begin
      region.mem_node[2*i]   = regs.mem_node[i].even;
      region.mem_node[2*i+1] = regs.mem_node[i].odd;
    end
    region.read_partitions  = regs.rights.read;
    region.write_partitions = regs.rights.write;
    region.home_first       = regs.home.first;
    return region;
  endfunction

  // A region after software has written the masked bits of one word.
  function automatic region_t written(region_t region, logic [3:0] word, logic [31:0] data,
                                      logic [31:0] mask);
    words_t words;
    words       = to_words(region);
    words[word] = (words[word] & ~mask) | (data & mask);
    return from_words(words);
  endfunction

  function automatic logic [31:0] word_of(region_t region, logic [3:0] word);
    words_t words;
    words = to_words(region);
    return words[word];
  endfunction

  region_t [Regions-1:0] regions_q;
  logic [IndexWidth-1:0] index;
  logic [31:0] rdata_q;
  logic exists;

  assign index  = region_i[IndexWidth-1:0];
  assign exists = 32'(region_i) < Regions && 32'(word_i) < Words;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      regions_q <= {Regions{from_words(RegionReset)}};
    end else if (req_i && write_i && exists) begin
      regions_q[index] <= written(regions_q[index], word_i, wdata_i, wmask_i);
    end
  end

  always_ff @(posedge clk_i) begin
    if (req_i) begin
      rdata_q <= exists ? word_of(regions_q[index], word_i) : '0;
    end
  end

  assign rdata_o   = rdata_q;
  assign regions_o = regions_q;

endmodule
