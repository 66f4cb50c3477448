//! What runs of Zab may mean to reach: the transitions of the paper and of the election, each by name.

use std::collections::BTreeMap;

use stateright::actor::Id;

use super::Zab;
use super::properties::{Memory, deliveries, end, established};
use super::state::*;
use crate::election::{Event, Goal, NodeStep, Reached, Reign, Term};

type Step<'a> = NodeStep<'a, Zab>;

fn looking(server: Option<&Server>) -> Option<&Looking> {
    match server.map(|server| &server.role) {
        Some(Role::Looking(looking)) => Some(looking),
        _ => None,
    }
}

fn following(server: Option<&Server>) -> Option<&Following> {
    match server.map(|server| &server.role) {
        Some(Role::Following(following)) => Some(following),
        _ => None,
    }
}

fn leading(server: Option<&Server>) -> Option<&Leading> {
    match server.map(|server| &server.role) {
        Some(Role::Leading(leading)) => Some(leading),
        _ => None,
    }
}

fn packet<'a>(step: &'a Step<'_>) -> Option<&'a Packet> {
    match &step.event {
        Event::Deliver { msg: Msg::Packet { packet, .. }, .. } => Some(packet),
        _ => None,
    }
}

fn report<'a>(step: &'a Step<'_>) -> Option<&'a Report> {
    match &step.event {
        Event::Deliver { msg: Msg::Report { report, .. }, .. } => Some(report),
        _ => None,
    }
}

fn word<'a>(step: &'a Step<'_>) -> Option<&'a Settled> {
    match &step.event {
        Event::Deliver { msg: Msg::Settled { settled, .. }, .. } => Some(settled),
        _ => None,
    }
}

fn vote<'a>(step: &'a Step<'_>) -> Option<(&'a Link, &'a Vote)> {
    match &step.event {
        Event::Deliver { msg: Msg::Notification { link, vote: Some(vote) }, .. } => Some((link, vote)),
        _ => None,
    }
}

fn says(step: &Step<'_>, what: impl Fn(&Msg) -> bool) -> bool {
    step.sends.iter().any(|(_, msg)| what(msg))
}

fn writes(step: &Step<'_>, what: impl Fn(&Packet) -> bool) -> bool {
    says(step, |msg| matches!(msg, Msg::Packet { packet, .. } if what(packet)))
}

/// The phase in which a follower is that takes in the next packet.
fn taken(step: &Step<'_>) -> Option<Phase> {
    let (before, after) = (following(step.before)?, following(step.after)?);
    (before.channel.read < after.channel.read).then_some(before.phase)
}

fn times_out(step: &Step<'_>, timer: Timer) -> bool {
    matches!(step.event, Event::Timeout { timer: due } if *due == timer)
}

fn goes_back(step: &Step<'_>) -> bool {
    looking(step.before).is_none() && step.before.is_some() && looking(step.after).is_some()
}

/// A transaction that the server had before is gone.
fn forgets(step: &Step<'_>) -> bool {
    let (Some(before), Some(after)) = (step.before, step.after) else { return false };
    before.disk.history.iter().any(|txn| !after.disk.history.contains(txn))
}

/// A server crashes when the history of its leader is on its disk, and the epoch that vouches for it is not. The length of
/// the history before, and now.
fn without_epoch(step: &Step<'_>) -> Option<(usize, usize)> {
    let (before, end, saved) = (step.before?, step.cut_short?, step.storage?);
    let is_between = saved.current < end.disk.current && saved.history == end.disk.history;
    is_between.then_some((before.disk.history.len(), saved.history.len()))
}

