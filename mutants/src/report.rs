//! What came of all mutants: scores, `docs/mutants.md`, and a line of JSON a mutant.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::arguments::{self, Argument};
use crate::judge::{Caught, Outcome};
use crate::record::{Difference, Suspect};
use crate::table::Mutant;

/// The least share, in percent, of the mutants of each protocol that must be caught.
pub const LEAST_SCORE: usize = 95;

/// The classes. All are computed; arguments only say which of those that are missed do not count.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case", tag = "class")]
pub enum Class {
    Caught(Caught),
    /// The changed code ran, and reacted the same everywhere.
    NeverDiffers,
    MissedDiffers {
        first: Difference,
    },
    MissedNeverRan,
}

/// A mutant and what became of it.
#[derive(Serialize)]
pub struct Row {
    pub id: String,
    #[serde(flatten)]
    pub mutant: &'static Mutant,
    #[serde(flatten)]
    pub class: Class,
    /// Scenarios that were given up, as they had many times the states of the original.
    pub endless: Vec<String>,
    pub argument: Option<arguments::Class>,
    pub because: Option<String>,
}

impl Row {
    pub fn new(
        mutant: &'static Mutant,
        outcome: Outcome,
        compared: Option<Suspect>,
        arguments: &[Argument],
    ) -> Row {
        let (class, endless) = match outcome {
            Outcome::Caught(caught) => (Class::Caught(caught), Vec::new()),
            Outcome::Survived { endless } => {
                let class = match compared {
                    Some(Suspect { difference: Some(first), .. }) => Class::MissedDiffers { first },
                    Some(Suspect { ran: true, .. }) => Class::NeverDiffers,
                    _ => Class::MissedNeverRan,
                };
                (class, endless)
            }
        };
        let found = arguments.iter().find(|argument| argument.is_of(mutant));
        let found =
            found.filter(|_| matches!(class, Class::MissedDiffers { .. } | Class::MissedNeverRan));
        Row {
            id: mutant.id(),
            mutant,
            class,
            endless,
            argument: found.map(|argument| argument.class),
            because: found.map(|argument| argument.because.clone()),
        }
    }

    fn is_caught(&self) -> bool {
        matches!(self.class, Class::Caught(_))
    }

    fn never_differs(&self) -> bool {
        matches!(self.class, Class::NeverDiffers)
    }

    fn is_missed(&self) -> bool {
        !self.is_caught() && !self.never_differs()
    }
}

/// How many of the mutants of a protocol are what.
pub struct Score {
    pub all: usize,
    pub caught: usize,
    pub never_differ: usize,
    pub missed: usize,
    /// Of those missed.
    pub argued: usize,
}

impl Score {
    pub fn of<'a>(rows: impl Iterator<Item = &'a Row> + Clone) -> Score {
        let count = |is: &dyn Fn(&&Row) -> bool| rows.clone().filter(|row| is(row)).count();
        Score {
            all: rows.clone().count(),
            caught: count(&|row| row.is_caught()),
            never_differ: count(&|row| row.never_differs()),
            missed: count(&|row| row.is_missed()),
            argued: count(&|row| row.is_missed() && row.argument.is_some()),
        }
    }

    /// Those that should be caught.
    pub fn due(&self) -> usize {
        self.caught + self.missed - self.argued
    }

    pub fn is_enough(&self) -> bool {
        self.caught * 100 >= self.due() * LEAST_SCORE
    }

    /// Whether more is argued away than may be.
    pub fn argues_too_much(&self) -> bool {
        self.argued * 10 > self.all
    }

    pub fn percent(&self) -> String {
        if self.due() == 0 {
            "-".to_string()
        } else {
            format!("{:.1} %", self.caught as f64 * 100.0 / self.due() as f64)
        }
    }
}

/// By protocol, in the order of the rows.
pub fn protocols(rows: &[Row]) -> Vec<&'static str> {
    let mut names: Vec<&str> = rows.iter().map(|row| row.mutant.protocol).collect();
    names.dedup();
    names
}

pub fn of<'a>(rows: &'a [Row], protocol: &'a str) -> impl Iterator<Item = &'a Row> + Clone {
    rows.iter().filter(move |row| row.mutant.protocol == protocol)
}

/// The scores as a table.
pub fn scores(rows: &[Row]) -> String {
    let mut text = String::from(
        "| protocol | mutants | caught | never differ | missed | of these argued away | score |\n|---|---|---|---|---|---|---|\n",
    );
    let mut line = |name: &str, score: Score| {
        text += &format!(
            "| {name} | {} | {} | {} | {} | {} | {} |\n",
            score.all,
            score.caught,
            score.never_differ,
            score.missed,
            score.argued,
            score.percent()
        );
    };
    let protocols = protocols(rows);
    for protocol in &protocols {
        line(protocol, Score::of(of(rows, protocol)));
    }
    if protocols.len() > 1 {
        line("all", Score::of(rows.iter()));
    }
    text
}

