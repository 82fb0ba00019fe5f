//! Transactions read back from a VCD file.
