//! What a node did, in the words of Paxos, for people who read a run.

use stateright::actor::Id;

use super::message::{Message, Proposal, Value};
use super::state::{Ballot, Phase, State, Tally};
use super::words::{named, proposed, reported};
use super::{Paxos, witness};
use crate::election::{Deed, Event, NodeSet, listed, node_name, nodes_listed};

/// Clauses whose subject is the node.
pub(super) fn tell(deed: &Deed<'_, Paxos>) -> Vec<String> {
    let Some(after) = deed.step.after else { return Vec::new() };
    let Some(before) = deed.step.before else { return comes_back(deed, after) };
    let had_ballot = before.phase != Phase::Idle;
    let mut said = match &deed.step.event {
        Event::Timeout { .. } => starts(deed, before, after),
        Event::Deliver { src, msg } => receives(deed, *src, msg, before, after),
        Event::Choose { .. } | Event::Start | Event::Crash => Vec::new(),
    };
    said.extend(leads(deed, before, after));
    said.extend(chooses(deed));
    said.extend(learns(deed, before, after));
    if had_ballot && after.phase == Phase::Idle {
        said.push(format!("gives up its own ballot {}", before.durable.tried));
    }
    said
}

fn comes_back(deed: &Deed<'_, Paxos>, after: &State) -> Vec<String> {
    let Some(lost) = deed.lost else { return Vec::new() };
    let (old, now) = (&lost.durable, &after.durable);
    let mut gone = Vec::new();
    if now.promised < old.promised {
        gone.push(format!("its promise of ballot {}", old.promised));
    }
    if now.accepted != old.accepted {
        gone.push(format!("that it accepted {}", proposed(old.accepted)));
    }
    if now.tried < old.tried {
        gone.push(format!("that it tried ballot {}", old.tried));
    }
    if let (Some(value), None) = (old.learned, now.learned) {
        gone.push(format!("that it learned {}", named(value)));
    }
    let mut said = Vec::new();
    if !gone.is_empty() {
        let is_there = deed.step.storage == Some(old);
        let though = if is_there { ", although it is on its disk" } else { "" };
        said.push(format!("has forgotten {}{though}", listed(&gone)));
    } else if now.promised > Ballot::NONE {
        said.push(format!("remembers its promise of ballot {}", now.promised));
        if now.accepted != Proposal::NONE {
            said.push(format!("remembers that it accepted {}", proposed(now.accepted)));
        }
    }
    if lost.phase != Phase::Idle && after.phase == Phase::Idle {
        said.push("has no ballot under way any more".to_string());
    }
    said
}

fn starts(deed: &Deed<'_, Paxos>, before: &State, after: &State) -> Vec<String> {
    let ballot = after.durable.tried;
    let mut said = Vec::new();
    if before.phase != Phase::Idle {
        said.push(format!("gives up its own ballot {}", before.durable.tried));
    }
    said.push(format!("starts ballot {ballot}"));
    if before.durable.promised < ballot {
        let own = match &after.phase {
            Phase::Preparing { bound, .. } => *bound,
            _ => before.durable.accepted,
        };
        let report = match deed.step.actor.election_only {
            true => String::new(),
            false => format!(" (and reports {})", reported(own)),
        };
        said.push(format!("promises it itself{report}"));
    } else {
        said.push("counts its earlier promise of it".to_string());
    }
    if let Some(to) = deed.sent_to(|msg| matches!(msg, Message::Prepare { .. })) {
        said.push(format!("asks {to} to promise it"));
    }
    said
}

