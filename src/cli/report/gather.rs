//! What there is to show: scenarios with their verdicts, systems with their answers, and the runs
//! that show them.

use std::collections::BTreeSet;
use std::time::SystemTime;

use super::results::{Found, Stored, worse};
use super::wait::{Time, Wait};
use crate::cli::choice::{self, Questions};
use crate::cli::pictures;
use crate::cli::provenance;
use crate::election::{About, BugSpec, Catalogue};
use crate::exploration::verdict::Verdict;
use crate::judge::{self, Agreement, Answer, Checked, Chosen, Request, TimeAsked};
use crate::liveness::Asked;
use crate::scenario::liveness::{LivenessScenario, parse};
use crate::scenario::{Problem, Scenario, Size};
use crate::semantics::Timing;
use crate::semantics::world::Faults;
use crate::tell::diagram::Caption;
use crate::tell::scene::Scene;

/// Where verdicts come from that are not found anew.
pub(super) struct Ways {
    pub(super) stored: Stored,
    /// Whether all are found anew.
    pub(super) is_fresh: bool,
}

/// Everything.
pub(super) struct Book {
    pub(super) day: String,
    pub(super) ways: Ways,
    pub(super) chapters: Vec<Chapter>,
    /// What is not as the corpora expect.
    pub(super) unexpected: Vec<String>,
    /// The stored results that are not shown, as the corpora ask no such thing.
    pub(super) stale: Vec<String>,
}

/// What is shown of a protocol.
pub(super) struct Chapter {
    pub(super) about: &'static About,
    pub(super) path: String,
    pub(super) questions: Questions,
    pub(super) cases: Vec<Case>,
    pub(super) systems: Vec<Live>,
    pub(super) runs: Vec<Run>,
}

/// How a verdict is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Found just now.
    Now,
    /// Read from a file, by its place among the sources.
    Stored(usize),
    /// It is what the corpus expects, and was not checked.
    Expected,
}

impl Known {
    /// The file that it was read from, by its place among the sources.
    pub(super) fn file(self) -> Option<usize> {
        match self {
            Known::Stored(at) => Some(at),
            _ => None,
        }
    }
}

/// A scenario with its verdict.
pub(super) struct Case {
    pub(super) scenario: Scenario,
    pub(super) verdict: Verdict,
    pub(super) known: Known,
    /// Distinct states, if all were seen.
    pub(super) states: Option<u64>,
    /// Distinct states by depth, of the one scenario of a chapter that is drawn.
    pub(super) levels: Vec<u64>,
    /// The run that shows the violation, by its place among the chapter's.
    pub(super) run: Option<usize>,
}

/// A system that was asked about liveness.
pub(super) struct Live {
    pub(super) scenario: LivenessScenario,
    pub(super) known: Known,
    /// How many states it has, if that is known.
    pub(super) states: Option<u32>,
    pub(super) answers: Vec<Told>,
    /// How long it takes until a leader stays, if that is worth a plot.
    pub(super) wait: Option<Wait>,
}

/// An answer about liveness.
pub(super) struct Told {
    pub(super) question: &'static str,
    pub(super) answer: String,
    pub(super) run: Option<usize>,
}

/// A run that has a page.
pub(super) struct Run {
    pub(super) path: String,
    /// What it is called.
    pub(super) name: String,
    pub(super) bug: Option<&'static BugSpec>,
    pub(super) scenario: Scenario,
    pub(super) caption: Caption,
    pub(super) scene: Scene,
    /// The number of steps from where checking starts.
    pub(super) steps: usize,
    pub(super) is_shortest: bool,
    /// The command that finds it again.
    pub(super) command: String,
    /// What else the run, or the scenario, shows.
    pub(super) also: Vec<String>,
}

