//! The devices on the ports: cached nodes, memories, input/output devices.
