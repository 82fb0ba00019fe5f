//! Where a program's accesses go.

use crate::layout::LINE_BYTES;
use proptest::prelude::*;
use proptest::sample::select;

/// Lines between two lines that fall into the same set of any cache or directory of up to so many
/// sets.
const SET_STRIDE: u64 = 1024;

/// A pattern of addresses. Bugs live where lines collide, and no two patterns collide alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shape {
    /// All accesses to one line.
    HotLine,
    /// Two lines; each node writes bytes of its own and reads everyone's.
    FalseSharing,
    /// Many lines that fall into two sets: evictions and recalls.
    FewSetsManyTags,
    /// Two lines in each of many sets: many lines in flight.
    ManySetsFewTags,
    /// Every node goes through the lines in order.
    Streaming,
    /// Anywhere.
    Uniform,
}

impl Shape {
    /// Every shape.
    pub const ALL: [Shape; 6] = [
        Shape::HotLine,
        Shape::FalseSharing,
        Shape::FewSetsManyTags,
        Shape::ManySetsFewTags,
        Shape::Streaming,
        Shape::Uniform,
    ];

    /// Any shape.
    pub fn any() -> impl Strategy<Value = Shape> {
        select(Shape::ALL.as_slice())
    }

    /// The number of the line that an access goes to, of `lines` lines that there are: chosen by
    /// `draw`, or by `turn`, how many accesses went before.
    pub fn line(self, draw: u32, turn: usize, lines: u64) -> u64 {
        let draw = u64::from(draw);
        let line = match self {
            Shape::HotLine => 0,
            Shape::FalseSharing => draw % 2,
            Shape::FewSetsManyTags => draw % 2 + draw / 2 % 24 * SET_STRIDE,
            Shape::ManySetsFewTags => draw % 2 * SET_STRIDE + draw / 2 % 256,
            Shape::Streaming => turn as u64,
            Shape::Uniform => draw,
        };
        line % lines.max(1)
    }

    /// The offset in its line of an access of `bytes` bytes by a node.
    pub fn offset(self, draw: u32, node: usize, bytes: u16, is_write: bool) -> u64 {
        let slots = (LINE_BYTES as u64 / u64::from(bytes)).max(1);
        let slot = match self {
            Shape::FalseSharing if is_write => node as u64,
            _ => u64::from(draw),
        };
        slot % slots * u64::from(bytes) % LINE_BYTES as u64
    }
}
