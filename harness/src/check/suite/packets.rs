//! The links' side: words and packets at the ports, and where requests go.

use flits::{Class, Header, LinkWord, Opcode, Packet, RespErr};

use super::Suite;
use crate::FailureKind;
use crate::check::coverage::Seen;
use crate::check::link::may_receive;
use crate::check::poison::is_whole;
use crate::check::{Direction, PortKind, SeenPacket, Verdict, violation};

/// Where the address map sends a request.
enum Route {
    Home,
    Memory(usize, u64),
}

impl Suite {
    pub(super) fn word(
        &mut self,
        cycle: u64,
        port: usize,
        direction: Direction,
        word: &LinkWord,
    ) -> Verdict {
        self.counts.words += 1;
        let packet = self.links[port].word(direction, word)?;
        if self.coverage.is_some() {
            self.cover(port, direction, word, packet.as_ref());
        }
        let begin = &mut self.begins[port][direction as usize][word.class as usize];
        if word.head {
            *begin = cycle;
        }
        let begin = *begin;
        let request = word.head && word.class == Class::Req && direction == Direction::ToSwitch;
        if request && !self.is_hostile(port) {
            let header = match &packet {
                Some(packet) => Ok(packet.header),
                None => Header::decode(word.class, word.flit),
            };
            if let Ok(header) = header {
                self.requested(cycle, port, &header)?;
            }
        }
        let Some(packet) = packet else {
            return Ok(());
        };
        self.counts.packets += 1;
        let verdict = match direction {
            _ if self.is_hostile(port) => {
                self.hostile(cycle, port, direction, &packet);
                Ok(())
            }
            Direction::ToSwitch => self.sent(port, &packet),
            Direction::ToNode => match self.config.map.port(packet.header.src) {
                Some(from) if self.is_hostile(from) => {
                    self.got_from_hostile(cycle, from, port, &packet)
                }
                _ => self.got(cycle, port, &packet),
            },
        };
        if self.config.log_packets {
            self.log.push(SeenPacket {
                begin,
                cycle,
                port,
                direction,
                packet,
            });
        }
        verdict
    }

    /// Tells functional coverage of a word and of the packet that it completes.
    #[cold]
    fn cover(
        &mut self,
        port: usize,
        direction: Direction,
        word: &LinkWord,
        packet: Option<&Packet>,
    ) {
        let Some(coverage) = &mut self.coverage else {
            return;
        };
        let left = self.links[port].left(direction, word.class);
        coverage.word(port, direction, word.class as usize, left);
        let Some(Packet { header, .. }) = packet else {
            return;
        };
        let map = &self.config.map;
        let requester = match header.class() {
            Class::Snp => map
                .port(header.forward_node)
                .map(|port| (port, header.forward_txn)),
            Class::Mem => map
                .port(header.return_node)
                .map(|port| (port, header.return_txn)),
            _ => None,
        };
        coverage.packet(&Seen {
            port,
            direction,
            header,
            global: match header.class() {
                Class::Mem => map.global_of(port, header.addr),
                _ => None,
            },
            requester: requester.filter(|_| header.form() != flits::layout::Form::MemWrite),
        });
    }

    /// Device `port` has sent the header of a request. The switch may refuse it before the rest of
    /// the packet has come.
    fn requested(&mut self, cycle: u64, port: usize, header: &Header) -> Verdict {
        if let Err(status) = self.route(port, header) {
            self.delivery.refuse(port, header.txn, status);
        }
        self.transactions.request(cycle, port, header)
    }

    /// Device `port` has sent a packet.
    fn sent(&mut self, port: usize, packet: &Packet) -> Verdict {
        let Packet { header, payload } = packet;
        if header.class() == Class::Req {
            let Ok(route) = self.route(port, header) else {
                return Ok(());
            };
            if let Route::Memory(memory, local) = route {
                let dst = self.config.map.node(memory);
                let translated = Header {
                    dst,
                    addr: local,
                    ..*header
                };
                self.delivery.enter(port, memory, translated, payload);
            }
            if is_write_behind(header.opcode) {
                self.issue(port, packet);
            }
            return Ok(());
        }
        match self.config.map.port(header.dst) {
            Some(to) => self.delivery.enter(port, to, *header, payload),
            None if self.config.map.has_home(header.dst) => {}
            _ => {
                return Err(violation(
                    FailureKind::Link,
                    format!("node {port} sends {header}, but there is no such destination"),
                ));
            }
        }
        let memory = self.config.kinds[port] == PortKind::Memory;
        match header.opcode {
            Opcode::Comp | Opcode::CompData if memory => {
                self.transactions.access_answer(port, header)
            }
            Opcode::CompData => self.transactions.forward(port, header),
            Opcode::CompAck => self.transactions.acknowledge(port, header),
            _ => self.transactions.snoop_answer(port, header),
        }
    }

