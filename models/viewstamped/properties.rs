//! The properties of Viewstamped Replication besides election safety, by name, with their meanings.
//! The functions of those about single steps are in [`rules`](super::rules).

use stateright::actor::Id;

use super::Viewstamped;
use super::rules::{normal, recovery, state_transfer, timers, view_change, views};
use super::state::State;
use super::witness::Witness;
use crate::election::{Check, Election, Invariant, NodeStep, Term, node_name};

/// The setting with which there are operations to speak of.
const VALUES: &str = "values >= 1";

fn has_values(replicas: &[Viewstamped]) -> bool {
    replicas[0].values > 0
}

/// All properties, most important first.
pub(super) fn invariants() -> Vec<Invariant<Viewstamped>> {
    [of_the_past(), of_states(), of_operations_and_view_changes(), of_the_rest()].concat()
}

/// Of acknowledged operations, and of the logs of a view.
fn of_the_past() -> Vec<Invariant<Viewstamped>> {
    vec![
        Invariant::new(
            "acknowledged-survives",
            "an operation acknowledged to a client keeps its place in the log of the primary of \
             the same and of every later view (§8.1)",
            Check::NodeWitness(acknowledged_survives),
        )
        .with_setting(VALUES, has_values)
        .needing(&["operation-acknowledged"]),
        Invariant::new(
            "one-log-per-view",
            "at most one log is installed for a view: whatever a replica with status normal has in \
             a view starts with it (§4.2, step 3)",
            Check::NodeWitness(one_log_per_view),
        )
        .with_setting(VALUES, has_values),
        Invariant::new(
            "backups-follow-the-primary",
            "of two replicas normal in one view, one's log continues the other's, and the \
             primary's is at least as long as a backup's (§4.1, steps 3 and 4)",
            Check::Pair(backups_follow_the_primary),
        )
        .with_setting(VALUES, has_values)
        .needing(&["operation-prepared"]),
    ]
}

/// Of what is committed, and of whom a replica follows.
fn of_states() -> Vec<Invariant<Viewstamped>> {
    vec![
        Invariant::new(
            "committed-agree",
            "what two replicas know to be committed is the same, as far as both know it (§4.2, the \
             correctness condition)",
            Check::Pair(committed_agree),
        )
        .with_setting(VALUES, has_values)
        .needing(&["operation-acknowledged"]),
        Invariant::new(
            "committed-stays",
            "while a replica lives, what it knows to be committed is never replaced or removed \
             (§4.2, the correctness condition)",
            Check::Rule(committed_stays),
        )
        .with_setting(VALUES, has_values)
        .needing(&["operation-acknowledged"]),
        Invariant::new(
            "log-is-sound",
            "no operation has two places in a log, and a replica takes nothing for committed that \
             is not in its log (§4.1, steps 2 and 7)",
            Check::Node(log_is_sound),
        )
        .with_setting(VALUES, has_values)
        .needing(&["operation-acknowledged"]),
        Invariant::new(
            "followed-has-led",
            "a replica is normal only in a view that its primary has started; the replicas take \
             turns as primary, view by view (§4, §4.2, step 5)",
            Check::NodeWitness(followed_has_led),
        )
        .needing(&["view-started"]),
    ]
}

