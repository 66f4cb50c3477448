//! What a server did, in Zab's own words, for people who read a run.

use stateright::actor::Id;

use super::message::{Choice, Message, Packet, Report, Settled, Sync, Timer, Vote};
use super::sending::{committed, described, ends, sends};
use super::state::{
    Arrival, Epoch, Leading, Link, Looking, Phase, Role, Stage, Stand, State, Zxid,
};
use super::{Txn, Zab};
use crate::election::{Deed, Event, listed, node_name};

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
            vec!["is named leader by the oracle".to_string()]
        }
        Event::Choose { value: Choice::Elect(leader), .. } => {
            vec![format!("is told by the oracle that {} is to lead", node_name(*leader))]
        }
        Event::Start | Event::Crash => Vec::new(),
    };
    said.extend(goes_on(deed, before, after));
    said.extend(delivers(before, after));
    said.extend(sends(deed, after));
    said
}

fn comes_back(deed: &Deed<'_, Zab>, after: &State) -> Vec<String> {
    let Some(lost) = deed.lost else { return Vec::new() };
    let (old, now, why) = (&lost.disk, &after.disk, deed.found.why());
    let mut said = Vec::new();
    if now.accepted < old.accepted {
        said.push(format!("has forgotten that it promised epoch {}{why}", old.accepted));
    }
    if now.current < old.current {
        said.push(format!(
            "has forgotten that it took over the history of epoch {}{why}",
            old.current
        ));
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
            vec![counts(src, *link, *place, report, before, after)]
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
    let votes = format!("hears that {from} votes for {}", candidate(vote));
    let (Role::Looking(old), Role::Looking(new)) = (&before.role, &after.role) else {
        return vec![votes];
    };
    let again = link.round == before.link.round && old.votes.get(&src) == Some(&vote);
    if link.round < before.link.round || again {
        return vec![format!("{votes}, which it has no use for")];
    }
    let mut said = vec![match old.vote != new.vote && new.vote == Some(vote) {
        true => format!("{votes}, the better vote"),
        false => votes,
    }];
    if after.link.round > before.link.round {
        said.push(format!("joins round {} of the election", after.link.round));
    }
    let waits = "waits a little for a better vote";
    let same = new.votes.values().filter(|other| Some(**other) == new.vote).count();
    if let Some(vote) = new.vote.filter(|_| deed.step.actor.is_majority(same + 1)) {
        let leader = node_name(vote.leader);
        said.push(format!("has the votes of a quorum for {leader}, its own included"));
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

/// What a leader writes, by name.
fn packet_name(from: &str, packet: &Packet) -> String {
    match packet {
        Packet::NewEpoch { epoch } => format!("{from}'s request to promise epoch {epoch}"),
        Packet::NewLeader { epoch, .. } => format!("{from}'s history for epoch {epoch}"),
        Packet::UpToDate { zxid } => {
            format!("{from}'s word that it leads and {}", committed(*zxid))
        }
        Packet::Propose { txn } => format!("{from}'s proposal of {txn}"),
        Packet::Commit { zxid } => format!("{from}'s word that {zxid} is committed"),
    }
}

/// A follower reads what is next from its leader.
fn reads(
    deed: &Deed<'_, Zab>,
    src: Id,
    packet: &Packet,
    phase: Phase,
    before: &State,
    after: &State,
) -> Vec<String> {
    let from = node_name(src);
    match (phase, packet) {
        (Phase::Discovery, Packet::NewEpoch { epoch }) => {
            vec![promises(deed, src, *epoch, before, after)]
        }
        (Phase::Synchronisation, Packet::NewLeader { sync, .. }) => {
            takes_over(&from, sync, before, after)
        }
        (Phase::Synchronised, Packet::UpToDate { zxid }) => {
            let lacks = match before.disk.position(*zxid) {
                Some(_) => "",
                None => ", which it does not have",
            };
            let epoch = before.disk.accepted;
            vec![format!(
                "hears from {from} that it leads epoch {epoch} and that {}{lacks}",
                committed(*zxid)
            )]
        }
        (Phase::Synchronised | Phase::Broadcast, Packet::Propose { txn }) => {
            vec![format!("logs the transaction {txn} of {from}")]
        }
        (Phase::Broadcast, Packet::Commit { zxid }) => {
            let next = before.disk.history.get(before.delivered);
            let isnt = match next.is_some_and(|txn| txn.zxid == *zxid) {
                true => "",
                false => ", which is not its next transaction",
            };
            vec![format!("hears from {from} that {zxid} is committed{isnt}")]
        }
        _ => vec![format!("gets {} out of turn", packet_name(&from, packet))],
    }
}

fn promises(deed: &Deed<'_, Zab>, src: Id, epoch: Epoch, before: &State, after: &State) -> String {
    let (from, accepted) = (node_name(src), before.disk.accepted);
    if epoch < accepted {
        return format!("is asked by {from} to promise epoch {epoch}, but has promised {accepted}");
    }
    let answer = deed.step.sends.iter().find_map(|(_, msg)| match msg {
        Message::Report { report: Report::AckEpoch { current, last, .. }, .. } => {
            Some((*current, *last))
        }
        _ => None,
    });
    match answer {
        None => {
            format!("promises {from} that it will acknowledge nothing of an epoch before {epoch}")
        }
        Some((Some(current), last)) => {
            let again = if epoch == accepted { " once more" } else { "" };
            format!(
                "promises {from}{again} to acknowledge nothing of an epoch before {epoch}, and says that its history {}",
                described(current, last)
            )
        }
        Some((None, last)) if after.initialised => format!(
            "says to {from} that it has promised epoch {epoch} already, and that its history {}",
            ends(last)
        ),
        Some((None, last)) => format!(
            "says to {from} that it follows in epoch {epoch} without a promise, and that its history {}",
            ends(last)
        ),
    }
}

/// A follower makes the leader's history its own (f.2.1).
fn takes_over(from: &str, sync: &Sync, before: &State, after: &State) -> Vec<String> {
    let (old, new) = (&before.disk.history, &after.disk.history);
    let adds = |rest: &[Txn]| match rest {
        [] => String::new(),
        rest => format!(" and adds {}", listed(rest)),
    };
    let does = match sync {
        Sync::Diff(rest) if rest.is_empty() => {
            return vec![match old.is_empty() {
                true => format!("gets nothing to add from {from} and keeps its empty history"),
                false => format!("gets nothing to add from {from} and keeps its history {old:?}"),
            }];
        }
        Sync::Diff(rest) => format!("gets {0} from {from} and adds {0}", listed(rest)),
        Sync::Trunc(at, rest) if new.starts_with(old) => {
            format!("is told by {from} to drop all after {at}, drops nothing{}", adds(rest))
        }
        Sync::Trunc(at, rest) => {
            let gone: Vec<Txn> = old.iter().filter(|txn| txn.zxid > *at).copied().collect();
            let gone = if gone.is_empty() { "nothing".to_string() } else { listed(&gone) };
            format!("is told by {from} to drop all after {at}, drops {gone}{}", adds(rest))
        }
        Sync::Snap(all) => {
            return vec![format!(
                "takes over {from}'s whole history {all:?} in place of its own {old:?}"
            )];
        }
    };
    vec![does, format!("has the history {new:?}")]
}

/// A leader reads what a follower writes.
fn counts(
    src: Id,
    link: Link,
    place: u32,
    report: &Report,
    before: &State,
    after: &State,
) -> String {
    let from = node_name(src);
    let name = match report {
        Report::FollowerInfo { .. } => format!("{from}'s request to follow it"),
        Report::AckEpoch { epoch, .. } => format!("{from}'s answer on epoch {epoch}"),
        Report::AckNewLeader { epoch } => {
            format!("{from}'s acknowledgement of the history for epoch {epoch}")
        }
        Report::Ack { zxid } => format!("{from}'s acknowledgement of {zxid}"),
    };
    let useless = format!("gets {name}, and has no use for it");
    let Role::Leading(leading) = &before.role else { return useless };
    if let Report::FollowerInfo { accepted } = report {
        let already = if before.attempt() == Some(*accepted) { "its " } else { "" };
        let promised = match accepted {
            Epoch(0) => "which has promised nothing so far".to_string(),
            _ if already.is_empty() => format!("which has promised epoch {accepted}"),
            _ => format!("which has promised its epoch {accepted} already"),
        };
        return match leading.is_new(src, link) {
            true => format!("gets {from} as a follower, {promised}"),
            false => useless,
        };
    }
    let learner = leading.learners.get(&src).filter(|_| report.epoch() == before.attempt());
    let arrival = learner.map(|learner| (learner.channel.arrival(link, place), learner.stage));
    let Some((arrival @ (Arrival::Next | Arrival::Gap), stage)) = arrival else { return useless };
    match (report, stage) {
        _ if arrival == Arrival::Gap => {
            format!("gets {name} without what came before it and breaks the connection")
        }
        (Report::AckEpoch { epoch, current: Some(current), last }, Stage::Invited) => {
            let newer = match after.role {
                Role::Leading(_) => "",
                _ => ", which is more recent than its own",
            };
            format!(
                "gets the promise of epoch {epoch} from {from}, whose history {}{newer}",
                described(*current, *last)
            )
        }
        (Report::AckEpoch { epoch, current: None, last }, Stage::Invited) => format!(
            "hears from {from} that it follows in epoch {epoch}, that this is no new promise, and that its history {}",
            ends(*last)
        ),
        (Report::AckNewLeader { .. }, Stage::Syncing { upto }) => match upto == Zxid::default() {
            true => format!("hears that {from} acknowledges the empty history"),
            false => format!("hears that {from} acknowledges the history up to {upto}"),
        },
        (Report::Ack { zxid }, Stage::Synced { .. }) => {
            format!("hears that {from} has {zxid} on disk")
        }
        _ => format!("gets {name} out of turn and breaks the connection"),
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
        Some(Stand::Negotiation { .. }) => said.push(chooses(deed, before, after)),
        Some(Stand::Synchronisation) => {
            said.push(format!("has, with its own, the promises of a quorum for epoch {epoch}"));
        }
        Some(Stand::Broadcast) => said.push(format!(
            "has, with its own, the acknowledgements of a quorum: it leads epoch {epoch}"
        )),
        _ => {}
    }
    said
}

/// The epoch that a leader chooses, and how it stands to those that were promised.
fn chooses(deed: &Deed<'_, Zab>, before: &State, after: &State) -> String {
    let epoch = after.disk.accepted;
    let mut promised = vec![(deed.step.id, before.disk.accepted)];
    if let Role::Leading(leading) = &before.role {
        promised.extend(leading.learners.iter().filter_map(|(&id, learner)| match learner.stage {
            Stage::Connected { accepted } => Some((id, accepted)),
            _ => None,
        }));
    }
    if let Event::Deliver { src, msg: Message::Report { report, .. } } = &deed.step.event
        && let Report::FollowerInfo { accepted } = report
    {
        promised.push((*src, *accepted));
    }
    match promised.iter().find(|(_, accepted)| *accepted >= epoch) {
        Some((id, _)) => {
            format!("chooses epoch {epoch}, which {} has promised already", node_name(*id))
        }
        None => {
            format!("chooses epoch {epoch}, later than all that it and its followers have promised")
        }
    }
}

fn delivers(before: &State, after: &State) -> Option<String> {
    let new = after.disk.history.get(before.delivered..after.delivered)?;
    let broadcasts = |state: &State| match &state.role {
        Role::Leading(leading) => leading.stand == Stand::Broadcast,
        _ => false,
    };
    let why = if broadcasts(before) { ", which a quorum has acknowledged" } else { "" };
    (!new.is_empty()).then(|| format!("delivers {}{why}", listed(new)))
}
