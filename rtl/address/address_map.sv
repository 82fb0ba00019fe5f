// Looks a global address up in the regions of the address map.
//
// Purpose: finds the region, the home of the line, the memory node and the address within it.
// Latency: combinational. While `valid_i` is low, `hit_o` is low and the other outputs are zero.
//
// The lowest-numbered region with base <= addr[47:16] <= limit wins. With off = addr - base,
// granules of 2**granule_log2 bytes go round the 2**mem_log2 memories, and each memory packs its
// granules from local_base on. Lines go to 2**n homes, n = home_log2 + home_chips_log2, by an XOR
// fold of the line address: bit k of it counts for bit (k mod n) of the home, so strides of any
// power of two spread. The low home_log2 bits choose the slice, the others the chip.
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

  localparam int unsigned MaxHomesLog2 = 6;

  typedef line_t [MaxHomesLog2-1:0] fold_masks_t;

  // For each residue modulo `step`, the bits of a line address whose number leaves it.
  function automatic fold_masks_t every(int unsigned step);
    fold_masks_t masks;
    masks = '0;
    for (int unsigned k = 0; k < AddrWidth - LineWidth; k++) masks[k%step][k] = 1'b1;
    return masks;
  endfunction

  localparam fold_masks_t Every2 = every(2);
  localparam fold_masks_t Every3 = every(3);
  localparam fold_masks_t Every4 = every(4);
  localparam fold_masks_t Every5 = every(5);
  localparam fold_masks_t Every6 = every(6);

  // Which of the 2**bits homes.
  function automatic logic [MaxHomesLog2-1:0] fold(line_t line, logic [2:0] bits);
    logic [MaxHomesLog2-1:0] result;
    result = '0;
    case (bits)
      3'd0: result[0] = 1'b0;
      3'd1: result[0] = ^line;
      3'd2: for (int unsigned j = 0; j < 2; j++) result[j] = ^(line & Every2[j]);
      3'd3: for (int unsigned j = 0; j < 3; j++) result[j] = ^(line & Every3[j]);
      3'd4: for (int unsigned j = 0; j < 4; j++) result[j] = ^(line & Every4[j]);
      3'd5: for (int unsigned j = 0; j < 5; j++) result[j] = ^(line & Every5[j]);
      default: for (int unsigned j = 0; j < 6; j++) result[j] = ^(line & Every6[j]);
    endcase
    return result;
  endfunction

  // The node of a home: slices of a chip first, then chips.
  function automatic node_id_t home_node(node_id_t first, logic [MaxHomesLog2-1:0] number,
                                         logic [1:0] slices_log2);
    logic [UnitWidth-1:0] slice;
    slice = number[UnitWidth-1:0] & ~({UnitWidth{1'b1}} << slices_log2);
    return {
      first[NodeIdWidth-1:UnitWidth] + chip_id_t'(number >> slices_log2),
      first[UnitWidth-1:0] + slice
    };
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
      home_o = home_node(
        regions_i[index].home_first,
        fold(
          addr_i[AddrWidth-1:LineWidth],
          {1'b0, regions_i[index].home_log2} + {1'b0, regions_i[index].home_chips_log2}
        ),
        regions_i[index].home_log2
      );
      coherent_o = regions_i[index].coherent;
      read_partitions_o = regions_i[index].read_partitions;
      write_partitions_o = regions_i[index].write_partitions;
    end
  end

endmodule
