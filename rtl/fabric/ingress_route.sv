// Last stage of a crossbar port's way in: says where each word goes.
//
// Purpose: looks the address of a REQ or MEM header up, checks the region's kind and the sender's
// rights, and fills in the destination, and the memory's own address where the word goes to a
// memory. Headers of the other classes go where they say. Payload follows its header.
// Latency: combinational from `word_i`, which is a register of the sender or of ingress_check.
// Reset: no packet is open.
//
// A REQ that the address map refuses becomes a Comp with the reason, back to its own port. It
// waits in the RSP queue but keeps the REQ credit that its header was sent with. The Comp names
// the requester itself as its sender and home: no home knows of it, so it wants no CompAck.
// Dropped and logged, the credits returned at once: the payload of such a REQ; an access larger
// than the granule of its region; a packet to a destination that this chip does not have; a MEM
// that no region holds. Nothing stalls.
module ingress_route
  import flit_pkg::*;
  import supernode_pkg::*;
  import fabric_pkg::*;
#(
    parameter  int unsigned Ports      = 8,
    parameter  int unsigned HomeSlices = 2,
    parameter  int unsigned Regions    = 8,
    localparam int unsigned IndexWidth = $clog2(Ports + HomeSlices)
) (
    input  logic                           clk_i,
    input  logic                           rst_ni,
    input  node_id_t                       node_id_i,
    input  logic          [IndexWidth-1:0] own_output_i,    // leads back to this port
    input  logic          [          15:0] partitions_i,
    input  region_t       [   Regions-1:0] regions_i,
    input  checked_word_t                  word_i,
    output logic                           write_o,
    output class_e                         write_class_o,
    output logic          [IndexWidth-1:0] write_output_o,
    output slot_t                          write_slot_o,
    output logic                           drop_o,
    output class_e                         drop_class_o,
    output error_event_t                   error_o
);

  typedef logic [IndexWidth-1:0] index_t;

  typedef struct packed {
    logic   exists;
    index_t index;
  } output_t;

  // The crossbar output that leads to a node.
  function automatic output_t output_of(node_id_t node, logic [ChipWidth-1:0] chip);
    output_t result;
    logic [UnitWidth-1:0] unit;
    unit   = node[UnitWidth-1:0];
    result = '0;
    if (node[NodeIdWidth-1:UnitWidth] == chip) begin
      if (unit < UnitWidth'(Ports)) begin
        result.exists = 1'b1;
        result.index  = index_t'(unit);
      end else if (unit >= UnitWidth'(UnitHome0) && unit < UnitWidth'(UnitHome0 + HomeSlices)) begin
        result.exists = 1'b1;
        result.index  = index_t'(unit - UnitWidth'(UnitHome0) + UnitWidth'(Ports));
      end
    end
    return result;
  endfunction

  function automatic logic needs_write(opcode_e opcode);
    return opcode inside {OpReadUnique, OpCleanUnique, OpMakeUnique, OpWriteUnique, OpWriteNoSnp};
  endfunction

  function automatic logic is_coherent(opcode_e opcode);
    return !(opcode inside {OpReadNoSnp, OpWriteNoSnp});
  endfunction

  class_e cls;
  req_header_t header;
  logic arrives, mapped;
  output_t dst;
  logic hit, coherent;
  node_id_t home, memory;
  addr_t local_addr;
  logic [4:0] granule_log2;
  logic [15:0] read_partitions, write_partitions;

  assign cls = word_i.cls;
  assign header = word_i.flit;
  assign arrives = word_i.valid && !word_i.drop;
  assign mapped = arrives && word_i.head && (cls == ClassReq || cls == ClassMem);

  address_map #(
      .Regions(Regions)
  ) u_address_map (
      .valid_i           (mapped),
      .addr_i            (header.addr),
      .regions_i,
      .hit_o             (hit),
      .coherent_o        (coherent),
      .home_o            (home),
      .memory_o          (memory),
      .local_addr_o      (local_addr),
      .granule_log2_o    (granule_log2),
      .read_partitions_o (read_partitions),
      .write_partitions_o(write_partitions)
  );

  // The packet whose payload is under way in each class.
  logic discard_q[NumClasses];
  index_t output_q[NumClasses];

  error_cause_e cause;
  resp_e resp;
  logic discard;
  node_id_t dst_node;

  // Where a header goes, or why it does not.
  always_comb begin
    cause = ErrNone;
    dst = '0;
    dst_node = '0;
    if (arrives && word_i.head) begin
      dst_node = header.dst;
      if (mapped) dst_node = (cls == ClassReq && coherent) ? home : memory;
      dst = output_of(dst_node, node_id_i[NodeIdWidth-1:UnitWidth]);
      if (mapped && !hit) begin
        cause = ErrUnmapped;
      end else if (cls == ClassReq && (partitions_i & (needs_write(
              header.opcode
          ) ? write_partitions : read_partitions)) == '0) begin
        cause = ErrNoRight;
      end else if (cls == ClassReq && coherent != is_coherent(header.opcode)) begin
        cause = ErrWrongRegion;
      end else if (mapped && {1'b0, header.size} > granule_log2) begin
        cause = ErrBadSize;
      end else if (!dst.exists) begin
        cause = ErrUnknownDst;
      end
    end
  end

  // What the sender of a refused REQ is told; RespOk: nothing.
  always_comb begin
    resp = RespOk;
    if (cls == ClassReq) begin
      unique case (cause)
        ErrUnmapped, ErrUnknownDst: resp = RespUnmapped;
        ErrNoRight:                 resp = RespNoRight;
        ErrWrongRegion:             resp = RespWrongRegion;
        default:                    resp = RespOk;
      endcase
    end
  end

  always_comb begin
    rsp_header_t refusal;
    req_header_t request;
    refusal = '0;
    request = header;
    write_o = 1'b0;
    write_class_o = cls;
    write_output_o = dst.index;
    write_slot_o.head = word_i.head;
    write_slot_o.tail = word_i.tail;
    write_slot_o.fill = word_i.fill;
    write_slot_o.credit_class = cls;
    write_slot_o.flit = word_i.flit;
    discard = 1'b0;
    if (arrives && !word_i.head) begin
      discard = discard_q[cls];
      write_o = !discard;
      write_output_o = output_q[cls];
    end else if (arrives && resp != RespOk) begin
      refusal.opcode = OpComp;
      refusal.qos = header.qos;
      refusal.src = node_id_i;
      refusal.dst = node_id_i;
      refusal.txn = header.txn;
      refusal.addr = header.addr;
      refusal.resp = resp;
      refusal.home_node = node_id_i;
      write_o = 1'b1;
      write_class_o = ClassRsp;
      write_output_o = own_output_i;
      write_slot_o.tail = 1'b1;
      write_slot_o.flit = refusal;
      discard = 1'b1;
    end else if (arrives) begin
      discard = cause != ErrNone;
      write_o = !discard;
      request.dst = dst_node;
      if (mapped && !(cls == ClassReq && coherent)) request.addr = local_addr;
      // The home grants no more than this.
      if (cls == ClassReq && coherent) begin
        request.state = ((partitions_i & write_partitions) != '0) ? StateUD : StateSC;
      end
      write_slot_o.flit = request;
    end
  end

  assign drop_o = word_i.valid && !write_o;
  assign drop_class_o = cls;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      for (int unsigned c = 0; c < NumClasses; c++) discard_q[c] <= 1'b0;
    end else if (arrives && word_i.head) begin
      discard_q[cls] <= discard;
      output_q[cls]  <= dst.index;
    end
  end

  // Of a word without header, the log knows only the port it came in at.
  always_ff @(posedge clk_i) begin
    error_o.valid <= 1'b0;
    if (rst_ni && (cause != ErrNone || word_i.cause != ErrNone)) begin
      error_o.valid <= 1'b1;
      error_o.cause <= (word_i.cause != ErrNone) ? word_i.cause : cause;
      error_o.src <= node_id_i;
      error_o.opcode <= word_i.head ? header.opcode : '0;
      error_o.addr <= word_i.head ? header.addr : '0;
    end
  end

endmodule
