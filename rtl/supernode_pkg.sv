// Types shared by the modules of the switch that are not part of the flit format: node numbering,
// the address map, errors and events.
package supernode_pkg;

  // Node identifier: {chip, unit}. Units 0 to 15 are ports, 16 to 23 home slices.
  localparam int unsigned UnitWidth = 5;
  localparam int unsigned ChipWidth = 5;
  localparam int unsigned UnitHome0 = 16;
  localparam int unsigned MaxPorts = 16;
  localparam int unsigned MaxRegions = 8;

  typedef logic [flit_pkg::NodeIdWidth-1:0] node_id_t;
  typedef logic [flit_pkg::AddrWidth-1:0] addr_t;

  // One region of the global address space, as software writes it into the CSRs. Base, limit and
  // local base are in units of 64 KiB.
  typedef struct packed {
    logic            valid;
    logic            coherent;
    logic [1:0]      mem_log2;          // interleaved over 2**mem_log2 memories
    logic [4:0]      granule_log2;      // in granules of 2**granule_log2 bytes, 6 to 20
    logic [9:0]      home_first;
    logic [2:0]      home_log2;         // lines hashed over 2**home_log2 homes
    logic [7:0][9:0] mem_node;
    logic [15:0]     write_partitions;
    logic [15:0]     read_partitions;
    logic [31:0]     local_base;
    logic [31:0]     limit;             // inclusive
    logic [31:0]     base;
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
    ErrTornPacket    = 4'd8,   // head, tail and declared length disagree
    ErrNoTransaction = 4'd9,   // an answer that nobody waits for
    ErrNoCredit      = 4'd10,  // a word sent without a credit
    ErrTimeout       = 4'd11   // an answer that did not come
  } error_cause_e;

  // One error, valid for one cycle. `cause` holds an error_cause_e.
  typedef struct packed {
    logic        valid;
    logic [3:0]  cause;
    logic [9:0]  src;
    logic [5:0]  opcode;
    logic [47:0] addr;
  } error_event_t;

  // What a home slice did this cycle, for the counters.
  typedef struct packed {
    logic request;
    logic snoop;
    logic recall;
    logic mem_read;
    logic mem_write;
    logic stale;  // write-back or eviction of a line its sender no longer held
  } home_events_t;

endpackage
