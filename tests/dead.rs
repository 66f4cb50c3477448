//! What a protocol calls dead is dead: such a message changes nothing at its receiver, and stays
//! dead whatever happens to that.
//!
//! For every protocol, every planted bug and every small scenario of the corpus, by the reference
//! semantics: the compiled engine, which looks at the same in all states of all runs, has no part
//! in it.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use oneleader::election::{Election, Event, Visitor, node_name};
use oneleader::models;
use oneleader::scenario::{Scenario, Size, corpus};
use oneleader::semantics::world::Faults;
use oneleader::semantics::{Step, System, SystemState};
use stateright::actor::Envelope;

/// So many states of each scenario are looked at, those nearest to the start.
const STATES: usize = 10_000;

struct Dead(Scenario);

impl Visitor for Dead {
    type Output = Result<(), Failed>;

    fn visit<E: Election>(self) -> Result<(), Failed> {
        let Dead(scenario) = self;
        // With a disk that may be lost nothing is removed, so nothing is claimed.
        if scenario.faults.disk_losses > 0 || scenario.faults.disk_rollbacks > 0 {
            return Ok(());
        }
        // The start is found as usual; from there on dead messages are kept.
        let mut system = scenario.system::<E>().map_err(|problem| problem.to_string())?;
        system.rules.keep_dead = true;
        looks_dead(&system)
    }
}

/// Looks at the states nearest to the start.
fn looks_dead<E: Election>(system: &System<E>) -> Result<(), Failed> {
    let (hasher, start) = (RandomState::new(), system.initial());
    let mut seen = HashSet::from([hasher.hash_one(&start)]);
    let mut open = VecDeque::from([start]);
    while let Some(state) = open.pop_front() {
        let dead = dead(system, &state);
        dead.iter().try_for_each(|envelope| changes_nothing(system, &state, envelope))?;
        for (step, next) in system.successors(&state) {
            stays_dead(system, &dead, &step, &next)?;
            // A node that is down reacts to nothing, so one that goes down is looked at when it is
            // up again.
            if matches!(step, Step::Crash { .. } | Step::Torn { .. }) {
                let after = system.successors(&next);
                let mut up = after.iter().filter(|(step, _)| matches!(step, Step::Restart { .. }));
                up.try_for_each(|(step, next)| stays_dead(system, &dead, step, next))?;
            }
            let is_new = seen.len() < STATES && system.beyond(&next).is_none();
            if is_new && seen.insert(hasher.hash_one(&next)) {
                open.push_back(next);
            }
        }
    }
    Ok(())
}

/// The messages in flight that are dead to a receiver that is up.
fn dead<E: Election>(system: &System<E>, state: &SystemState<E>) -> Vec<Envelope<E::Msg>> {
    let is_dead = |envelope: &Envelope<E::Msg>| is_dead(system, state, envelope) == Some(true);
    state.network.distinct().into_iter().filter(is_dead).collect()
}

/// Whether a message is dead to its receiver, if that is up.
fn is_dead<E: Election>(
    system: &System<E>,
    state: &SystemState<E>,
    Envelope { src, dst, msg }: &Envelope<E::Msg>,
) -> Option<bool> {
    let receiver = state.nodes.get(usize::from(*dst))?.state.as_deref()?;
    Some(system.actors[usize::from(*dst)].is_dead(*dst, receiver, *src, msg))
}

fn changes_nothing<E: Election>(
    system: &System<E>,
    state: &SystemState<E>,
    Envelope { src, dst, msg }: &Envelope<E::Msg>,
) -> Result<(), Failed> {
    let node = &state.nodes[usize::from(*dst)];
    let did = system.react(*dst, node, &Event::Deliver { src: *src, msg });
    if did.effects.is_empty() && did.node == **node {
        return Ok(());
    }
    let (src, dst) = (node_name(*src), node_name(*dst));
    Err(format!("{msg:?} from {src} is called dead to {dst}, and has an effect on {node:?}").into())
}

fn stays_dead<E: Election>(
    system: &System<E>,
    dead: &[Envelope<E::Msg>],
    step: &Step<E::Msg, E::Timer, E::Random>,
    next: &SystemState<E>,
) -> Result<(), Failed> {
    let lives = dead.iter().find(|envelope| is_dead(system, next, envelope) == Some(false));
    let Some(Envelope { src, dst, msg }) = lives else { return Ok(()) };
    let (src, dst) = (node_name(*src), node_name(*dst));
    let step = system.name(step);
    Err(format!("{msg:?} from {src}, which was dead to {dst}, lives again after `{step}`").into())
}

/// The test would notice: a server that finds its disk empty may react to what was dead to it. So
/// where disks are lost nothing is removed, and the test, made to look there, must complain.
struct Revived;

impl Visitor for Revived {
    type Output = Result<(), Failed>;

    fn visit<E: Election>(self) -> Result<(), Failed> {
        let faults = Faults { crashes: 1, restarts: 1, disk_losses: 1, ..Faults::none() };
        let corpus = corpus::of(E::about()).map_err(|problem| problem.to_string())?;
        let small = corpus.into_iter().filter(|scenario| scenario.size == Size::Small);
        let mut lossy = small.map(|scenario| Scenario { faults, ..scenario });
        match lossy
            .any(|scenario| scenario.system::<E>().is_ok_and(|system| looks_dead(&system).is_err()))
        {
            true => Ok(()),
            false => Err("no message comes to life when disks are lost".into()),
        }
    }
}

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for about in models::all() {
        let corpus = corpus::of(about).unwrap_or_else(|e| panic!("{e}"));
        for scenario in corpus.into_iter().filter(|scenario| scenario.size == Size::Small) {
            let name = format!("{}::{}::dead-messages", about.name, scenario.name);
            let dead = Dead(scenario);
            let run = move || models::visit(about.name, dead).expect("it is in the catalogue");
            trials.push(Trial::test(name, run));
        }
    }
    if models::all().iter().any(|about| about.name == "raft") {
        trials.push(Trial::test("raft::lost-disks::revive-the-dead", || {
            models::visit("raft", Revived).expect("it is in the catalogue")
        }));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
