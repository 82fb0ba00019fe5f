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
    symmetry: false,
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

/// The models with names, smaller ones first.
pub const CONFIGS: [Named; 6] = [
    small("2n1l", BASE),
    small(
        "2n1l-recalls",
        Config {
            recalls: Recalls::Any,
            ..BASE
        },
    ),
    small(
        "2n1l-errors",
        Config {
            recalls: Recalls::Any,
            errors: true,
            ..BASE
        },
    ),
    small(
        "3n1l",
        Config {
            nodes: 3,
            symmetry: true,
            ..BASE
        },
    ),
    small(
        "3n1l-recalls",
        Config {
            nodes: 3,
            recalls: Recalls::Any,
            symmetry: true,
            ..BASE
        },
    ),
    large(
        "3n1l-all",
        Config {
            nodes: 3,
            recalls: Recalls::Any,
            errors: true,
            ..BASE
        },
    ),
];
