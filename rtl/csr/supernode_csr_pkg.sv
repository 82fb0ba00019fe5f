// Generated from rtl/csr/supernode_csr.rdl by `make generate`; do not edit.

package supernode_csr_pkg;

  // Partitions a port belongs to.
  localparam logic [31:0] PortPartitionsReset = 32'h0000ffff;

  // Ports towards a chip. A hash of a packet's address chooses the slot. A slot that names no fabric port is no way.
  localparam logic [31:0] RouteReset = 32'h00000000;

  // Node of the first home slice.
  typedef struct packed {
    logic [21:0] reserved_10;
    logic [9:0] first;
  } region_home_t;

  // Partitions with access. A port has the right when it shares a partition with the mask.
  typedef struct packed {
    logic [15:0] write;
    logic [15:0] read;
  } region_rights_t;

  // Two of the memories. Register m names memories 2m and 2m+1.
  typedef struct packed {
    logic [5:0] reserved_26;
    logic [9:0] odd;
    logic [5:0] reserved_10;
    logic [9:0] even;
  } region_mem_node_t;

  // Kind and interleaving.
  typedef struct packed {
    logic [9:0] reserved_22;
    logic [1:0] home_chips_log2;
    logic [1:0] reserved_18;
    logic [1:0] home_log2;
    logic [2:0] reserved_13;
    logic [4:0] granule_log2;
    logic [1:0] reserved_6;
    logic [1:0] mem_log2;
    logic [1:0] reserved_2;
    logic [0:0] coherent;
    logic [0:0] valid;
  } region_ctrl_t;

  // Address region.
  typedef struct packed {
    region_home_t home;
    region_rights_t rights;
    region_mem_node_t [3:0] mem_node;
    logic [31:0] local_base;
    region_ctrl_t ctrl;
    logic [31:0] limit;
    logic [31:0] base;
  } region_regs_t;

  localparam region_regs_t RegionReset = {
    32'h00000000,
    32'hffffffff,
    32'h00000000,
    32'h00000000,
    32'h00000000,
    32'h00000000,
    32'h00000000,
    32'h00000000,
    32'h00000000,
    32'h00000000
  };

  // Words of an entry of port: Traffic of the ports, in flits by class.
  localparam int unsigned PortRxFlits = 0;
  localparam int unsigned PortTxFlits = 8;

  // Words of an entry of port_events: What happened at the way in of a port and on its link.
  localparam int unsigned PortEventsGrants = 0;
  localparam int unsigned PortEventsStallsArbitration = 1;
  localparam int unsigned PortEventsStallsCredit = 2;
  localparam int unsigned PortEventsStallsLock = 3;
  localparam int unsigned PortEventsHighWater = 4;
  localparam int unsigned PortEventsCrcErrors = 9;
  localparam int unsigned PortEventsReplays = 10;
  localparam int unsigned PortEventsTimeouts = 11;
  localparam int unsigned PortEventsRetrains = 12;
  localparam int unsigned PortEventsDeaths = 13;

  // Words of an entry of home: Work of the home slices.
  localparam int unsigned HomeRequests = 0;
  localparam int unsigned HomeSnoops = 1;
  localparam int unsigned HomeRecalls = 2;
  localparam int unsigned HomeMemReads = 3;
  localparam int unsigned HomeMemWrites = 4;
  localparam int unsigned HomeStale = 5;

endpackage
