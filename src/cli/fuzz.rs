//! `oneleader fuzz`: random runs, for systems too large to explore exhaustively. The first run that
//! fails is shrunk, shown, and saved.

use std::any::Any;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use clap::Args;
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Strategy};
use proptest::test_runner::{FailurePersistence, FileFailurePersistence, PersistedSeed};
use serde::Serialize;

use crate::cli::choice::{self, Choice};
use crate::cli::json::{self, Coverage, Versioned};
use crate::cli::{Ending, Exit, interrupted, output, positive, whole};
use crate::election::{About, Catalogue, Election, NeedOfTime, Visitor};
use crate::exploration::Tally;
use crate::exploration::verdict::Verdict;
use crate::fuzz::{
    Asked, Campaign, Found, Outcome, Recovery, Trial, all_faults, enlarged, promised,
};
use crate::run::trace::Trace;
use crate::scenario::{FuzzHints, Problem, Scenario, Size};
use crate::semantics::System;
use crate::tell::narrative;
use crate::tell::scene::Scene;

/// The default number of nodes of a healing network.
const NODES: usize = 5;

/// The default number of runs if there is more than one scenario.
const CASES: u32 = 1_000;

/// Try random runs; shrink the first that fails
///
/// Without a scenario or a bug, the corpus's scenarios without bugs are tried with up to 7 nodes,
/// up to six times the faults, and without bounds on terms. If no run fails, that proves nothing:
/// the verdict is `not-refuted`, the exit code 0.
#[derive(Args)]
#[command(after_help = "\
Exit codes: 0 nothing was found, 1 violated, 2 bad input, 3 stopped early.

Examples:
  oneleader fuzz raft                                 random runs of every scenario
  oneleader fuzz raft --bug forgets-vote              a mistake, found and shrunk
  oneleader fuzz raft --heal --nodes 7 --cases 200    does a leader come back after faults?")]
pub(super) struct Fuzz {
    #[arg(value_name = "PROTOCOL")]
    protocol: String,
    #[command(flatten)]
    choice: Choice,
    /// How many runs. The default is the number that the scenario gives, or 1000 for several
    /// scenarios
    #[arg(long, value_name = "N", value_parser = positive::<u32>)]
    cases: Option<u32>,
    /// The longest run, in steps
    #[arg(long, value_name = "N", value_parser = positive::<usize>)]
    steps: Option<usize>,
    /// Repeat the runs of this seed
    #[arg(long, value_name = "N", value_parser = whole::<u64>)]
    seed: Option<u64>,
    /// Let the network heal after random faults, and check that the protocol keeps its promise then
    #[arg(long)]
    heal: bool,
    /// The directory in which a failing run is saved. The default is `proptest-regressions`, if
    /// there is such a directory
    #[arg(long, value_name = "DIR")]
    keep: Option<String>,
    /// Write the outcome as JSON; `-` is standard output, and then nothing else is written there
    #[arg(long, value_name = "FILE|-")]
    json: Option<String>,
}

impl Fuzz {
    pub(super) fn run(&self, catalogue: &impl Catalogue) -> Ending {
        let about = choice::protocol(catalogue, &self.protocol)?;
        let inputs: Vec<_> =
            self.choice.file().map(|file| ("--scenario", file)).into_iter().collect();
        let outputs: Vec<_> = self.json.iter().map(|path| ("--json", path.as_str())).collect();
        output::plan(&inputs, &outputs)?;
        let (what, scenarios) = self.scenarios(about)?;
        let fuzzing = Fuzzing { options: self, what, scenarios };
        catalogue.visit(about.name, fuzzing).expect("found just now")
    }

    /// What to try: in words, and as scenarios.
    fn scenarios(&self, about: &'static About) -> Result<(String, Vec<Scenario>), Problem> {
        if self.heal {
            self.can_be_healed()?;
        }
        let Choice { nodes, .. } = self.choice;
        let is_open = !Choice { nodes: None, ..self.choice.clone() }.is_given();
        if !is_open {
            let chosen = self.choice.scenarios(about, Size::Deep)?;
            let what = match chosen.iter().find_map(|chosen| chosen.remark.clone()) {
                Some(remark) => remark,
                None => format!("scenario `{}`", chosen[0].scenario.name),
            };
            let mut scenarios: Vec<Scenario> =
                chosen.into_iter().map(|chosen| chosen.scenario).collect();
            let faultless = |s: &&mut Scenario| self.heal && s.faults == Default::default();
            let mut changed = 0;
            for scenario in scenarios.iter_mut().filter(faultless) {
                scenario.faults = all_faults(scenario.network);
                changed += 1;
            }
            let faults = if changed > 0 {
                ", with all faults that a disk survives where it has none"
            } else {
                ""
            };
            return Ok((what + faults, scenarios));
        }
        let nodes = nodes.map(|n| usize::try_from(n).unwrap_or(0));
        if self.heal {
            let mut scenario = Scenario::new("all-faults", nodes.unwrap_or(NODES));
            scenario.faults = all_faults(scenario.network);
            return Ok((
                format!("all faults that a disk survives, {} nodes", scenario.nodes),
                vec![scenario],
            ));
        }
        let sizes = nodes.map_or("up to 7".to_string(), |n| n.to_string());
        Ok((format!("what the corpus promises, with {sizes} nodes"), promised(about)?))
    }

