// Looks a global address up in the regions of the address map.
//
// Purpose: finds the region, the home of the line, the memory node and the address within it.
// Latency: combinational. While `valid_i` is low, `hit_o` is low and the other outputs are zero.
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
    input  logic                   valid_i,
    input  addr_t                  addr_i,
    input  region_t  [Regions-1:0] regions_i,
    output logic                   hit_o,
    output logic                   coherent_o,
    output node_id_t               home_o,
    output node_id_t               memory_o,
    output addr_t                  local_addr_o,
    output logic     [        4:0] granule_log2_o,
    output logic     [       15:0] read_partitions_o,
    output logic     [       15:0] write_partitions_o
);

  localparam int unsigned PageWidth = 16;  // regions begin and end at multiples of 64 KiB
  localparam int unsigned LineWidth = 6;
  localparam int unsigned IndexWidth = (Regions > 1) ? $clog2(Regions) : 1;

  typedef logic [IndexWidth-1:0] index_t;
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

  // Which of the 2**home_log2 homes.
  function automatic node_id_t fold(line_t line, logic [2:0] home_log2);
    node_id_t result;
    result = '0;
    case (home_log2)
      3'd0: result[0] = 1'b0;
      3'd1: result[0] = ^line;
      3'd2: result[1:0] = {^(line & Odd), ^(line & Even)};
      default: result[2:0] = {^(line & Third2), ^(line & Third1), ^(line & Third0)};
    endcase
    return result;
  endfunction

  index_t index;

  always_comb begin
    hit_o = 1'b0;
    index = '0;
    if (valid_i) begin
      for (int r = Regions - 1; r >= 0; r--) begin
        if (regions_i[r].valid && regions_i[r].base <= addr_i[AddrWidth-1:PageWidth] &&
            addr_i[AddrWidth-1:PageWidth] <= regions_i[r].limit) begin
          hit_o = 1'b1;
          index = index_t'(r);
        end
      end
    end
  end

  addr_t offset;  // in the region
  addr_t granule;  // number of the granule in the region
  logic [2:0] way;  // number of the memory

  always_comb begin
    offset = '0;
    granule = '0;
    way = '0;
    coherent_o = 1'b0;
    home_o = '0;
    memory_o = '0;
    local_addr_o = '0;
    granule_log2_o = '0;
    read_partitions_o = '0;
    write_partitions_o = '0;
    if (hit_o) begin
      granule_log2_o = regions_i[index].granule_log2;
      offset = addr_i - {regions_i[index].base, {PageWidth{1'b0}}};
      granule = offset >> granule_log2_o;
      way = granule[2:0] & ~(3'b111 << regions_i[index].mem_log2);
      local_addr_o = {regions_i[index].local_base, {PageWidth{1'b0}}} +
          ((granule >> regions_i[index].mem_log2) << granule_log2_o) +
          (offset & ~({AddrWidth{1'b1}} << granule_log2_o));
      memory_o = regions_i[index].mem_node[way];
      home_o = regions_i[index].home_first +
          fold(addr_i[AddrWidth-1:LineWidth], regions_i[index].home_log2);
      coherent_o = regions_i[index].coherent;
      read_partitions_o = regions_i[index].read_partitions;
      write_partitions_o = regions_i[index].write_partitions;
    end
  end

endmodule