/// Of single steps: views, normal operation (§4.1), and the beginning of a view change (§4.2).
fn of_operations_and_view_changes() -> Vec<Invariant<Viewstamped>> {
    vec![
        Invariant::new(
            "earlier-views-are-over",
            "a replica's view number only grows, is on disk (if there is one) before a message \
             names it, and nothing is done for a message of an earlier view (§4.1, §8.1)",
            Check::Rule(views::earlier_views_are_over),
        )
        .needing(&["view-started"]),
        Invariant::new(
            "prepares-in-order",
            "the primary gives a request the next op-number and tells all; a backup prepares the \
             next operation of its view and no other; PrepareOk says what the log holds (§4.1, \
             steps 2 to 4)",
            Check::Rule(normal::prepares_in_order),
        )
        .with_setting(VALUES, has_values)
        .needing(&["operation-prepared"]),
        Invariant::new(
            "commits-with-a-quorum",
            "the primary commits what f backups have prepared, as soon as they have, and nothing \
             else; a backup commits what the primary says is committed (§4.1, steps 5 to 7)",
            Check::Rule(normal::commits_with_a_quorum),
        )
        .with_setting(VALUES, has_values)
        .needing(&["operation-acknowledged"]),
        Invariant::new(
            "offers-with-f-others",
            "a replica starts a view change when its wait for the primary ends, when it hears of \
             the change, or when a recovering replica names a later view, and tells all; it offers \
             its log once, when f others have started the change, as it is and with the last view \
             in which it was normal (§4.2, steps 1 and 2)",
            Check::Step(view_change::offers_with_f_others),
        )
        .needing(&["log-offered"]),
    ]
}

/// Of single steps: the end of a view change (§4.2), state transfer (§5.2), recovery (§4.3).
fn of_the_rest() -> Vec<Invariant<Viewstamped>> {
    vec![
        Invariant::new(
            "starts-with-the-best-log",
            "the new primary starts its view when it has f+1 offers, its own among them, with the \
             best log and the largest commit-number; the others take these over, once (§4.2, steps \
             3 to 5)",
            Check::Rule(view_change::starts_with_the_best_log),
        )
        .needing(&["view-started"]),
        Invariant::new(
            "fetches-what-it-lacks",
            "a replica that is shown to be behind asks for what it lacks, and changes nothing \
             before it has it; only a normal replica in that view answers (§4.1, §5.2)",
            Check::Rule(state_transfer::fetches_what_it_lacks),
        ),
        Invariant::new(
            "recovers-from-a-quorum",
            "a replica that comes back does nothing but recover until f+1 normal replicas have \
             answered its nonce; then it is normal again, with the log of the primary of the \
             latest of their views; what it finds on its disk is what it has kept there (§4.3, \
             §5.1)",
            Check::Rule(recovery::recovers_from_a_quorum),
        ),
        Invariant::new(
            "timers-of-the-role",
            "each replica has one timer: a primary that for its next heartbeat; a backup, and a \
             replica in a view change, that for the next view change; a recovering replica that \
             makes it ask again. What a replica waits for sets its timer anew (§4.1 to §4.3)",
            Check::Rule(timers::timers_of_the_role),
        ),
    ]
}

fn log_is_sound(_: &Viewstamped, id: Id, state: &State) -> Result<(), String> {
    if state.commit > state.log.len() {
        let (name, number) = (node_name(id), state.commit);
        return Err(format!(
            "{name} counts its log as committed up to number {number}, but its log is {:?}",
            state.log
        ));
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
            "{name} is in view {view}, whose primary is {}, and leads or follows another",
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
        // The primary of an earlier view may not know the operation, but must not take another one
        // for committed.
        let knows = *told <= view || i < state.commit;
        if knows && own != Some(op) {
            let (name, number) = (node_name(id), i + 1);
            return Err(format!(
                "{op:?}, acknowledged as number {number} in view {told}, is not at that place of \
                 the log {:?} with which {name} leads view {view}",
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
            "view {} was started with the log {installed:?}, but {} is normal in it with the log \
             {:?}",
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
        "in view {}, led by {}, {} has the log {:?} and {} has the log {:?}",
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
            "as number {} of its log {} counts {:?} as committed, but {} counts {:?}",
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
    // If the log is on disk, a recovering replica knows what its disk says is committed.
    if after.committed().starts_with(before.committed()) {
        return Ok(());
    }
    Err(format!(
        "{} had {:?} as committed, and has {:?} after the step",
        node_name(step.id),
        before.committed(),
        after.committed()
    ))
}