/// # Errors
/// A corpus that is wrong, or a system that cannot be built.
pub(super) fn gather(
    catalogue: &impl Catalogue,
    abouts: &[&'static About],
    ways: Ways,
) -> Result<Book, Problem> {
    let day = provenance::day(SystemTime::now());
    let mut book = Book { day, ways, chapters: vec![], unexpected: vec![], stale: vec![] };
    let mut taken = BTreeSet::new();
    for about in abouts {
        let path = free(&mut taken, &slug(about.name));
        let questions = choice::questions(catalogue, about);
        let mut chapter = Chapter {
            about,
            path,
            questions,
            cases: Vec::new(),
            systems: Vec::new(),
            runs: Vec::new(),
        };
        let scenarios = choice::corpus(about)?;
        let drawn = drawn(&scenarios).map(|scenario| scenario.name.clone());
        for scenario in scenarios {
            let is_drawn = drawn.as_ref() == Some(&scenario.name);
            let case = case(catalogue, &mut book, &mut chapter, (scenario, is_drawn), &mut taken)?;
            chapter.cases.push(case);
        }
        let systems = parse(about.corpus, about)
            .map_err(|problem| problem.in_file(&format!("corpus of {}", about.name)))?;
        book.stale.extend(stale(&book.ways.stored, about, &systems));
        for system in systems {
            let live = match system.size {
                Size::Deep => large(&book.ways.stored, about, system),
                _ => asked(catalogue, &mut book, &mut chapter, system, &mut taken)?,
            };
            chapter.systems.push(live);
        }
        book.chapters.push(chapter);
    }
    Ok(book)
}

fn case(
    catalogue: &impl Catalogue,
    book: &mut Book,
    chapter: &mut Chapter,
    (scenario, is_drawn): (Scenario, bool),
    taken: &mut BTreeSet<String>,
) -> Result<Case, Problem> {
    let (about, is_deep) = (chapter.about, scenario.size > Size::Full);
    let (is_fresh, expected) = (book.ways.is_fresh && !is_deep, expected(&scenario));
    if is_deep || !is_fresh && !is_drawn && expected != Verdict::Violated {
        let (verdict, known, states) = match book.ways.stored.case(about.name, &scenario) {
            Some((Found { verdict, states, .. }, at)) => {
                (*verdict, Known::Stored(*at), Some(*states))
            }
            None => (expected, Known::Expected, scenario.distinct),
        };
        return Ok(Case { scenario, verdict, known, states, levels: Vec::new(), run: None });
    }
    // Unless every verdict is wanted, the run stops at the violations that are expected.
    let is_as_written = is_fresh || is_drawn;
    let chosen = Chosen { about, scenario: scenario.clone(), is_as_written, remark: None };
    let mut checked = judge::prepare(catalogue, chosen, &Request::default())?.run(&|_| ());
    let verdicts = checked.answers.iter().map(|answer| answer.conclusion.verdict);
    let verdict = verdicts.reduce(worse).unwrap_or(Verdict::Error);
    let is_unexpected = match is_as_written {
        true => checked.agreement() != Agreement::AsExpected,
        false => verdict != Verdict::Violated,
    };
    if is_unexpected {
        book.unexpected.push(format!("{}: {verdict}", checked.title()));
    }
    let states = is_as_written.then_some(checked.distinct);
    let levels = if is_drawn { std::mem::take(&mut checked.levels) } else { Vec::new() };
    let run = shown(&mut checked, &scenario);
    let run = run.map(|(answer, also)| {
        let run = violation(chapter, &scenario, answer, also, taken);
        chapter.runs.push(run);
        chapter.runs.len() - 1
    });
    Ok(Case { scenario, verdict, known: Known::Now, states, levels, run })
}

/// Larger scenarios are not checked only to be drawn.
const MOST_DRAWN: u64 = 100_000;

/// The scenario of which is drawn how many states there are at each depth: the largest that is
/// quick, among those without a bug whose states the corpus counts.
fn drawn(scenarios: &[Scenario]) -> Option<&Scenario> {
    let quick = scenarios.iter().filter(|scenario| {
        scenario.bug.is_none()
            && scenario.size <= Size::Full
            && expected(scenario) != Verdict::Violated
            && scenario.distinct.is_some_and(|states| states <= MOST_DRAWN)
    });
    quick.max_by_key(|scenario| scenario.distinct)
}

/// The answer whose run is shown, with what is said of the others: the first that the scenario
/// names as violated, or else the first that is.
fn shown(checked: &mut Checked, scenario: &Scenario) -> Option<(Answer, Vec<String>)> {
    let is_violated = |answer: &Answer| answer.counterexample.is_some();
    let is_named = |answer: &Answer| {
        let expected = scenario.expect.get(answer.property);
        expected.is_some_and(|expected| expected.verdict == Verdict::Violated)
    };
    let answers = &mut checked.answers;
    let named = answers.iter().position(|answer| is_violated(answer) && is_named(answer));
    let at = named.or_else(|| answers.iter().position(is_violated))?;
    let answer = answers.swap_remove(at);
    let also = answers.iter().filter_map(|other| {
        let steps = other.counterexample.as_ref()?.steps;
        Some(format!("{} (in {})", other.property, plural(steps, "step")))
    });
    let also = also.collect();
    Some((answer, also))
}

fn violation(
    chapter: &Chapter,
    scenario: &Scenario,
    answer: Answer,
    also: Vec<String>,
    taken: &mut BTreeSet<String>,
) -> Run {
    let about = chapter.about;
    let found = answer.counterexample.expect("the answer was chosen for it");
    let bug = about.bugs.iter().find(|bug| scenario.bug.as_deref() == Some(bug.name));
    // The first scenario that plants a bug has the bug's own page.
    let has_own = |bug: &&'static BugSpec| {
        let is_own = |run: &Run| run.bug.is_some_and(|other| other.name == bug.name);
        !chapter.runs.iter().any(is_own)
    };
    let name = match bug.filter(has_own) {
        Some(bug) => format!("bug-{}", bug.name),
        None => format!("run-{}", scenario.name),
    };
    let caption = pictures::caption(about.name, &found.trace, answer.meaning, true);
    Run {
        path: free(taken, &format!("{}/{}", slug(about.name), slug(&name))),
        name: scenario.name.clone(),
        bug,
        scenario: scenario.clone(),
        caption,
        scene: found.scene,
        steps: found.steps,
        is_shortest: found.is_shortest,
        command: format!("oneleader check {} --scenario {}", about.name, scenario.name),
        also,
    }
}