    /// Refuses flags that contradict healing, which sets the timing itself and needs a network on
    /// which time can pass.
    fn can_be_healed(&self) -> Result<(), Problem> {
        let Choice { timing, network, .. } = &self.choice;
        let refused = match (timing, network) {
            (Some(timing), _) => format!(
                "--timing {timing}: a network that heals is asynchronous until it does, and keeps time from then on"
            ),
            (_, Some(network)) if network == "duplicating" => {
                format!(
                    "--network {network}: it delivers for ever, so that no time could pass after healing"
                )
            }
            _ => return Ok(()),
        };
        Err(Problem::new(format!("{refused}; leave it out of `fuzz --heal`")))
    }

    /// Refuses options with which the protocol could not recover as time passes.
    fn has_what_time_needs<E: Election>(&self) -> Result<(), Problem> {
        for need in E::needs_of_time() {
            let NeedOfTime { option, not, but } = need;
            if self.choice.options.contains(&format!("{option}={not}")) {
                return Err(Problem::new(format!(
                    "--options {option}={not}: nothing comes about as time passes without {option} = {but}; leave it out of \
                     `fuzz --heal`"
                )));
            }
        }
        Ok(())
    }

    /// The path under which a failing run is saved, without the file's extension; `None` if it is
    /// not saved.
    fn kept(&self, protocol: &str, scenarios: &[Scenario]) -> Result<Option<String>, Problem> {
        let keep = self.keep.clone().or_else(|| Path::new(KEPT).is_dir().then(|| KEPT.to_string()));
        let Some(dir) = keep else { return Ok(None) };
        let subject = match scenarios {
            [only] => only.bug.as_ref().unwrap_or(&only.name).clone(),
            _ => "random".to_string(),
        };
        let heal = if self.heal { "-recovery" } else { "" };
        let file = format!("{dir}/{protocol}-{subject}{heal}");
        let (runs, seeds) = (format!("{file}.json"), format!("{file}.txt"));
        let json = self.json.iter().map(|path| ("--json", path.as_str()));
        let outputs: Vec<_> =
            [("--keep", runs.as_str()), ("--keep", &seeds)].into_iter().chain(json).collect();
        let inputs: Vec<_> =
            self.choice.file().map(|file| ("--scenario", file)).into_iter().collect();
        output::plan(&inputs, &outputs)?;
        Ok(Some(file))
    }

    /// The strategy over those scenarios.
    fn strategy<E: Election>(&self, scenarios: Vec<Scenario>) -> BoxedStrategy<Scenario> {
        let is_open = !Choice { nodes: None, ..self.choice.clone() }.is_given();
        let steps = self.steps;
        let paced = move |mut scenario: Scenario| {
            if let Some(steps) = steps {
                scenario.fuzz.get_or_insert_default().steps = steps;
            }
            scenario
        };
        match is_open && !self.heal {
            true => {
                let nodes = self.choice.nodes.map(|n| usize::try_from(n).unwrap_or(0));
                enlarged::<E>(scenarios, nodes).prop_map(paced).boxed()
            }
            false => select(scenarios).prop_map(paced).boxed(),
        }
    }
}

struct Fuzzing<'a> {
    options: &'a Fuzz,
    what: String,
    scenarios: Vec<Scenario>,
}

