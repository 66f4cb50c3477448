//! What a server did, in Zab's own words, for people who read a run.

use stateright::actor::Id;

use super::counting::{chooses, counts};
use super::message::{Choice, Message, Packet, Settled, Timer, Vote};
use super::reading::{packet_name, reads};
use super::sending::{described, sends};
use super::state::{Arrival, Epoch, Leading, Link, Looking, Role, Stand, State, Zxid};
use super::{Txn, Zab};
use crate::election::{Deed, Event, NodeSet, listed, node_name, nodes_listed};

/// Clauses whose subject is the server.
pub(super) fn tell(deed: &Deed<'_, Zab>) -> Vec<String> {
    let Some(after) = deed.step.after else { return Vec::new() };
    let Some(before) = deed.step.before else { return comes_back(deed, after) };
    let mut said = match &deed.step.event {
        Event::Timeout { timer } => vec![times_out(**timer, before, after)],
        Event::Deliver { src, msg } => receives(deed, *src, msg, before, after),
        Event::Choose { value: Choice::Broadcast(value), .. } => {
            let txn = after.disk.history.last().map(Txn::to_string).unwrap_or_default();
            vec![format!("logs the client's value {value} as transaction {txn}")]
        }
        Event::Choose { value: Choice::Elect(leader), .. } if *leader == deed.step.id => {
            vec!["is told by the oracle to lead".to_string()]
        }
        Event::Choose { value: Choice::Elect(leader), .. } => {
            vec![format!("is told by the oracle to follow {}", node_name(*leader))]
        }
        Event::Start | Event::Crash => Vec::new(),
    };
    said.extend(goes_on(deed, before, after));
    said.extend(delivers(deed, before, after));
    said.extend(sends(deed, after));
    said
}

fn comes_back(deed: &Deed<'_, Zab>, after: &State) -> Vec<String> {
    let Some(lost) = deed.lost else { return Vec::new() };
    let (old, now) = (&lost.disk, &after.disk);
    let mut gone = Vec::new();
    if now.accepted < old.accepted {
        gone.push(format!("that it promised epoch {}", old.accepted));
    }
    if leads_now(lost) && now.current < old.current {
        gone.push(format!("that it led epoch {}", old.current));
    } else if now.current < old.current {
        gone.push(format!("that it took over the history of epoch {}", old.current));
    }
    let mut said = Vec::new();
    if !gone.is_empty() {
        said.push(format!("has forgotten {}", listed(&gone)));
    }
    if now.history != old.history {
        said.push(format!("finds the history {:?} where it had {:?}", now.history, old.history));
    }
    if said.is_empty() {
        said.push(match now.accepted {
            Epoch(0) => "finds that it has promised nothing so far".to_string(),
            _ => format!(
                "finds its promise of epoch {} and the history {:?} of epoch {}",
                now.accepted, now.history, now.current
            ),
        });
    }
    if !after.initialised {
        said.push("may neither vote nor promise before a leader gives it a history".to_string());
    }
    said.push("looks for a leader".to_string());
    said.extend(sends(deed, after));
    said
}

fn times_out(timer: Timer, before: &State, after: &State) -> String {
    let text = match (timer, &before.role) {
        (Timer::Finalize, _) => "has waited long enough for a better vote",
        (Timer::Retry, Role::Looking(_)) => "has heard no agreement",
        (Timer::Retry, _) => "has had no answer from its leader",
        (Timer::Ping, Role::Leading(leading)) if leading.learners.is_empty() => {
            "has no followers to ping"
        }
        (Timer::Ping, _) => "lets its followers hear that it lives",
        (Timer::Contact, Role::Following(_)) => "no longer hears its leader",
        (Timer::Contact, Role::Leading(leading)) => match (leading.stand, &after.role) {
            (Stand::Broadcast, Role::Leading(_)) => "still hears a quorum and leads on",
            (Stand::Broadcast, _) => "no longer hears a quorum of followers",
            _ => "has not come to lead in time",
        },
        (Timer::Contact, Role::Looking(_)) => "waits no longer",
    };
    text.to_string()
}

