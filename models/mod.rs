//! The catalogue: the protocols by name. The only place that lists them.

use crate::election::{About, Catalogue, Election, Visitor};

macro_rules! catalogue {
    ($($module:ident :: $protocol:ident),* $(,)?) => {
        $(pub mod $module;)*

        /// What every protocol says of itself, in the order in which they are presented.
        pub fn all() -> Vec<&'static About> {
            vec![$($module::$protocol::about()),*]
        }

        /// Hands the protocol of that name to the visitor; `None` if there is no such protocol.
        pub fn visit<V: Visitor>(name: &str, visitor: V) -> Option<V::Output> {
            match name {
                $(_ if name == $module::$protocol::about().name => Some(visitor.visit::<$module::$protocol>()),)*
                _ => None,
            }
        }
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
}

catalogue! {
    bully::Bully,
    ring::Ring,
    paxos::Paxos,
    multipaxos::MultiPaxos,
    raft::Raft,
    zab::Zab,
    viewstamped::Viewstamped,
}
