//! The properties of the Bully election by name, with their meanings. The functions of those about
//! single steps are in [`rules`].

use stateright::actor::Id;

use super::Bully;
use super::rules::{self, Verdict, is_holding_one};
use super::state::State;
use crate::election::{Check, Invariant, node_name};

/// All properties, most important first.
pub(super) fn invariants() -> Vec<Invariant<Bully>> {
    [of_states(), of_elections(), of_coordinators()].concat()
}

/// The theorem.
fn of_states() -> Vec<Invariant<Bully>> {
    vec![
        Invariant::new(
            "highest-leads",
            "Whenever time passes, a leader is higher than every other live node, except nodes that \
             are holding an election or have won and lack a majority (Garcia-Molina 1982; \
             Coulouris et al., section 15.3). Holds only if time can be trusted.",
            Check::Pair(highest_leads),
        )
        .when_time_passes(),
        Invariant::new(
            "follows-higher",
            "A node follows only nodes with a higher identifier than its own (Coulouris et al., \
             section 15.3: the elected process is the non-crashed one with the largest \
             identifier).",
            Check::Node(follows_higher),
        ),
    ]
}

/// How an election is held and won (rules 1 to 4).
fn of_elections() -> Vec<Invariant<Bully>> {
    vec![
        Invariant::new(
            "asks-the-higher",
            "Whoever begins an election asks each higher node, once, and nobody else asks; the \
             highest node of all asks nobody (rule 1).",
            Check::Rule(rules::asks_the_higher),
        ),
        Invariant::new(
            "elections-are-answered",
            "Whoever is asked answers, once, and then holds an election itself or is holding one; \
             nobody else answers (rule 2).",
            Check::Rule(rules::elections_are_answered),
        )
        .needing(&["asked"]),
        Invariant::new(
            "answers-end-the-asking",
            "An answer makes a node that is still asking wait for a coordinator, and moves no other \
             node; a node waits only if it was answered (rule 3).",
            Check::Rule(rules::answers_end_the_asking),
        )
        .needing(&["answered"]),
        Invariant::new(
            "only-the-unanswered-win",
            "A node wins when nobody answered it in time, or when an election begins at the \
             highest node of all (rules 1 and 4).",
            Check::Rule(rules::only_the_unanswered_win),
        ),
        Invariant::new(
            "winners-announce",
            "A winner announces itself to each node that it has to tell, once, and again whenever \
             its heartbeat is due; nobody else announces anything (rule 4).",
            Check::Rule(rules::winners_announce),
        ),
    ]
}

/// How coordinators are followed and replaced (rules 5 to 8), and the second half of rule 4.
fn of_coordinators() -> Vec<Invariant<Bully>> {
    vec![
        Invariant::new(
            "the-higher-is-followed",
            "A node follows a higher node that announces itself, whatever it was doing, and \
             accepts it where quorums count; nobody follows without an announcement (rule 5).",
            Check::Rule(rules::the_higher_is_followed),
        )
        .needing(&["followed"]),
        Invariant::new(
            "the-lower-is-contradicted",
            "A lower node's announcement makes a node hold an election, unless it is holding one \
             (rule 6).",
            Check::Rule(rules::the_lower_is_contradicted),
        )
        .with_setting("announce_to = all", |nodes| nodes[0].tells_all),
        Invariant::new(
            "silence-ends-in-an-election",
            "A node that waits in vain for a coordinator, or hears its leader no more, holds an \
             election (rule 7).",
            Check::Rule(rules::silence_ends_in_an_election),
        ),
        Invariant::new(
            "recovery-begins-with-an-election",
            "A node that recovers holds an election; at its first start it is silent (rule 8).",
            Check::Rule(rules::recovery_begins_with_an_election),
        ),
        Invariant::new(
            "timers-of-the-role",
            "Each node runs the timer of its role and no other, for as long as the options say: \
             the timer is set when the role is taken, when an election is held anew, and when the \
             leader is heard again, and runs on otherwise (rules 3 to 8).",
            Check::Rule(rules::timers_of_the_role),
        ),
        Invariant::new(
            "majorities-accept",
            "A winner leads once a majority of all nodes, itself included, has accepted it since \
             it won, and not before (the second half of rule 4).",
            Check::Rule(rules::majorities_accept),
        )
        .with_setting("quorum = majority", |nodes| nodes[0].needs_majority)
        .needing(&["accepted"]),
    ]
}

fn highest_leads(_: &Bully, (a, lower): (Id, &State), (b, higher): (Id, &State)) -> Verdict {
    // A higher node that claims may be cut off from a majority. Then a lower one may lead.
    let claims = matches!(higher, State::Claiming(_));
    if *lower == State::Leading && !is_holding_one(higher) && !claims {
        return Err(format!(
            "{} leads, {} is alive and holds no election",
            node_name(a),
            node_name(b)
        ));
    }
    Ok(())
}

fn follows_higher(_: &Bully, id: Id, state: &State) -> Verdict {
    match state {
        State::Following(leader) if *leader < id => {
            Err(format!("{} follows {}, which is lower", node_name(id), node_name(*leader)))
        }
        _ => Ok(()),
    }
}