fn receives(
    deed: &Deed<'_, Zab>,
    src: Id,
    msg: &Message,
    before: &State,
    after: &State,
) -> Vec<String> {
    let from = node_name(src);
    match msg {
        Message::Notification { link, vote } => hears_vote(deed, src, *link, *vote, before, after),
        Message::Settled { link, settled: Settled { round, leader, epoch } } => {
            let what = format!(
                "hears from {from}, which has promised epoch {epoch}, that {} is elected in round {round}",
                node_name(*leader)
            );
            let is_due = matches!(before.role, Role::Looking(_)) && *link == before.link;
            vec![if is_due { what } else { format!("{what}, and has no use for it") }]
        }
        Message::Packet { link, place, packet } => {
            let following = match &before.role {
                Role::Following(following) if following.leader == src => Some(following),
                _ => None,
            };
            let arrival = following.map(|f| (f.channel.arrival(*link, *place), f.phase));
            match (arrival, packet) {
                (Some((Arrival::Next, phase)), _) => reads(deed, src, packet, phase, before, after),
                (Some((Arrival::Gap, _)), _) => {
                    vec![format!("gets {} without what came before it", packet_name(&from, packet))]
                }
                (_, Packet::Propose { txn }) if before != after => {
                    vec![format!(
                        "logs {txn}, which {from} proposes over a connection that is over"
                    )]
                }
                _ => vec![format!("gets {}, and has no use for it", packet_name(&from, packet))],
            }
        }
        Message::Report { link, place, report } => {
            vec![counts(deed, src, (*link, *place), report, after)]
        }
        Message::Ping { link, .. } => match &before.role {
            Role::Following(f) if f.leader == src && f.channel.link == *link => {
                let missed = match &after.role {
                    Role::Following(_) => "",
                    _ => " and has missed something of it",
                };
                vec![format!("hears that its leader {from} lives{missed}")]
            }
            _ => vec![format!("gets a ping of {from}, and has no use for it")],
        },
        Message::Pong { link, .. } => match &before.role {
            Role::Leading(leading) if is_open(leading, src, *link) => {
                let missed = match is_cut(src, before, after) {
                    true => " and breaks the connection, as it has missed something of it",
                    false => "",
                };
                vec![format!("hears that its follower {from} lives{missed}")]
            }
            _ => vec![format!("gets an answer of {from} to a ping, and has no use for it")],
        },
    }
}

fn is_open(leading: &Leading, src: Id, link: Link) -> bool {
    leading.learners.get(&src).is_some_and(|learner| learner.channel.link == link)
}

/// Whether this leader has broken its connection with a follower.
fn is_cut(src: Id, before: &State, after: &State) -> bool {
    let has = |state: &State| match &state.role {
        Role::Leading(leading) => Some(leading.learners.contains_key(&src)),
        _ => None,
    };
    (has(before), has(after)) == (Some(true), Some(false))
}

/// A vote, in Fast Leader Election.
fn hears_vote(
    deed: &Deed<'_, Zab>,
    src: Id,
    link: Link,
    vote: Option<Vote>,
    before: &State,
    after: &State,
) -> Vec<String> {
    let from = node_name(src);
    let Some(vote) = vote else { return vec![format!("hears that {from} may not vote")] };
    let votes = format!("hears that {from} votes for {} in round {}", candidate(vote), link.round);
    let (Role::Looking(old), Role::Looking(new)) = (&before.role, &after.role) else {
        return vec![votes];
    };
    let again = link.round == before.link.round && old.votes.get(&src) == Some(&vote);
    if link.round < before.link.round || again {
        return vec![format!("{votes}, which it has no use for")];
    }
    let mut said = vec![match old.vote != new.vote && new.vote == Some(vote) {
        true => format!("{votes}, takes this for the better vote and votes so, too"),
        false => votes,
    }];
    if after.link.round > before.link.round {
        said.push(format!("joins round {} of the election", after.link.round));
    }
    let waits = "waits a little for a better vote";
    let same = new.votes.values().filter(|other| Some(**other) == new.vote).count();
    if let Some(vote) = new.vote.filter(|_| deed.step.actor.is_majority(same + 1)) {
        let leader = node_name(vote.leader);
        said.push(format!("now has the votes of a quorum for {leader}, its own among them"));
        said.push(waits.to_string());
    } else if is_short(deed, new) {
        said.push("takes the election for over, as all have voted".to_string());
        said.push(waits.to_string());
    }
    said
}

/// Whether all have voted and the planted bug takes that for an agreement.
fn is_short(deed: &Deed<'_, Zab>, looking: &Looking) -> bool {
    deed.step.actor.bug == Some(super::bugs::Bug::AllVotesShortcut)
        && looking.votes.len() + 1 == deed.nodes
}

