//! What must hold of Viewstamped Replication beyond "one primary a view", and what has to be remembered to say so.

use std::borrow::Cow;
use std::collections::BTreeMap;

use stateright::actor::Id;

use super::{Log, Op, State, View, Viewstamped};
use crate::election::{Check, Election, Invariant, NodeStep, Term, node_name};

impl State {
    /// The operations that the replica knows to be committed.
    fn committed(&self) -> &[Op] {
        &self.log[..self.commit.min(self.log.len())]
    }
}

/// What is remembered of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Witness {
    /// The log with which each view was started, by whoever started it first.
    pub installed: BTreeMap<View, Log>,
    /// The operations whose clients were told that they are done, in the order of their op-numbers, each with the view in
    /// which the primary said so.
    pub acknowledged: Vec<(Op, View)>,
    /// Who leads now, and which view; kept only where time is trusted.
    pub leading: BTreeMap<Id, View>,
}

impl Witness {
    /// A view starts when its primary comes to lead it, if only to crash while it says so; a client is told when a
    /// primary's commit-number advances.
    pub fn after(&self, step: &NodeStep<'_, Viewstamped>) -> Option<Self> {
        let mut witness = Cow::Borrowed(self);
        let leads =
            step.after.and_then(|after| step.actor.leads(step.id, after)).map(|Term(view)| view);
        if step.actor.trusts_time && leads != self.leading.get(&step.id).copied() {
            let leading = &mut witness.to_mut().leading;
            leading.remove(&step.id);
            leading.extend(leads.map(|view| (step.id, view)));
        }
        self.note_history(&mut witness, step);
        match witness {
            Cow::Owned(witness) => Some(witness),
            Cow::Borrowed(_) => None,
        }
    }

    /// The views started and the clients told.
    fn note_history(&self, witness: &mut Cow<'_, Self>, step: &NodeStep<'_, Viewstamped>) {
        let Some(after) = step.after.or(step.cut_short) else { return };
        if step.actor.leads(step.id, after).is_none() {
            return;
        }
        let is_new = !self.installed.contains_key(&after.view);
        let newly_told = after.committed().get(self.acknowledged.len()..).unwrap_or_default();
        if is_new {
            witness.to_mut().installed.insert(after.view, after.log.clone());
        }
        if !newly_told.is_empty() {
            let told = newly_told.iter().map(|op| (*op, after.view));
            witness.to_mut().acknowledged.extend(told);
        }
    }
}

pub fn all() -> Vec<Invariant<Viewstamped>> {
    let has_values = |replicas: &[Viewstamped]| replicas[0].values > 0;
    vec![
        Invariant::new(
            "acknowledged-survives",
            "an operation acknowledged to a client keeps its place in the log of the primary of the same and of \
                      every later view (§8.1)",
            Check::NodeWitness(acknowledged_survives),
        )
        .with_setting("values >= 1", has_values)
        .needing(&["operation-acknowledged"]),
        Invariant::new(
            "one-log-per-view",
            "at most one log is installed for a view: whatever a replica with status normal has in a view \
                      starts with it (§4.2, step 3)",
            Check::NodeWitness(one_log_per_view),
        )
        .with_setting("values >= 1", has_values),
        Invariant::new(
            "backups-follow-the-primary",
            "of two replicas normal in one view, one's log continues the other's, and the primary's is the \
                      longer (§4.1, steps 3 and 4)",
            Check::Pair(backups_follow_the_primary),
        )
        .with_setting("values >= 1", has_values)
        .needing(&["operation-prepared"]),
        Invariant::new(
            "committed-agree",
            "what two replicas know to be committed is the same, as far as both know it (§4.2, the correctness \
                      condition)",
            Check::Pair(committed_agree),
        )
        .with_setting("values >= 1", has_values)
        .needing(&["operation-acknowledged"]),
        Invariant::new(
            "committed-stays",
            "while a replica lives, what it knows to be committed is never replaced or removed (§4.2, the \
                      correctness condition)",
            Check::Rule(committed_stays),
        )
        .with_setting("values >= 1", has_values)
        .needing(&["operation-acknowledged"]),
        Invariant::new(
            "log-is-sound",
            "no operation has two places in a log, and a replica takes nothing for committed that is not in its log (§4.1, \
             steps 2 and 7)",
            Check::Node(log_is_sound),
        )
        .with_setting("values >= 1", has_values)
        .needing(&["operation-acknowledged"]),
        Invariant::new(
            "followed-has-led",
            "a replica is normal only in a view that its primary has started, and leads or follows as the replicas take \
             turns (§4, §4.2, step 5)",
            Check::NodeWitness(followed_has_led),
        )
        .needing(&["view-started"]),
    ]
}