/// Something arrives over a connection with a gap before it, which the receiver sees.
fn gap(step: &Step<'_>, of_leader: bool) -> bool {
    let (Some(before), Event::Deliver { src, msg }) = (step.before, &step.event) else { return false };
    let (link, place, channel) = match (msg, &before.role) {
        (Msg::Packet { link, place, .. }, Role::Following(f)) if f.leader == *src && !of_leader => {
            (link, place, f.channel)
        }
        (Msg::Report { link, place, .. }, Role::Leading(l)) if of_leader => match l.learners.get(src) {
            Some(learner) => (link, place, learner.channel),
            None => return false,
        },
        _ => return false,
    };
    *link == channel.link && *place > channel.read + 1 && step.after.is_some_and(|after| after != before)
}

/// Something arrives that belongs to another connection or was read before, and nothing happens.
fn void(step: &Step<'_>) -> bool {
    let is_numbered =
        matches!(step.event, Event::Deliver { msg: Msg::Packet { .. } | Msg::Report { place: 2.., .. }, .. });
    is_numbered && step.before == step.after && step.sends.is_empty()
}

fn primaries(memory: &Memory) -> usize {
    let epochs: std::collections::BTreeSet<Epoch> =
        memory.primaries.keys().map(|&(epoch, _)| epoch).collect();
    epochs.len()
}

fn leads_again(led: &BTreeMap<Term, Reign>) -> bool {
    let by: Vec<Id> = led.values().map(|reign| reign.node).collect();
    by.iter().enumerate().any(|(i, node)| by[..i].contains(node))
}

