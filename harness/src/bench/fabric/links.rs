//! Senders and receivers on the links of a fabric, and the check of every word.

use super::model::{ALL_CLASSES, Fabric};
use crate::dut::{CLASSES, bits};
use crate::{Failure, FailureKind};
use flits::{Class, Flit, LinkWord, NodeId, layout};
use std::collections::VecDeque;

/// A packet on its way into the fabric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its class.
    pub class: Class,
    /// The outputs it is for, one bit each; several only for a snoop of one word.
    pub outputs: u16,
    /// The cycle from which its latency counts.
    pub born: u64,
    /// Its words. Their content should tell a packet from others, and is free, but that the fabric
    /// reads the priority out of a header's `qos` and writes the `dst` of a snoop.
    pub flits: Vec<Flit>,
}

/// A word that has come out where it had to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivered {
    /// The input it came from.
    pub input: usize,
    /// The output it came to.
    pub output: usize,
    /// Its class.
    pub class: Class,
    /// Whether it ends a packet.
    pub tail: bool,
    /// Cycles from the packet's `born` to the one in which the word is on the output.
    pub latency: u64,
}

/// A word that an output owes.
#[derive(Clone, Copy)]
struct Owed {
    word: LinkWord,
    born: u64,
}

/// A fabric between senders that keep to their credits and receivers that grant some. Every word that
/// comes out is compared with those sent: right output, unchanged, in the order of its input and
/// class, no packet in pieces among others of its class.
pub struct Links {
    fabric: Fabric,
    cycle: u64,
    /// Credits of each input, by class.
    credits: Vec<[u16; CLASSES]>,
    /// The packet that an input is sending in each class, and its next word.
    under_way: Vec<[Option<(Message, usize)>; CLASSES]>,
    /// Words still to come out, by output, class, input.
    owed: Vec<VecDeque<Owed>>,
    /// The input whose packet is coming out, by output and class.
    coming: Vec<[Option<usize>; CLASSES]>,
    /// Credits of each output, by class, that wait to be returned.
    waiting: Vec<[u16; CLASSES]>,
    delivered: Vec<Delivered>,
    inside: usize,
    /// Inputs that have sent their word of this cycle, one bit each.
    taken: u16,
}

impl Links {
    /// Links to a fabric just reset. Each receiver grants `depth` credits of each class, at most 255.
    pub fn new(fabric: Fabric, depth: u16) -> Links {
        let depths = vec![depth; fabric.ports()];
        Links::with_depths(fabric, &depths)
    }

    /// The same, with receivers of different depths.
    pub fn with_depths(fabric: Fabric, depths: &[u16]) -> Links {
        let ports = fabric.ports();
        Links {
            fabric,
            cycle: 0,
            credits: vec![[0; CLASSES]; ports],
            under_way: (0..ports).map(|_| Default::default()).collect(),
            owed: (0..ports * CLASSES * ports)
                .map(|_| VecDeque::new())
                .collect(),
            coming: vec![[None; CLASSES]; ports],
            waiting: depths.iter().map(|&depth| [depth; CLASSES]).collect(),
            delivered: Vec::new(),
            inside: 0,
            taken: 0,
        }
    }

    /// The fabric without the links.
    pub fn into_fabric(self) -> Fabric {
        self.fabric
    }

    /// Number of ports.
    pub fn ports(&self) -> usize {
        self.fabric.ports()
    }

    /// Cycles so far; the number of the cycle that comes next.
    pub fn cycle(&self) -> u64 {
        self.cycle
    }

    /// Words sent and not yet out; a copy for each output counts.
    pub fn inside(&self) -> usize {
        self.inside
    }

    /// Whether the sender at an input could send a word of a class in this cycle.
    pub fn has_credit(&self, port: usize, class: Class) -> bool {
        self.credits[port][class as usize] != 0
    }

    /// Credits that the sender at an input has.
    pub fn credits(&self, port: usize, class: Class) -> u16 {
        self.credits[port][class as usize]
    }

    /// Whether a packet of a class is under way at an input; only its next word may be sent then.
    pub fn is_under_way(&self, port: usize, class: Class) -> bool {
        self.under_way[port][class as usize].is_some()
    }

    /// Begins a packet at an input: its first word goes in this cycle, against a credit.
    ///
    /// # Panics
    /// If there is no credit, a packet of the class is under way there, or the input has a word in this
    /// cycle already.
    pub fn begin(&mut self, port: usize, message: Message) {
        assert!(!self.is_under_way(port, message.class));
        let class = message.class;
        self.under_way[port][class as usize] = Some((message, 0));
        self.proceed(port, class);
    }

    /// Sends the next word of the packet under way, against a credit.
    ///
    /// # Panics
    /// If there is no credit, no packet of the class is under way there, or the input has a word in
    /// this cycle already.
    pub fn proceed(&mut self, port: usize, class: Class) {
        assert!(self.taken >> port & 1 == 0, "one word a cycle and input");
        self.taken |= 1 << port;
        let slot = &mut self.under_way[port][class as usize];
        let (message, next) = slot.as_mut().expect("a packet is under way");
        let credits = &mut self.credits[port][class as usize];
        *credits = credits.checked_sub(1).expect("there is a credit");
        let word = LinkWord {
            class,
            head: *next == 0,
            tail: *next + 1 == message.flits.len(),
            flit: message.flits[*next],
        };
        self.fabric.put(port, &word, message.outputs);
        let ports = self.fabric.ports();
        for output in bits(message.outputs) {
            self.owed[flow(ports, output, class, port)].push_back(Owed {
                word: copy(&word, output),
                born: message.born,
            });
            self.inside += 1;
        }
        *next += 1;
        if word.tail {
            *slot = None;
        }
    }