fn receives(
    deed: &Deed<'_, Paxos>,
    src: Id,
    msg: &Message,
    before: &State,
    after: &State,
) -> Vec<String> {
    let from = node_name(src);
    let refuses = deed.sent_to(|msg| matches!(msg, Message::Refuse { .. })).is_some();
    let promised = before.durable.promised;
    match msg {
        Message::Prepare { ballot } | Message::Accept { proposal: Proposal { ballot, .. } }
            if refuses =>
        {
            vec![format!("refuses ballot {ballot} of {from}: it has promised ballot {promised}")]
        }
        Message::Prepare { ballot } => vec![promises(deed, &from, *ballot, before, after)],
        Message::Promise { ballot, accepted } => {
            let since = since(deed, src, *ballot);
            let what = reported(*accepted);
            let mut said = vec![format!(
                "gets {from}'s promise of ballot {ballot}{since}, which reports {what}"
            )];
            if before == after {
                said.push(no_use(before, *ballot));
            } else if *ballot != before.durable.tried {
                said.push(format!("counts it for ballot {}", before.durable.tried));
            }
            said
        }
        Message::Accept { proposal } => accepts(deed, &from, *proposal, before, after),
        Message::Accepted { proposal } => hears(&from, src, *proposal, before, after),
        Message::Refuse { promised, .. } => {
            vec![format!("hears that {from} has promised ballot {promised}")]
        }
        Message::Chosen { value } => {
            let known = match before.durable.learned {
                Some(old) if old == *value => ", which it knows",
                Some(_) => ", but has learned another value",
                None => "",
            };
            vec![format!("hears from {from} that {} is chosen{known}", named(*value))]
        }
    }
}

/// What has become of a promise since it was given.
fn since(deed: &Deed<'_, Paxos>, acceptor: Id, ballot: Ballot) -> String {
    let state = deed.state_of(acceptor);
    match state.map(|state| state.durable.promised) {
        Some(now) if now > ballot => {
            format!(" (given before {} promised ballot {now})", node_name(acceptor))
        }
        Some(now) if now < ballot => format!(" (which {} has forgotten)", node_name(acceptor)),
        _ => String::new(),
    }
}

/// Why a promise changes nothing.
fn no_use(state: &State, ballot: Ballot) -> String {
    let tried = state.durable.tried;
    match state.phase {
        _ if ballot != tried => format!("has no use for it, as it tries ballot {tried} by now"),
        Phase::Leading => "has no use for it, as it leads already".to_string(),
        Phase::Idle => "has no use for it, as it has given up this ballot".to_string(),
        Phase::Preparing { .. } => "has counted it already".to_string(),
    }
}

/// Hears of an acceptance.
fn hears(from: &str, src: Id, proposal: Proposal, before: &State, after: &State) -> Vec<String> {
    let mut said = vec![format!("hears that {from} has accepted {}", proposed(proposal))];
    let Tally { proposal: counted, voters } = before.tally;
    if before != after {
        let is_newer = counted != Proposal::NONE && counted.ballot < proposal.ballot;
        if is_newer && after.tally.proposal == proposal && after.tally.voters.len() == 1 {
            said.push(format!(
                "counts for this proposal from now on, and no longer for {}",
                proposed(counted)
            ));
        }
        return said;
    }
    said.push(match before.durable.learned {
        Some(value) if value == proposal.value => "has learned this value already".to_string(),
        Some(value) => {
            format!("keeps {}, the value that it has learned", named(value))
        }
        None if counted == proposal && voters.contains(src) => "has counted this".to_string(),
        None if proposal.ballot < counted.ballot => {
            format!("does not count it, as it counts for ballot {} by now", counted.ballot)
        }
        None => format!("does not count it, as it does not lead ballot {} now", proposal.ballot),
    });
    said
}

