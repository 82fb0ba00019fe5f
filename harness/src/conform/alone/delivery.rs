//! How messages travel: from who sends them into a channel, and from there to who gets them.

use super::channels::Channel;
use super::{Alone, MEMORY, numbering};
use crate::agents::{LineBytes, answer_of, is_poisoned, memory_answer, packet};
use crate::dut::{HOME_PORTS, PortAnswer, bits, write_of};
use crate::protocol::model::Agent;
use crate::protocol::{LineData, NodeIn, node};
use crate::{Failure, FailureKind};
use flits::{CacheState, Class, Header, Opcode, Packet, layout};

impl Alone {
    /// The first message of a channel arrives.
    ///
    /// # Errors
    /// Its receiver cannot take it.
    pub fn deliver(&mut self, channel: Channel) -> Result<(), Failure> {
        let Packet { header, payload } = self.take(channel, "")?;
        match channel.to {
            Agent::Node(node) => {
                let data = match header.class() {
                    // The old value of a far atomic is no line and stays with nobody.
                    Class::Dat => LineBytes::from_flits(&payload, is_poisoned(&header))
                        .or_else(|| Some(LineBytes::new([0; layout::LINE_BYTES]))),
                    _ => None,
                };
                let input = match header.class() {
                    Class::Snp => NodeIn::Snoop(header.opcode),
                    _ if self.txn(node, channel.line) != Some(header.txn) => {
                        let text = format!("node {node}: {header} answers what nobody asked");
                        return Err(self.failure(FailureKind::Protocol, text));
                    }
                    _ => answer_of(&header, data),
                };
                self.step(node, channel.line, input, Some(&header))
            }
            Agent::Memory => {
                let mut data = self.in_memory(channel.line);
                let payload = match header.opcode {
                    Opcode::MemRead => data.to_flits().into(),
                    _ => {
                        data = data.merged(&write_of(&header, &payload));
                        self.memory.insert(channel.line, data.clone());
                        flits::Payload::new()
                    }
                };
                let header = memory_answer(MEMORY, &header, data.poison);
                self.send(Agent::Memory, header, payload)
            }
            _ => {
                self.give_home(header, payload);
                Ok(())
            }
        }
    }

    /// The first message of a channel, on its way to whoever gets it; `how` completes the story.
    pub(super) fn take(&mut self, channel: Channel, how: &str) -> Result<Packet, Failure> {
        let Channel {
            from,
            to,
            class,
            line,
        } = channel;
        let Some(packet) = self.channels.pop(channel) else {
            let text = format!("{from} sends nothing in {class} to {to}, line {line:#x}");
            return Err(self.failure(FailureKind::Progress, text));
        };
        self.messages += 1;
        self.tell(format_args!("{from} -> {to}: {}{how}", packet.header));
        Ok(packet)
    }

    /// A step of a node, as the answer to a packet or of its own.
    pub(super) fn step(
        &mut self,
        number: u8,
        line: u64,
        input: NodeIn<LineBytes>,
        cause: Option<&Header>,
    ) -> Result<(), Failure> {
        let copy = self.nodes[usize::from(number)].entry(line).or_default();
        self.node_pairs.node(&copy.line, &input);
        let stepped = node(std::mem::take(&mut copy.line), input);
        let (after, messages) = match stepped {
            Ok(stepped) => stepped,
            Err(reason) => {
                let text = format!("node {number}, line {line:#x}: {reason}");
                return Err(self.failure(FailureKind::Protocol, text));
            }
        };
        copy.line = after;
        if cause.is_none() {
            copy.txn = self.next_txn;
            self.next_txn = (self.next_txn + 1) % (1 << layout::TXN.width);
        }
        let txn = copy.txn;
        let id = numbering().node(number.into());
        for message in messages {
            let Some((header, payload)) = packet(id, line, txn, cause, &message) else {
                let text = format!("node {number}: an answer to no packet is due");
                return Err(self.failure(FailureKind::Harness, text));
            };
            self.send(Agent::Node(number), header, payload)?;
        }
        Ok(())
    }

    fn txn(&self, node: u8, line: u64) -> Option<u16> {
        self.nodes[usize::from(node)]
            .get(&line)
            .map(|copy| copy.txn)
    }

    /// A message is on its way.
    pub(super) fn send(
        &mut self,
        from: Agent,
        header: Header,
        payload: flits::Payload,
    ) -> Result<(), Failure> {
        let packet = Packet::new(header, payload)
            .map_err(|error| self.failure(FailureKind::Link, format!("{from}: {error}")))?;
        let node = |id| numbering().port(id).map(|port| Agent::Node(port as u8));
        let to = match header.class() {
            Class::Req => Some(Agent::Home),
            Class::Mem => Some(Agent::Memory),
            Class::Snp => {
                // That a home snoops somebody who is not there is found by the comparison.
                for target in bits(header.targets).filter(|&target| target < HOME_PORTS) {
                    self.snooped.insert((header.txn, target as u8));
                    self.channels
                        .push(from, Agent::Node(target as u8), packet.clone());
                }
                return Ok(());
            }
            _ if header.dst.is_home() => Some(Agent::Home),
            _ => node(header.dst),
        };
        match to {
            Some(to) => {
                self.channels.push(from, to, packet);
                Ok(())
            }
            None => Err(self.failure(FailureKind::Protocol, format!("{from}: {header} to nobody"))),
        }
    }

    /// A message is at the home: a SnpResp or CompAck at its sender's port, others on the home's link.
    fn give_home(&mut self, header: Header, payload: flits::Payload) {
        let port = numbering().port(header.src);
        let is_answer = header.opcode != Opcode::CompAck && header.class() != Class::Req;
        if let Some(node) = port.filter(|_| is_answer) {
            self.snooped.remove(&(header.txn, node as u8));
        }
        let ack = match header.opcode {
            Opcode::CompAck => Some(Some(header.state)),
            Opcode::SnpResp => Some(None),
            _ => None,
        };
        if let (Some(ack), Some(port)) = (ack, port) {
            let (src, tracker) = (header.src, header.txn);
            self.slice.answer(port, PortAnswer { src, tracker, ack });
            return;
        }
        let state = match (header.class(), port) {
            // The way into the switch says whether the sender may write.
            (Class::Req, Some(port)) if self.readers.has(port as u8) => CacheState::SC,
            (Class::Req, _) => CacheState::UD,
            _ => header.state,
        };
        let header = Header { state, ..header };
        self.slice.push(&Packet { header, payload });
    }
}