/// The whole report.
pub fn markdown(rows: &[Row], command: &str, seed: u64) -> String {
    let mut text = format!(
        "# Mutants\n\n\
         Mistakes made by machine in the protocols' handlers, and which scenario of the corpus notices each by its verdict.\n\
         Written by `{command}` on {}; the sample is that of seed {seed}. What the classes and operators mean stands in\n\
         `mutants/README.md`. The score is the share of the caught among those that are caught, or missed and not argued away;\n\
         each protocol needs {LEAST_SCORE} %, and at most one mutant in ten may be argued away.\n\n{}",
        today(),
        scores(rows)
    );
    for protocol in protocols(rows) {
        text += &section(protocol, &of(rows, protocol).collect::<Vec<_>>());
    }
    text
}

fn section(protocol: &str, rows: &[&Row]) -> String {
    let mut text = format!("\n## {protocol}\n");
    let survivors: Vec<&&Row> = rows.iter().filter(|row| row.is_missed()).collect();
    if !survivors.is_empty() {
        text += "\nMissed:\n\n";
    }
    for row in survivors {
        text += &format!(
            "- `{}` {}, {}: {}. ",
            row.id,
            place(row.mutant),
            row.mutant.operator,
            row.mutant.change()
        );
        text += &match &row.class {
            Class::MissedDiffers { first } => format!(
                "First differs ({}) in `{}`: {} on `{}` in `{}`.",
                first.what, first.scenario, first.node, first.event, first.state
            ),
            _ => "The changed code never runs.".to_string(),
        };
        if !row.endless.is_empty() {
            text += &format!(" Given up for their size: {}.", row.endless.join(", "));
        }
        if let (Some(class), Some(because)) = (row.argument, &row.because) {
            let class = match class {
                arguments::Class::Equivalent => "Equivalent",
                arguments::Class::Liveness => "Harms only liveness",
            };
            text += &format!(" **{class}**: {because}");
        }
        text += "\n";
    }
    text += "\n| mutant | place | operator | change | caught by | verdict |\n|---|---|---|---|---|---|\n";
    for row in rows {
        let (scenario, verdict) = match &row.class {
            Class::Caught(c) => {
                (format!("`{}`", c.scenario), format!("{} {}", c.property, c.verdict))
            }
            Class::NeverDiffers => ("-".to_string(), "never differs".to_string()),
            _ if row.argument.is_some() => ("-".to_string(), "missed, argued away".to_string()),
            _ => ("-".to_string(), "**missed**".to_string()),
        };
        let change = row.mutant.change().replace('|', "\\|");
        let place = place(row.mutant);
        text += &format!(
            "| `{}` | {place} | {} | {change} | {scenario} | {verdict} |\n",
            row.id, row.mutant.operator
        );
    }
    let mut by: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows {
        if let Class::Caught(caught) = &row.class {
            *by.entry(&caught.scenario).or_default() += 1;
        }
    }
    let mut by: Vec<(&str, usize)> = by.into_iter().collect();
    by.sort_by_key(|(name, n)| (std::cmp::Reverse(*n), *name));
    let by: Vec<String> = by.iter().map(|(name, n)| format!("`{name}` {n}")).collect();
    text + &format!("\nFirst to notice: {}.\n", by.join(", "))
}

pub fn place(mutant: &Mutant) -> String {
    format!("`{}:{}` {}", mutant.file, mutant.line, mutant.function)
}

/// The date, in universal time.
fn today() -> String {
    let days = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs() / 86_400) as i64;
    let (year, month, day) = civil(days);
    format!("{year}-{month:02}-{day:02}")
}

/// Days since 1970 as year, month and day (Hinnant, "chrono-compatible low-level date algorithms").
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let (day, month) = (doy - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
    (yoe + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        assert_eq!(
            [civil(0), civil(59), civil(19_782)],
            [(1970, 1, 1), (1970, 3, 1), (2024, 2, 29)]
        );
    }

    #[test]
    fn a_score_is_enough_from_95_in_a_hundred_and_what_is_argued_away_does_not_count() {
        let score =
            |caught, missed, argued| Score { all: 100, caught, never_differ: 0, missed, argued };
        assert!(
            score(95, 5, 0).is_enough()
                && !score(94, 6, 0).is_enough()
                && score(94, 6, 2).is_enough()
        );
        assert!(!score(80, 20, 10).argues_too_much() && score(80, 20, 11).argues_too_much());
    }
}
