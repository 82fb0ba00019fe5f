// Types shared by the modules of the switch that are not part of the flit format: node numbering,
// the address map, errors and events.
package supernode_pkg;

  // Node identifier: {chip, unit}. Units 0 to 15 are ports, 16 to 23 home slices; 31 is the chip, in
  // whose name one answer stands for those of all its nodes that were snooped.
  localparam int unsigned UnitWidth = 5;
  localparam int unsigned ChipWidth = 5;
  localparam int unsigned UnitHome0 = 16;
  localparam int unsigned UnitChip = 31;
  localparam int unsigned MaxPorts = 16;
  localparam int unsigned MaxRegions = 8;
  localparam int unsigned MaxChips = 2 ** ChipWidth;

  typedef logic [flit_pkg::NodeIdWidth-1:0] node_id_t;
  typedef logic [flit_pkg::AddrWidth-1:0] addr_t;
  typedef logic [ChipWidth-1:0] chip_id_t;

  // The ways to one chip: the ports that its packets may leave by, in slots among which a hash of
  // the address chooses. A slot that names no fabric port leads nowhere.
  localparam int unsigned RouteSlots = 8;
  localparam int unsigned PathWidth = $clog2(RouteSlots);
  typedef logic [RouteSlots-1:0][$clog2(MaxPorts)-1:0] route_t;

  typedef logic [PathWidth-1:0] path_t;

  // The bits of an address whose sum is each bit of its path: the residues of the powers of x modulo
  // x^3 + x + 1, which repeat after 7, from the lowest bit of the 256-byte block's number on.
  function automatic addr_t [PathWidth-1:0] path_masks();
    localparam int unsigned BlockWidth = 8;
    localparam int unsigned Period = 7;
    localparam path_t [Period-1:0] Residues = {
      3'b101, 3'b111, 3'b110, 3'b011, 3'b100, 3'b010, 3'b001
    };
    addr_t [PathWidth-1:0] masks;
    masks = '0;
    for (int unsigned k = BlockWidth; k < flit_pkg::AddrWidth; k++) begin
      for (int unsigned b = 0; b < PathWidth; b++) masks[b][k] = Residues[(k-BlockWidth)%Period][b];
    end
    return masks;
  endfunction

  localparam addr_t [PathWidth-1:0] PathMasks = path_masks();

  // The path of a packet: which slot of a route it takes. Packets whose bytes overlap have one path
  // and so keep their order, since no access crosses a 256-byte boundary. The polynomial is coprime
  // to x^n - 1 for n below 7, by which the address map spreads lines over homes, so the lines of one
  // home go evenly over all paths.
  function automatic path_t path_of(addr_t addr);
    path_t path;
    for (int unsigned b = 0; b < PathWidth; b++) path[b] = ^(addr & PathMasks[b]);
    return path;
  endfunction

  // One region of the global address space, as software writes it into the CSRs. Base, limit and
  // local base are in units of 64 KiB.
  typedef struct packed {
    logic valid;
    logic coherent;
    logic [1:0] mem_log2;  // interleaved over 2**mem_log2 memories
    logic [4:0] granule_log2;  // in granules of 2**granule_log2 bytes, 6 to 20
    logic [9:0] home_first;  // lines hashed over 2**home_log2 homes of this chip and
    logic [1:0] home_log2;  // as many of each of the 2**home_chips_log2 chips from it on
    logic [1:0] home_chips_log2;
    logic [7:0][9:0] mem_node;
    logic [15:0] write_partitions;
    logic [15:0] read_partitions;
    logic [31:0] local_base;
    logic [31:0] limit;  // inclusive
    logic [31:0] base;
  } region_t;

  typedef enum logic [3:0] {
    ErrNone          = 4'd0,
    ErrUnmapped      = 4'd1,
    ErrNoRight       = 4'd2,
    ErrWrongRegion   = 4'd3,   // coherent request to an uncached region or the reverse
    ErrBadOpcode     = 4'd4,   // or a class the sender may not send
    ErrBadSize       = 4'd5,   // or alignment
    ErrWrongSource   = 4'd6,
    ErrUnknownDst    = 4'd7,
    ErrTornPacket    = 4'd8,   // head, tail and declared length disagree, or the rest does not come
    ErrNoTransaction = 4'd9,   // an answer that nobody waits for
    ErrNoCredit      = 4'd10,  // a word sent without a credit
    ErrTimeout       = 4'd11,  // an answer that did not come
    ErrNoRoute       = 4'd12,  // no way on to the destination's chip, or only back
    ErrLinkDown      = 4'd13,  // the way to the destination is dead
    ErrBadField      = 4'd14   // a reserved bit, or a value that the opcode does not have
  } error_cause_e;

  // One error, valid for one cycle. `cause` holds an error_cause_e.
  typedef struct packed {
    logic        valid;
    logic [3:0]  cause;
    logic [9:0]  src;
    logic [5:0]  opcode;
    logic [47:0] addr;
  } error_event_t;

  // A SnpResp or CompAck as it comes in at a port, where it is taken for the home it is meant for.
  typedef struct packed {
    logic                          ack;    // CompAck
    flit_pkg::state_e              state;
    node_id_t                      src;
    logic [flit_pkg::TxnWidth-1:0] txn;
    addr_t                         addr;
  } port_answer_t;

  // What a home slice did this cycle, for the counters.
  typedef struct packed {
    logic request;
    logic snoop;
    logic recall;
    logic mem_read;
    logic mem_write;
    logic stale;  // write-back or eviction of a line its sender no longer held
  } home_events_t;

  // What the end of a link noticed this cycle, for the counters.
  typedef struct packed {
    logic crc_error;  // a word was not what had been sent
    logic replay;     // words are sent again
    logic timeout;    // ... because no acknowledgement came
    logic retrain;    // the link was lost and is being trained
    logic dead;       // the link has been given up
  } link_events_t;

endpackage