fn promises(
    deed: &Deed<'_, Paxos>,
    from: &str,
    ballot: Ballot,
    before: &State,
    after: &State,
) -> String {
    let promised = before.durable.promised;
    let report = deed.step.sends.iter().find_map(|(_, msg)| match msg {
        Message::Promise { accepted, .. } => Some(reported(*accepted)),
        _ => None,
    });
    match report {
        Some(what) if promised == ballot => {
            format!("promises {from} ballot {ballot} again and reports {what}")
        }
        Some(what) if promised == Ballot::NONE => {
            format!("promises {from} ballot {ballot} and reports {what}")
        }
        Some(what) => {
            format!(
                "promises {from} ballot {ballot}, which is above {promised}, and reports {what}"
            )
        }
        // It crashes before it sends the promise.
        None if after.durable.promised != promised => {
            format!("is to promise {from} ballot {ballot}")
        }
        None => format!("ignores ballot {ballot} of {from}: it has promised ballot {promised}"),
    }
}

fn accepts(
    deed: &Deed<'_, Paxos>,
    from: &str,
    proposal: Proposal,
    before: &State,
    after: &State,
) -> Vec<String> {
    let (old, new, what) = (&before.durable, &after.durable, proposed(proposal));
    if old.accepted == proposal {
        return vec![format!("has accepted {what} from {from} already")];
    }
    if new.accepted != proposal {
        let promised = old.promised;
        return vec![format!(
            "does not accept {what} from {from}: it has promised ballot {promised}"
        )];
    }
    let place = in_place_of(old.accepted, proposal);
    let above = match proposal.ballot < old.promised {
        true => format!(", although it has promised ballot {}", old.promised),
        false => String::new(),
    };
    let mut said = vec![format!("accepts {what} from {from}{place}{above}")];
    if let Some(to) = deed.sent_to(|msg| matches!(msg, Message::Accepted { .. })) {
        said.push(format!("tells {to} so"));
    }
    if new.promised > old.promised {
        let above = match old.promised {
            Ballot::NONE => String::new(),
            lower => format!(", which is above {lower}"),
        };
        said.push(format!("thus promises ballot {}{above}", new.promised));
    }
    said
}

fn leads(deed: &Deed<'_, Paxos>, before: &State, after: &State) -> Vec<String> {
    let begins = after.phase == Phase::Leading
        && (before.phase != Phase::Leading || before.durable.tried != after.durable.tried);
    if !begins {
        return Vec::new();
    }
    let ballot = after.durable.tried;
    let mut said = vec![match (&before.phase, &deed.step.event) {
        (Phase::Preparing { promises, .. }, Event::Deliver { src, .. }) => {
            let all: NodeSet = promises.iter().chain([*src]).collect();
            let (has, majority) = match &deed.step.event {
                Event::Deliver { msg: Message::Promise { ballot: of, .. }, .. }
                    if *of != ballot =>
                {
                    ("so counts", "")
                }
                _ if all.len() * 2 > deed.nodes => ("has", ", a majority"),
                _ => ("has", ""),
            };
            let all = nodes_listed(all.iter());
            format!("{has} the promises of {all}{majority}: it leads ballot {ballot}")
        }
        _ => format!("needs no other promise: it leads ballot {ballot}"),
    }];
    let own = after.durable.accepted;
    let is_own = own.ballot == ballot && own != before.durable.accepted;
    if own.ballot == ballot {
        said.extend(why(deed, before, own));
    }
    if is_own {
        let place = in_place_of(before.durable.accepted, own);
        said.push(format!("accepts {} itself{place}", named(own.value)));
    }
    let proposal = deed.step.sends.iter().find_map(|(_, msg)| match msg {
        Message::Accept { proposal } => Some(*proposal),
        _ => None,
    });
    if let (Some(proposal), Some(to)) =
        (proposal, deed.sent_to(|msg| matches!(msg, Message::Accept { .. })))
    {
        let what = if is_own { "it".to_string() } else { named(proposal.value) };
        said.push(format!("asks {to} to accept {what}"));
    }
    if let Some(to) = deed.sent_to(|msg| matches!(msg, Message::Accepted { .. })) {
        said.push(format!("tells {to} that it has accepted {}", named(own.value)));
    }
    said
}

