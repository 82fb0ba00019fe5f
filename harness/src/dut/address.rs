//! The address map: which memory, which home and which rights an address has.

use flits::{Header, NodeId, Numbering, Opcode, RespErr};
use std::fmt;

/// Bases and sizes of regions and local ranges are multiples of this many bytes.
pub const REGION_UNIT: u64 = 1 << 16;
/// Most memories that one region interleaves over.
pub const MAX_INTERLEAVE: usize = 8;

/// One range of the global address space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// First byte address, a multiple of [`REGION_UNIT`].
    pub base: u64,
    /// Bytes, a multiple of [`REGION_UNIT`].
    pub size: u64,
    /// Kept coherent by the homes; else every access goes to memory.
    pub coherent: bool,
    /// Ports of the memories it is interleaved over: 1, 2, 4 or 8 of them.
    pub memories: Vec<usize>,
    /// Bytes that lie in one memory before the next has its turn: a power of two from 64 to 1 MiB.
    pub granule: u64,
    /// Where the region starts in each of its memories, a multiple of [`REGION_UNIT`].
    pub local_base: u64,
    /// Partitions whose ports may read.
    pub read_partitions: u16,
    /// Partitions whose ports may write.
    pub write_partitions: u16,
}

impl Region {
    /// Whether a member of these partitions has the rights that the request needs.
    fn allows(&self, opcode: Opcode, partitions: u16) -> bool {
        let may_read = self.read_partitions & partitions != 0;
        let may_write = self.write_partitions & partitions != 0;
        (may_read || !opcode.needs_read()) && (may_write || !opcode.needs_write())
    }

    /// The last byte address.
    pub fn last(&self) -> u64 {
        self.base + (self.size - 1)
    }

    /// Bytes of each memory that belong to the region.
    pub fn local_size(&self) -> u64 {
        self.size / self.memories.len() as u64
    }

    fn contains(&self, addr: u64) -> bool {
        addr.wrapping_sub(self.base) < self.size
    }

    /// Memory port and local address of a byte of the region.
    fn place(&self, addr: u64) -> (usize, u64) {
        let offset = addr - self.base;
        let count = self.memories.len() as u64;
        let unit = offset / self.granule;
        let local = unit / count * self.granule + offset % self.granule;
        (
            self.memories[(unit % count) as usize],
            self.local_base + local,
        )
    }

    /// Global address of a local one, if the region has it in the memory on `port`.
    fn global_of(&self, port: usize, local: u64) -> Option<u64> {
        let index = self.memories.iter().position(|&memory| memory == port)? as u64;
        let inner = local
            .checked_sub(self.local_base)
            .filter(|&i| i < self.local_size())?;
        let unit = inner / self.granule * self.memories.len() as u64 + index;
        Some(self.base + unit * self.granule + inner % self.granule)
    }
}

/// Why an address map is not possible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("address map, region {region}: {reason}")]
pub struct AddressMapError {
    /// Index of the region.
    pub region: usize,
    /// What is wrong and what would be right.
    pub reason: String,
}

/// A checked address map: regions are disjoint and no byte of a memory belongs to two of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressMap {
    regions: Vec<Region>,
    homes: usize,
    home_chips: usize,
    numbering: Numbering,
}

impl AddressMap {
    /// Checks the regions of a system whose memories are on the ports `memories`, and each of whose
    /// chips with devices, a power of two, has `homes` home slices (a power of two).
    ///
    /// # Errors
    /// Names the first region that is wrong, and why.
    pub fn new(
        regions: Vec<Region>,
        memories: &[usize],
        homes: usize,
        numbering: Numbering,
    ) -> Result<Self, AddressMapError> {
        for (index, region) in regions.iter().enumerate() {
            let fail = |reason| {
                Err(AddressMapError {
                    region: index,
                    reason,
                })
            };
            if let Err(reason) = check(region, memories) {
                return fail(reason);
            }
            for (other, earlier) in regions[..index].iter().enumerate() {
                if region.base <= earlier.last() && earlier.base <= region.last() {
                    return fail(format!(
                        "{:#x} to {:#x} overlaps region {other}, {:#x} to {:#x}",
                        region.base,
                        region.last(),
                        earlier.base,
                        earlier.last()
                    ));
                }
                let shared = region
                    .memories
                    .iter()
                    .find(|&port| earlier.memories.contains(port));
                let local = |r: &Region| (r.local_base, r.local_base + r.local_size());
                let ((a, a_end), (b, b_end)) = (local(region), local(earlier));
                if let (Some(port), true) = (shared, a < b_end && b < a_end) {
                    return fail(format!(
                        "takes bytes {a:#x} to {:#x} of the memory on port {port}, and region \
                         {other} takes {b:#x} to {:#x}; choose another local base",
                        a_end - 1,
                        b_end - 1
                    ));
                }
            }
        }
        Ok(AddressMap {
            regions,
            homes,
            home_chips: numbering.count() / numbering.per_chip(),
            numbering,
        })
    }

