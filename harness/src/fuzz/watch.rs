//! What the pins of a switch show, as events.
//!
//! A line of RTL is reached once and for all; what makes a protocol break is the order of things. So
//! the pins are watched for
//!
//! * what a port sends or gets, and what it sent or got before;
//! * what happens to a line, and what happened to it before: a request in the state of the requester,
//!   the snoop or memory access that the state of the directory makes of it, the next request. This is
//!   the home's state times its event as far as the pins show it;
//! * how many requests are open on the same line when another comes;
//! * how many words of a class a receiver holds, up to its last credit;
//! * on how many ports words come and go at once.

use std::cell::RefCell;
use std::rc::Rc;

use flits::{Class, Header, LinkWord};
use rustc_hash::FxHashMap;

use crate::Failure;
use crate::dut::{CLASSES, Inputs, MAX_PORTS, Outputs, Switch, Words, bits, through};
use crate::parts::Event;

/// The events of a run.
#[derive(Debug, Default)]
pub struct Events {
    seen: Vec<Event>,
    state: State,
}

/// What earlier cycles leave.
#[derive(Debug, Default)]
struct State {
    /// Last header of each port.
    ports: [u64; MAX_PORTS],
    /// Last event of each line, and the requests open on it.
    lines: FxHashMap<u64, (u64, u32)>,
    /// The line of each open request, by port and transaction.
    open: FxHashMap<(usize, u16), u64>,
    /// Words without a credit returned, by direction, port and class.
    held: [[[u16; CLASSES]; MAX_PORTS]; 2],
}

/// Kinds of events, in the upper bits of their numbers.
#[derive(Clone, Copy)]
enum Kind {
    Header,
    Line,
    Open,
    Held,
    Ports,
}

impl Events {
    /// Shows each event once or more often, and forgets them and all that was before.
    pub fn drain(&mut self, show: impl FnMut(Event)) {
        self.seen.drain(..).for_each(show);
        self.state = State::default();
    }

    fn note(&mut self, kind: Kind, parts: [u64; 3]) {
        let [a, b, c] = parts;
        self.seen.push([kind as u64, a, b, c]);
    }

    fn cycle(&mut self, inputs: &Inputs, outputs: &Outputs) {
        for (way, words) in [&inputs.rx, &outputs.tx].into_iter().enumerate() {
            self.words(way, words);
        }
        for (way, credits) in [outputs.rx_credit, inputs.tx_credit]
            .into_iter()
            .enumerate()
        {
            for (port, classes) in credits.iter() {
                for class in bits(classes) {
                    let held = &mut self.state.held[way][port][class];
                    *held = held.saturating_sub(1);
                }
            }
        }
        let [come, go] = [inputs.rx.valid, outputs.tx.valid].map(u16::count_ones);
        if come + go > 0 {
            self.note(Kind::Ports, [come.into(), go.into(), 0]);
        }
    }

    fn words(&mut self, way: usize, words: &Words) {
        for port in bits(words.valid) {
            let Some(word) = words.get(port) else {
                continue;
            };
            let class = word.class as usize;
            let held = &mut self.state.held[way][port][class];
            *held += 1;
            let held = u64::from(*held);
            self.note(Kind::Held, [way as u64, class as u64, held]);
            if word.head {
                self.header(way, port, &word);
            }
        }
    }

    fn header(&mut self, way: usize, port: usize, word: &LinkWord) {
        let Ok(header) = Header::decode(word.class, word.flit) else {
            self.note(Kind::Header, [u64::MAX, word.class as u64, 0]);
            return;
        };
        let class = header.class();
        let what = way as u64
            | u64::from(header.opcode.code()) << 1
            | (header.state as u64) << 8
            | (header.resp as u64) << 12
            | u64::from(class == Class::Snp && header.targets != 0) << 16;
        let before = std::mem::replace(&mut self.state.ports[port], what);
        self.note(Kind::Header, [before, what, 0]);
        let line = match class {
            Class::Req | Class::Snp => header.line(),
            // The memory's own addresses are another space.
            Class::Mem => header.line() | 1,
            Class::Rsp | Class::Dat => {
                self.answer(way, port, &header);
                return;
            }
        };
        let place = self.state.lines.entry(line).or_default();
        let (before, open) = (std::mem::replace(&mut place.0, what), place.1);
        if class == Class::Req && way == 0 {
            place.1 += 1;
            self.state.open.insert((port, header.txn), line);
            self.note(Kind::Open, [what, u64::from(open.min(4)), 0]);
        }
        self.note(Kind::Line, [before, what, 0]);
    }

    /// An answer to a node ends its request.
    fn answer(&mut self, way: usize, port: usize, header: &Header) {
        if way == 1
            && let Some(line) = self.state.open.remove(&(port, header.txn))
            && let Some((_, open)) = self.state.lines.get_mut(&line)
        {
            *open = open.saturating_sub(1);
        }
    }
}

/// A switch whose pins are watched.
pub struct Watched {
    switch: Box<dyn Switch>,
    events: Rc<RefCell<Events>>,
}

impl Watched {
    /// Watches a switch; events gather in `events`.
    pub fn new(switch: Box<dyn Switch>, events: Rc<RefCell<Events>>) -> Watched {
        Watched { switch, events }
    }
}

impl Switch for Watched {
    through!();

    fn reset(&mut self) -> Result<(), Failure> {
        *self.events.borrow_mut() = Events::default();
        self.switch.reset()
    }

    fn clock(&mut self, inputs: &Inputs, outputs: &mut Outputs) -> Result<(), Failure> {
        self.switch.clock(inputs, outputs)?;
        self.events.borrow_mut().cycle(inputs, outputs);
        Ok(())
    }

    fn homes_at_work(&self) -> u8 {
        self.switch.homes_at_work()
    }
}
