//! Modules in SystemVerilog as Rust structs; the subject of the tests of the crate `verilated`.
//!
//! ```
//! use verilated::{Clocked, Model, Variant};
//! use verilated_example::RecordQueue;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = std::env::temp_dir().join(format!("verilated-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&directory)?;
//! # let path = directory.join("queue.vcd");
//! let mut queue = RecordQueue::with_variant(Variant::Wave)?;
//! queue.trace_open(&path)?;
//! queue.set_rst_ni(0);
//! queue.cycle()?;
//! queue.set_rst_ni(1);
//! queue.set_push_i(1);
//! for n in 1..=4 {
//!     queue.set_tag_i(n);
//!     queue.set_key_i(&[1, 2, 3, 4]);
//!     queue.cycle()?;
//! }
//! assert_eq!(queue.tag_o(), 1);
//! assert_eq!(queue.key_o(), &[1, 2, 3, 4]);
//!
//! let failure = queue.cycle().expect_err("four records fit, not five");
//! assert_eq!(failure.message, "push into a full queue of 4");
//! assert_eq!(failure.file, "rtl/record_queue.sv");
//! queue.trace_close()?;
//! # std::fs::remove_dir_all(&directory)?;
//! # Ok(())
//! # }
//! ```

verilated::model!(record_queue);
verilated::model!(deep_queue);
verilated::model!(oscillator);

use verilated::{Clocked, Failure, Model};

impl RecordQueue {
    /// Run one cycle in reset.
    ///
    /// # Errors
    /// A failing assertion.
    pub fn reset(&mut self) -> Result<(), Box<Failure>> {
        self.set_rst_ni(0);
        self.cycle()?;
        self.set_rst_ni(1);
        Ok(())
    }

    /// Push a record that carries this word.
    ///
    /// # Errors
    /// A failing assertion, in particular if the queue is full.
    pub fn push(&mut self, word: u32) -> Result<(), Box<Failure>> {
        self.set_word_i(word);
        self.set_push_i(1);
        let result = self.cycle();
        self.set_push_i(0);
        result
    }

    /// Take the word of the first record, if there is one.
    ///
    /// # Errors
    /// A failing assertion.
    pub fn pop(&mut self) -> Result<Option<u32>, Box<Failure>> {
        if self.valid_o() == 0 {
            return Ok(None);
        }
        let word = self.word_o();
        self.set_pop_i(1);
        let result = self.cycle();
        self.set_pop_i(0);
        result.map(|()| Some(word))
    }

    /// A queue after reset.
    ///
    /// # Errors
    /// A failing assertion.
    pub fn ready() -> Result<Self, Box<Failure>> {
        let mut queue = RecordQueue::new();
        queue.reset()?;
        Ok(queue)
    }
}