/// What a new leader knows to be accepted: what the promises that it counts report, its own among
/// them, the highest ballot first. The flag says whether its own is of today.
fn reports(deed: &Deed<'_, Paxos>, before: &State) -> (Vec<Proposal>, bool) {
    let Phase::Preparing { promises, bound } = before.phase else {
        let own = before.durable.accepted;
        return (Some(own).filter(|own| *own != Proposal::NONE).into_iter().collect(), true);
    };
    let given = deed.past.promises(deed.step.id, before.durable.tried);
    let own = given.and_then(|given| given.get(&deed.step.id)).copied();
    let is_alone = promises.len() == 1;
    let own = if is_alone { bound } else { own.unwrap_or(before.durable.accepted) };
    let mut all = vec![own, bound];
    let of_others = given.into_iter().flatten().filter(|(id, _)| promises.contains(**id));
    all.extend(of_others.filter(|(id, _)| **id != deed.step.id).map(|(_, report)| *report));
    if let Event::Deliver { msg: Message::Promise { accepted, .. }, .. } = deed.step.event {
        all.push(*accepted);
    }
    all.retain(|report| *report != Proposal::NONE);
    all.sort_unstable_by(|one, other| other.cmp(one));
    all.dedup();
    (all, own.value == before.durable.accepted.value)
}

/// Why a new leader proposes what it proposes.
fn why(deed: &Deed<'_, Paxos>, before: &State, own: Proposal) -> Vec<String> {
    let (reports, is_current) = reports(deed, before);
    let accepted = before.durable.accepted;
    let mut said = Vec::new();
    if !is_current {
        said.push(format!("gave its own promise before it accepted {}", proposed(accepted)));
    }
    let value = named(own.value);
    let whose = |report: &Proposal| match *report == accepted {
        true => format!("its own {}", proposed(*report)),
        false => proposed(*report),
    };
    let all = listed(&reports.iter().map(whose).collect::<Vec<_>>());
    let higher = if reports.len() > 2 { "highest" } else { "higher" };
    let highest = reports.first().map(|report| report.ballot).unwrap_or_default();
    let is_tied = reports.iter().any(|r| r.ballot == highest && r.value != own.value);
    let is_bound = reports.iter().any(|r| r.ballot == highest && r.value == own.value);
    said.push(match &reports[..] {
        [] if own.value == Value::EMPTY => {
            "takes the empty reports for a value, “empty”".to_string()
        }
        [] => format!("is free to propose its own {value}, as no promise reports a proposal"),
        [one] if is_bound && *one == accepted => {
            format!("must propose {value}, as it has itself accepted {}", proposed(*one))
        }
        [one] if is_bound => {
            format!("must propose {value}, as {} is the only proposal reported", proposed(*one))
        }
        _ if is_bound && is_tied => {
            format!("takes {value}: of {all}, none has a higher ballot than the other")
        }
        _ if is_bound => {
            format!("must propose {value}: of {all}, that of the {higher} ballot counts")
        }
        [_] => format!("proposes {value}, although {all} was reported"),
        [one, ..] => format!(
            "proposes {value}, although of {all}, {} has the {higher} ballot",
            named(one.value)
        ),
    });
    said.extend(unknown(deed, before, highest, own.value));
    said
}

/// A higher proposal of another value, of which a new leader does not know.
fn unknown(
    deed: &Deed<'_, Paxos>,
    before: &State,
    highest: Ballot,
    value: Value,
) -> Option<String> {
    let ballot = before.durable.tried;
    let states = deed.states.iter().enumerate();
    let all = states.filter_map(|(id, state)| Some((Id::from(id), state.as_ref()?.durable)));
    let is_missed = |disk: &super::Disk| {
        let Proposal { ballot: other, value: of } = disk.accepted;
        let is_known = disk.accepted == before.durable.accepted;
        other > highest && other < ballot && of != value && !is_known
    };
    let (id, disk) = all
        .filter(|(id, disk)| *id != deed.step.id && is_missed(disk))
        .max_by_key(|(_, disk)| disk.accepted)?;
    Some(format!(
        "does not know that {0} has accepted {1}, as it counts no promise that {0} has given since",
        node_name(id),
        proposed(disk.accepted)
    ))
}

