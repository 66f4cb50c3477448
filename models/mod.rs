//! The catalogue: the protocols by name. The only place that lists them.

use crate::election::{About, Catalogue, Visitor};

#[cfg(feature = "bully")]
pub mod bully;
#[cfg(feature = "multipaxos")]
pub mod multipaxos;
#[cfg(feature = "paxos")]
pub mod paxos;
#[cfg(feature = "raft")]
pub mod raft;
#[cfg(feature = "ring")]
pub mod ring;
#[cfg(feature = "viewstamped")]
pub mod viewstamped;
#[cfg(feature = "zab")]
pub mod zab;

macro_rules! catalogue {
    ($($feature:literal => $protocol:ty),* $(,)?) => {
        /// What every protocol says of itself, in the order in which they are presented.
        pub fn all() -> Vec<&'static About> {
            vec![$(#[cfg(feature = $feature)] <$protocol as crate::election::Election>::about()),*]
        }

        /// Hands the protocol of that name to the visitor; `None` if there is no such protocol.
        pub fn visit<V: Visitor>(name: &str, visitor: V) -> Option<V::Output> {
            $(#[cfg(feature = $feature)]
            if name == <$protocol as crate::election::Election>::about().name {
                return Some(visitor.visit::<$protocol>());
            })*
            let _ = (name, visitor);
            None
        }
    };
}

macro_rules! stored {
    ($($file:literal),* $(,)?) => {
        vec![$(($file, include_str!(concat!("../docs/results/", $file)))),*]
    };
}

/// The protocols of this crate, as the harness takes them.
#[derive(Clone, Copy, Debug)]
pub struct Shipped;

impl Catalogue for Shipped {
    fn all(&self) -> Vec<&'static About> {
        all()
    }
    fn visit<V: Visitor>(&self, name: &str, visitor: V) -> Option<V::Output> {
        visit(name, visitor)
    }
    fn results(&self) -> Vec<(&'static str, &'static str)> {
        stored![
            "liveness-ring.json",
            "liveness-bully.json",
            "liveness-paxos.json",
            "liveness-multipaxos.json",
            "liveness-zab.json",
            "liveness-viewstamped.json",
            "spread-20.json",
            "spread-50.json",
            "spread-100.json",
            "spread-200.json"
        ]
    }
}

catalogue! {
    "bully" => bully::Bully,
    "ring" => ring::Ring,
    "paxos" => paxos::Paxos,
    "multipaxos" => multipaxos::MultiPaxos,
    "raft" => raft::Raft,
    "zab" => zab::Zab,
    "viewstamped" => viewstamped::Viewstamped,
}

/// The command `oneleader`. It stands here, where it is not generic, so that the harness is
/// compiled for these protocols with this crate, and not again with each binary and test that uses
/// it.
#[cfg(all(feature = "cli", not(test)))]
pub fn main() -> std::process::ExitCode {
    crate::cli::main(&Shipped)
}
