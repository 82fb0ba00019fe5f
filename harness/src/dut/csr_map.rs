// Generated from rtl/csr/supernode_csr.rdl by `make generate`; do not edit.

//! Where the switch's registers are: byte offsets on its APB port, and the fields in them.

/// A field of a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its lowest bit.
    pub shift: u32,
    /// How many bits it has.
    pub width: u32,
}

impl Field {
    const fn new(shift: u32, width: u32) -> Self {
        Self { shift, width }
    }

    const fn mask(self) -> u32 {
        u32::MAX >> (32 - self.width)
    }

    /// The field's value in a register's word.
    pub const fn get(self, word: u32) -> u32 {
        (word >> self.shift) & self.mask()
    }

    /// A word that is 0 but for this field; the value's bits beyond the field are dropped.
    pub const fn put(self, value: u32) -> u32 {
        (value & self.mask()) << self.shift
    }
}

/// Identification: 'SNOD'.
pub const ID: u32 = 0x000;

/// Version of this map.
pub const VERSION: u32 = 0x004;
/// `minor` of [`VERSION`]: Counts additions.
pub const VERSION_MINOR: Field = Field::new(0, 16);
/// `major` of [`VERSION`]: Counts changes that old software does not understand.
pub const VERSION_MAJOR: Field = Field::new(16, 16);

/// Parameters of this switch.
pub const PARAMS0: u32 = 0x008;
/// `ports` of [`PARAMS0`]: Ports.
pub const PARAMS0_PORTS: Field = Field::new(0, 8);
/// `home_slices` of [`PARAMS0`]: Home slices.
pub const PARAMS0_HOME_SLICES: Field = Field::new(8, 8);
/// `regions` of [`PARAMS0`]: Regions of the address map.
pub const PARAMS0_REGIONS: Field = Field::new(16, 8);
/// `class_depth` of [`PARAMS0`]: Flits of each class that a port buffers.
pub const PARAMS0_CLASS_DEPTH: Field = Field::new(24, 8);

/// Parameters of each home slice.
pub const PARAMS1: u32 = 0x00c;
/// `dir_sets` of [`PARAMS1`]: Sets of its directory.
pub const PARAMS1_DIR_SETS: Field = Field::new(0, 16);
/// `dir_ways` of [`PARAMS1`]: Ways of its directory.
pub const PARAMS1_DIR_WAYS: Field = Field::new(16, 8);
/// `trackers` of [`PARAMS1`]: Transactions in flight.
pub const PARAMS1_TRACKERS: Field = Field::new(24, 8);

/// Commands.
pub const CTRL: u32 = 0x010;
/// `clear_counters` of [`CTRL`]: Write 1: all traffic counters to 0.
pub const CTRL_CLEAR_COUNTERS: Field = Field::new(0, 1);
/// `clear_error` of [`CTRL`]: Write 1: error count to 0, error log empty.
pub const CTRL_CLEAR_ERROR: Field = Field::new(1, 1);

/// Number of this chip. The high bits of the identifiers of its ports and homes. Set before any traffic.
pub const CHIP_ID: u32 = 0x014;

/// Parameters of the system this switch is made for.
pub const PARAMS2: u32 = 0x018;
/// `nodes` of [`PARAMS2`]: Nodes that a directory tells apart.
pub const PARAMS2_NODES: Field = Field::new(0, 16);
/// `nodes_per_chip` of [`PARAMS2`]: Nodes of each chip: node n is port n mod this of chip n / this.
pub const PARAMS2_NODES_PER_CHIP: Field = Field::new(16, 8);
/// `chips` of [`PARAMS2`]: Chips that have a route.
pub const PARAMS2_CHIPS: Field = Field::new(24, 8);

/// Ports with another chip instead of a node. One bit a port. What comes in from above never leaves to above.
pub const FABRIC_PORTS: u32 = 0x01c;
/// `down` of [`FABRIC_PORTS`]: The other chip is below, nearer to the nodes.
pub const FABRIC_PORTS_DOWN: Field = Field::new(0, 16);
/// `up` of [`FABRIC_PORTS`]: The other chip is above.
pub const FABRIC_PORTS_UP: Field = Field::new(16, 16);

