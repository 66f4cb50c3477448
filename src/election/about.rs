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
    /// The paper or book that describes it.
    pub source: &'static str,
    /// Whether leaders lead numbered terms. Without terms, at most one live node may lead whenever
    /// time passes (in every state where time is not modelled).
    pub has_terms: bool,
    /// Whether some node leads from the start. If so, a run is vacuous unless the leader *changes*.
    pub starts_led: bool,
    /// How texts about runs write things: samples, each with what it means.
    pub notation: &'static [(&'static str, &'static str)],
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
    /// The name, as in a scenario's `options`.
    pub name: &'static str,
    /// Its value where a scenario sets none.
    pub default: Value,
    /// For texts: the words allowed. Otherwise empty.
    pub allowed: &'static [&'static str],
    /// What it means, in one sentence.
    pub help: &'static str,
}

/// A published mistake that can be planted: one rule left out.
#[derive(Debug)]
pub struct BugSpec {
    /// The name, as in a scenario's `bug`.
    pub name: &'static str,
    /// One sentence: what the mistaken node does.
    pub summary: &'static str,
    /// The rule that it breaks, with its place in the paper.
    pub rule: &'static str,
    /// What the rule asks of a node at a step at which the bug makes a difference: a clause whose
    /// subject is the node, true at each such step.
    pub instead: &'static str,
    /// Where the mistake was published.
    pub published: &'static str,
    /// What the bug costs a system.
    pub costs: Costs,
}

/// What a planted bug costs a system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Costs {
    /// Some safety property is violated.
    Safety,
    /// Only liveness: a leader may be lost, but no safety property is violated.
    Liveness(Healing),
    /// Nothing, and there is a proof of that: the bug is a control.
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

/// Whether random runs whose network heals show what a planted bug costs. A test checks this for
/// every protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Healing {
    /// Yes: random runs of the bug's own scenario show it.
    Shows {
        /// The number of runs, with seed 1, that is enough.
        cases: u32,
        /// The options that are set for these runs.
        options: &'static [(&'static str, Value)],
    },
    /// No, not within [`Healing::CASES`] runs. One sentence says why not.
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

/// The settings from which a system is built. They have been checked against [`About`], so every
/// declared option has a value of its type.
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

    /// Sets one option.
    ///
    /// # Panics
    /// The protocol declares no such option, or one of another type.
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
