//! Packets: a header and its payload, and their way through link words.

use crate::layout::{FLIT_BYTES, LINE_BYTES};
use crate::{Class, Flit, Header, HeaderError, LinkWord};
use smallvec::{SmallVec, smallvec};
use std::fmt;

/// Payload flits; up to a line of them without an allocation.
pub type Payload = SmallVec<[Flit; LINE_BYTES / FLIT_BYTES]>;

/// The bytes that a packet carries; up to a line of them without an allocation.
pub type Data = SmallVec<[u8; LINE_BYTES]>;

/// Why words or bytes are no packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// The header is not legal.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The payload has a length that the header does not say.
    #[error("{header} with {got} payload flits instead of {want}", want = header.payload_flits())]
    PayloadFlits {
        /// The header.
        header: Header,
        /// The payload flits there are.
        got: usize,
    },
    /// The data has a length that the header does not say.
    #[error("{header} with {got} bytes of data instead of {want}", want = header.bytes())]
    DataBytes {
        /// The header.
        header: Header,
        /// The bytes there are.
        got: usize,
    },
    /// A header came before the last packet of the class was complete.
    #[error("{class} head inside another packet, {header}, after {got} of its payload flits")]
    HeadInside {
        /// The class.
        class: Class,
        /// The header of the packet that stays incomplete.
        header: Header,
        /// The payload flits that it got.
        got: usize,
    },
    /// A payload flit came without a header before it.
    #[error("{class} payload flit without a head")]
    NoHead {
        /// The class.
        class: Class,
    },
    /// The tail came before the last payload flit.
    #[error("{header} ends after {got} payload flits instead of {want}", want = header.payload_flits())]
    EarlyTail {
        /// The header.
        header: Header,
        /// The payload flits that it got.
        got: usize,
    },
    /// The last flit of the packet has no tail.
    #[error("{header} does not end after its {want} payload flits", want = header.payload_flits())]
    MissingTail {
        /// The header.
        header: Header,
    },
}

/// A header and as many payload flits as it says.
///
/// ```
/// use flits::{Assembler, Header, NodeId, Packet};
/// let header = Header::write_unique(NodeId::port(3), 5, 0x1008, 3)?;
/// let packet = Packet::with_data(header, &42u64.to_le_bytes())?;
/// let mut assembler = Assembler::new();
/// let mut arrived = None;
/// for word in packet.words() {
///     arrived = assembler.push(word)?;
/// }
/// assert_eq!(arrived.as_ref(), Some(&packet));
/// assert_eq!(packet.data()[..], 42u64.to_le_bytes());
/// # Ok::<(), flits::PacketError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Packet {
    /// The header.
    pub header: Header,
    /// The payload flits, each byte at its natural lane.
    pub payload: Payload,
}

impl Packet {
    /// A packet of a header and payload flits.
    ///
    /// # Errors
    /// A header that is not legal, or another number of flits than it says.
    pub fn new(header: Header, payload: Payload) -> Result<Packet, PacketError> {
        header.check()?;
        let got = payload.len();
        if got != header.payload_flits() {
            return Err(PacketError::PayloadFlits { header, got });
        }
        Ok(Packet { header, payload })
    }

    /// A packet without payload.
    ///
    /// # Errors
    /// A header that is not legal or asks for a payload.
    pub fn bare(header: Header) -> Result<Packet, PacketError> {
        Packet::new(header, Payload::new())
    }

    /// A packet that carries `data`, the bytes from the header's address on. Bytes of the payload
    /// flit outside the access are 0.
    ///
    /// # Errors
    /// A header that is not legal or has no payload, or another number of bytes than it says.
    pub fn with_data(header: Header, data: &[u8]) -> Result<Packet, PacketError> {
        header.check()?;
        if data.len() != header.bytes() {
            return Err(PacketError::DataBytes {
                header,
                got: data.len(),
            });
        }
        let first_lane = header.addr as usize % FLIT_BYTES;
        let payload = if data.len() <= FLIT_BYTES {
            let mut lanes = [0; FLIT_BYTES];
            lanes[first_lane..first_lane + data.len()].copy_from_slice(data);
            smallvec![Flit::from_bytes(lanes)]
        } else {
            let (flits, _) = data.as_chunks();
            flits.iter().map(|&lanes| Flit::from_bytes(lanes)).collect()
        };
        Packet::new(header, payload)
    }