/// Errors since the last clear. Stops at its largest value.
pub const ERROR_COUNT: u32 = 0x020;

/// First error since the last clear.
pub const ERROR_INFO: u32 = 0x024;
/// `src` of [`ERROR_INFO`]: Node that sent the offender.
pub const ERROR_INFO_SRC: Field = Field::new(0, 10);
/// `opcode` of [`ERROR_INFO`]: Its opcode.
pub const ERROR_INFO_OPCODE: Field = Field::new(10, 6);
/// `cause` of [`ERROR_INFO`]: Why, as error_cause_e of supernode_pkg.sv.
pub const ERROR_INFO_CAUSE: Field = Field::new(16, 4);
/// `valid` of [`ERROR_INFO`]: There was an error.
pub const ERROR_INFO_VALID: Field = Field::new(31, 1);

/// Address of the first error, bits 31:0.
pub const ERROR_ADDR_LO: u32 = 0x028;

/// Address of the first error, bits 47:32.
pub const ERROR_ADDR_HI: u32 = 0x02c;

/// Words that a class may send in its turn at an output. A turn ends with a packet. 0 counts as 1.
pub const CLASS_WEIGHTS: u32 = 0x030;
/// `request` of [`CLASS_WEIGHTS`]: REQ.
pub const CLASS_WEIGHTS_REQUEST: Field = Field::new(0, 4);
/// `snoop` of [`CLASS_WEIGHTS`]: SNP.
pub const CLASS_WEIGHTS_SNOOP: Field = Field::new(4, 4);
/// `memory` of [`CLASS_WEIGHTS`]: MEM.
pub const CLASS_WEIGHTS_MEMORY: Field = Field::new(8, 4);
/// `response` of [`CLASS_WEIGHTS`]: RSP.
pub const CLASS_WEIGHTS_RESPONSE: Field = Field::new(12, 4);
/// `data` of [`CLASS_WEIGHTS`]: DAT.
pub const CLASS_WEIGHTS_DATA: Field = Field::new(16, 4);

/// Patience of the home slices. log2 of the cycles after which a home no longer waits for an answer; 0: it waits for ever.
pub const HOME_TIMEOUT: u32 = 0x034;

/// Further parameters of the switch.
pub const PARAMS3: u32 = 0x038;
/// `shared_depth` of [`PARAMS3`]: Flits of any class that a port buffers, beyond those of each class.
pub const PARAMS3_SHARED_DEPTH: Field = Field::new(0, 8);

/// Patience with a node that stops in the middle of a packet. log2 of the cycles after which the packet is ended for it; 0: never. Longer than a link needs to be up again, or to be given up.
pub const PACKET_TIMEOUT: u32 = 0x03c;

/// Partitions a port belongs to.
///
/// # Panics
///
/// Unless `index` < 16.
pub const fn port_partitions(index: u32) -> u32 {
    assert!(index < 16);
    0x040 + 0x4 * index
}

/// Ports towards a chip. A hash of a packet's address chooses the slot. A slot that names no fabric port is no way.
///
/// # Panics
///
/// Unless `index` < 32.
pub const fn route(index: u32) -> u32 {
    assert!(index < 32);
    0x100 + 0x4 * index
}
/// `slot0` of [`route`].
pub const ROUTE_SLOT0: Field = Field::new(0, 4);
/// `slot1` of [`route`].
pub const ROUTE_SLOT1: Field = Field::new(4, 4);
/// `slot2` of [`route`].
pub const ROUTE_SLOT2: Field = Field::new(8, 4);
/// `slot3` of [`route`].
pub const ROUTE_SLOT3: Field = Field::new(12, 4);
/// `slot4` of [`route`].
pub const ROUTE_SLOT4: Field = Field::new(16, 4);
/// `slot5` of [`route`].
pub const ROUTE_SLOT5: Field = Field::new(20, 4);
/// `slot6` of [`route`].
pub const ROUTE_SLOT6: Field = Field::new(24, 4);
/// `slot7` of [`route`].
pub const ROUTE_SLOT7: Field = Field::new(28, 4);

