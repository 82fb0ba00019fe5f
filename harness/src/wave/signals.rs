//! The switch's pins among the signals of a VCD file.

use std::collections::BTreeMap;

use flits::Flit;
use vcd::{Header, IdCode, ScopeItem, Value, Var, Vector};

/// Bits of a class code and of a flit on the pins.
const CLASS_BITS: usize = 3;
const FLIT_BITS: usize = 128;

/// The present value of one signal; what is unknown counts as 0.
#[derive(Debug, Clone)]
pub(super) struct Signal {
    words: Vec<u64>,
    width: usize,
}

impl Signal {
    fn new(width: usize) -> Signal {
        Signal {
            words: vec![0; width.div_ceil(64)],
            width,
        }
    }

    pub(super) fn bit(&self, index: usize) -> bool {
        self.words[index / 64] >> (index % 64) & 1 != 0
    }

    /// Takes over a value whose highest bit comes first and whose leading zeros may be missing.
    pub(super) fn set(&mut self, value: &Vector) {
        self.words.fill(0);
        for (i, bit) in value.iter().enumerate() {
            let index = value.len() - 1 - i;
            if bit == Value::V1 && index < self.width {
                self.words[index / 64] |= 1 << (index % 64);
            }
        }
    }

    /// `width` (at most 64) bits from bit `from`, which do not cross a word when `width` is 64.
    fn field(&self, from: usize, width: usize) -> u64 {
        (0..width).fold(0, |value, i| value | u64::from(self.bit(from + i)) << i)
    }
}

/// The pins of one direction, all ports side by side.
pub(super) struct Link {
    valid: Signal,
    class: Signal,
    head: Signal,
    flit: Signal,
}

impl Link {
    fn new(ports: usize) -> Link {
        Link {
            valid: Signal::new(ports),
            class: Signal::new(ports * CLASS_BITS),
            head: Signal::new(ports),
            flit: Signal::new(ports * FLIT_BITS),
        }
    }

    /// Class code of the word on the port's link, if one is, and whether it begins a packet.
    pub(super) fn word(&self, port: usize) -> Option<(u8, bool)> {
        let class = self.class.field(port * CLASS_BITS, CLASS_BITS) as u8;
        self.valid.bit(port).then(|| (class, self.head.bit(port)))
    }

    /// Class code and flit of the header that is on the port's link, if one is.
    pub(super) fn header(&self, port: usize) -> Option<(u8, Flit)> {
        if !(self.valid.bit(port) && self.head.bit(port)) {
            return None;
        }
        let class = self.class.field(port * CLASS_BITS, CLASS_BITS) as u8;
        let word = port * FLIT_BITS / 64;
        let bits = u128::from(self.flit.words[word]) | u128::from(self.flit.words[word + 1]) << 64;
        Some((class, Flit::from_u128(bits)))
    }
}

/// The switch's pins.
pub(super) struct Signals {
    pub(super) ports: usize,
    pub(super) clock: Signal,
    pub(super) reset_n: Signal,
    pub(super) rx: Link,
    pub(super) tx: Link,
}

/// Which pin a change belongs to. One identifier may stand for several signals.
pub(super) type Lookup = BTreeMap<IdCode, Vec<usize>>;

/// The pins by name; the index is what [`Lookup`] holds.
pub(super) const PINS: [&str; 10] = [
    "clk_i",
    "rst_ni",
    "rx_valid_i",
    "rx_class_i",
    "rx_head_i",
    "rx_flit_i",
    "tx_valid_o",
    "tx_class_o",
    "tx_head_o",
    "tx_flit_o",
];

impl Signals {
    fn new(ports: usize) -> Signals {
        Signals {
            ports,
            clock: Signal::new(1),
            reset_n: Signal::new(1),
            rx: Link::new(ports),
            tx: Link::new(ports),
        }
    }

    /// The pin at an index of [`PINS`].
    pub(super) fn pin(&mut self, index: usize) -> &mut Signal {
        match index {
            0 => &mut self.clock,
            1 => &mut self.reset_n,
            2 => &mut self.rx.valid,
            3 => &mut self.rx.class,
            4 => &mut self.rx.head,
            5 => &mut self.rx.flit,
            6 => &mut self.tx.valid,
            7 => &mut self.tx.class,
            8 => &mut self.tx.head,
            _ => &mut self.tx.flit,
        }
    }
}

/// Finds the pins in the first scope, outer before inner, that has all of them with widths that fit
/// one number of ports.
///
/// # Errors
///
/// What the scope that comes nearest lacks.
pub(super) fn find(header: &Header) -> Result<(Signals, Lookup), String> {
    let mut scopes = std::collections::VecDeque::from([("", &header.items)]);
    let mut nearest: Option<(usize, String)> = None;
    while let Some((name, items)) = scopes.pop_front() {
        for item in items {
            if let ScopeItem::Scope(scope) = item {
                scopes.push_back((&scope.identifier, &scope.items));
            }
        }
        let pins = PINS.map(|pin| items.iter().find_map(|item| named(item, pin)));
        let present = pins.iter().flatten().count();
        let complaint = match pins.iter().position(Option::is_none) {
            None => match fit(pins.into_iter().flatten()) {
                Ok(found) => return Ok(found),
                Err(complaint) => complaint,
            },
            Some(missing) => format!("no signal {}", PINS[missing]),
        };
        if nearest.as_ref().is_none_or(|&(count, _)| present > count) {
            nearest = Some((present, format!("scope {name} has {complaint}")));
        }
    }
    match nearest {
        Some((present, complaint)) if present > 0 => Err(complaint),
        _ => Err("no scope has its signals (clk_i, rx_valid_i, ...)".to_string()),
    }
}

fn named<'a>(item: &'a ScopeItem, name: &str) -> Option<&'a Var> {
    match item {
        ScopeItem::Var(var) if var.reference == name => Some(var),
        _ => None,
    }
}

/// Makes the pins, if their widths are those of one switch.
fn fit<'a>(pins: impl Iterator<Item = &'a Var>) -> Result<(Signals, Lookup), String> {
    let pins: Vec<_> = pins.collect();
    let ports = pins[2].size as usize;
    if !(1..=16).contains(&ports) {
        return Err(format!(
            "rx_valid_i {ports} bits wide, which is no number of ports"
        ));
    }
    let mut signals = Signals::new(ports);
    let mut lookup = Lookup::new();
    for (index, (pin, name)) in pins.iter().zip(PINS).enumerate() {
        let width = signals.pin(index).width;
        if pin.size as usize != width {
            return Err(format!(
                "{name} {} bits wide instead of {width} for {ports} ports",
                pin.size
            ));
        }
        lookup.entry(pin.code).or_default().push(index);
    }
    Ok((signals, lookup))
}
