//! What `check` says of a mutant: the healthy scenarios of its protocol's corpus are run with the
//! mistake made, the cheapest first, up to the first verdict that deviates from what it is without.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use oneleader::cli::choice::Choice;
use oneleader::election::{About, Catalogue, Election, Visitor};
use oneleader::exploration::verdict::Verdict;
use oneleader::exploration::{Ended, Limits};
use oneleader::judge::{self, Checked, Chosen, Engine, Request};
use oneleader::scenario::{Problem, Size};

use crate::models::Shipped;
use crate::record::{self, Suspect};
use crate::switch;
use crate::table::Mutant;

/// A mutant's run may see more states than the clean one, but not without end.
const TIMES: u64 = 4;
const BESIDES: u64 = 10_000;

thread_local! {
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic on this thread is one of a mutant's, and no news.
pub fn is_quiet() -> bool {
    IS_QUIET.get()
}

/// A scenario without a planted bug, and what it gives without a mistake.
pub struct Healthy {
    chosen: Chosen,
    verdicts: Vec<(&'static str, Verdict)>,
    distinct: u64,
    /// What comparing the mutants with the original gave in this scenario.
    compared: Vec<Suspect>,
}

/// What became of a mutant.
#[derive(Clone, Debug)]
pub enum Outcome {
    Caught(Caught),
    /// Perhaps some scenarios were given up for their size.
    Survived {
        endless: Vec<String>,
    },
}

#[derive(Clone, Debug, serde::Serialize)]
pub struct Caught {
    pub scenario: String,
    pub property: String,
    pub verdict: Verdict,
    pub why: String,
}

/// The healthy scenarios of a protocol.
///
/// # Errors
/// Its corpus is wrong.
pub fn scenarios(about: &'static About, size: Size) -> Result<Vec<Chosen>, Problem> {
    let all = Choice::default().scenarios(about, size)?;
    Ok(all.into_iter().filter(|chosen| chosen.scenario.bug.is_none()).collect())
}

/// Runs each scenario without a mistake, and compares these mutants' reactions with what is seen.
/// The cheapest scenarios come first; also says which give no verdict.
pub fn clean(
    scenarios: Vec<Chosen>,
    mutants: &[u32],
    threads: usize,
) -> (Vec<Healthy>, Vec<String>) {
    let found = share_out(&scenarios, threads, |chosen| record(chosen, mutants, false));
    let (mut healthy, mut problems) = (Vec::new(), Vec::new());
    for (chosen, (compared, result)) in scenarios.into_iter().zip(found) {
        match result.map(|ran| (verdicts(&ran), ran.distinct)) {
            Ok((verdicts, distinct))
                if verdicts.iter().all(|(_, word)| *word != Verdict::Error) =>
            {
                healthy.push(Healthy { chosen, verdicts, distinct, compared });
            }
            Ok(_) => problems.push(format!("{}: an error without any mistake", name(&chosen))),
            Err(why) => problems.push(format!("{}: {why}", name(&chosen))),
        }
    }
    healthy.sort_by_key(|healthy| healthy.distinct);
    (healthy, problems)
}

fn name(chosen: &Chosen) -> String {
    chosen.scenario.name.clone()
}

fn verdicts(ran: &Checked) -> Vec<(&'static str, Verdict)> {
    ran.answers.iter().map(|answer| (answer.property, answer.conclusion.verdict)).collect()
}

/// Puts one mutant to the test, in the scenarios in which it ever reacts differently: in the others
/// everything is as it is without the mistake.
pub fn judge(mutant: &Mutant, corpus: &[Healthy]) -> Outcome {
    let mut endless = Vec::new();
    for Healthy { chosen, verdicts, distinct, compared } in corpus {
        if compared
            .iter()
            .any(|suspect| suspect.number == mutant.number && suspect.difference.is_none())
        {
            continue;
        }
        switch::put_to_test(mutant.number);
        let result = attempt(chosen, Some(distinct * TIMES + BESIDES), Arc::default());
        switch::put_to_test(switch::NONE);
        let caught = |property: &str, verdict, why: Option<&str>| {
            let why = why.unwrap_or_default().lines().next().unwrap_or_default().to_string();
            Outcome::Caught(Caught {
                scenario: name(chosen),
                property: property.to_string(),
                verdict,
                why,
            })
        };
        let ran = match result {
            Ok(ran) => ran,
            Err(Failure::Panic(why)) => return caught("all", Verdict::Error, Some(&why)),
            // The steps to begin with cannot be taken: `check` refuses the scenario, which is no
            // verdict.
            Err(Failure::Refused(_)) => continue,
        };
        let worse = |word| matches!(word, Verdict::Violated | Verdict::Vacuous | Verdict::Error);
        let deviates = ran.answers.iter().find(|answer| {
            let word = answer.conclusion.verdict;
            worse(word) && !verdicts.contains(&(answer.property, word))
        });
        if let Some(answer) = deviates {
            return caught(
                answer.property,
                answer.conclusion.verdict,
                answer.conclusion.why.as_deref(),
            );
        }
        if ran.ended == Ended::MaxStates {
            endless.push(name(chosen));
        }
    }
    Outcome::Survived { endless }
}

/// Why a scenario gives nothing.
enum Failure {
    Refused(String),
    Panic(String),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Refused(why) => f.write_str(why),
            Failure::Panic(why) => write!(f, "panic: {why}"),
        }
    }
}

