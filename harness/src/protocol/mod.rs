//! Node and home of the coherence protocol as pure functions.
