//! Reports for machines. The keys are a contract: keys may be added, but none may be removed or
//! change its meaning. Absent values are `null`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::cli::provenance::Provenance;
use crate::exploration::Tally;
use crate::exploration::verdict::Verdict;
use crate::judge::{Agreement, Checked, Prepared};
use crate::scenario::Problem;
use crate::semantics::StepKind;

const VERSION: u32 = 1;

/// What `check` found.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    version: u32,
    #[serde(flatten)]
    provenance: Provenance,
    results: Vec<Row<'a>>,
}

/// One property of one scenario.
#[derive(Serialize)]
struct Row<'a> {
    /// Results that share one exploration share this number.
    run: usize,
    protocol: &'a str,
    scenario: &'a str,
    bug: Option<&'a str>,
    property: &'a str,
    kind: &'a str,
    verdict: Verdict,
    /// The reason for the verdict: the conflicting facts, the bounds that cut off steps, what never
    /// happened, or why the run was not complete.
    why: Option<&'a str>,
    expected: Option<Verdict>,
    as_expected: bool,
    distinct: u64,
    generated: u64,
    /// Steps: the initial state is at 0.
    depth: usize,
    /// Distinct states by depth; empty, if the engine does not count them.
    levels: &'a [u64],
    seconds: f64,
    threads: usize,
    engine: &'a str,
    trace_steps: Option<usize>,
    /// Generated states beyond each bound.
    cut: BTreeMap<&'a str, u64>,
    coverage: Coverage<'a>,
    collision_probability: f64,
}

/// Counts of what happened.
#[derive(Serialize)]
pub(super) struct Coverage<'a> {
    steps: &'a BTreeMap<StepKind, u64>,
    messages: &'a BTreeMap<String, u64>,
    elections: u64,
    /// Steps that reach each goal that speaks of steps.
    goals: &'a BTreeMap<&'static str, u64>,
    /// The goals reached that speak of the past.
    past_goals: &'a BTreeSet<&'static str>,
    /// Steps in which a planted bug made a difference.
    changed_by_bug: u64,
}

impl<'a> Coverage<'a> {
    pub(super) fn of(tally: &'a Tally) -> Self {
        Coverage {
            steps: &tally.steps,
            messages: &tally.messages,
            elections: tally.elections,
            goals: &tally.goals,
            past_goals: &tally.past,
            changed_by_bug: tally.changed_by_bug,
        }
    }
}

impl<'a> Report<'a> {
    /// The report of the runs that ended or were interrupted.
    pub(super) fn new(
        provenance: Provenance,
        runs: &'a [Box<dyn Prepared>],
        all: &'a [Checked],
    ) -> Self {
        let rows =
            runs.iter().zip(all).enumerate().flat_map(|(i, (run, ran))| rows(i, &**run, ran));
        Report { version: VERSION, provenance, results: rows.collect() }
    }
}

fn rows<'a>(i: usize, run: &'a dyn Prepared, ran: &'a Checked) -> impl Iterator<Item = Row<'a>> {
    let chosen = run.chosen();
    ran.answers.iter().map(move |answer| Row {
        run: i,
        protocol: chosen.about.name,
        scenario: &chosen.scenario.name,
        bug: chosen.scenario.bug.as_deref(),
        property: answer.property,
        kind: answer.kind,
        verdict: answer.conclusion.verdict,
        why: answer.conclusion.why.as_deref(),
        expected: answer.expected.as_ref().map(|e| e.verdict),
        as_expected: answer.agreement.max(ran.counts()) == Agreement::AsExpected,
        distinct: ran.distinct,
        generated: ran.generated,
        depth: ran.depth,
        levels: &ran.levels,
        seconds: ran.seconds,
        threads: ran.threads,
        engine: ran.engine,
        trace_steps: answer.counterexample.as_ref().map(|c| c.steps),
        cut: ran.cut.iter().map(|(bound, n)| (bound.name(), *n)).collect(),
        coverage: Coverage::of(&ran.tally),
        collision_probability: ran.collision_probability,
    })
}

/// What was wrong with the input.
#[derive(Serialize)]
struct Failure<'a> {
    version: u32,
    error: Error<'a>,
}

#[derive(Serialize)]
struct Error<'a> {
    message: &'a str,
    file: Option<&'a str>,
    line: Option<usize>,
}

/// The report in place of any other, when the input is bad.
pub(super) fn failure(problem: &Problem) -> String {
    let error =
        Error { message: &problem.message, file: problem.file.as_deref(), line: problem.line };
    text(&Failure { version: VERSION, error })
}

/// One object, one line end.
pub(super) fn text(report: &impl Serialize) -> String {
    serde_json::to_string(report).expect("a report is plain data") + "\n"
}

/// A report with its version, for the other verbs.
#[derive(Serialize)]
pub(super) struct Versioned<T> {
    version: u32,
    #[serde(flatten)]
    report: T,
}

impl<T> Versioned<T> {
    pub(super) fn new(report: T) -> Self {
        Versioned { version: VERSION, report }
    }
}
