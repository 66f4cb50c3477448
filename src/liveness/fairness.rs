//! Whether a run that repeats for ever is fair, seen from its steps alone.

use stateright::actor::{Envelope, Id};

use crate::election::{Election, node_name};
use crate::semantics::names;
use crate::semantics::{Step, StepOf, System, SystemState};
use crate::support::sorted::SortedMap;

/// What a lap of an asynchronous run must do, so that the run is fair, and by which of its steps it
/// does it: each message that is in flight when the lap begins is delivered in it, or dies, and
/// each timer that runs then fires in it, or ends. A lap that does so can be repeated for ever,
/// with later terms, and then no message and no timer waits for ever.
///
/// It knows nothing of how the run was found: it takes the steps of the run by the reference
/// semantics.
///
/// # Errors
/// A step that cannot be taken, or the first thing that waits.
pub fn obligations<E: Election>(
    system: &System<E>,
    prefix: &[StepOf<E>],
    lap: &[StepOf<E>],
) -> Result<Vec<String>, String> {
    let mut state = system.initial();
    let take = |state: &SystemState<E>, step: &StepOf<E>| {
        system.take(state, step).ok_or_else(|| format!("`{}` cannot be taken", system.name(step)))
    };
    for step in prefix {
        state = take(&state, step)?;
    }
    let mut states = vec![state];
    for step in lap {
        states.push(take(&states[states.len() - 1], step)?);
    }
    let mut met = Vec::new();
    let all: Vec<_> = states.iter().map(in_flight).collect();
    for (envelope, copies) in &all[0] {
        let Envelope { src, dst, msg } = envelope;
        let wanted = Step::Deliver { src: *src, dst: *dst, msg: msg.clone() };
        let is_it = |step: &StepOf<E>| *step == wanted;
        let what = format!("{} -> {}: {}", node_name(*src), node_name(*dst), names::value(msg));
        let mut delivered = (1..).zip(lap).filter(|(_, step)| is_it(step)).map(|(at, _)| at);
        if let Some(at) = delivered.nth(*copies - 1) {
            met.push(format!("{what} is delivered by step {}", prefix.len() + at));
        } else if let Some(at) = all.iter().position(|flying| !flying.contains_key(envelope)) {
            met.push(format!("{what} is dead after step {}", prefix.len() + at));
        } else {
            return Err(format!("{what} is never delivered"));
        }
    }
    for (i, node) in states[0].nodes.iter().enumerate() {
        for timer in node.timers.keys() {
            let what = format!("{}'s timer {}", node_name(Id::from(i)), names::value(timer));
            let wanted = Step::Timeout { node: Id::from(i), timer: timer.clone() };
            let is_it = |step: &StepOf<E>| *step == wanted;
            if let Some(at) = lap.iter().position(is_it) {
                met.push(format!("{what} fires in step {}", prefix.len() + at + 1));
            } else if let Some(at) =
                states.iter().position(|state| !state.nodes[i].timers.contains_key(timer))
            {
                met.push(format!("{what} is cancelled by step {}", prefix.len() + at));
            } else {
                return Err(format!("{what} never fires"));
            }
        }
    }
    Ok(met)
}

/// Each message in flight, with how many copies of it there are.
fn in_flight<E: Election>(state: &SystemState<E>) -> SortedMap<Envelope<E::Msg>, usize> {
    let mut copies = SortedMap::new();
    for envelope in state.network.all() {
        *copies.get_or_insert(envelope, 0) += 1;
    }
    copies
}
