// Last stage of a crossbar port's way in: says where each word goes.
//
// Purpose: of a packet from a node or a home, looks the address of a REQ or MEM header up, checks
// the region's kind and the sender's rights, and fills in the destination, and the memory's own
// address where the word goes to a memory. Headers of the other classes, and all that come from
// another chip, go where they say: to a port or home of this chip; a SNP to all its target ports;
// to another chip by the port that the route of that chip names. Payload follows its header.
// Latency: combinational from `word_i`, which is a register of the sender or of ingress_check.
// Reset: no packet is open.
//
// A REQ that cannot go on becomes a Comp with the reason, back out of the port it came in at. It
// waits in the RSP queue but keeps the REQ credit that its header was sent with. The Comp names
// this port as its sender and home: no home knows of it, so it wants no CompAck.
// A word that is taken elsewhere (taken_i) goes no further, and its credit returns at once.
// Dropped and logged, the credits returned at once: the payload of such a REQ; an access larger
// than the granule of its region; another packet to a destination that this chip does not have and
// has no route to; a MEM that no region holds. Nothing stalls.
module ingress_route
  import flit_pkg::*;
  import supernode_pkg::*;
  import fabric_pkg::*;
#(
    parameter  int unsigned Ports      = 8,
    parameter  int unsigned HomeSlices = 2,
    parameter  int unsigned Regions    = 8,
    parameter  int unsigned Chips      = 1,
    localparam int unsigned Size       = Ports + HomeSlices,
    localparam int unsigned IndexWidth = $clog2(Size)
) (
    input logic clk_i,
    input logic rst_ni,
    input node_id_t node_id_i,
    input logic [IndexWidth-1:0] own_output_i,  // leads back to this port
    input logic fabric_i,  // another chip is on this port
    input logic [Ports-1:0] node_ports_i,  // ports with a node
    input logic [Ports-1:0] exits_i,  // to other chips, open to this port
    input logic [Ports-1:0] dead_ports_i,  // the link is down
    input logic [15:0] partitions_i,
    input region_t [Regions-1:0] regions_i,
    input route_t [Chips-1:0] routes_i,
    input checked_word_t word_i,
    input logic taken_i,  // it goes no further, see port_answers and snoop_merge
    input logic speaks_i,  // an answer that goes on in the name of this chip
    output logic write_o,
    output class_e write_class_o,
    output logic [Size-1:0] write_outputs_o,  // one, but for a SNP to several targets
    output slot_t write_slot_o,
    output logic [NumClasses-1:0] drop_o,  // classes of the credits of what goes no further
    output node_id_t memory_o,  // of the address of a REQ or MEM header
    output error_event_t error_o
);

  localparam int unsigned ChipIndexWidth = (Chips > 1) ? $clog2(Chips) : 1;

  typedef logic [Size-1:0] outputs_t;

  // The crossbar outputs that lead to a node of this chip; none if it is not there.
  function automatic outputs_t outputs_here(logic [UnitWidth-1:0] unit, logic [Ports-1:0] nodes);
    outputs_t result;
    result = '0;
    for (int unsigned p = 0; p < Ports; p++) result[p] = (unit == UnitWidth'(p)) && nodes[p];
    for (int unsigned h = 0; h < HomeSlices; h++) begin
      result[Ports+h] = unit == UnitWidth'(UnitHome0 + h);
    end
    return result;
  endfunction

  // The crossbar output that leads to another chip; none if there is no way.
  function automatic outputs_t outputs_away(route_t route, path_t path, logic [Ports-1:0] exits);
    outputs_t result;
    result = '0;
    for (int unsigned p = 0; p < Ports; p++) result[p] = exits[p] && (route[path] == 4'(p));
    return result;
  endfunction

  function automatic logic is_coherent(opcode_e opcode);
    return !(opcode inside {OpReadNoSnp, OpWriteNoSnp});
  endfunction

  class_e cls;
  req_header_t header;
  logic arrives, mapped, foreign;
  chip_id_t dst_chip;
  outputs_t outputs;
  logic hit, coherent;
  node_id_t home, memory;

  assign memory_o = memory;

  addr_t local_addr;
  logic [4:0] granule_log2;
  logic [15:0] read_partitions, write_partitions;

  assign cls = word_i.cls;
  assign header = word_i.flit;
  assign arrives = word_i.valid && !word_i.drop && !taken_i;
  assign mapped = arrives && word_i.head && (cls == ClassReq || cls == ClassMem) && !fabric_i;

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
  logic [NumClasses-1:0] discard_q;
  outputs_t [NumClasses-1:0] outputs_q;

  error_cause_e cause;
  resp_e resp;
  logic discard;
  logic may_read, may_write, allowed;
  node_id_t dst_node;

  // The ports that a SNP is for.
  // verilator lint_off UNUSEDSIGNAL
  function automatic logic [MaxPorts-1:0] targets_of(snp_header_t snoop);
    return snoop.targets;
  endfunction
  // verilator lint_on UNUSEDSIGNAL

  // Where a header goes, or why it does not.
  always_comb begin
    cause = ErrNone;
    outputs = '0;
    dst_node = '0;
    dst_chip = '0;
    foreign = 1'b0;
    may_read = (partitions_i & read_partitions) != '0;
    may_write = (partitions_i & write_partitions) != '0;
    allowed = (may_read || !needs_read(header.opcode)) &&
        (may_write || !needs_write(header.opcode));
    if (arrives && word_i.head) begin
      dst_node = header.dst;
      if (mapped) dst_node = (cls == ClassReq && coherent) ? home : memory;
      dst_chip = dst_node[NodeIdWidth-1:UnitWidth];
      foreign  = dst_chip != node_id_i[NodeIdWidth-1:UnitWidth];
      if (!foreign && cls == ClassSnp) begin
        outputs[Ports-1:0] = node_ports_i & Ports'(targets_of(word_i.flit));
      end else if (!foreign) begin
        outputs = outputs_here(dst_node[UnitWidth-1:0], node_ports_i);
      end else if (32'(dst_chip) < Chips) begin
        outputs =
            outputs_away(routes_i[dst_chip[ChipIndexWidth-1:0]], path_of(header.addr), exits_i);
      end
      if (mapped && !hit) begin
        cause = ErrUnmapped;
      end else if (mapped && cls == ClassReq && !allowed) begin
        cause = ErrNoRight;
      end else if (mapped && cls == ClassReq && coherent != is_coherent(header.opcode)) begin
        cause = ErrWrongRegion;
      end else if (mapped && {1'b0, header.size} > granule_log2) begin
        cause = ErrBadSize;
      end else if (outputs == '0) begin
        cause = (foreign && 32'(dst_chip) < Chips) ? ErrNoRoute : ErrUnknownDst;
      end else if (cls == ClassReq && (outputs[Ports-1:0] & dead_ports_i) != '0) begin
        cause = ErrLinkDown;
      end
    end
  end

  // What the sender of a refused REQ is told; RespOk: nothing.
  always_comb begin
    resp = RespOk;
    if (cls == ClassReq) begin
      unique case (cause)
        ErrUnmapped, ErrUnknownDst, ErrNoRoute: resp = RespUnmapped;
        ErrNoRight:                             resp = RespNoRight;
        ErrWrongRegion:                         resp = RespWrongRegion;
        ErrLinkDown:                            resp = RespTimeout;
        default:                                resp = RespOk;
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
    write_outputs_o = outputs;
    write_slot_o.head = word_i.head;
    write_slot_o.tail = word_i.tail;
    write_slot_o.fill = word_i.fill;
    write_slot_o.credit_class = cls;
    write_slot_o.flit = word_i.flit;
    discard = 1'b0;
    if (arrives && !word_i.head) begin
      discard = discard_q[cls];
      write_o = !discard;
      write_outputs_o = outputs_q[cls];
    end else if (arrives && resp != RespOk) begin
      refusal.opcode = OpComp;
      refusal.qos = header.qos;
      refusal.src = node_id_i;
      refusal.dst = header.src;
      refusal.txn = header.txn;
      refusal.addr = header.addr;
      refusal.resp = resp;
      refusal.home_node = node_id_i;
      write_o = 1'b1;
      write_class_o = ClassRsp;
      write_outputs_o = outputs_t'(1) << own_output_i;
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
        request.state = may_write ? StateUD : StateSC;
      end
      if (speaks_i) request.src[UnitWidth-1:0] = UnitWidth'(UnitChip);
      write_slot_o.flit = request;
    end
  end

  assign drop_o = word_i.displaced | NumClasses'(word_i.valid && !write_o) << cls;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      discard_q <= '0;
    end else if (arrives && word_i.head) begin
      discard_q[cls] <= discard;
      outputs_q[cls] <= outputs;
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
