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
use oneleader::semantics::{Step, System, SystemState};
use stateright::actor::Envelope;

/// So many states of each scenario are looked at, those nearest to the start.
const STATES: usize = 3_000;

struct Dead(Scenario);

impl Visitor for Dead {
    type Output = Result<(), Failed>;

    fn visit<E: Election>(self) -> Result<(), Failed> {
        let scenario = Scenario { keep_dead_messages: true, ..self.0 };
        // With a disk that may be lost nothing is removed, so nothing is claimed.
        if scenario.faults.disk_losses > 0 || scenario.faults.disk_rollbacks > 0 {
            return Ok(());
        }
        // Steps to begin with may rely on dead messages being gone: on an ordered network these
        // stand before others.
        let system = match scenario.system::<E>() {
            Err(_) if !scenario.start_steps.is_empty() => return Ok(()),
            system => system.map_err(|problem| problem.to_string())?,
        };
        let (hasher, start) = (RandomState::new(), system.initial());
        let mut seen = HashSet::from([hasher.hash_one(&start)]);
        let mut open = VecDeque::from([start]);
        while let Some(state) = open.pop_front() {
            let dead = dead(&system, &state);
            dead.iter().try_for_each(|envelope| changes_nothing(&system, &state, envelope))?;
            for (step, next) in system.successors(&state) {
                stays_dead(&system, &dead, &step, &next)?;
                let is_new = seen.len() < STATES && system.beyond(&next).is_none();
                if is_new && seen.insert(hasher.hash_one(&next)) {
                    open.push_back(next);
                }
            }
        }
        Ok(())
    }
}

/// The messages in flight that are dead to a receiver that is up.
fn dead<E: Election>(system: &System<E>, state: &SystemState<E>) -> Vec<Envelope<E::Msg>> {
    let is_dead = |envelope: &Envelope<E::Msg>| is_dead(system, state, envelope) == Some(true);
    state.network.heads().into_iter().filter(is_dead).collect()
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
    let mut alive = dead.iter().filter(|envelope| is_dead(system, next, envelope) == Some(false));
    alive.try_for_each(|envelope| {
        changes_nothing(system, next, envelope)
            .map_err(|_| format!("{envelope:?} lives again after `{}`", system.name(step)).into())
    })
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
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