    /// One clock cycle in which every receiver returns the credits it can.
    ///
    /// # Errors
    /// The first word that is not as it must be, or an assertion of the model.
    pub fn step(&mut self) -> Result<&[Delivered], Failure> {
        self.step_with(|_| ALL_CLASSES)
    }

    /// One clock cycle; `returning` gives the classes, one bit each, of which the receiver at an
    /// output returns a credit in it, if it has one to return.
    ///
    /// # Errors
    /// As [`Links::step`].
    pub fn step_with(
        &mut self,
        mut returning: impl FnMut(usize) -> u8,
    ) -> Result<&[Delivered], Failure> {
        for port in 0..self.ports() {
            for class in bits(returning(port)) {
                let waiting = &mut self.waiting[port][class];
                if *waiting != 0 {
                    *waiting -= 1;
                    self.fabric.credit(port, Class::ALL[class]);
                }
            }
        }
        self.fabric.cycle()?;
        self.taken = 0;
        self.cycle += 1;
        self.delivered.clear();
        for port in bits(self.fabric.valid()) {
            self.receive(port)?;
        }
        for port in 0..self.ports() {
            for class in bits(self.fabric.credits(port)) {
                self.credits[port][class] += 1;
            }
        }
        Ok(&self.delivered)
    }

    /// Goes on without new packets until everything is out. Packets under way are finished first.
    ///
    /// # Errors
    /// As [`Links::step`], and if it takes more than `limit` cycles.
    pub fn drain(&mut self, limit: u64) -> Result<(), Failure> {
        let end = self.cycle + limit;
        loop {
            let mut busy = self.inside != 0;
            for port in 0..self.ports() {
                let open = |class: &Class| self.is_under_way(port, *class);
                let mut classes = Class::ALL.into_iter().filter(open);
                let first = classes.next();
                busy |= first.is_some();
                if let Some(class) = first
                    .into_iter()
                    .chain(classes)
                    .find(|class| self.has_credit(port, *class))
                {
                    self.proceed(port, class);
                }
            }
            if !busy {
                return Ok(());
            }
            if self.cycle >= end {
                let text = format!(
                    "{} words are still in the fabric {limit} cycles after the last was sent",
                    self.inside
                );
                return Err(Failure::new(self.cycle, FailureKind::Progress, text));
            }
            self.step()?;
        }
    }

    /// Checks the word on an output.
    fn receive(&mut self, output: usize) -> Result<(), Failure> {
        let (cycle, ports) = (self.cycle, self.ports());
        let fail = |kind, text: String| {
            let text = format!("output {output}: {text}");
            Err(Failure::new(cycle, kind, text))
        };
        let word = match self.fabric.word(output) {
            Ok(word) => word,
            Err(code) => return fail(FailureKind::Link, format!("{code} is no class")),
        };
        let class = word.class;
        let owed = &mut self.owed[flow(ports, output, class, 0)..][..ports];
        let is_next = |queue: &VecDeque<Owed>| queue.front().is_some_and(|next| next.word == word);
        let coming = self.coming[output][class as usize];
        let input = match coming {
            Some(input) if is_next(&owed[input]) => input,
            Some(input) => {
                let text = format!("{word} in the middle of a packet from input {input}");
                return fail(FailureKind::Order, text);
            }
            None => match owed.iter().position(is_next) {
                Some(input) => input,
                None => {
                    let text = format!("{word} is not the next word of any input for it");
                    return fail(FailureKind::Order, text);
                }
            },
        };
        let Some(Owed { born, .. }) = owed[input].pop_front() else {
            return fail(FailureKind::Order, format!("{word} was not sent"));
        };
        self.inside -= 1;
        self.coming[output][class as usize] = (!word.tail).then_some(input);
        self.waiting[output][class as usize] += 1;
        self.delivered.push(Delivered {
            input,
            output,
            class,
            tail: word.tail,
            latency: cycle - born,
        });
        Ok(())
    }
}

/// The word as it comes out of an output: a snoop of this chip then names its port, which a sender to
/// several did not.
fn copy(word: &LinkWord, output: usize) -> LinkWord {
    let mut copy = *word;
    if word.class == Class::Snp && word.head {
        let dst = NodeId::try_from(word.flit.get(&layout::DST) as u16);
        if dst.is_ok_and(|dst| dst.chip() == 0) {
            let port = u16::from(NodeId::port(output as u16));
            copy.flit.set(&layout::DST, port.into());
        }
    }
    copy
}

/// The place of a flow in the list of all.
fn flow(ports: usize, output: usize, class: Class, input: usize) -> usize {
    (output * CLASSES + class as usize) * ports + input
}
