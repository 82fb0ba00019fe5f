// Shows what flit_pkg makes of a flit, for comparison with the crate `flits`.
//
// Takes the fields of a flit apart and puts a flit together, through the packed structure of one
// header form, and evaluates the functions of the package. A field's value is at its place in the
// table of fields, zero-extended; fields that the form does not have are 0. Combinational.
module flit_pkg_probe
  import flit_pkg::*;
#(
    localparam int unsigned Fields = 19,
    localparam int unsigned Forms  = 6
) (
    // Index of the form in the order of `flits::Form`.
    input logic [2:0] form_i,

    input  logic [FlitWidth-1:0]                flit_i,
    output logic [   Fields-1:0][AddrWidth-1:0] value_o,

    input  logic [   Fields-1:0][AddrWidth-1:0] value_i,
    output logic [FlitWidth-1:0]                flit_o,

    // Of the header in `flit_i`, as a packet of this class.
    input  logic [2:0] class_i,
    output logic       legal_o,
    output logic       payload_o,
    output logic [4:0] payload_flits_o,

    // Bits of each structure.
    output logic [Forms-1:0][7:0] bits_o
);

  // Places in the table of fields.
  localparam int unsigned Opcode = 0;
  localparam int unsigned Qos = 1;
  localparam int unsigned Src = 2;
  localparam int unsigned Dst = 3;
  localparam int unsigned Txn = 4;
  localparam int unsigned Addr = 5;
  localparam int unsigned Size = 6;
  localparam int unsigned State = 7;
  localparam int unsigned Poison = 8;
  localparam int unsigned Resp = 9;
  localparam int unsigned AtomicOp = 10;
  localparam int unsigned Be = 11;
  localparam int unsigned ReturnNode = 12;
  localparam int unsigned ReturnTxn = 13;
  localparam int unsigned HomeNode = 14;
  localparam int unsigned HomeTxn = 15;
  localparam int unsigned ForwardNode = 16;
  localparam int unsigned ForwardTxn = 17;
  localparam int unsigned Targets = 18;

  req_header_t req;
  snp_header_t snp;
  mem_read_header_t mem_read;
  mem_write_header_t mem_write;
  rsp_header_t rsp;
  dat_header_t dat;

  assign req       = req_header_t'(flit_i);
  assign snp       = snp_header_t'(flit_i);
  assign mem_read  = mem_read_header_t'(flit_i);
  assign mem_write = mem_write_header_t'(flit_i);
  assign rsp       = rsp_header_t'(flit_i);
  assign dat       = dat_header_t'(flit_i);

  // The reserved bits are looked at nowhere else.
  logic unused_reserved;
  assign unused_reserved = ^{req, snp, mem_read, mem_write, rsp, dat};

  always_comb begin
    value_o = '0;
    case (form_i)
      3'd0: begin
        value_o[Opcode]   = AddrWidth'(req.opcode);
        value_o[Qos]      = AddrWidth'(req.qos);
        value_o[Src]      = AddrWidth'(req.src);
        value_o[Dst]      = AddrWidth'(req.dst);
        value_o[Txn]      = AddrWidth'(req.txn);
        value_o[Addr]     = req.addr;
        value_o[Size]     = AddrWidth'(req.size);
        value_o[State]    = AddrWidth'(req.state);
        value_o[Poison]   = AddrWidth'(req.poison);
        value_o[AtomicOp] = AddrWidth'(req.atomic_op);
        value_o[Be]       = AddrWidth'(req.be);
      end
      3'd1: begin
        value_o[Opcode]      = AddrWidth'(snp.opcode);
        value_o[Qos]         = AddrWidth'(snp.qos);
        value_o[Src]         = AddrWidth'(snp.src);
        value_o[Dst]         = AddrWidth'(snp.dst);
        value_o[Txn]         = AddrWidth'(snp.txn);
        value_o[Addr]        = snp.addr;
        value_o[ForwardNode] = AddrWidth'(snp.forward_node);
        value_o[ForwardTxn]  = AddrWidth'(snp.forward_txn);
        value_o[Targets]     = AddrWidth'(snp.targets);
      end
      3'd2: begin
        value_o[Opcode]     = AddrWidth'(mem_read.opcode);
        value_o[Qos]        = AddrWidth'(mem_read.qos);
        value_o[Src]        = AddrWidth'(mem_read.src);
        value_o[Dst]        = AddrWidth'(mem_read.dst);
        value_o[Txn]        = AddrWidth'(mem_read.txn);
        value_o[Addr]       = mem_read.addr;
        value_o[Size]       = AddrWidth'(mem_read.size);
        value_o[State]      = AddrWidth'(mem_read.state);
        value_o[Poison]     = AddrWidth'(mem_read.poison);
        value_o[ReturnNode] = AddrWidth'(mem_read.return_node);
        value_o[ReturnTxn]  = AddrWidth'(mem_read.return_txn);
      end
      3'd3: begin
        value_o[Opcode] = AddrWidth'(mem_write.opcode);
        value_o[Qos]    = AddrWidth'(mem_write.qos);
        value_o[Src]    = AddrWidth'(mem_write.src);
        value_o[Dst]    = AddrWidth'(mem_write.dst);
        value_o[Txn]    = AddrWidth'(mem_write.txn);
        value_o[Addr]   = mem_write.addr;
        value_o[Size]   = AddrWidth'(mem_write.size);
        value_o[State]  = AddrWidth'(mem_write.state);
        value_o[Poison] = AddrWidth'(mem_write.poison);
        value_o[Be]     = AddrWidth'(mem_write.be);
      end
      3'd4: begin
        value_o[Opcode]   = AddrWidth'(rsp.opcode);
        value_o[Qos]      = AddrWidth'(rsp.qos);
        value_o[Src]      = AddrWidth'(rsp.src);
        value_o[Dst]      = AddrWidth'(rsp.dst);
        value_o[Txn]      = AddrWidth'(rsp.txn);
        value_o[Addr]     = rsp.addr;
        value_o[State]    = AddrWidth'(rsp.state);
        value_o[Resp]     = AddrWidth'(rsp.resp);
        value_o[HomeNode] = AddrWidth'(rsp.home_node);
        value_o[HomeTxn]  = AddrWidth'(rsp.home_txn);
      end
      3'd5: begin
        value_o[Opcode]   = AddrWidth'(dat.opcode);
        value_o[Qos]      = AddrWidth'(dat.qos);
        value_o[Src]      = AddrWidth'(dat.src);
        value_o[Dst]      = AddrWidth'(dat.dst);
        value_o[Txn]      = AddrWidth'(dat.txn);
        value_o[Addr]     = dat.addr;
        value_o[Size]     = AddrWidth'(dat.size);
        value_o[State]    = AddrWidth'(dat.state);
        value_o[Poison]   = AddrWidth'(dat.poison);
        value_o[Resp]     = AddrWidth'(dat.resp);
        value_o[HomeNode] = AddrWidth'(dat.home_node);
        value_o[HomeTxn]  = AddrWidth'(dat.home_txn);
      end
      default: ;
    endcase
  end

  // The structures by themselves; what a form does not name stays 0.
  req_header_t new_req;
  snp_header_t new_snp;
  mem_read_header_t new_mem_read;
  mem_write_header_t new_mem_write;
  rsp_header_t new_rsp;
  dat_header_t new_dat;

  always_comb begin
    new_req           = '0;
    new_req.opcode    = opcode_e'(value_i[Opcode][5:0]);
    new_req.qos       = value_i[Qos][3:0];
    new_req.src       = value_i[Src][9:0];
    new_req.dst       = value_i[Dst][9:0];
    new_req.txn       = value_i[Txn][9:0];
    new_req.addr      = value_i[Addr];
    new_req.size      = value_i[Size][3:0];
    new_req.state     = state_e'(value_i[State][1:0]);
    new_req.poison    = value_i[Poison][0];
    new_req.atomic_op = atomic_op_e'(value_i[AtomicOp][2:0]);
    new_req.be        = value_i[Be][15:0];
  end

  always_comb begin
    new_snp              = '0;
    new_snp.opcode       = opcode_e'(value_i[Opcode][5:0]);
    new_snp.qos          = value_i[Qos][3:0];
    new_snp.src          = value_i[Src][9:0];
    new_snp.dst          = value_i[Dst][9:0];
    new_snp.txn          = value_i[Txn][9:0];
    new_snp.addr         = value_i[Addr];
    new_snp.forward_node = value_i[ForwardNode][9:0];
    new_snp.forward_txn  = value_i[ForwardTxn][9:0];
    new_snp.targets      = value_i[Targets][15:0];
  end

  always_comb begin
    new_mem_read             = '0;
    new_mem_read.opcode      = opcode_e'(value_i[Opcode][5:0]);
    new_mem_read.qos         = value_i[Qos][3:0];
    new_mem_read.src         = value_i[Src][9:0];
    new_mem_read.dst         = value_i[Dst][9:0];
    new_mem_read.txn         = value_i[Txn][9:0];
    new_mem_read.addr        = value_i[Addr];
    new_mem_read.size        = value_i[Size][3:0];
    new_mem_read.state       = state_e'(value_i[State][1:0]);
    new_mem_read.poison      = value_i[Poison][0];
    new_mem_read.return_node = value_i[ReturnNode][9:0];
    new_mem_read.return_txn  = value_i[ReturnTxn][9:0];
  end

  always_comb begin
    new_mem_write        = '0;
    new_mem_write.opcode = opcode_e'(value_i[Opcode][5:0]);
    new_mem_write.qos    = value_i[Qos][3:0];
    new_mem_write.src    = value_i[Src][9:0];
    new_mem_write.dst    = value_i[Dst][9:0];
    new_mem_write.txn    = value_i[Txn][9:0];
    new_mem_write.addr   = value_i[Addr];
    new_mem_write.size   = value_i[Size][3:0];
    new_mem_write.state  = state_e'(value_i[State][1:0]);
    new_mem_write.poison = value_i[Poison][0];
    new_mem_write.be     = value_i[Be][15:0];
  end

  always_comb begin
    new_rsp           = '0;
    new_rsp.opcode    = opcode_e'(value_i[Opcode][5:0]);
    new_rsp.qos       = value_i[Qos][3:0];
    new_rsp.src       = value_i[Src][9:0];
    new_rsp.dst       = value_i[Dst][9:0];
    new_rsp.txn       = value_i[Txn][9:0];
    new_rsp.addr      = value_i[Addr];
    new_rsp.state     = state_e'(value_i[State][1:0]);
    new_rsp.resp      = resp_e'(value_i[Resp][2:0]);
    new_rsp.home_node = value_i[HomeNode][9:0];
    new_rsp.home_txn  = value_i[HomeTxn][9:0];
  end

  always_comb begin
    new_dat           = '0;
    new_dat.opcode    = opcode_e'(value_i[Opcode][5:0]);
    new_dat.qos       = value_i[Qos][3:0];
    new_dat.src       = value_i[Src][9:0];
    new_dat.dst       = value_i[Dst][9:0];
    new_dat.txn       = value_i[Txn][9:0];
    new_dat.addr      = value_i[Addr];
    new_dat.size      = value_i[Size][3:0];
    new_dat.state     = state_e'(value_i[State][1:0]);
    new_dat.poison    = value_i[Poison][0];
    new_dat.resp      = resp_e'(value_i[Resp][2:0]);
    new_dat.home_node = value_i[HomeNode][9:0];
    new_dat.home_txn  = value_i[HomeTxn][9:0];
  end

  always_comb begin
    case (form_i)
      3'd0: flit_o = new_req;
      3'd1: flit_o = new_snp;
      3'd2: flit_o = new_mem_read;
      3'd3: flit_o = new_mem_write;
      3'd4: flit_o = new_rsp;
      3'd5: flit_o = new_dat;
      default: flit_o = '0;
    endcase
  end

  assign legal_o         = is_legal(class_e'(class_i), req.opcode, req.size, req.addr[7:0])
      && fields_legal(class_e'(class_i), flit_i);
  assign payload_o       = has_payload(req.opcode);
  assign payload_flits_o = payload_flits(req.size);

  assign bits_o[0]       = 8'($bits(req_header_t));
  assign bits_o[1]       = 8'($bits(snp_header_t));
  assign bits_o[2]       = 8'($bits(mem_read_header_t));
  assign bits_o[3]       = 8'($bits(mem_write_header_t));
  assign bits_o[4]       = 8'($bits(rsp_header_t));
  assign bits_o[5]       = 8'($bits(dat_header_t));

endmodule