    /// Device `port` has got a packet.
    fn got(&mut self, cycle: u64, port: usize, packet: &Packet) -> Verdict {
        let Packet { header, payload } = packet;
        let kind = self.config.kinds[port];
        if !may_receive(kind, header.opcode) {
            return Err(violation(
                FailureKind::Link,
                format!("port {port}: a {kind} may not get {header}"),
            ));
        }
        let refused = matches!(
            header.resp,
            RespErr::Unmapped | RespErr::NoRight | RespErr::WrongRegion
        );
        let from = self.config.map.port(header.src);
        if refused {
            self.delivery.refused(port, header)?;
        } else if let Some(from) = from {
            self.delivery.leave(from, port, header, payload)?;
        } else if !self.config.map.has_home(header.src) {
            return Err(violation(
                FailureKind::Link,
                format!("node {port} gets {header}, whose source does not exist"),
            ));
        }
        match header.class() {
            Class::Snp => {
                self.at_home(header, Some(header.line()))?;
                self.transactions.snoop(cycle, port, header)
            }
            Class::Mem | Class::Req => {
                let global = self.config.map.global_of(port, header.addr);
                self.at_home(header, global.filter(|_| header.class() == Class::Mem))?;
                self.transactions.access(cycle, port, header, global)
            }
            Class::Rsp | Class::Dat => {
                let (opcode, addr) = self.transactions.answer(port, header)?;
                self.answered(port, packet, opcode, addr)
            }
        }
    }

    /// A hostile device has sent or got a legal packet. It is judged by no rule, but what it asked
    /// for must be known where others answer it.
    fn hostile(&mut self, cycle: u64, port: usize, direction: Direction, packet: &Packet) {
        let Packet { header, payload } = packet;
        let from = self.config.map.port(header.src);
        // The verdicts are those on a device that may do anything.
        let _ = match (direction, header.class(), from) {
            (Direction::ToSwitch, Class::Req, _) => {
                if header.opcode != Opcode::WriteNoSnp && is_write_behind(header.opcode) {
                    self.issue(port, packet);
                }
                self.transactions.request(cycle, port, header)
            }
            (Direction::ToSwitch, ..) => self.transactions.acknowledge(port, header),
            (Direction::ToNode, _, Some(from)) if from != port => {
                let _ = self.delivery.leave(from, port, header, payload);
                self.transactions.answer(port, header).map(|_| ())
            }
            (Direction::ToNode, ..) => self.transactions.answer(port, header).map(|_| ()),
        };
    }

    /// Device `port` has got a packet of the hostile device `from`. The switch completes a torn one
    /// with words that were never sent, so that what arrives is what counts.
    fn got_from_hostile(
        &mut self,
        cycle: u64,
        from: usize,
        port: usize,
        packet: &Packet,
    ) -> Verdict {
        if packet.header.class() != Class::Req {
            // A stray answer is its receiver's to drop.
            return Ok(());
        }
        let global = self.config.map.global_of(port, packet.header.addr);
        if let (Opcode::WriteNoSnp, Some(addr)) = (packet.header.opcode, global) {
            let mut packet = packet.clone();
            packet.header.addr = addr;
            self.issue(from, &packet);
        }
        self.transactions
            .access(cycle, port, &packet.header, global)
    }

    /// Device `port` has got the answer to its request `opcode` of `addr`.
    fn answered(&mut self, port: usize, packet: &Packet, opcode: Opcode, addr: u64) -> Verdict {
        let header = &packet.header;
        match opcode {
            _ if is_write_behind(opcode) => {
                let performed = matches!(header.resp, RespErr::Ok | RespErr::DataError);
                let old = (header.opcode == Opcode::CompData).then(|| packet.data());
                let owner = (port, header.txn);
                let exchange = self.golden.complete(owner, performed, old.as_deref())?;
                self.recorder.reassign(&exchange.moves);
                for (addr, len) in exchange.doubts {
                    self.poison.doubt(addr, len);
                }
                self.recorder.answered(port, header.txn);
                if let (Some(old), RespErr::Ok) = (old, header.resp) {
                    self.orders[port].answer(addr, old);
                }
                Ok(())
            }
            Opcode::ReadOnce | Opcode::ReadNoSnp
                if header.opcode == Opcode::CompData && !header.poison =>
            {
                self.orders[port].answer(addr, packet.data());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A device sends a write that no cache takes part in.
    fn issue(&mut self, port: usize, packet: &Packet) {
        let header = &packet.header;
        let (addr, len) = (header.addr, header.bytes());
        match header.poison {
            true => self.poison.expect(addr),
            false if is_whole(header.be, len) => self.poison.cleaned(addr, len),
            false => {}
        }
        self.golden.issue(port, packet);
    }

    /// What a home sends about a line must come from the home of that line.
    fn at_home(&self, header: &Header, global: Option<u64>) -> Verdict {
        match global {
            Some(line) if self.config.map.home_of(line) != header.src => Err(violation(
                FailureKind::Protocol,
                format!(
                    "{header} is about line {line:#x}, whose home is {}",
                    self.config.map.home_of(line)
                ),
            )),
            _ => Ok(()),
        }
    }

    /// What the address map says about a request.
    fn route(&self, port: usize, header: &Header) -> Result<Route, RespErr> {
        let map = &self.config.map;
        let region = map.admit(header, self.config.partitions[port])?;
        match map.memory_of(header.addr) {
            Some((memory, local)) if !region.coherent => Ok(Route::Memory(memory, local)),
            _ => Ok(Route::Home),
        }
    }
}

/// Whether a request changes memory without a cache taking part.
fn is_write_behind(opcode: Opcode) -> bool {
    opcode.is_atomic() || matches!(opcode, Opcode::WriteUnique | Opcode::WriteNoSnp)
}
