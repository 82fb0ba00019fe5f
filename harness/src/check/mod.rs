//! Checkers of a running simulation.
