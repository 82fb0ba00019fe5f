//! How long something takes.

use std::fs;
use std::time::Instant;

/// Cycles of a model and the time that they took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speed {
    /// Clock cycles.
    pub cycles: u64,
    /// Seconds of processor time; of wall-clock time where the system does not tell.
    pub seconds: f64,
}

impl Speed {
    /// Cycles a second.
    pub fn cycles_per_second(&self) -> f64 {
        self.cycles as f64 / self.seconds
    }
}

/// Measures the processor time of this thread.
pub(in crate::bench) struct Watch {
    processor: Option<u64>,
    wall: Instant,
}

impl Watch {
    pub(in crate::bench) fn start() -> Self {
        Watch {
            processor: Watch::processor(),
            wall: Instant::now(),
        }
    }

    pub(in crate::bench) fn stop(&self, cycles: u64) -> Speed {
        let seconds = match (self.processor, Watch::processor()) {
            (Some(begin), Some(end)) if end > begin => (end - begin) as f64 * 1e-9,
            _ => self.wall.elapsed().as_secs_f64(),
        };
        Speed { cycles, seconds }
    }

    /// Nanoseconds that this thread has run, where Linux tells them.
    fn processor() -> Option<u64> {
        let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        text.split_whitespace().next()?.parse().ok()
    }
}
