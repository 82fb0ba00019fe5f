//! Coverage: what the suite reaches of the RTL, and of what may happen on the links.
//!
//! Every process that finds [`DIRECTORY`] in its environment takes the models' variant with coverage
//! counters where one is built, and leaves a file of its own in that directory: [`Totals`] as text,
//! the counters of the RTL and the bins of [`crate::check::coverage`]. `supernode coverage` merges
//! the files ([`Totals::merge`]), leaves out what a waiver explains ([`waivers`]) and reports
//! ([`report`]): a table, lcov for other tools, a page.

mod lcov;
mod page;
pub mod report;
mod sink;
mod totals;
pub mod waivers;

pub use sink::{Counted, DIRECTORY, add_bins, is_on};
pub use totals::{Point, Totals};
