//! Workloads that run on a simulated supernode.
