//! What a protocol says of itself: options, planted bugs, corpus; and the settings with which it is
//! built.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use serde::{Serialize, Serializer};

/// What a protocol says of itself.
#[derive(Debug)]
pub struct About {
    /// As typed on the command line.
    pub name: &'static str,
    /// As a heading.
    pub title: &'static str,
    /// Where it was published.
    pub source: &'static str,
    /// Whether leaders lead numbered terms. Without terms, at most one live node may lead whenever
    /// time passes (in every state where time is not modelled).
    pub has_terms: bool,
    /// Whether some node leads from the start, so that only a *change* of leader shows that
    /// anything happened.
    pub starts_led: bool,
    /// What a scenario may set.
    pub options: &'static [OptionSpec],
    /// The mistakes that may be planted.
    pub bugs: &'static [BugSpec],
    /// The protocol's scenarios, TOML.
    pub corpus: &'static str,
}

/// An option that a scenario may set for its protocol.
#[derive(Debug)]
pub struct OptionSpec {
    /// As a key of the scenario's `options`.
    pub name: &'static str,
    /// Its value where a scenario sets none.
    pub default: Value,
    /// For texts: the words allowed. For numbers: empty.
    pub allowed: &'static [&'static str],
    /// What it means, in one sentence.
    pub help: &'static str,
}

/// A published mistake that can be planted: one rule left out.
#[derive(Debug)]
pub struct BugSpec {
    /// As the scenario's `bug`.
    pub name: &'static str,
    /// One sentence: what the mistaken node does.
    pub summary: &'static str,
    /// The rule that it breaks, with its place in the paper.
    pub rule: &'static str,
    /// Where the mistake was published.
    pub published: &'static str,
    /// What a system loses by it.
    pub costs: Costs,
}

/// What a planted bug takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Costs {
    /// Some safety property is violated.
    Safety,
    /// Only the leader: a liveness check is needed to see it.
    Liveness(Healing),
    /// Nothing, provably: a control.
    Nothing,
}

/// In one word.
impl Serialize for Costs {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(match self {
            Costs::Safety => "safety",
            Costs::Liveness(_) => "liveness",
            Costs::Nothing => "nothing",
        })
    }
}

/// Whether random runs whose network heals show what a planted bug costs. A test holds every
/// protocol to its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Healing {
    /// Within so many runs of seed 1 of the bug's own scenario, with these options.
    Shows {
        /// Within so many runs of seed 1.
        cases: u32,
        /// With these options set.
        options: &'static [(&'static str, Value)],
    },
    /// Not in so many as [`Healing::CASES`]; why not, in one sentence.
    Hides(&'static str),
}

impl Healing {
    /// How many runs are tried where a bug stays hidden.
    pub const CASES: u32 = 300;
}

/// The value of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// True or false.
    Flag(bool),
    /// A number from 0 on.
    Number(u64),
    /// One of the words allowed.
    Text(&'static str),
}

impl Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Flag(b) => write!(f, "{b}"),
            Value::Number(n) => write!(f, "{n}"),
            Value::Text(t) => write!(f, "{t}"),
        }
    }
}

/// From what a system is built: already checked against [`About`], so that reading an option cannot
/// fail.
#[derive(Clone, Debug)]
pub struct Setup {
    /// How many nodes there are.
    pub nodes: usize,
    options: BTreeMap<&'static str, Value>,
    /// The name of a planted bug of this protocol.
    pub bug: Option<&'static str>,
}

impl Setup {
    /// All options at their defaults, nothing planted.
    pub fn new(about: &'static About, nodes: usize) -> Self {
        let options = about.options.iter().map(|o| (o.name, o.default)).collect();
        Setup { nodes, options, bug: None }
    }

    /// Sets one option. Panics on a name or type that `about` does not have: scenarios are checked
    /// before.
    pub fn with(mut self, name: &'static str, value: Value) -> Self {
        let slot = self.options.get_mut(name).unwrap_or_else(|| panic!("no option {name}"));
        assert_eq!(
            std::mem::discriminant(slot),
            std::mem::discriminant(&value),
            "type of option {name}"
        );
        *slot = value;
        self
    }

    /// Plants a bug.
    pub fn with_bug(mut self, bug: &'static str) -> Self {
        self.bug = Some(bug);
        self
    }

    /// Plants nothing.
    pub fn without_bug(mut self) -> Self {
        self.bug = None;
        self
    }

    /// The value of an option that is a flag.
    ///
    /// # Panics
    /// The protocol declares no such flag.
    pub fn flag(&self, name: &str) -> bool {
        match self.options[name] {
            Value::Flag(b) => b,
            other => panic!("option {name} is {other}, not a flag"),
        }
    }

    /// The value of an option that is a number.
    ///
    /// # Panics
    /// The protocol declares no such number.
    pub fn number(&self, name: &str) -> u64 {
        match self.options[name] {
            Value::Number(n) => n,
            other => panic!("option {name} is {other}, not a number"),
        }
    }

    /// The value of an option that is a text.
    ///
    /// # Panics
    /// The protocol declares no such text.
    pub fn text(&self, name: &str) -> &'static str {
        match self.options[name] {
            Value::Text(t) => t,
            other => panic!("option {name} is {other}, not a text"),
        }
    }
}