impl Visitor for Fuzzing<'_> {
    type Output = Ending;

    fn visit<E: Election>(self) -> Ending {
        let Fuzzing { options, what, scenarios } = self;
        let asked = if options.heal { Asked::Recovery(Recovery::default()) } else { Asked::Safety };
        // A scenario that cannot be built is bad input. It is found here, before the runs begin.
        let nodes = options.choice.nodes.map(|n| usize::try_from(n).unwrap_or(0));
        let mut changes = Vec::new();
        let mut meaning = None;
        if options.heal {
            options.has_what_time_needs::<E>()?;
        }
        for scenario in &scenarios {
            let sized = Scenario { nodes: nodes.unwrap_or(scenario.nodes), ..scenario.clone() };
            let trial = Trial::<E>::new(sized, asked)?;
            changes.extend(
                trial.changes.iter().map(|change| format!("  in `{}`: {change}\n", scenario.name)),
            );
            meaning = meaning.or(asked_meaning(&trial));
        }
        let hints = match &scenarios[..] {
            [only] => only.fuzz.clone().unwrap_or_default(),
            _ => FuzzHints { cases: CASES, ..FuzzHints::default() },
        };
        let seed = options.seed.unwrap_or_else(|| RandomState::new().hash_one("seed"));
        let file = options.kept(E::about().name, &scenarios)?;
        let campaign = Campaign {
            cases: options.cases.unwrap_or(hints.cases),
            seed,
            asked,
            seeds: file.as_ref().map(|file| Box::new(KeptSeeds::new(file)) as _),
            interrupted: interrupted(),
            ..Campaign::default()
        };
        let is_silent = options.json.as_deref() == Some("-");
        let say = |text: &str| {
            if !is_silent {
                output::say(text)
            }
        };
        let (name, cases) = (E::about().name, campaign.cases);
        say(&format!(
            "{name}: {what}\n{cases} random runs of seed {seed} (repeat them with --seed {seed})\n"
        ));
        if let Some(meaning) = meaning {
            say(&format!("asked: {meaning}\n{}", changes.concat()));
        }
        let outcome = watched::<E>(&campaign, options.strategy::<E>(scenarios))?;
        let kept = match (&outcome.found, &file) {
            (Some(found), Some(file)) => {
                let path = format!("{file}.json");
                output::write(&path, &trace(found).to_json());
                Some(path)
            }
            _ => None,
        };
        say(&told(&outcome, kept.as_deref()));
        if let Some(path) = &options.json {
            let report = report(&outcome, &campaign, kept.as_deref());
            output::write(path, &json::text(&Versioned::new(Results { results: [report] })));
        }
        Ok(match outcome.found {
            Some(_) => Exit::Bad,
            None if outcome.cases < cases => Exit::Inconclusive,
            None => Exit::Good,
        })
    }
}

/// Runs a campaign, and shows its progress on a terminal.
fn watched<E: Election>(
    campaign: &Campaign,
    scenarios: impl Strategy<Value = Scenario> + 'static,
) -> Result<Outcome<E>, Problem> {
    let (name, cases) = (E::about().name, campaign.cases);
    let is_watched = io::stderr().is_terminal();
    let outcome = campaign.run::<E>(scenarios, |done| {
        if is_watched && done % 16 == 0 {
            let _ = write!(io::stderr(), "\r\x1b[K{name}: {done} of {cases} runs");
        }
    });
    if is_watched {
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
    outcome
}

/// Where proptest keeps failures by custom.
const KEPT: &str = "proptest-regressions";

fn trace<E: Election>(found: &Found<E>) -> Trace {
    let trial = &found.run.trial;
    let failure = found.run.failure.as_ref().expect("a run that was found fails");
    Trace::new(&trial.system, &trial.scenario, failure.property, &failure.why, &found.run.steps)
}

/// Longer runs are shown by the names of their steps only.
const STORY: usize = 40;
/// How many steps are shown at both ends of a run that is too long to be read.
const ENDS: usize = 30;

fn told<E: Election>(outcome: &Outcome<E>, kept: Option<&str>) -> String {
    let Tally { steps, elections, .. } = &outcome.tally;
    let counts: Vec<String> = steps.iter().map(|(kind, n)| format!("{kind} {n}")).collect();
    let happened = format!("happened: {}; elections {elections}\n", counts.join(", "));
    let Some(Found { run, found_steps }) = &outcome.found else {
        let doubt =
            if *elections == 0 { " (nobody was ever elected: this says nothing)" } else { "" };
        return format!("{happened}nothing found in {} runs{doubt}\n", outcome.cases);
    };
    let (scenario, names) = (&run.trial.scenario, run.names());
    let mut text = format!(
        "{happened}\nfound in run {} of `{}` ({} nodes), after {found_steps} steps; shrunk to {} steps:\n",
        outcome.cases,
        scenario.name,
        scenario.nodes,
        names.len()
    );
    if names.len() <= STORY {
        text += &narrative::tell(&Scene::new(&run.trial.system, &run.steps));
    } else {
        let is_shown = |i: usize| i < ENDS || i + ENDS >= names.len();
        for (i, name) in names.iter().enumerate() {
            if is_shown(i) {
                text += &format!("{:>5}  {name}\n", i + 1);
            } else if is_shown(i - 1) {
                text += &format!("       ... {} steps more ...\n", names.len() - 2 * ENDS);
            }
        }
    }
    let failure = run.failure.as_ref().expect("a run that was found fails");
    text += &format!("  {} is violated: {}\n  ({})\n", failure.property, failure.why, meaning(run));
    if let Some(kept) = kept {
        text += &format!("kept: {kept}\n");
    }
    text
}

fn meaning<E: Election>(run: &crate::fuzz::Run<E>) -> String {
    let failure = run.failure.as_ref().expect("a run that was found fails");
    asked_meaning(&run.trial).unwrap_or_else(|| {
        let mut known = System::<E>::properties().into_iter();
        let (property, _) =
            known.find(|(_, name)| *name == failure.property).expect("it was asked");
        System::<E>::meaning(property).to_string()
    })
}

/// The question that is asked of whole runs, in one sentence.
fn asked_meaning<E: Election>(trial: &Trial<E>) -> Option<String> {
    match trial.asked {
        Asked::Recovery(recovery) => {
            trial.promise.as_ref().map(|promise| recovery.meaning(promise))
        }
        Asked::Safety => None,
    }
}

#[derive(Serialize)]
struct Results<T> {
    results: [T; 1],
}

/// The result, for machines.
#[derive(Serialize)]
struct Report<'a> {
    protocol: &'a str,
    /// The run that fails; null if none was found.
    scenario: Option<&'a str>,
    nodes: Option<usize>,
    bug: Option<&'a str>,
    property: Option<&'a str>,
    kind: &'a str,
    verdict: Verdict,
    why: Option<&'a str>,
    cases: u32,
    seed: u64,
    /// Before shrinking.
    found_steps: Option<usize>,
    trace_steps: Option<usize>,
    steps: Option<Vec<String>>,
    kept: Option<&'a str>,
    coverage: Coverage<'a>,
}