/// The value that this step makes chosen.
fn chooses(deed: &Deed<'_, Paxos>) -> Option<String> {
    let next = witness::observe(deed.past, &deed.step)?;
    let is_new = |value: &Value, ballot: &Ballot| deed.past.chosen.get(value) != Some(ballot);
    let (&value, &ballot) = next.chosen.iter().find(|(value, ballot)| is_new(value, ballot))?;
    let earlier = deed.past.proposals.get(&Proposal { ballot, value });
    let all: NodeSet =
        earlier.into_iter().flat_map(|who| who.iter()).chain([deed.step.id]).collect();
    let quorum = match all.len() * 2 > deed.nodes {
        true => "majority",
        false => "quorum",
    };
    let too = match deed.past.chosen.keys().find(|other| **other != value) {
        Some(other) => format!(", besides {}", named(*other)),
        None => String::new(),
    };
    let (who, what) = (nodes_listed(all.iter()), named(value));
    Some(format!(
        "completes the {quorum} of {who} that has accepted {what} in ballot {ballot}: {what} is \
         now chosen{too}"
    ))
}

fn learns(deed: &Deed<'_, Paxos>, before: &State, after: &State) -> Vec<String> {
    let Some(value) = after.durable.learned else { return Vec::new() };
    match before.durable.learned {
        Some(old) if old == value => return Vec::new(),
        Some(old) => {
            return vec![format!(
                "puts {} in place of {}, the value that it had learned",
                named(value),
                named(old)
            )];
        }
        None => {}
    }
    let what = named(value);
    let mut said = vec![match &deed.step.event {
        Event::Deliver { msg: Message::Chosen { .. }, .. } => format!("learns {what}"),
        _ => counted(deed, before, after, value),
    }];
    if let Some(to) = deed.sent_to(|msg| matches!(msg, Message::Chosen { .. })) {
        said.push(format!("tells {to} that {what} is chosen"));
    }
    said
}

/// The count with which a learner learns.
fn counted(deed: &Deed<'_, Paxos>, before: &State, after: &State, value: Value) -> String {
    let what = named(value);
    let (voter, ballot) = match &deed.step.event {
        Event::Deliver { src, msg: Message::Accepted { proposal } } => (*src, proposal.ballot),
        _ => (deed.step.id, after.durable.accepted.ballot),
    };
    // With the acceptance that completes a quorum, the tally is emptied.
    let Tally { proposal: counted, voters: earlier } = &before.tally;
    let earlier = Some(*earlier).filter(|_| counted.value == value).unwrap_or_default();
    let all: NodeSet = earlier.iter().chain([voter]).collect();
    let whose = |id: Id| match id == deed.step.id {
        true => "its own".to_string(),
        false => node_name(id),
    };
    if !earlier.is_empty() && counted.ballot != ballot {
        let before = listed(&earlier.iter().map(whose).collect::<Vec<_>>());
        return format!(
            "adds the acceptance of {what} in ballot {ballot} ({}) to that in ballot {} \
             ({before}), and learns {what}",
            whose(voter),
            counted.ballot
        );
    }
    let majority = if all.len() * 2 > deed.nodes { ", a majority," } else { "" };
    format!(
        "knows of the acceptances of {}{majority} in ballot {ballot}: it learns {what}",
        nodes_listed(all.iter())
    )
}

/// What an acceptance replaces.
fn in_place_of(old: Proposal, new: Proposal) -> String {
    match old {
        Proposal::NONE => String::new(),
        old if old.ballot > new.ballot => {
            format!(" in place of {}, a higher one", proposed(old))
        }
        old => format!(" in place of {}", proposed(old)),
    }
}