/// First page of the region.
///
/// # Panics
///
/// Unless `region` < 8.
pub const fn region_base(region: u32) -> u32 {
    assert!(region < 8);
    0x200 + 0x40 * region
}

/// Last page of the region, inclusive.
///
/// # Panics
///
/// Unless `region` < 8.
pub const fn region_limit(region: u32) -> u32 {
    assert!(region < 8);
    0x204 + 0x40 * region
}

/// Kind and interleaving.
///
/// # Panics
///
/// Unless `region` < 8.
pub const fn region_ctrl(region: u32) -> u32 {
    assert!(region < 8);
    0x208 + 0x40 * region
}
/// `valid` of [`region_ctrl`]: The region takes part in the address map.
pub const REGION_CTRL_VALID: Field = Field::new(0, 1);
/// `coherent` of [`region_ctrl`]: Requests go to a home (1) or straight to a memory (0).
pub const REGION_CTRL_COHERENT: Field = Field::new(1, 1);
/// `mem_log2` of [`region_ctrl`]: log2 of the memories the region is interleaved over.
pub const REGION_CTRL_MEM_LOG2: Field = Field::new(4, 2);
/// `granule_log2` of [`region_ctrl`]: log2 of the bytes before the next memory's turn, 6 to 20.
pub const REGION_CTRL_GRANULE_LOG2: Field = Field::new(8, 5);
/// `home_log2` of [`region_ctrl`]: log2 of the home slices of a chip that share the region.
pub const REGION_CTRL_HOME_LOG2: Field = Field::new(16, 2);
/// `home_chips_log2` of [`region_ctrl`]: log2 of the chips whose home slices share the region.
pub const REGION_CTRL_HOME_CHIPS_LOG2: Field = Field::new(20, 2);

/// First page of the region inside its memories.
///
/// # Panics
///
/// Unless `region` < 8.
pub const fn region_local_base(region: u32) -> u32 {
    assert!(region < 8);
    0x20c + 0x40 * region
}

/// Two of the memories. Register m names memories 2m and 2m+1.
///
/// # Panics
///
/// Unless `region` < 8 and `index` < 4.
pub const fn region_mem_node(region: u32, index: u32) -> u32 {
    assert!(region < 8 && index < 4);
    0x210 + 0x40 * region + 0x4 * index
}
/// `even` of [`region_mem_node`]: Node of memory 2m.
pub const REGION_MEM_NODE_EVEN: Field = Field::new(0, 10);
/// `odd` of [`region_mem_node`]: Node of memory 2m+1.
pub const REGION_MEM_NODE_ODD: Field = Field::new(16, 10);

/// Partitions with access. A port has the right when it shares a partition with the mask.
///
/// # Panics
///
/// Unless `region` < 8.
pub const fn region_rights(region: u32) -> u32 {
    assert!(region < 8);
    0x220 + 0x40 * region
}
/// `read` of [`region_rights`]: Who may read.
pub const REGION_RIGHTS_READ: Field = Field::new(0, 16);
/// `write` of [`region_rights`]: Who may write.
pub const REGION_RIGHTS_WRITE: Field = Field::new(16, 16);

/// Node of the first home slice.
///
/// # Panics
///
/// Unless `region` < 8.
pub const fn region_home(region: u32) -> u32 {
    assert!(region < 8);
    0x224 + 0x40 * region
}
/// `first` of [`region_home`]: Slice k of each chip is unit k from here; chips follow each other from here.
pub const REGION_HOME_FIRST: Field = Field::new(0, 10);

/// Flits of a class taken from the node.
///
/// # Panics
///
/// Unless `port` < 16 and `index` < 5.
pub const fn port_rx_flits(port: u32, index: u32) -> u32 {
    assert!(port < 16 && index < 5);
    0x400 + 0x40 * port + 0x4 * index
}

/// Flits of a class sent to the node.
///
/// # Panics
///
/// Unless `port` < 16 and `index` < 5.
pub const fn port_tx_flits(port: u32, index: u32) -> u32 {
    assert!(port < 16 && index < 5);
    0x420 + 0x40 * port + 0x4 * index
}