fn step(name: &'static str, meaning: &'static str, reached: fn(&Step<'_>) -> bool) -> Goal<Zab> {
    Goal { name, meaning, reached: Reached::Step(reached) }
}

fn past(
    name: &'static str,
    meaning: &'static str,
    reached: fn(&BTreeMap<Term, Reign>, &Memory) -> bool,
) -> Goal<Zab> {
    Goal { name, meaning, reached: Reached::Past(reached) }
}

pub(super) fn all() -> Vec<Goal<Zab>> {
    [phase_0(), phases_1_and_2(), phase_3(), connections(), whole_runs()].concat()
}

fn phase_0() -> Vec<Goal<Zab>> {
    vec![
        step("better-vote-adopted", "A server exchanges its vote for a better one of its round.", |s| {
            let (before, after) = (looking(s.before), looking(s.after));
            let is_of_round =
                vote(s).is_some_and(|(link, _)| s.before.is_some_and(|b| b.link.round == link.round));
            is_of_round && before.zip(after).is_some_and(|(before, after)| before.vote != after.vote)
        }),
        step("recency-decides", "A server votes for a lesser server whose history is more recent.", |s| {
            let mine = looking(s.before).and_then(|looking| looking.vote);
            let now = looking(s.after).and_then(|looking| looking.vote);
            mine.zip(now).is_some_and(|(mine, now)| now.leader < mine.leader && mine.epoch <= now.epoch)
        }),
        step("later-round-joined", "A server hears of a later round and votes anew in it.", |s| {
            let (before, after) = (s.before, s.after);
            vote(s).is_some()
                && before.zip(after).is_some_and(|(before, after)| before.link.round < after.link.round)
        }),
        step("old-vote-ignored", "A vote of an earlier round arrives, and changes nothing.", |s| {
            let is_old = |before: &Server| vote(s).is_some_and(|(link, _)| link.round < before.link.round);
            looking(s.before).is_some() && s.before.is_some_and(is_old) && s.before == s.after
        }),
        step(
            "leads-by-votes",
            "The election ends, and the server whom a quorum voted for is to lead.",
            |s| times_out(s, Timer::Finalize) && leading(s.after).is_some(),
        ),
        step("follows-by-votes", "The election ends for a server that voted for another.", |s| {
            times_out(s, Timer::Finalize) && following(s.after).is_some()
        }),
        step("joins-settled", "A server joins a leader whom those name who have left the election.", |s| {
            word(s).is_some() && following(s.after).is_some()
        }),
        step(
            "joins-other-round",
            "A server joins a leader who was elected in another round than its own.",
            |s| {
                let round = s.before.map(|before| before.link.round);
                word(s).is_some_and(|settled| Some(settled.round) != round) && following(s.after).is_some()
            },
        ),
        step("named-leader", "A server is to lead because those name it who have left the election.", |s| {
            word(s).is_some() && leading(s.after).is_some()
        }),
        step("votes-again", "A server goes back to the election within a life.", goes_back),
    ]
}

fn phases_1_and_2() -> Vec<Goal<Zab>> {
    vec![
        step("epoch-chosen", "A quorum is connected, and a leader chooses an epoch.", |s| {
            let stand = |server| leading(server).map(|l| l.stand);
            stand(s.before) == Some(Stand::Discovery)
                && stand(s.after).is_some_and(|now| now != Stand::Discovery)
        }),
        step("epoch-raised", "A leader chooses an epoch that a follower's promise raises.", |s| {
            let own = s.before.map(|before| before.disk.accepted.next());
            let now = s.after.map(|after| after.disk.accepted);
            leading(s.after).is_some() && now > own
        }),
        step("promised", "A follower promises an epoch, and it counts.", |s| {
            says(s, |msg| {
                matches!(msg, Msg::Report { report: Report::AckEpoch { current: Some(_), .. }, .. })
            })
        }),
        step(
            "promised-without-count",
            "A follower acknowledges an epoch without a promise that counts.",
            |s| {
                says(s, |msg| {
                    matches!(msg, Msg::Report { report: Report::AckEpoch { current: None, .. }, .. })
                })
            },
        ),
        step("epoch-refused", "A follower has promised a later epoch than it is offered, and leaves.", |s| {
            matches!(packet(s), Some(Packet::NewEpoch { .. })) && goes_back(s)
        }),
        step("looks-later", "A server that cannot follow its leader waits before it votes again.", |s| {
            let refuses = matches!(packet(s), Some(Packet::NewEpoch { .. })) && goes_back(s);
            refuses && s.actor.oracle.is_none() && s.sends.is_empty()
        }),
        step("office-left", "A leader leaves the office to a follower with a more recent history.", |s| {
            matches!(report(s), Some(Report::AckEpoch { .. })) && goes_back(s)
        }),
        step("synced-by-diff", "A follower is sent transactions that it lacks.", |s| {
            writes(s, |p| matches!(p, Packet::NewLeader { sync: Sync::Diff(rest), .. } if !rest.is_empty()))
        }),
        step("synced-by-trunc", "A follower is sent the place from which on its history is to go.", |s| {
            writes(s, |p| matches!(p, Packet::NewLeader { sync: Sync::Trunc(..), .. }))
        }),
        step(
            "synced-by-trunc-and-diff",
            "A follower is sent what is to go and what comes in its place.",
            |s| {
                writes(
                    s,
                    |p| matches!(p, Packet::NewLeader { sync: Sync::Trunc(_, rest), .. } if !rest.is_empty()),
                )
            },
        ),
        step("synced-by-snap", "A follower is sent a whole history in place of its own.", |s| {
            writes(s, |p| matches!(p, Packet::NewLeader { sync: Sync::Snap(_), .. }))
        }),
        step("forgets", "A follower forgets a transaction that its leader does not have.", |s| {
            matches!(packet(s), Some(Packet::NewLeader { .. })) && forgets(s)
        }),
        step("established", "A quorum has acknowledged NEWLEADER, and a leader leads.", |s| {
            established(s).is_some()
        }),
        step("taken-over", "A leader delivers a transaction of an earlier epoch because it leads.", |s| {
            established(s).is_some_and(|(epoch, _)| deliveries(s).any(|(txn, _)| txn.zxid.epoch < epoch))
        }),
        step("joins-late", "A follower acknowledges NEWLEADER when the leader leads already.", |s| {
            let leads = leading(s.before).is_some_and(|l| l.stand == Stand::Broadcast);
            leads && matches!(report(s), Some(Report::AckNewLeader { .. })) && !s.sends.is_empty()
        }),
        step("history-regained", "A server that has lost its disk is given a history.", |s| {
            s.before.is_some_and(|before| !before.initialised)
                && s.after.is_some_and(|after| after.initialised)
        }),
    ]
}

fn phase_3() -> Vec<Goal<Zab>> {
    vec![
        step("broadcast", "A primary broadcasts a transaction.", |s| {
            matches!(s.event, Event::Choose { value: Choice::Broadcast(_), .. }) && s.after.is_some()
        }),
        step(
            "broadcasts-ahead",
            "A primary broadcasts while an earlier transaction is not committed.",
            |s| {
                let waits = |before: &Server| before.delivered < before.disk.history.len();
                matches!(s.event, Event::Choose { value: Choice::Broadcast(_), .. })
                    && s.before.is_some_and(waits)
            },
        ),
        step("proposed-while-syncing", "A follower is proposed a transaction before UPTODATE.", |s| {
            matches!(packet(s), Some(Packet::Propose { .. })) && taken(s) == Some(Phase::Synchronised)
        }),
        step("acknowledged", "A follower logs a transaction and acknowledges it.", |s| {
            says(s, |msg| matches!(msg, Msg::Report { report: Report::Ack { .. }, .. }))
        }),
        step("committed", "A primary delivers what a quorum has acknowledged.", |s| {
            leading(s.before).is_some() && established(s).is_none() && deliveries(s).next().is_some()
        }),
        step("commits-two", "A primary delivers two transactions in one step.", |s| {
            leading(s.before).is_some() && established(s).is_none() && deliveries(s).count() > 1
        }),
        step("uptodate-delivers", "A follower delivers at UPTODATE what was committed before.", |s| {
            matches!(packet(s), Some(Packet::UpToDate { .. })) && deliveries(s).next().is_some()
        }),
        step("commit-delivers", "A follower delivers at COMMIT.", |s| {
            matches!(packet(s), Some(Packet::Commit { .. })) && deliveries(s).next().is_some()
        }),
    ]
}

fn connections() -> Vec<Goal<Zab>> {
    vec![
        step("leader-gives-up", "A leader that has led goes back to the election.", |s| {
            leading(s.before).is_some_and(|l| l.stand == Stand::Broadcast) && goes_back(s)
        }),
        step("follower-gives-up", "A follower in the phase of broadcast goes back to the election.", |s| {
            following(s.before).is_some_and(|f| f.phase == Phase::Broadcast) && goes_back(s)
        }),
        step(
            "waits-in-vain",
            "A follower that its leader has not answered goes back to the election.",
            |s| {
                let waits = following(s.before).is_some_and(|f| f.phase == Phase::Discovery);
                waits && times_out(s, Timer::Contact) && goes_back(s)
            },
        ),
        step("attempt-given-up", "A leader that does not lead yet goes back to the election.", |s| {
            let tries = leading(s.before).is_some_and(|l| l.stand != Stand::Broadcast);
            tries && times_out(s, Timer::Contact) && goes_back(s)
        }),
        step(
            "connects-again",
            "A follower connects to a leader that knows an earlier connection of it.",
            |s| {
                let Event::Deliver { src, msg: Msg::Report { report: Report::FollowerInfo { .. }, .. } } =
                    &s.event
                else {
                    return false;
                };
                let known = |l: &Leading| l.learners.contains_key(src) || l.broken.contains_key(src);
                leading(s.before).is_some_and(known) && s.after.is_some() && s.before != s.after
            },
        ),
        step("follower-sees-gap", "A follower misses a packet, and leaves.", |s| gap(s, false)),
        step("leader-sees-gap", "A leader misses a report, and forgets the follower.", |s| gap(s, true)),
        step("void", "A packet or report of another connection, or read before, arrives.", void),
        step("asks-again", "A vote, or an attempt to connect, is repeated.", |s| {
            times_out(s, Timer::Retry) && !s.sends.is_empty()
        }),
        step("pings", "A leader says that it lives.", |s| times_out(s, Timer::Ping) && !s.sends.is_empty()),
        step(
            "ping-sees-gap",
            "A follower learns from a ping that it has missed a packet, and leaves.",
            |s| matches!(s.event, Event::Deliver { msg: Msg::Ping { .. }, .. }) && goes_back(s),
        ),
        step("pong-sees-gap", "A leader learns from an answer that it has missed a report.", |s| {
            let learners = |server| leading(server).map(|l| l.learners.len());
            let is_pong = matches!(s.event, Event::Deliver { msg: Msg::Pong { .. }, .. });
            is_pong && learners(s.before) > learners(s.after)
        }),
        step("ping-answered", "A follower answers.", |s| says(s, |msg| matches!(msg, Msg::Pong { .. }))),
        step("stays", "A leader has heard of a quorum, and goes on.", |s| {
            times_out(s, Timer::Contact) && leading(s.after).is_some()
        }),
        step(
            "torn-before-the-end",
            "A server crashes inside a handler after others may have noticed.",
            |s| s.cut_short.is_some(),
        ),
        step("crash-before-epoch", "A server crashes between a longer history and its epoch.", |s| {
            without_epoch(s).is_some_and(|(before, now)| before < now)
        }),
        step("crash-after-forgetting", "A server crashes between a shorter history and its epoch.", |s| {
            without_epoch(s).is_some_and(|(before, now)| before > now)
        }),
        step("starts-with-history", "A server starts again and finds transactions on its disk.", |s| {
            let has = |after: &Server| !after.disk.history.is_empty();
            matches!(s.event, Event::Start) && s.incarnation > 0 && s.after.is_some_and(has)
        }),
        step("leads-after-restart", "A server that has crashed comes to lead.", |s| {
            s.incarnation > 0 && established(s).is_some() && end(s).is_some()
        }),
    ]
}

fn whole_runs() -> Vec<Goal<Zab>> {
    vec![
        past("two-epochs", "A second epoch is led.", |led, _| led.len() > 1),
        past("three-epochs", "A third epoch is led.", |led, _| led.len() > 2),
        past("another-leads", "Two servers have led, one after the other.", |led, _| {
            led.values().any(|reign| Some(reign) != led.values().next())
        }),
        past("leads-again", "A server leads a second epoch.", |led, _| leads_again(led)),
        past(
            "led-after-delivery",
            "An epoch is led after a transaction of an earlier one was delivered.",
            |_, m| {
                let latest = m.led.keys().next_back().copied();
                m.longest.iter().any(|txn| Some(txn.zxid.epoch) < latest)
            },
        ),
        past("delivered", "A transaction is delivered.", |_, m| !m.longest.is_empty()),
        past("two-delivered", "Two transactions are delivered.", |_, m| m.longest.len() > 1),
        past("two-of-one-primary", "Two transactions of one primary are delivered.", |_, m| {
            m.longest.windows(2).any(|two| two[0].zxid.epoch == two[1].zxid.epoch)
        }),
        past("two-primaries-broadcast", "A primary of a later epoch broadcasts.", |_, m| primaries(m) > 1),
        past("delivered-of-two-epochs", "Transactions of two epochs are delivered.", |_, m| {
            m.longest.first().map(|txn| txn.zxid.epoch) < m.longest.last().map(|txn| txn.zxid.epoch)
        }),
        past("two-majorities", "A quorum has stood behind each of two servers in one round.", |_, m| {
            let many = m.support.iter().filter(|(_, support)| support.by.len() > 1);
            let rounds: Vec<u32> = many.map(|(&(round, _), _)| round).collect();
            rounds.windows(2).any(|two| two[0] == two[1])
        }),
    ]
}
