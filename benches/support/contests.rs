//! The compiled engine beside stateright's own checkers: the same actors, network and bounds, the
//! same allocator, every contender in every round, one after the other. Only ratios of medians mean
//! anything on another machine.

use std::sync::Arc;
use std::time::Instant;

use oneleader::election::{About, Election, Visitor};
use oneleader::exploration::{Ended, Limits};
use oneleader::scenario::{self, Scenario, Size};
use oneleader::semantics::network::NetworkKind;
use oneleader::semantics::world::Faults;
use oneleader::semantics::{PropertyId, System, Timing};
use oneleader::{engine, models};

use crate::plain::{Counted, Search, actor_model, counts};
use crate::raft_election::RaftElection;

/// The largest corpus scenario that stateright is asked to search.
const MOST_STATES: u64 = 400_000;

/// One way to search a space: its name, and a run that returns the distinct states seen.
pub type Contender = (String, Box<dyn Fn() -> u64>);

pub struct Contest {
    pub name: String,
    /// The first is the one that the others are compared with.
    pub contenders: Vec<Contender>,
}

impl Contest {
    /// Runs every contender once in each round, one after the other.
    pub fn hold(&self, rounds: usize) -> Held {
        let mut seconds = vec![Vec::new(); self.contenders.len()];
        let mut distinct = None;
        for _ in 0..rounds {
            for ((name, run), seconds) in self.contenders.iter().zip(&mut seconds) {
                let begin = Instant::now();
                let states = run();
                seconds.push(begin.elapsed().as_secs_f64());
                assert_eq!(
                    *distinct.get_or_insert(states),
                    states,
                    "{name} saw another number of states"
                );
            }
        }
        let medians: Vec<f64> = seconds.into_iter().map(median).collect();
        Held { distinct: distinct.unwrap_or(0), medians }
    }
}

/// What came of a contest.
pub struct Held {
    pub distinct: u64,
    /// Seconds, in the order of the contenders.
    pub medians: Vec<f64>,
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn compiled<E: Election>(system: &System<E>, threads: usize) -> u64 {
    let asked: Vec<PropertyId> = System::<E>::properties().into_iter().map(|(p, _)| p).collect();
    let seen =
        engine::explore(system, &asked, &Limits { threads, ..Limits::exhaustive() }, &|_| ());
    assert_eq!(seen.ended, Ended::Exhausted);
    seen.distinct
}

fn contenders<E: Election>(system: System<E>, with_dfs: bool) -> Vec<Contender> {
    let system = Arc::new(system);
    let mut all: Vec<Contender> = Vec::new();
    let searches = [(Search::BreadthFirst, "BFS"), (Search::DepthFirst, "DFS")];
    for (search, word) in searches.into_iter().take(1 + usize::from(with_dfs)) {
        for threads in [1, 2] {
            let system = system.clone();
            let name = format!("stateright {word}, {threads} thread(s)");
            all.push((
                name,
                Box::new(move || counts(actor_model(&system), search, threads).0 as u64),
            ));
        }
    }
    for threads in [1, 2] {
        let system = system.clone();
        all.push((
            format!("oneleader, {threads} thread(s)"),
            Box::new(move || compiled(&system, threads)),
        ));
    }
    all
}

/// The election that four other checkers have counted.
fn bare_election(nodes: usize, max_term: i64) -> Contest {
    let mut scenario = Scenario::new("bare-election", nodes);
    scenario.options.insert("max_term".to_string(), toml::Value::Integer(max_term));
    let mut system = scenario.system::<RaftElection>().expect("a good scenario");
    system.rules.keep_dead = true;
    system.rules.remember = false;
    Contest {
        name: format!("bare Raft election, {nodes} servers, {max_term} terms (plain actor model)"),
        contenders: contenders(system, true),
    }
}

/// The largest scenario of a protocol that passes a filter, and is small enough for stateright.
struct Largest {
    about: &'static About,
    with_faults: bool,
}

impl Visitor for Largest {
    type Output = Option<Contest>;

    fn visit<E: Election>(self) -> Option<Contest> {
        let corpus = scenario::parse(self.about.corpus, self.about).expect("the corpus is good");
        let fits = |s: &&Scenario| {
            s.size != Size::Deep
                && s.bug.is_none()
                && s.start_when.is_none()
                && s.start_steps.is_empty()
                && (s.faults != Faults::none()) == self.with_faults
                && (self.with_faults
                    || s.timing == Timing::Asynchronous
                        && s.network != NetworkKind::Duplicating
                        && s.topologies.start == "mesh")
        };
        let mut best: Option<(u64, System<E>, String)> = None;
        for scenario in corpus.iter().filter(fits) {
            let mut system = scenario.system::<E>().expect("the corpus is good");
            if !self.with_faults {
                // An actor model knows no budget of client inputs.
                if E::inputs(&system.actors) > 0 {
                    continue;
                }
                system.rules.keep_dead = true;
                system.rules.remember = false;
            }
            let limits = Limits { max_states: Some(MOST_STATES), ..Limits::exhaustive() };
            let seen = engine::explore(&system, &[], &limits, &|_| ());
            if seen.ended == Ended::Exhausted
                && best.as_ref().is_none_or(|(n, ..)| *n < seen.distinct)
            {
                best = Some((seen.distinct, system, scenario.name.clone()));
            }
        }
        let (_, system, name) = best?;
        let protocol = self.about.name;
        if !self.with_faults {
            let name = format!("{protocol} {name}, without faults (plain actor model)");
            return Some(Contest { name, contenders: contenders(system, false) });
        }
        let system = Arc::new(system);
        let theirs = system.clone();
        let reference = move || counts(Counted(theirs.clone()), Search::BreadthFirst, 1).0 as u64;
        Some(Contest {
            name: format!("{protocol} {name}, with faults (System)"),
            contenders: vec![
                ("stateright BFS, 1 thread".to_string(), Box::new(reference)),
                ("oneleader, 1 thread".to_string(), Box::new(move || compiled(&system, 1))),
            ],
        })
    }
}

/// The bare election of three servers (where `full`, of five as well), and of each protocol the
/// largest scenarios of the corpus that stateright can be asked to search.
pub fn all(full: bool) -> Vec<Contest> {
    let mut contests = vec![bare_election(3, 4)];
    if full {
        contests.push(bare_election(5, 2));
    }
    for about in models::all() {
        for with_faults in [false, true] {
            let found = models::visit(about.name, Largest { about, with_faults });
            contests.extend(found.expect("it is in the catalogue"));
        }
    }
    contests
}

/// What the machine's memory allows: random look-ups of 8 bytes a second in a table of this size.
pub fn memory_limit(bytes: usize) -> f64 {
    let table = vec![1u64; bytes / 8];
    let (mut at, mut sum) = (0x9e37_79b9_7f4a_7c15_u64, 0);
    let n = 20_000_000;
    let begin = Instant::now();
    for _ in 0..n {
        at = at.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(1);
        sum += table[((u128::from(at) * table.len() as u128) >> 64) as usize];
    }
    std::hint::black_box(sum);
    n as f64 / begin.elapsed().as_secs_f64()
}
