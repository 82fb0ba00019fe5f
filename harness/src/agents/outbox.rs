//! What a device has sent and its link has not carried yet.

use flits::{Class, Flit, Header, LinkWord};
use std::collections::VecDeque;

/// The send queues of one port: one a class, so that no class waits for another's credits.
#[derive(Debug, Clone, Default)]
pub struct Outbox {
    queues: [VecDeque<LinkWord>; Class::ALL.len()],
    nonempty: u8,
}

impl Outbox {
    /// Queues a packet: a header and payload flits.
    pub fn send(&mut self, header: &Header, payload: &[Flit]) {
        debug_assert_eq!(payload.len(), header.payload_flits(), "{header}");
        let class = header.class();
        self.push(LinkWord {
            class,
            head: true,
            tail: payload.is_empty(),
            flit: header.encode(),
        });
        for (index, &flit) in payload.iter().enumerate() {
            self.push(LinkWord {
                class,
                head: false,
                tail: index + 1 == payload.len(),
                flit,
            });
        }
    }

    /// Queues one word as it is.
    pub fn push(&mut self, word: LinkWord) {
        self.queues[word.class as usize].push_back(word);
        self.nonempty |= 1 << word.class as u8;
    }

    /// Takes the next word of a class.
    pub fn pop(&mut self, class: usize) -> Option<LinkWord> {
        let word = self.queues[class].pop_front();
        if self.queues[class].is_empty() {
            self.nonempty &= !(1 << class);
        }
        word
    }

    /// Classes with words, one bit each.
    pub fn classes(&self) -> u8 {
        self.nonempty
    }

    /// Words waiting in a class.
    pub fn len(&self, class: Class) -> usize {
        self.queues[class as usize].len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.nonempty == 0
    }
}
