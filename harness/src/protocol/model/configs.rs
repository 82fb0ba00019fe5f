//! The models with names.

use super::{Config, NodeSet, Recalls};

/// How long a model takes to explore.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effort {
    /// Seconds: part of the tests.
    Small,
    /// Up to minutes.
    Large,
}

/// A model with a name.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    /// For the command line.
    pub name: &'static str,
    /// How long it takes.
    pub effort: Effort,
    /// The model.
    pub config: Config,
}

const BASE: Config = Config {
    nodes: 2,
    lines: 1,
    outstanding: 1,
    readers: NodeSet(0),
    recalls: Recalls::None,
    errors: false,
    apart: false,
    unordered: false,
    symmetry: false,
};

const RECALLS: Config = Config {
    recalls: Recalls::Any,
    ..BASE
};

const ERRORS: Config = Config {
    errors: true,
    ..RECALLS
};

/// Two lines that share the one entry of the directory.
const PRESSED: Config = Config {
    lines: 2,
    recalls: Recalls::Room(1),
    ..BASE
};

const fn small(name: &'static str, config: Config) -> Named {
    Named {
        name,
        effort: Effort::Small,
        config,
    }
}

const fn large(name: &'static str, config: Config) -> Named {
    Named {
        name,
        effort: Effort::Large,
        config,
    }
}

/// The models with names.
pub const CONFIGS: [Named; 13] = [
    small("2n1l", BASE),
    small("2n1l-recalls", RECALLS),
    small("2n1l-errors", ERRORS),
    small("2n2l-room", PRESSED),
    small(
        "2n2l-apart",
        Config {
            apart: true,
            symmetry: true,
            ..PRESSED
        },
    ),
    small(
        "3n1l-recalls",
        Config {
            nodes: 3,
            symmetry: true,
            ..RECALLS
        },
    ),
    small(
        "3n1l-reader",
        Config {
            nodes: 3,
            readers: NodeSet(1),
            symmetry: true,
            ..RECALLS
        },
    ),
    large("3n1l-errors", Config { nodes: 3, ..ERRORS }),
    large(
        "4n1l",
        Config {
            nodes: 4,
            symmetry: true,
            ..BASE
        },
    ),
    large(
        "4n1l-errors",
        Config {
            nodes: 4,
            symmetry: true,
            ..ERRORS
        },
    ),
    large(
        "2n2l-full",
        Config {
            outstanding: 2,
            symmetry: true,
            recalls: Recalls::None,
            ..PRESSED
        },
    ),
    large(
        "2n2l-room-full",
        Config {
            outstanding: 2,
            symmetry: true,
            ..PRESSED
        },
    ),
    large(
        "3n2l-room",
        Config {
            nodes: 3,
            symmetry: true,
            ..PRESSED
        },
    ),
];