fn asked(
    catalogue: &impl Catalogue,
    book: &mut Book,
    chapter: &mut Chapter,
    scenario: LivenessScenario,
    taken: &mut BTreeSet<String>,
) -> Result<Live, Problem> {
    let about = chapter.about;
    let mut live = Live { scenario, known: Known::Now, states: None, answers: vec![], wait: None };
    let is_timed = live.is_cold_start().then(TimeAsked::default);
    let scenario = &live.scenario;
    let checked = judge::liveness_of(catalogue, about, scenario, is_timed)?;
    if checked.agreement() != Agreement::AsExpected {
        book.unexpected.push(format!("liveness of {} {}", about.name, scenario.name));
    }
    let mut answers: Vec<Told> = Vec::new();
    let mut shown: Vec<(judge::Shown, usize)> = Vec::new();
    for answer in checked.answers {
        let run = answer.shown.map(|run| {
            if let Some((_, at)) = shown.iter().find(|(other, _)| other.is_like(&run)) {
                let also = format!("{}: {}", answer.question, answer.answer);
                chapter.runs[*at].also.push(also);
                return *at;
            }
            let meaning = Asked::named(answer.question).map_or("", Asked::meaning);
            let caption = pictures::caption(about.name, &run.trace, meaning, false);
            let name = format!("{}/live-{}", slug(about.name), slug(&scenario.name));
            chapter.runs.push(Run {
                path: free(taken, &name),
                name: scenario.name.clone(),
                bug: about.bugs.iter().find(|bug| scenario.bug.as_deref() == Some(bug.name)),
                scenario: scenario.scenario(),
                caption,
                scene: run.scene.clone(),
                steps: run.prefix.len() + run.cycle.len(),
                is_shortest: false,
                command: format!("oneleader liveness {} --scenario {}", about.name, scenario.name),
                also: run.fairness.clone(),
            });
            shown.push((run, chapter.runs.len() - 1));
            chapter.runs.len() - 1
        });
        answers.push(Told { question: answer.question, answer: answer.answer, run });
    }
    live.wait = checked.time.and_then(Result::ok).and_then(|time| Time::from(&time).wait());
    (live.answers, live.states) = (answers, Some(checked.states));
    Ok(live)
}

/// A system that is too large to be asked anew: with the answers that are stored, or else with
/// those that are expected.
fn large(stored: &Stored, about: &About, scenario: LivenessScenario) -> Live {
    let told = |(question, answer)| Told { question, answer, run: None };
    if let Some((found, at)) = stored.system(about.name, &scenario.name)
        && let Some(answers) = found.to(&scenario)
    {
        let answers = answers.into_iter().map(told).collect();
        let (known, states) = (Known::Stored(*at), Some(found.states));
        return Live { scenario, known, states, answers, wait: found.wait };
    }
    let expected = |asked: Asked| Some((asked.name(), scenario.expect.get(asked.name())?.clone()));
    let answers = Asked::ALL.into_iter().filter_map(expected).map(told).collect();
    Live { scenario, known: Known::Expected, states: None, answers, wait: None }
}

/// The stored answers that are about no system of the corpus, or about one that was another then.
fn stale(stored: &Stored, about: &About, systems: &[LivenessScenario]) -> Vec<String> {
    let is_known = |name: &&str| {
        let system = systems.iter().find(|system| system.name == *name);
        let found = stored.system(about.name, name);
        system.zip(found).is_some_and(|(system, (found, _))| found.to(system).is_some())
    };
    let unknown = stored.systems_of(about.name).into_iter().filter(|name| !is_known(name));
    unknown.map(|name| format!("{} {name}", about.name)).collect()
}

impl Live {
    /// Whether nodes start together, and nothing fails: such systems are compared in a plot.
    pub(super) fn is_cold_start(&self) -> bool {
        let LivenessScenario { timing, faults, topology, cut, bug, size, .. } = &self.scenario;
        *timing == Timing::Timed
            && *faults == Faults::none()
            && topology == "mesh"
            && cut.is_none()
            && bug.is_none()
            && *size == Size::Small
    }
}

/// The worst verdict that a scenario expects.
fn expected(scenario: &Scenario) -> Verdict {
    let all = scenario.expect.values().map(|expected| expected.verdict);
    all.reduce(worse).unwrap_or(Verdict::Holds)
}

/// A text as a part of a path: letters, digits and hyphens.
pub(super) fn slug(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    text.chars().map(plain).collect()
}

/// The path of a page, which no other page has.
fn free(taken: &mut BTreeSet<String>, name: &str) -> String {
    let path = |n: usize| if n == 1 { format!("{name}.html") } else { format!("{name}-{n}.html") };
    let path = (1..).map(path).find(|path| !taken.contains(path) && path != "index.html");
    let path = path.expect("there are numbers enough");
    taken.insert(path.clone());
    path
}

/// So many of them.
pub(super) fn plural(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}
