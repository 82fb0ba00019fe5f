// The home's transition table and the types its modules share.
//
// docs/protocol.md, section Home, is the specification; `home_row` is that table in one place.
package home_pkg;

  import flit_pkg::*;
  import supernode_pkg::UnitWidth, supernode_pkg::UnitChip;

  localparam int unsigned LineOffsetWidth = 6;  // 64-byte lines
  localparam int unsigned LineAddrWidth = AddrWidth - LineOffsetWidth;
  localparam int unsigned LineFlits = LineBytes / FlitBytes;
  localparam int unsigned FlitIndexWidth = 2;
  localparam int unsigned MaxTargets = 16;

  typedef logic [LineAddrWidth-1:0] line_addr_t;
  typedef logic [FlitIndexWidth-1:0] flit_index_t;

  // An answer of a node or a memory: an RSP flit, or a DAT packet at its last flit.
  typedef struct packed {
    opcode_e opcode;
    logic [NodeIdWidth-1:0] src;
    logic [TxnWidth-1:0] txn;  // the tracker it is meant for
    logic [AddrWidth-1:0] addr;
    state_e state;
    resp_e resp;
    logic poison;
    logic line;  // with data: a line
    logic lost;  // made up: it did not come in time
    logic last;  // made up: stands for what came in at the ports, see home_trackers
  } answer_t;

  // What the trackers ask the transmitter to send; everything else stands in the request. Whom to
  // snoop goes beside the order.
  typedef struct packed {
    opcode_e opcode;
    logic    recall;  // of the victim line, not of the requested one
  } snp_order_t;

  typedef struct packed {
    logic   write;
    logic   recall;
    logic   whole;   // write: the whole line, not only the enabled bytes
    logic   poison;  // write
    logic   fetch;   // read: the memory answers the home
    state_e grant;   // read
  } mem_order_t;

  typedef struct packed {
    logic   last;    // nobody answers it: the tracker is free once it is sent
    logic   data;    // CompData with the old value of an atomic
    logic   poison;  // of that
    state_e grant;
    resp_e  resp;
  } rsp_order_t;

  // What the directory said of the line when the transaction started.
  typedef struct packed {
    logic unique_owner;  // Unique; otherwise Shared, or I when nobody holds it
    logic holder;        // the requester holds it
    logic others;        // someone else holds it
  } situation_t;

  typedef enum logic [2:0] {
    ActNone,      // nothing to send: data was forwarded, or only the last Comp is left
    ActMemRead,   // memory answers the requester
    ActMemWrite,
    ActFetch,     // memory answers the home, which writes what comes of it
    ActComp       // grants without data
  } action_e;

  // One row of the table.
  typedef struct packed {
    logic    snoop;           // first: whether, and how, to snoop the other holders
    opcode_e snoop_opcode;
    action_e action;          // then: what to send when the snoops are answered
    state_e  grant;
    logic    whole;           // a MemWrite writes the whole line
    logic    keep_others;     // directory after: the other holders that did not answer I,
    logic    keep_requester;  // the requester,
    logic    unique_owner;    // and whether its one holder is the owner
  } row_t;

  // Whether the home serves the request.
  function automatic logic is_home_request(opcode_e opcode);
    unique case (opcode)
      OpReadShared, OpReadUnique, OpCleanUnique, OpMakeUnique, OpReadOnce, OpWriteUnique,
      OpWriteBackFull, OpEvict, OpCleanInvalid:
      return 1'b1;
      default: return is_atomic(opcode);
    endcase
  endfunction

  // Whether the home computes what is written.
  function automatic logic is_atomic(opcode_e opcode);
    return opcode inside {OpAtomicStore, OpAtomicLoad, OpAtomicSwap, OpAtomicCompare};
  endfunction

  // Whether the requester will hold the line, so that the directory needs a way for it.
  function automatic logic needs_way(opcode_e opcode);
    unique case (opcode)
      OpReadShared, OpReadUnique, OpCleanUnique, OpMakeUnique: return 1'b1;
      default: return 1'b0;
    endcase
  endfunction

  // Whether the requester acknowledges its answer. The others get a Comp as the last step.
  function automatic logic is_acknowledged(opcode_e opcode);
    return needs_way(opcode) || (opcode == OpReadOnce);
  endfunction

  // Whether the snoop asks the owner to send data to the requester.
  function automatic logic is_forward_snoop(opcode_e opcode);
    unique case (opcode)
      OpSnpSharedFwd, OpSnpUniqueFwd, OpSnpOnceFwd: return 1'b1;
      default: return 1'b0;
    endcase
  endfunction

  // Whether the answer says that the owner has sent data to the requester.
  function automatic logic tells_forwarded(opcode_e opcode);
    return (opcode == OpSnpRespFwded) || (opcode == OpSnpRespDataFwded);
  endfunction

  // Whether a unit stands for all nodes of its chip.
  function automatic logic is_chip(logic [UnitWidth-1:0] unit);
    return unit == UnitWidth'(UnitChip);
  endfunction

  // A node's place in sets of nodes, or that of the first of a chip; beyond all sets if the
  // identifier is that of no node.
  function automatic logic [NodeIdWidth-1:0] place_of(logic [NodeIdWidth-1:0] node,
                                                      int unsigned nodes_per_chip);
    logic [NodeIdWidth-1:0] chip, unit;
    chip = node >> UnitWidth;
    unit = is_chip(node[UnitWidth-1:0]) ? '0 : NodeIdWidth'(node[UnitWidth-1:0]);
    return (32'(unit) < nodes_per_chip) ? chip * NodeIdWidth'(nodes_per_chip) + unit : '1;
  endfunction

  // Whether an answer of the opcode can follow the snoop (section Node).
  function automatic logic answers_snoop(opcode_e opcode, opcode_e snoop_opcode);
    unique case (opcode)
      OpSnpResp:          return 1'b1;
      OpSnpRespFwded:     return is_forward_snoop(snoop_opcode);
      OpSnpRespDataFwded: return snoop_opcode == OpSnpSharedFwd;
      OpSnpRespData:      return snoop_opcode == OpSnpUnique;
      default:            return 1'b0;
    endcase
  endfunction

  // The Home table. `whole`: the request carries a whole line. `read_only`: its sender may not write
  // the line. `forwarded` and `dirty` are what the snoops brought to light; before they are answered
  // only the snoop columns mean something.
  function automatic row_t home_row(opcode_e opcode, logic whole, logic read_only, situation_t dir,
                                    logic forwarded, logic dirty);
    row_t row;
    logic owner_elsewhere, shared;
    owner_elsewhere = dir.unique_owner && dir.others;
    shared = !dir.unique_owner && (dir.holder || dir.others);

    row = '0;
    row.snoop_opcode = OpSnpMakeInvalid;
    row.action = ActNone;
    row.grant = StateI;
    unique case (opcode)
      OpReadShared: begin
        row.snoop = owner_elsewhere;
        row.snoop_opcode = OpSnpSharedFwd;
        row.action = !forwarded ? ActMemRead : (dirty ? ActMemWrite : ActNone);
        row.grant = (shared || read_only) ? StateSC : StateUC;
        row.whole = 1'b1;
        row.keep_others = 1'b1;
        row.keep_requester = 1'b1;
        row.unique_owner = !shared && !read_only && !forwarded;
      end
      OpReadUnique, OpCleanUnique: begin
        row.snoop = dir.others;
        row.snoop_opcode = owner_elsewhere ? OpSnpUniqueFwd : OpSnpMakeInvalid;
        row.action = forwarded ? ActNone
                     : ((opcode == OpCleanUnique) && dir.holder) ? ActComp : ActMemRead;
        row.grant = StateUC;
        row.keep_requester = 1'b1;
        row.unique_owner = 1'b1;
      end
      OpMakeUnique: begin
        row.snoop = dir.others;
        row.action = ActComp;
        row.grant = StateUD;
        row.keep_requester = 1'b1;
        row.unique_owner = 1'b1;
      end
      OpWriteBackFull: begin
        // Stale unless the requester is the owner: then the data is dropped and nothing changes.
        if (dir.unique_owner && dir.holder) begin
          row.action = ActMemWrite;
          row.whole  = 1'b1;
        end else begin
          row.keep_others = 1'b1;
          row.keep_requester = dir.holder;
          row.unique_owner = dir.unique_owner;
        end
      end
      OpEvict: begin
        row.keep_others  = 1'b1;
        row.unique_owner = dir.unique_owner;
      end
      OpReadOnce: begin
        row.snoop = owner_elsewhere;
        row.snoop_opcode = OpSnpOnceFwd;
        row.action = forwarded ? ActNone : ActMemRead;
        row.keep_others = 1'b1;
        row.keep_requester = dir.holder;
        row.unique_owner = dir.unique_owner;
      end
      OpWriteUnique: begin
        row.snoop = dir.others;
        row.snoop_opcode = (owner_elsewhere && !whole) ? OpSnpUnique : OpSnpMakeInvalid;
        row.action = ActMemWrite;
        row.whole = whole || dirty;
      end
      OpAtomicStore, OpAtomicLoad, OpAtomicSwap, OpAtomicCompare: begin
        row.snoop = dir.others;
        row.snoop_opcode = owner_elsewhere ? OpSnpUnique : OpSnpMakeInvalid;
        row.action = dirty ? ActMemWrite : ActFetch;
        row.whole = dirty;
      end
      OpCleanInvalid: begin
        row.snoop = dir.others;
        row.snoop_opcode = owner_elsewhere ? OpSnpUnique : OpSnpMakeInvalid;
        row.action = dirty ? ActMemWrite : ActNone;
        row.whole = 1'b1;
      end
      default: row = '0;
    endcase
    return row;
  endfunction

  // Coefficients below x**bits of a primitive polynomial of that degree, for home_set_hash. Up to
  // degree 2 every such polynomial divides the interleave of some number of homes: x**bits is taken
  // instead, which makes the set the low bits of the line address.
  function automatic int unsigned set_polynomial(int unsigned bits);
    case (bits)
      3, 4, 6, 7, 15: return 'h3;
      5, 11:          return 'h5;
      8:              return 'h1d;
      9:              return 'h11;
      10:             return 'h9;
      12:             return 'h53;
      13:             return 'h1b;
      14:             return 'h443;
      16:             return 'h100b;
      default:        return 0;
    endcase
  endfunction

endpackage