    /// The regions, in the order of their registers.
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// Number of home slices of each chip with devices.
    pub fn homes(&self) -> usize {
        self.homes
    }

    /// Number of chips whose home slices share the lines.
    pub fn home_chips(&self) -> usize {
        self.home_chips
    }

    /// The first home slice of the first of them.
    pub fn first_home(&self) -> NodeId {
        NodeId::home(0)
    }

    /// Whether the node is a home slice that has lines.
    pub fn has_home(&self, node: NodeId) -> bool {
        let chip = usize::from(node.chip());
        node.as_home().is_some_and(|slice| slice < self.homes) && chip < self.home_chips
    }

    /// How the devices are numbered.
    pub fn numbering(&self) -> Numbering {
        self.numbering
    }

    /// The identifier of the device on a port.
    ///
    /// # Panics
    /// If there is no such port.
    pub fn node(&self, port: usize) -> NodeId {
        self.numbering.node(port)
    }

    /// The port of a device; `None` if the identifier names none.
    pub fn port(&self, node: NodeId) -> Option<usize> {
        self.numbering.port(node)
    }

    /// The region of an address; `None` in a hole.
    pub fn lookup(&self, addr: u64) -> Option<&Region> {
        self.regions.iter().find(|region| region.contains(addr))
    }

    /// The region that a request of a member of these partitions is for.
    ///
    /// # Errors
    /// What the switch refuses it with.
    pub fn admit(&self, request: &Header, partitions: u16) -> Result<&Region, RespErr> {
        let region = self.lookup(request.addr).ok_or(RespErr::Unmapped)?;
        if !region.allows(request.opcode, partitions) {
            return Err(RespErr::NoRight);
        }
        if request.opcode.is_coherent() != region.coherent {
            return Err(RespErr::WrongRegion);
        }
        Ok(region)
    }

    /// Memory port and local address of a byte; `None` in a hole.
    pub fn memory_of(&self, addr: u64) -> Option<(usize, u64)> {
        self.lookup(addr).map(|region| region.place(addr))
    }

    /// The global address of a byte of the memory on `port`; `None` if no region has it.
    pub fn global_of(&self, port: usize, local: u64) -> Option<u64> {
        self.regions
            .iter()
            .find_map(|region| region.global_of(port, local))
    }

    /// The home slice of the line that holds `addr`.
    pub fn home_of(&self, addr: u64) -> NodeId {
        let bits = (self.homes * self.home_chips).trailing_zeros();
        let mut line = (addr & ((1 << flits::layout::ADDR_BITS) - 1)) >> 6;
        let mut hash = 0;
        while bits != 0 && line != 0 {
            hash ^= line & ((1 << bits) - 1);
            line >>= bits;
        }
        let (slice, chip) = (hash as usize % self.homes, hash as usize / self.homes);
        NodeId::home(slice as u16).on_chip(chip as u16)
    }
}

fn check(region: &Region, memories: &[usize]) -> Result<(), String> {
    let Region {
        base,
        size,
        granule,
        local_base,
        ..
    } = *region;
    let limit = 1u64 << flits::layout::ADDR_BITS;
    let count = region.memories.len();
    if [base, size, local_base]
        .iter()
        .any(|n| !n.is_multiple_of(REGION_UNIT))
    {
        return Err(format!(
            "base {base:#x}, size {size:#x} and local base {local_base:#x} must be multiples of \
             {REGION_UNIT:#x}"
        ));
    }
    if size == 0 || base >= limit || size > limit - base {
        return Err(format!(
            "{size:#x} bytes at {base:#x} are not inside the {}-bit address space",
            flits::layout::ADDR_BITS
        ));
    }
    if !count.is_power_of_two() || count > MAX_INTERLEAVE {
        return Err(format!(
            "is over {count} memories; 1, 2, 4 or 8 are possible"
        ));
    }
    if let Some(port) = region.memories.iter().find(|port| !memories.contains(port)) {
        return Err(format!(
            "there is no memory on port {port}; those are on {memories:?}"
        ));
    }
    if let Some(at) = (1..count).find(|&i| region.memories[..i].contains(&region.memories[i])) {
        return Err(format!(
            "names the memory on port {} twice",
            region.memories[at]
        ));
    }
    if !granule.is_power_of_two() || !(64..=1 << 20).contains(&granule) {
        return Err(format!(
            "granule {granule:#x} must be a power of two from 0x40 to 0x100000"
        ));
    }
    if !size.is_multiple_of(granule * count as u64) {
        return Err(format!(
            "size {size:#x} must be a multiple of {count} memories times granule {granule:#x}"
        ));
    }
    if local_base >= limit || region.local_size() > limit - local_base {
        return Err(format!(
            "local base {local_base:#x} leaves no room in the memory"
        ));
    }
    Ok(())
}

