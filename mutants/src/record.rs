//! Does a mutant ever react differently?
//!
//! While a run of the unmutated protocol is recorded, each call of a handler is repeated for every
//! suspect, with its mistake made, and the two reactions are compared: the state as by `==`,
//! timers, choices, and what is sent and saved in its order. As the engine calls a handler once for
//! each of its arguments, a recorded run covers every (state, event) that it reaches.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use oneleader::election::{Election, Event, node_name};
use oneleader::semantics::node::{self, Clock, NodeOf, Reaction};
use oneleader::semantics::watch;
use stateright::actor::{Actor, Id, Out};

use crate::switch;

/// A mutant that was not caught, and what a recorded run says of it.
#[derive(Clone, Debug)]
pub struct Suspect {
    pub number: u32,
    /// Whether the changed code was reached.
    pub ran: bool,
    pub difference: Option<Difference>,
}

impl Suspect {
    pub fn new(number: u32) -> Self {
        Suspect { number, ran: false, difference: None }
    }
}

/// The first call of a handler in which a mutant reacts differently.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Difference {
    pub scenario: String,
    pub node: String,
    pub state: String,
    pub event: String,
    /// What differs.
    pub what: &'static str,
}

struct Recording {
    scenario: String,
    suspects: Vec<Suspect>,
    /// Set when nobody is left to be suspected.
    done: Arc<AtomicBool>,
}

thread_local! {
    static IS_WANTED: Cell<bool> = const { Cell::new(false) };
    static RECORDING: RefCell<Option<Recording>> = const { RefCell::new(None) };
    static NODE: RefCell<Option<(Box<dyn Any>, Clock)>> = const { RefCell::new(None) };
}

/// Records what this thread's handlers do while `run` runs.
pub fn during<E: Election, T>(
    scenario: &str,
    suspects: Vec<Suspect>,
    done: Arc<AtomicBool>,
    run: impl FnOnce() -> T,
) -> (Vec<Suspect>, T) {
    RECORDING.set(Some(Recording { scenario: scenario.to_string(), suspects, done }));
    watch::watch(Some(remember::<E>));
    IS_WANTED.set(true);
    let result = run();
    IS_WANTED.set(false);
    watch::watch(None);
    NODE.set(None);
    let recording = RECORDING.take().expect("begun above");
    (recording.suspects, result)
}

/// The node of which a handler is about to be called.
fn remember<E: Election>(node: &dyn Any, clock: Clock) {
    if let Some(node) = node.downcast_ref::<NodeOf<E>>().filter(|_| is_wanted()) {
        NODE.set(Some((Box::new(node.clone()), clock)));
    }
}

/// Whether a handler that is called now is to be compared with its mutants.
pub fn is_wanted() -> bool {
    IS_WANTED.get() && !switch::is_running()
}

pub fn on_start<A: Actor<Timer: Ord> + 'static>(actor: &A, id: Id, _: &Option<A::Storage>) {
    let run = |storage: &Option<A::Storage>, o: &mut Out<A>| actor.on_start(id, storage, o);
    compare::<A>(id, || "start".to_string(), |node, clock| node::start(node, clock, run));
}

pub fn start<E: Election>(actor: &E, id: Id, incarnation: u32, _: &Option<E::Storage>) {
    let run =
        |storage: &Option<E::Storage>, o: &mut Out<E>| actor.start(id, incarnation, storage, o);
    compare::<E>(
        id,
        || format!("start {incarnation}"),
        |node, clock| node::start(node, clock, run),
    );
}

pub fn on_msg<A: Actor<Timer: Ord> + 'static>(
    actor: &A,
    id: Id,
    _: &A::State,
    src: Id,
    msg: &A::Msg,
) {
    let event = Event::Deliver { src, msg };
    let told = || format!("{msg:?} from {}", node_name(src));
    compare::<A>(id, told, |node, clock| node::react(actor, id, node, &event, clock));
}

pub fn on_timeout<A: Actor<Timer: Ord> + 'static>(
    actor: &A,
    id: Id,
    _: &A::State,
    timer: &A::Timer,
) {
    let event = Event::Timeout { timer };
    compare::<A>(
        id,
        || format!("timeout {timer:?}"),
        |node, clock| node::react(actor, id, node, &event, clock),
    );
}

#[allow(dead_code)] // Not every protocol has choices.
pub fn on_random<A: Actor<Timer: Ord> + 'static>(
    actor: &A,
    id: Id,
    _: &A::State,
    value: &A::Random,
) {
    // Under which key a choice stood, the handler is not told; if the value is open under one, it
    // is that.
    let told = || format!("choice of {value:?}");
    compare::<A>(id, told, |node, clock| {
        let open = node.choices.iter().find(|(_, values)| values.contains(value));
        let key = open.map_or(oneleader::election::CLIENT, |(key, _)| key);
        node::react(actor, id, node, &Event::Choose { key, value }, clock)
    });
}

/// Runs a handler as it is, and with the mistake of each suspect.
fn compare<A: Actor<Timer: Ord> + 'static>(
    id: Id,
    event: impl Fn() -> String,
    run: impl Fn(&NodeOf<A>, Clock) -> Reaction<A>,
) {
    let Some((node, clock)) = NODE.take() else { return };
    let node = node.downcast::<NodeOf<A>>().expect("one protocol runs at a time");
    let Some(mut recording) = RECORDING.take() else { return };
    IS_WANTED.set(false);
    let clean = run(&node, clock);
    for suspect in recording.suspects.iter_mut().filter(|suspect| suspect.difference.is_none()) {
        switch::put_to_test(suspect.number);
        let mutated = catch_unwind(AssertUnwindSafe(|| run(&node, clock)));
        suspect.ran |= switch::has_run();
        let what = mutated.map_or(Some("it panics"), |mutated| difference(&clean, &mutated));
        suspect.difference = what.map(|what| Difference {
            scenario: recording.scenario.clone(),
            node: node_name(id),
            state: match (&node.state, &node.storage) {
                (Some(state), _) => format!("{state:?}"),
                (None, Some(disk)) => format!("down, on disk {disk:?}"),
                (None, None) => "down, nothing on disk".to_string(),
            },
            event: event(),
            what,
        });
    }
    switch::put_to_test(switch::NONE);
    let is_done = recording.suspects.iter().all(|suspect| suspect.difference.is_some());
    if is_done {
        recording.done.store(true, Ordering::Relaxed);
    }
    RECORDING.set(Some(recording));
    IS_WANTED.set(!is_done);
}

fn difference<A: Actor<Timer: Ord>>(
    clean: &Reaction<A>,
    mutated: &Reaction<A>,
) -> Option<&'static str> {
    let (a, b) = (&clean.node, &mutated.node);
    let differs = [
        (a.state != b.state, "the state"),
        (clean.effects != mutated.effects, "what is sent or saved"),
        (a.storage != b.storage, "what is on disk"),
        (a.timers != b.timers, "timers"),
        (a.choices != b.choices, "choices"),
        (
            clean.problem.is_some() != mutated.problem.is_some(),
            "whether time can tell the timers apart",
        ),
    ];
    differs.iter().find(|(differs, _)| *differs).map(|(_, what)| *what)
}
