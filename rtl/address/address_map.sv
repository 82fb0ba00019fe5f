// Looks a global address up in the regions of the address map.
//
// Purpose: finds the region, the home of the line, the memory node and the address within it.
// Latency: combinational. `map_o` is all zero while `valid_i` is low.
//
// The lowest-numbered region with base <= addr[47:16] <= limit wins. With off = addr - base,
// granules of 2**granule_log2 bytes go round the 2**mem_log2 memories, and each memory packs its
// granules from local_base on. Lines go to 2**home_log2 homes by an XOR fold of the line address:
// bit k of it counts for bit (k mod home_log2) of the home, so strides of any power of two spread.
module address_map
  import flit_pkg::*;
  import supernode_pkg::*;
#(
    parameter int unsigned Regions = 8
) (
    input  logic                  valid_i,
    input  addr_t                 addr_i,
    input  region_t [Regions-1:0] regions_i,
    output map_t                  map_o
);

  localparam int unsigned PageWidth = 16;  // regions begin and end at multiples of 64 KiB
  localparam int unsigned LineWidth = 6;
  localparam int unsigned RegionIndexWidth = (Regions > 1) ? $clog2(Regions) : 1;

  typedef logic [AddrWidth-LineWidth-1:0] line_t;

  // The bits of a line address whose number is `phase` modulo `step`.
  function automatic line_t every(int unsigned step, int unsigned phase);
    line_t mask;
    mask = '0;
    for (int unsigned k = phase; k < AddrWidth - LineWidth; k += step) mask[k] = 1'b1;
    return mask;
  endfunction

  localparam line_t Even = every(2, 0);
  localparam line_t Odd = every(2, 1);
  localparam line_t Third0 = every(3, 0);
  localparam line_t Third1 = every(3, 1);
  localparam line_t Third2 = every(3, 2);

  function automatic logic [2:0] fold(line_t line, logic [2:0] bits);
    unique case (bits)
      3'd0:    return 3'b0;
      3'd1:    return {2'b0, ^line};
      3'd2:    return {1'b0, ^(line & Odd), ^(line & Even)};
      default: return {^(line & Third2), ^(line & Third1), ^(line & Third0)};
    endcase
  endfunction

  logic hit;
  logic [RegionIndexWidth-1:0] index;

  always_comb begin
    hit   = 1'b0;
    index = '0;
    if (valid_i) begin
      for (int unsigned r = 0; r < Regions; r++) begin
        if (!hit && regions_i[r].valid && regions_i[r].base <= addr_i[AddrWidth-1:PageWidth] &&
            addr_i[AddrWidth-1:PageWidth] <= regions_i[r].limit) begin
          hit   = 1'b1;
          index = RegionIndexWidth'(r);
        end
      end
    end
  end

  always_comb begin
    // verilator lint_off UNUSEDSIGNAL
    region_t region;  // limits are compared above
    // verilator lint_on UNUSEDSIGNAL
    addr_t offset, granule, low_mask;
    logic [2:0] memory;
    region = '0;
    offset = '0;
    granule = '0;
    low_mask = '0;
    memory = '0;
    map_o = '0;
    if (hit) begin
      region = regions_i[index];
      offset = addr_i - {region.base, {PageWidth{1'b0}}};
      granule = offset >> region.granule_log2;
      low_mask = (addr_t'(1) << region.granule_log2) - 1'b1;
      memory = granule[2:0] & ~(3'b111 << region.mem_log2);
      map_o.hit = 1'b1;
      map_o.coherent = region.coherent;
      map_o.home = region.home_first +
          NodeIdWidth'(fold(addr_i[AddrWidth-1:LineWidth], region.home_log2));
      map_o.memory = region.mem_node[memory];
      map_o.local_addr = {region.local_base, {PageWidth{1'b0}}} +
          (((granule >> region.mem_log2) << region.granule_log2) | (offset & low_mask));
      map_o.granule_log2 = region.granule_log2;
      map_o.read_partitions = region.read_partitions;
      map_o.write_partitions = region.write_partitions;
    end
  end

endmodule
