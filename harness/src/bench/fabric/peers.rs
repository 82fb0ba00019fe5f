//! Other open switches, measured elsewhere by the method of this bench.

/// The throughput of input queues with one FIFO each, uniform traffic and many ports: 2 - sqrt(2)
/// (Karol, Hluchyj and Morgan, 1987).
pub const SINGLE_FIFO_BOUND: f64 = 0.586;

/// A switch with 8 ports of 64 bits. What is not known is `None`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Peer {
    /// Its name.
    pub name: &'static str,
    /// Cycles through the idle switch.
    pub zero_load: Option<u64>,
    /// Words a cycle and port, packets of one word, uniform, all that can be offered.
    pub sat: f64,
    /// As `sat`, packets of four words.
    pub sat4: Option<f64>,
    /// Words a cycle and port, port i to i + 1.
    pub perm: Option<f64>,
    /// Jain's index over the sources when all send to one port.
    pub hot_jain: Option<f64>,
}

/// They, in the order in which they are shown.
#[expect(
    clippy::approx_constant,
    reason = "0.318 was measured, and is no part of pi"
)]
pub const PEERS: [Peer; 10] = [
    peer("common_cells stream_xbar", 1, 0.625, 0.568, 1.00, 1.00),
    peer("bedrock br_flow_xbar_rr", 1, 0.624, 0.556, 1.00, 1.00),
    peer("basejump router crossbar", 1, 0.626, 0.557, 1.00, 1.00),
    peer(
        "FlooNoC router, 1 VC, in 2 out 2",
        2,
        0.625,
        0.627,
        1.00,
        1.00,
    ),
    peer("verilog-axis axis_switch", 3, 0.318, 0.528, 0.33, 1.00),
    peer("Stanford (Becker) 1 VC", 3, 0.625, 0.581, 1.00, 0.57),
    peer("Stanford (Becker) 4 VC", 3, 0.665, 0.610, 1.00, 0.89),
    peer(
        "Stanford (Becker) 8 VC = destination",
        3,
        0.841,
        0.702,
        1.00,
        1.00,
    ),
    peer("UCL VOQ + iSLIP", 1, 0.661, 0.629, 1.00, 1.00),
    Peer {
        name: "model: VOQ, 2 iterations, 16 deep",
        zero_load: None,
        sat: 0.923,
        sat4: None,
        perm: None,
        hot_jain: None,
    },
];

const fn peer(
    name: &'static str,
    zero_load: u64,
    sat: f64,
    sat4: f64,
    perm: f64,
    hot_jain: f64,
) -> Peer {
    Peer {
        name,
        zero_load: Some(zero_load),
        sat,
        sat4: Some(sat4),
        perm: Some(perm),
        hot_jain: Some(hot_jain),
    }
}
