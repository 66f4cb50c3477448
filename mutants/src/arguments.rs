//! Why a mutant need not be caught: it does what the original does, or only keeps the system from
//! getting on. Written by hand in `arguments.toml`, one for a mutant; the program finds the mutant,
//! and says where there is none.

use serde::{Deserialize, Serialize};

use crate::table::Mutant;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// No run of the system shows a difference that matters to any property.
    Equivalent,
    /// Only a leader, or progress, is lost.
    Liveness,
}

/// One entry of the file. All but `class` and `because` is the identity of a mutant, as `--list`
/// shows it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Argument {
    file: String,
    function: String,
    operator: String,
    original: String,
    #[serde(default)]
    mutated: String,
    #[serde(default = "first")]
    occurrence: u32,
    pub class: Class,
    pub because: String,
}

fn first() -> u32 {
    1
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    argument: Vec<Argument>,
}

impl Argument {
    pub fn is_of(&self, mutant: &Mutant) -> bool {
        self.file == mutant.file
            && self.function == mutant.function
            && self.operator == mutant.operator
            && self.original == mutant.original
            && self.mutated == mutant.mutated
            && self.occurrence == mutant.occurrence
    }

    /// In a line, for whoever looks for it in the file.
    pub fn title(&self) -> String {
        format!("{} {}: {} `{}`", self.file, self.function, self.operator, self.original)
    }
}

/// # Errors
/// A text that is no list of arguments; an argument that says nothing.
pub fn parse(text: &str) -> Result<Vec<Argument>, String> {
    let File { argument } = toml::from_str(text).map_err(|e| e.to_string())?;
    match argument.iter().find(|argument| argument.because.trim().is_empty()) {
        Some(silent) => Err(format!("{}: `because` is empty", silent.title())),
        None => Ok(argument),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_names_its_mutant_and_says_why() {
        let entry = |because: &str| {
            format!(
                "[[argument]]\nfile = \"models/raft/mod.rs\"\nfunction = \"on_vote\"\noperator = \"comparison\"\n\
                 original = \"a < b\"\nmutated = \"a <= b\"\nclass = \"equivalent\"\nbecause = \"{because}\"\n"
            )
        };
        let mutant = Mutant {
            number: 1,
            protocol: "raft",
            file: "models/raft/mod.rs",
            line: 7,
            function: "on_vote",
            operator: "comparison",
            original: "a < b",
            mutated: "a <= b",
            occurrence: 1,
        };
        let arguments = parse(&entry("They are never equal.")).unwrap();
        assert!(arguments[0].is_of(&mutant));
        assert!(!arguments[0].is_of(&Mutant { occurrence: 2, ..mutant }));
        assert!(parse(&entry(" ")).is_err());
        assert!(parse("[[argument]]\nname = \"x\"\n").is_err());
    }
}