impl fmt::Display for AddressMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, region) in self.regions.iter().enumerate() {
            writeln!(
                f,
                "region {index}: {:#014x} to {:#014x} {:9} memories {:?} granule {:#x} local {:#x} \
                 read {:#06x} write {:#06x}",
                region.base,
                region.last(),
                if region.coherent {
                    "coherent"
                } else {
                    "uncached"
                },
                region.memories,
                region.granule,
                region.local_base,
                region.read_partitions,
                region.write_partitions
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(base: u64, size: u64, memories: &[usize], local_base: u64) -> Region {
        Region {
            base,
            size,
            coherent: true,
            memories: memories.to_vec(),
            granule: 4096,
            local_base,
            read_partitions: u16::MAX,
            write_partitions: u16::MAX,
        }
    }

    fn error(regions: &[Region]) -> String {
        match AddressMap::new(regions.to_vec(), &[6, 7], 2, Numbering::of_one_chip(8)) {
            Ok(map) => panic!("accepted:\n{map}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn local_addresses_lead_back_to_the_global_one() {
        let map = AddressMap::new(
            vec![
                region(0, 1 << 20, &[7, 6], 0),
                region(1 << 32, 1 << 17, &[6], 1 << 19),
            ],
            &[6, 7],
            2,
            Numbering::of_one_chip(8),
        )
        .expect("a legal map");
        let mut seen = std::collections::BTreeSet::new();
        for addr in (0..1 << 20)
            .step_by(64)
            .chain((1 << 32..(1 << 32) + (1 << 17)).step_by(64))
        {
            let place = map.memory_of(addr).expect("mapped");
            assert!(seen.insert(place), "{addr:#x} shares {place:?}");
            assert_eq!(map.global_of(place.0, place.1), Some(addr));
        }
        assert_eq!(map.memory_of(4096 + 5), Some((6, 5)));
        assert_eq!(map.memory_of(1 << 20), None);
        assert_eq!(map.global_of(7, 1 << 19), None);
    }

    #[test]
    fn homes_are_chosen_by_the_folded_line_address() {
        let ports = Numbering::of_one_chip(8);
        let map = AddressMap::new(Vec::new(), &[], 2, ports).expect("an empty map");
        assert_eq!(map.home_of(0x0), NodeId::home(0));
        assert_eq!(map.home_of(0x40), NodeId::home(1));
        assert_eq!(map.home_of(0xc0), NodeId::home(0));
        assert_eq!(map.home_of(0x1000_0000_0040), NodeId::home(0));
        let one = AddressMap::new(Vec::new(), &[], 1, ports).expect("an empty map");
        assert_eq!(one.home_of(0x40), NodeId::home(0));
        let four = AddressMap::new(Vec::new(), &[], 2, Numbering::new(16, 4)).expect("a map");
        assert_eq!(four.home_of(0x40), NodeId::home(1));
        assert_eq!(four.home_of(0x140), NodeId::home(1).on_chip(2));
        assert_eq!(four.home_of(0x240), NodeId::home(0));
    }

    #[test]
    fn impossible_maps_are_named() {
        let good = region(0, 1 << 20, &[6, 7], 0);
        let with = |change: fn(&mut Region)| {
            let mut changed = good.clone();
            change(&mut changed);
            error(&[changed])
        };
        assert!(with(|r| r.base = 64).contains("multiples of 0x10000"));
        assert!(with(|r| r.size = 0).contains("not inside"));
        assert!(with(|r| r.base = 1 << 48).contains("not inside"));
        assert!(with(|r| r.memories = vec![6, 7, 6]).contains("3 memories"));
        assert!(with(|r| r.memories = vec![5]).contains("no memory on port 5"));
        assert!(with(|r| r.memories = vec![6, 6]).contains("twice"));
        assert!(with(|r| r.granule = 32).contains("granule 0x20"));
        assert!(with(|r| r.granule = 1 << 20).contains("must be a multiple of 2 memories"));
        let overlap = region(0xf_0000, 1 << 20, &[6, 7], 1 << 20);
        assert!(error(&[good.clone(), overlap]).contains("overlaps region 0"));
        let same_bytes = region(1 << 32, 1 << 20, &[7], 0x7_0000);
        assert!(error(&[good, same_bytes]).contains("of the memory on port 7"));
    }
}