fn log_is_sound(_: &Viewstamped, id: Id, state: &State) -> Result<(), String> {
    if state.commit > state.log.len() {
        return Err(format!("{} has {} committed of {:?}", node_name(id), state.commit, state.log));
    }
    let twice = state.log.iter().enumerate().find(|(i, op)| state.log[..*i].contains(op));
    match twice {
        None => Ok(()),
        Some((_, op)) => Err(format!("{} has {op:?} twice in {:?}", node_name(id), state.log)),
    }
}

fn followed_has_led(
    actor: &Viewstamped,
    id: Id,
    state: &State,
    witness: &Witness,
) -> Result<(), String> {
    // §4: the replicas take turns.
    let (view, turn) = (state.view, Id::from((state.view % actor.replicas as u64) as usize));
    let expected = match state.is_normal() {
        false => (None, None),
        true if turn == id => (Some(Term(view)), None),
        true => (None, Some((Term(view), turn))),
    };
    let name = node_name(id);
    if (actor.leads(id, state), actor.follows(id, state)) != expected {
        return Err(format!(
            "{name} is {state:?}, and leads or follows another than {}",
            node_name(turn)
        ));
    }
    if state.is_normal() && !witness.installed.contains_key(&view) {
        return Err(format!("{name} is normal in view {view}, which nobody has started"));
    }
    Ok(())
}

fn acknowledged_survives(
    actor: &Viewstamped,
    id: Id,
    state: &State,
    witness: &Witness,
) -> Result<(), String> {
    let Some(Term(view)) = actor.leads(id, state) else { return Ok(()) };
    for (i, (op, told)) in witness.acknowledged.iter().enumerate() {
        let own = state.log.get(i);
        // The primary of an earlier view may not have heard of it, but must not take another for committed.
        let knows = *told <= view || i < state.commit;
        if knows && own != Some(op) {
            let (name, number) = (node_name(id), i + 1);
            return Err(format!(
                "operation {op:?} was acknowledged at {number} in view {told}, {name} leads view {view} with {:?}",
                state.log
            ));
        }
    }
    Ok(())
}

fn one_log_per_view(
    _: &Viewstamped,
    id: Id,
    state: &State,
    witness: &Witness,
) -> Result<(), String> {
    match witness.installed.get(&state.view) {
        Some(installed) if state.is_normal() && !state.log.starts_with(installed) => Err(format!(
            "view {} was started with {installed:?}, {} is normal in it with {:?}",
            state.view,
            node_name(id),
            state.log
        )),
        _ => Ok(()),
    }
}

fn backups_follow_the_primary(
    actor: &Viewstamped,
    (a, x): (Id, &State),
    (b, y): (Id, &State),
) -> Result<(), String> {
    if !(x.is_normal() && y.is_normal() && x.view == y.view) {
        return Ok(());
    }
    let primary = actor.primary(x.view);
    let holds = match (x.log.starts_with(&y.log), y.log.starts_with(&x.log)) {
        (true, true) => true,
        (true, false) => primary != b,
        (false, true) => primary != a,
        (false, false) => false,
    };
    if holds {
        return Ok(());
    }
    let names = (node_name(a), node_name(b));
    Err(format!(
        "in view {}, led by {}, {} has {:?} and {} has {:?}",
        x.view,
        node_name(primary),
        names.0,
        x.log,
        names.1,
        y.log
    ))
}

fn committed_agree(
    _: &Viewstamped,
    (a, x): (Id, &State),
    (b, y): (Id, &State),
) -> Result<(), String> {
    let differ = x.committed().iter().zip(y.committed()).position(|(p, q)| p != q);
    match differ {
        None => Ok(()),
        Some(i) => Err(format!(
            "at {} {} has committed {:?}, {} has committed {:?}",
            i + 1,
            node_name(a),
            x.log[i],
            node_name(b),
            y.log[i]
        )),
    }
}

fn committed_stays(step: &NodeStep<'_, Viewstamped>) -> Result<(), String> {
    let (Some(before), Some(after)) = (step.before, step.after) else { return Ok(()) };
    // A recovering replica knows what its disk says to be committed, if that has the log.
    if after.committed().starts_with(before.committed()) {
        return Ok(());
    }
    Err(format!(
        "{} had committed {:?}, then {:?}",
        node_name(step.id),
        before.committed(),
        after.committed()
    ))
}