    /// The bytes that the packet carries, from the header's address on; none without payload.
    pub fn data(&self) -> Data {
        let mut data: Data = self
            .payload
            .iter()
            .flat_map(|flit| flit.to_bytes())
            .collect();
        if data.len() > self.header.bytes() {
            data.drain(..self.header.addr as usize % FLIT_BYTES);
            data.truncate(self.header.bytes());
        }
        data
    }

    /// The line that the packet carries, if it carries exactly one.
    pub fn line(&self) -> Option<[u8; LINE_BYTES]> {
        let flits: &[Flit; LINE_BYTES / FLIT_BYTES] = self.payload.as_slice().try_into().ok()?;
        let mut line = [0; LINE_BYTES];
        for (bytes, flit) in line.as_chunks_mut().0.iter_mut().zip(flits) {
            *bytes = flit.to_bytes();
        }
        Some(line)
    }

    /// The link words of the packet, in the order that they travel.
    pub fn words(&self) -> impl Iterator<Item = LinkWord> + '_ {
        let class = self.header.class();
        (0..=self.payload.len()).map(move |i| LinkWord {
            class,
            head: i == 0,
            tail: i == self.payload.len(),
            flit: match i {
                0 => self.header.encode(),
                _ => self.payload[i - 1],
            },
        })
    }
}

impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.header)?;
        if !self.payload.is_empty() {
            f.write_str(" data ")?;
            for byte in self.data() {
                write!(f, "{byte:02x}")?;
            }
        }
        Ok(())
    }
}

/// What a class of a link is in the middle of.
#[derive(Clone, Debug, Default)]
enum Progress {
    /// A head comes next.
    #[default]
    Between,
    /// Payload of this packet comes next.
    Inside(Packet),
    /// What is left of a broken packet comes next, to be dropped.
    Skipping,
}

/// Makes packets of link words; the classes are independent.
///
/// After an error the rest of the broken packet, up to its tail or the next head, is dropped
/// silently, so one bad packet is one error.
#[derive(Clone, Debug, Default)]
pub struct Assembler {
    progress: [Progress; Class::ALL.len()],
}

impl Assembler {
    /// An assembler in the middle of nothing.
    pub fn new() -> Assembler {
        Assembler::default()
    }

    /// Takes the next word and returns the packet that it completes.
    ///
    /// # Errors
    /// The word breaks the packet; see [`PacketError`].
    pub fn push(&mut self, word: LinkWord) -> Result<Option<Packet>, PacketError> {
        let progress = &mut self.progress[usize::from(word.class.code())];
        let outcome = Assembler::advance(progress, word);
        if outcome.is_err() && !word.tail {
            *progress = Progress::Skipping;
        }
        outcome
    }

    /// Whether any class is inside a packet.
    pub fn is_inside(&self) -> bool {
        self.progress
            .iter()
            .any(|progress| matches!(progress, Progress::Inside(_)))
    }

    fn advance(progress: &mut Progress, word: LinkWord) -> Result<Option<Packet>, PacketError> {
        let class = word.class;
        if word.head {
            if let Progress::Inside(packet) = std::mem::take(progress) {
                let got = packet.payload.len();
                return Err(PacketError::HeadInside {
                    class,
                    header: packet.header,
                    got,
                });
            }
            let header = Header::decode(class, word.flit)?;
            let packet = Packet {
                header,
                payload: Payload::new(),
            };
            return match (header.payload_flits(), word.tail) {
                (0, true) => Ok(Some(packet)),
                (0, false) => Err(PacketError::MissingTail { header }),
                (_, true) => Err(PacketError::EarlyTail { header, got: 0 }),
                (_, false) => {
                    *progress = Progress::Inside(packet);
                    Ok(None)
                }
            };
        }
        match progress {
            Progress::Inside(packet) => {
                packet.payload.push(word.flit);
                let (got, want) = (packet.payload.len(), packet.header.payload_flits());
                if (got == want) == word.tail {
                    if got < want {
                        return Ok(None);
                    }
                    let Progress::Inside(packet) = std::mem::take(progress) else {
                        unreachable!()
                    };
                    return Ok(Some(packet));
                }
                let header = packet.header;
                *progress = Progress::Between;
                Err(match word.tail {
                    true => PacketError::EarlyTail { header, got },
                    false => PacketError::MissingTail { header },
                })
            }
            Progress::Skipping => {
                if word.tail {
                    *progress = Progress::Between;
                }
                Ok(None)
            }
            Progress::Between => Err(PacketError::NoHead { class }),
        }
    }
}