/// Words sent through the crossbar.
///
/// # Panics
///
/// Unless `port_events` < 16.
pub const fn port_events_grants(port_events: u32) -> u32 {
    assert!(port_events < 16);
    0x800 + 0x40 * port_events
}

/// Cycles in which words could go, but others went first.
///
/// # Panics
///
/// Unless `port_events` < 16.
pub const fn port_events_stalls_arbitration(port_events: u32) -> u32 {
    assert!(port_events < 16);
    0x804 + 0x40 * port_events
}

/// Cycles in which words waited for a credit at their output.
///
/// # Panics
///
/// Unless `port_events` < 16.
pub const fn port_events_stalls_credit(port_events: u32) -> u32 {
    assert!(port_events < 16);
    0x808 + 0x40 * port_events
}

/// Cycles in which words waited for the end of another's packet.
///
/// # Panics
///
/// Unless `port_events` < 16.
pub const fn port_events_stalls_lock(port_events: u32) -> u32 {
    assert!(port_events < 16);
    0x80c + 0x40 * port_events
}

/// Most words of a class in the buffer since reset.
///
/// # Panics
///
/// Unless `port_events` < 16 and `index` < 5.
pub const fn port_events_high_water(port_events: u32, index: u32) -> u32 {
    assert!(port_events < 16 && index < 5);
    0x810 + 0x40 * port_events + 0x4 * index
}

/// Words that were not what had been sent.
///
/// # Panics
///
/// Unless `port_events` < 16.
pub const fn port_events_crc_errors(port_events: u32) -> u32 {
    assert!(port_events < 16);
    0x824 + 0x40 * port_events
}

/// Times that words were sent again.
///
/// # Panics
///
/// Unless `port_events` < 16.
pub const fn port_events_replays(port_events: u32) -> u32 {
    assert!(port_events < 16);
    0x828 + 0x40 * port_events
}

/// Times that this was since no acknowledgement came.
///
/// # Panics
///
/// Unless `port_events` < 16.
pub const fn port_events_timeouts(port_events: u32) -> u32 {
    assert!(port_events < 16);
    0x82c + 0x40 * port_events
}

/// Times that the link was lost and trained again.
///
/// # Panics
///
/// Unless `port_events` < 16.
pub const fn port_events_retrains(port_events: u32) -> u32 {
    assert!(port_events < 16);
    0x830 + 0x40 * port_events
}

/// Times that the link was given up.
///
/// # Panics
///
/// Unless `port_events` < 16.
pub const fn port_events_deaths(port_events: u32) -> u32 {
    assert!(port_events < 16);
    0x834 + 0x40 * port_events
}

/// Requests taken up.
///
/// # Panics
///
/// Unless `home` < 8.
pub const fn home_requests(home: u32) -> u32 {
    assert!(home < 8);
    0xc00 + 0x20 * home
}

/// Snoops sent.
///
/// # Panics
///
/// Unless `home` < 8.
pub const fn home_snoops(home: u32) -> u32 {
    assert!(home < 8);
    0xc04 + 0x20 * home
}

/// Lines recalled to make room in the directory.
///
/// # Panics
///
/// Unless `home` < 8.
pub const fn home_recalls(home: u32) -> u32 {
    assert!(home < 8);
    0xc08 + 0x20 * home
}

/// Memory reads sent.
///
/// # Panics
///
/// Unless `home` < 8.
pub const fn home_mem_reads(home: u32) -> u32 {
    assert!(home < 8);
    0xc0c + 0x20 * home
}

/// Memory writes sent.
///
/// # Panics
///
/// Unless `home` < 8.
pub const fn home_mem_writes(home: u32) -> u32 {
    assert!(home < 8);
    0xc10 + 0x20 * home
}

/// Write-backs and evictions of lines the sender no longer held.
///
/// # Panics
///
/// Unless `home` < 8.
pub const fn home_stale(home: u32) -> u32 {
    assert!(home < 8);
    0xc14 + 0x20 * home
}