fn report<'a, E: Election>(
    outcome: &'a Outcome<E>,
    campaign: &Campaign,
    kept: Option<&'a str>,
) -> Report<'a> {
    let found = outcome.found.as_ref();
    let failure = found.and_then(|found| found.run.failure.as_ref());
    let scenario = found.map(|found| &found.run.trial.scenario);
    let kind = match (campaign.asked, failure) {
        (Asked::Recovery(_), _) => "liveness",
        (Asked::Safety, Some(failure)) if failure.property != "election-safety" => "invariant",
        (Asked::Safety, _) => "safety",
    };
    Report {
        protocol: E::about().name,
        scenario: scenario.map(|s| s.name.as_str()),
        nodes: scenario.map(|s| s.nodes),
        bug: scenario.and_then(|s| s.bug.as_deref()),
        property: failure.map(|failure| failure.property),
        kind,
        verdict: if found.is_some() { Verdict::Violated } else { Verdict::NotRefuted },
        why: failure.map(|failure| failure.why.as_str()),
        cases: outcome.cases,
        seed: campaign.seed,
        found_steps: found.map(|found| found.found_steps),
        trace_steps: found.map(|found| found.run.steps.len()),
        steps: found.map(|found| found.run.names()),
        kept,
        coverage: Coverage::of(&outcome.tally),
    }
}

/// proptest's file of seeds, which is written but not read: the runs of this command depend on
/// `--seed` alone.
#[derive(Clone, Debug, PartialEq)]
struct KeptSeeds {
    file: FileFailurePersistence,
}

impl KeptSeeds {
    fn new(file: &str) -> Self {
        // proptest wants a name with a `'static` lifetime. It is leaked, as the program ends soon.
        KeptSeeds {
            file: FileFailurePersistence::Direct(Box::leak(format!("{file}.txt").into_boxed_str())),
        }
    }
}

impl FailurePersistence for KeptSeeds {
    fn load_persisted_failures2(&self, _: Option<&'static str>) -> Vec<PersistedSeed> {
        Vec::new()
    }

    fn save_persisted_failure2(
        &mut self,
        source: Option<&'static str>,
        seed: PersistedSeed,
        shrunk: &dyn std::fmt::Debug,
    ) {
        self.file.save_persisted_failure2(source, seed, shrunk);
    }

    fn box_clone(&self) -> Box<dyn FailurePersistence> {
        Box::new(self.clone())
    }

    fn eq(&self, other: &dyn FailurePersistence) -> bool {
        other.as_any().downcast_ref::<Self>() == Some(self)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
