//! `oneleader list`: the protocols; of one, everything that has a name: in one line each, or in
//! full.

mod data;
mod text;

use clap::Args;
use serde::Serialize;

use self::data::{Kind, Listed};
use crate::cli::json::{self, Versioned};
use crate::cli::{Ending, Exit, choice, output};
use crate::election::Catalogue;
use crate::scenario::Problem;
use crate::support::plain::nearest;

/// List the protocols; if one is named, its options, properties, goals, bugs and scenarios
///
/// Of a protocol there is one line for each name. Name some to read all about them, or ask for all
/// of a kind.
#[derive(Args)]
#[command(after_help = "\
Examples:
  oneleader list                        the protocols
  oneleader list raft                   all names of one protocol, in a line each
  oneleader list raft forgets-vote      all about a bug, and the scenarios of that name
  oneleader list raft --bugs            all about every bug")]
pub(super) struct List {
    #[arg(value_name = "PROTOCOL")]
    protocol: Option<String>,
    /// Tell all about what has one of these names
    #[arg(value_name = "NAME", requires = "protocol", conflicts_with = "kinds")]
    names: Vec<String>,
    #[command(flatten)]
    kinds: Kinds,
    /// Write the list as JSON; `-` is standard output. All of a protocol is in it
    #[arg(long, value_name = "FILE|-", conflicts_with_all = ["names", "kinds"])]
    json: Option<String>,
}

#[derive(Args)]
#[group(id = "kinds", multiple = true, requires = "protocol")]
struct Kinds {
    /// Tell all about the options
    #[arg(long)]
    options: bool,
    /// Tell all about the properties
    #[arg(long)]
    properties: bool,
    /// Tell all about the goals: events that a scenario can require
    #[arg(long)]
    goals: bool,
    /// Tell all about the bugs that can be planted
    #[arg(long)]
    bugs: bool,
    /// Tell all about the scenarios
    #[arg(long)]
    scenarios: bool,
    /// Tell all about the scenarios of `oneleader liveness`
    #[arg(long)]
    liveness: bool,
}

impl Kinds {
    fn chosen(&self) -> Vec<Kind> {
        let Kinds { options, properties, goals, bugs, scenarios, liveness } = *self;
        let flags = [options, properties, goals, bugs, scenarios, liveness];
        Kind::ALL.into_iter().zip(flags).filter(|(_, is_set)| *is_set).map(|(k, _)| k).collect()
    }
}

impl List {
    pub(super) fn run(&self, catalogue: &impl Catalogue) -> Ending {
        output::plan(
            &[],
            &self.json.iter().map(|path| ("--json", path.as_str())).collect::<Vec<_>>(),
        )?;
        let names: Vec<String> = self.protocol.iter().cloned().collect();
        let abouts = choice::protocols(catalogue, &names)?;
        let listed = abouts.iter().map(|about| Listed::new(catalogue, about));
        let listed = listed.collect::<Result<Vec<_>, _>>()?;
        let kinds = self.kinds.chosen();
        if let Some(path) = &self.json {
            #[derive(Serialize)]
            struct Protocols {
                protocols: Vec<Listed>,
            }
            output::write(path, &json::text(&Versioned::new(Protocols { protocols: listed })));
        } else if self.protocol.is_none() {
            output::say(&text::overview(&listed));
        } else if !self.names.is_empty() {
            output::say(&self.named(&listed[0])?);
        } else if kinds.is_empty() {
            output::say(&text::in_brief(&listed[0]));
        } else {
            let sections = kinds.iter().map(|kind| text::section(&listed[0], *kind));
            output::say(&sections.collect::<Vec<_>>().join("\n"));
        }
        Ok(Exit::Good)
    }

    /// All about what has one of the names that were given.
    fn named(&self, protocol: &Listed) -> Result<String, Problem> {
        let mut all = Vec::new();
        for name in &self.names {
            let entries = protocol.entries();
            let found: Vec<_> = entries.iter().filter(|(_, known)| known == name).collect();
            if found.is_empty() {
                let hint = nearest(name, entries.iter().map(|(_, known)| *known));
                return Err(Problem::new(format!(
                    "{0} has nothing called `{name}`{hint} (`oneleader list {0}` has all names)",
                    protocol.name
                )));
            }
            all.extend(found.iter().map(|(kind, _)| text::entry(protocol, *kind, name)));
        }
        Ok(all.join("\n"))
    }
}