/// Runs a scenario on this thread.
fn attempt(
    chosen: &Chosen,
    max_states: Option<u64>,
    interrupted: Arc<AtomicBool>,
) -> Result<Checked, Failure> {
    let request = Request {
        engine: Engine::Compiled,
        seed: 0,
        property: None,
        no_stop: false,
        limits: Limits { threads: 1, max_states, interrupted, ..Limits::default() },
    };
    IS_QUIET.set(true);
    let run = || Ok(judge::prepare(&Shipped, chosen.clone(), &request)?.run(&|_| {}));
    let result = catch_unwind(AssertUnwindSafe(run));
    IS_QUIET.set(false);
    match result {
        Ok(Ok(ran)) => Ok(ran),
        Ok(Err(problem)) => {
            let problem: Problem = problem;
            Err(Failure::Refused(problem.to_string()))
        }
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
            Err(Failure::Panic(text.unwrap_or_default()))
        }
    }
}

/// What the first comparison says of survivors, and for those that did not differ there, what these
/// scenarios do.
pub fn compare(
    corpus: &[Healthy],
    deeper: &[Chosen],
    survivors: &[u32],
    threads: usize,
    progress: impl Fn(usize),
) -> Vec<Suspect> {
    let mut all: Vec<Suspect> = survivors.iter().map(|number| Suspect::new(*number)).collect();
    corpus.iter().for_each(|healthy| merge(&mut all, &healthy.compared));
    let left: Vec<u32> = all.iter().filter(|s| s.difference.is_none()).map(|s| s.number).collect();
    if !left.is_empty() {
        progress(left.len());
        for (compared, _) in share_out(deeper, threads, |chosen| record(chosen, &left, true)) {
            merge(&mut all, &compared);
        }
    }
    all
}

/// Adds what one scenario says. The first difference stays.
fn merge(all: &mut [Suspect], found: &[Suspect]) {
    for suspect in all {
        if let Some(found) = found.iter().find(|found| found.number == suspect.number) {
            suspect.ran |= found.ran;
            suspect.difference = suspect.difference.take().or_else(|| found.difference.clone());
        }
    }
}

/// Runs a scenario without a mistake and compares the mutants. If nothing else is wanted of the
/// run, it ends when all of them differ.
fn record(
    chosen: &Chosen,
    mutants: &[u32],
    may_stop: bool,
) -> (Vec<Suspect>, Result<Checked, Failure>) {
    let suspects = mutants.iter().map(|number| Suspect::new(*number)).collect();
    let recorded = Shipped.visit(chosen.about.name, Record { chosen, suspects, may_stop });
    recorded.expect("a protocol of the catalogue")
}

struct Record<'a> {
    chosen: &'a Chosen,
    suspects: Vec<Suspect>,
    may_stop: bool,
}

impl Visitor for Record<'_> {
    type Output = (Vec<Suspect>, Result<Checked, Failure>);
    fn visit<E: Election>(self) -> Self::Output {
        let done = Arc::<AtomicBool>::default();
        let interrupted = if self.may_stop { done.clone() } else { Arc::default() };
        let run = || attempt(self.chosen, None, interrupted);
        record::during::<E, _>(&self.chosen.scenario.name, self.suspects, done, run)
    }
}

/// Does something with every item, on so many threads; the results are in the order of the items.
pub fn share_out<I: Sync, T: Send>(
    items: &[I],
    threads: usize,
    work: impl Fn(&I) -> T + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, T)>> = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(i) else { break };
                    let result = work(item);
                    results.lock().expect("nobody panics with it").push((i, result));
                }
            });
        }
    });
    let mut results = results.into_inner().expect("nobody panics with it");
    results.sort_by_key(|(i, _)| *i);
    results.into_iter().map(|(_, result)| result).collect()
}