fn candidate(vote: Vote) -> String {
    let Vote { epoch, zxid, leader } = vote;
    match epoch {
        Epoch(0) => node_name(leader),
        _ => format!("{}, whose history {}", node_name(leader), described(epoch, zxid)),
    }
}

/// What became of the server's role.
fn goes_on(deed: &Deed<'_, Zab>, before: &State, after: &State) -> Vec<String> {
    let stand = |state: &State| match &state.role {
        Role::Leading(Leading { stand, .. }) => Some(*stand),
        _ => None,
    };
    let mut said = Vec::new();
    let epoch = after.disk.current;
    match (&before.role, &after.role) {
        (Role::Looking(_), Role::Leading(_)) => said.push("prepares to lead".to_string()),
        (Role::Looking(_), Role::Following(new)) => {
            said.push(format!("goes to follow {}", node_name(new.leader)));
        }
        (Role::Leading(old), Role::Looking(_)) if old.stand == Stand::Broadcast => {
            said.push(format!("no longer leads epoch {}", before.disk.current));
            said.push("looks for a leader".to_string());
        }
        (Role::Leading(_) | Role::Following(_), Role::Looking(_)) => {
            said.push("goes back to look for a leader".to_string());
        }
        _ => {}
    }
    let (old, new) = (stand(before), stand(after));
    let is_same = |a: Stand, b: Option<Stand>| {
        b.is_some_and(|b| std::mem::discriminant(&a) == std::mem::discriminant(&b))
    };
    match new {
        Some(new) if is_same(new, old) => {}
        Some(Stand::Negotiation { .. }) => said.extend(chooses(deed, before, after)),
        Some(Stand::Synchronisation) => {
            let who = promised(deed, before);
            said.push(format!("has the promises of {who}: epoch {epoch} is promised"));
        }
        Some(Stand::Broadcast) => {
            let who = having(deed, after, Zxid::default());
            let earlier = deed.past.led.get(&epoch).filter(|first| **first != deed.step.id);
            let too = match earlier {
                Some(first) => format!(", which {} has led, too", node_name(*first)),
                None => String::new(),
            };
            said.push(format!("has the acknowledgements of {who}: it leads epoch {epoch}{too}"));
        }
        _ => {}
    }
    said
}

/// Those who have promised the epoch of a leader, with its own promise.
fn promised(deed: &Deed<'_, Zab>, before: &State) -> String {
    let mut who = match &before.role {
        Role::Leading(Leading { stand: Stand::Negotiation { promised }, .. }) => *promised,
        _ => NodeSet::default(),
    };
    who.insert(deed.step.id);
    if let Event::Deliver { src, msg: Message::Report { .. } } = deed.step.event {
        who.insert(src);
    }
    quorum(deed, who)
}

/// Those who have the leader's history up to a transaction on disk, the leader included.
fn having(deed: &Deed<'_, Zab>, after: &State, zxid: Zxid) -> String {
    let learners = match &after.role {
        Role::Leading(leading) => Some(&leading.learners),
        _ => None,
    };
    let have = learners.into_iter().flatten().filter(|(_, learner)| learner.has(zxid));
    quorum(deed, have.map(|(id, _)| *id).chain([deed.step.id]).collect())
}

/// Servers by name, with the word for what they are together.
fn quorum(deed: &Deed<'_, Zab>, who: NodeSet) -> String {
    let all = nodes_listed(who.iter());
    match who.len() * 2 > deed.nodes {
        true => format!("{all}, a quorum"),
        false => all,
    }
}

/// Whether the server leads.
fn leads_now(state: &State) -> bool {
    matches!(&state.role, Role::Leading(leading) if leading.stand == Stand::Broadcast)
}

/// What the server delivers; a leader commits that by it.
fn delivers(deed: &Deed<'_, Zab>, before: &State, after: &State) -> Option<String> {
    let new = after.disk.history.get(before.delivered..after.delivered)?;
    new.last()?;
    Some(match (leads_now(before), leads_now(after)) {
        (true, _) => {
            let upto = new.iter().map(|txn| txn.zxid).max().unwrap_or_default();
            let who = having(deed, after, upto);
            let new = listed(new);
            format!("commits and delivers {new}: its history up to {upto} is acknowledged by {who}")
        }
        (false, true) => format!("delivers {}, which is its history", listed(new)),
        (false, false) => format!("delivers {}", listed(new)),
    })
}
