//! Goals of Viewstamped Replication: events that a scenario can require.

use std::collections::BTreeMap;

use super::Viewstamped;
use super::message::{Message, Offer, Request, Timer};
use super::state::{State, Status};
use super::witness::Witness;
use crate::election::{Event, Goal, NodeStep, Reached, Reign, Term};

type Step<'a> = NodeStep<'a, Viewstamped>;

const fn step(
    name: &'static str,
    meaning: &'static str,
    is: fn(&Step<'_>) -> bool,
) -> Goal<Viewstamped> {
    Goal { name, meaning, reached: Reached::Step(is) }
}

const fn past(
    name: &'static str,
    meaning: &'static str,
    is: fn(&BTreeMap<Term, Reign>, &Witness) -> bool,
) -> Goal<Viewstamped> {
    Goal { name, meaning, reached: Reached::Past(is) }
}

/// All goals, by section.
pub(super) fn goals() -> Vec<Goal<Viewstamped>> {
    [
        of_operations(),
        of_view_changes(),
        of_new_views(),
        of_state_transfer(),
        of_recovery(),
        of_the_past(),
    ]
    .concat()
}

/// Normal operation (§4.1).
fn of_operations() -> Vec<Goal<Viewstamped>> {
    vec![
        step("operation-prepared", "a backup prepares an operation that the primary sent", |s| {
            hears(s, |msg| matches!(msg, Message::Prepare { .. }))
                && sends(s, |m| matches!(m, Message::PrepareOk { .. }))
        }),
        step("operation-acknowledged", "a primary commits, and the client is told", |s| {
            is_live(s, |before, after| {
                leads(s, before) && leads(s, after) && after.commit > before.commit
            })
        }),
        step("several-committed-at-once", "a primary commits two operations in one step", |s| {
            is_live(s, |before, after| {
                leads(s, after) && leads(s, before) && after.commit > before.commit + 1
            })
        }),
        step(
            "request-while-another-waits",
            "a primary numbers a request before the last one is committed",
            |s| chooses(s) && is_live(s, |before, _| before.log.len() > before.commit),
        ),
        step("two-requests-in-a-view", "the first primary numbers a second request", |s| {
            chooses(s) && is_live(s, |before, _| before.view == 0 && !before.log.is_empty())
        }),
        step("request-in-a-later-view", "a primary that is not the first numbers a request", |s| {
            chooses(s) && is_live(s, |before, _| before.view > 0)
        }),
        step("commit-learned", "a backup learns of a commit by a Commit message", |s| {
            hears(s, |msg| matches!(msg, Message::Commit { .. }))
                && is_live(s, |b, a| a.commit > b.commit)
        }),
        step(
            "commit-learned-with-the-next",
            "a backup learns of a commit by the Prepare of the next operation",
            |s| {
                hears(s, |msg| matches!(msg, Message::Prepare { .. }))
                    && is_live(s, |b, a| a.commit > b.commit)
            },
        ),
    ]
}

/// How view changes come about (§4.2).
fn of_view_changes() -> Vec<Goal<Viewstamped>> {
    vec![
        step("log-offered", "a replica sends DoViewChange", |s| {
            sends(s, |msg| matches!(msg, Message::DoViewChange { .. }))
        }),
        step("view-started", "a new primary sends StartView", |s| {
            sends(s, |msg| matches!(msg, Message::StartView { .. }))
        }),
        step(
            "view-started-with-an-offer",
            "the offer of another completes the new primary's f+1",
            |s| {
                hears(s, |msg| matches!(msg, Message::DoViewChange { .. }))
                    && sends(s, |msg| matches!(msg, Message::StartView { .. }))
            },
        ),
        step(
            "view-started-with-its-own-offer",
            "the new primary's own offer completes the f+1",
            |s| {
                hears(s, |msg| matches!(msg, Message::StartViewChange { .. }))
                    && sends(s, |msg| matches!(msg, Message::StartView { .. }))
            },
        ),
        step("view-joined", "a replica becomes normal by StartView", |s| {
            hears(s, |msg| matches!(msg, Message::StartView { .. }))
                && is_live(s, |b, a| a.view > b.view || !b.is_normal())
        }),
        step(
            "view-change-abandoned",
            "a view change takes too long and the next is started",
            |s| times_out(s, Timer::ViewChange) && is_live(s, |before, _| !before.is_normal()),
        ),
        step(
            "view-change-abandoned-alone",
            "a replica that nobody has joined in its view change starts the next",
            |s| {
                times_out(s, Timer::ViewChange)
                    && is_live(s, |before, _| match &before.status {
                        Status::ViewChange { started, offers, .. } => {
                            started.is_empty() && offers.is_empty()
                        }
                        _ => false,
                    })
            },
        ),
        step("later-view-left", "a backup of a later view starts the next view change", |s| {
            times_out(s, Timer::ViewChange)
                && is_live(s, |before, _| before.is_normal() && before.view > 0)
        }),
        step(
            "former-primary-times-out",
            "a replica that has been a primary starts a view change as a backup",
            |s| {
                let turn = usize::from(s.id) as u64;
                times_out(s, Timer::ViewChange)
                    && is_live(s, |before, _| before.is_normal() && before.view > turn)
            },
        ),
        step("offer-calls", "a replica hears of a view change by DoViewChange", |s| {
            hears(s, |msg| matches!(msg, Message::DoViewChange { .. }))
                && is_live(s, |b, a| a.view > b.view)
        }),
    ]
}

/// With which log a view starts (§4.2).
fn of_new_views() -> Vec<Goal<Viewstamped>> {
    vec![
        step("primary-deposed", "a primary leaves the view that it leads", |s| {
            is_live(s, |before, after| leads(s, before) && !leads(s, after))
        }),
        step(
            "operation-inherited",
            "a view starts with an operation that its primary does not know to be committed",
            |s| starts(s) && s.after.is_some_and(|after| after.log.len() > after.commit),
        ),
        step(
            "commit-number-inherited",
            "a view starts with a commit-number that its primary did not know",
            |s| starts(s) && is_live(s, |before, after| after.commit > before.commit),
        ),
        step(
            "operation-replaced",
            "a live replica gives up an operation of an abandoned view",
            |s| is_live(s, |before, after| !after.log.starts_with(&before.log)),
        ),
        step(
            "shorter-log-wins",
            "a view starts with a log of a later view that is shorter than another offered",
            |s| {
                starts(s)
                    && is_live(s, |before, after| {
                        offers(s, before).iter().any(|o| o.log.len() > after.log.len())
                    })
            },
        ),
        step(
            "longer-log-wins",
            "a view starts with a log longer than another one of the same view",
            |s| {
                starts(s)
                    && is_live(s, |before, _| {
                        let offers = offers(s, before);
                        let shorter = |a: &Offer, b: &Offer| {
                            a.last_normal == b.last_normal && a.log.len() < b.log.len()
                        };
                        offers.iter().any(|a| offers.iter().any(|b| shorter(a, b)))
                    })
            },
        ),
    ]
}

/// State transfer (§5.2).
fn of_state_transfer() -> Vec<Goal<Viewstamped>> {
    vec![
        step("gap-filled", "a replica fetches operations that it lacks in its own view", |s| {
            hears(s, |msg| matches!(msg, Message::NewState { .. }))
                && is_live(s, |b, a| b.is_normal() && a.view == b.view && a.log.len() > b.log.len())
        }),
        step("later-view-fetched", "a replica comes into a later view by NewState", |s| {
            hears(s, |msg| matches!(msg, Message::NewState { .. }))
                && is_live(s, |b, a| a.view > b.view)
        }),
        step(
            "own-view-fetched",
            "a replica in a view change becomes normal in that very view by NewState",
            |s| {
                hears(s, |msg| matches!(msg, Message::NewState { .. }))
                    && is_live(s, |b, a| a.view == b.view && a.is_normal() && !b.is_normal())
            },
        ),
    ]
}

/// Recovery (§4.3).
fn of_recovery() -> Vec<Goal<Viewstamped>> {
    vec![
        step("recovered", "a replica has recovered", |s| recovers(s, |_, _| true)),
        step(
            "recovered-with-an-operation",
            "a replica recovers an operation that it had forgotten",
            |s| recovers(s, |before, after| after.log.len() > before.log.len()),
        ),
        step(
            "recovered-into-a-later-view",
            "a replica recovers into a view after the one on its disk",
            |s| recovers(s, |before, after| after.view > before.view),
        ),
        step("recovered-with-its-own-log", "a replica builds upon the log on its disk", |s| {
            recovers(s, |before, _| !before.log.is_empty())
        }),
        step(
            "former-primary-recovers",
            "a replica that led view 0 when it crashed comes back as a backup",
            |s| {
                recovers(s, |before, after| {
                    usize::from(s.id) == 0 && before.view == 0 && after.view > 0
                })
            },
        ),
        step(
            "answers-do-not-suffice",
            "a replica has f+1 answers and still no log of the latest view",
            |s| {
                is_live(s, |_, after| match &after.status {
                    Status::Recovering { answers, .. } => 2 * answers.len() > s.actor.replicas,
                    _ => false,
                })
            },
        ),
        step(
            "view-change-after-recovery",
            "a replica that has recovered starts a view change",
            |s| times_out(s, Timer::ViewChange) && s.incarnation > 0,
        ),
        step("asked-again", "a recovering replica asks again", |s| times_out(s, Timer::Recovery)),
        step(
            "disk-tells-of-a-view",
            "a recovering replica's disk makes another one start a view change",
            |s| {
                hears(s, |msg| matches!(msg, Message::Recovery { .. }))
                    && is_live(s, |b, a| a.view > b.view)
            },
        ),
    ]
}

/// Goals about views that were led and clients that were answered.
fn of_the_past() -> Vec<Goal<Viewstamped>> {
    vec![
        past("two-views-led", "two view changes are completed", |led, _| views(led) > 1),
        past("three-views-led", "three view changes are completed", |led, _| views(led) > 2),
        past("same-primary-again", "a replica leads a second view", |led, _| {
            let nodes: Vec<_> = led.values().map(|reign| reign.node).collect();
            nodes.iter().enumerate().any(|(i, node)| nodes[..i].contains(node))
        }),
        past("view-skipped", "a view is led although the one before never was", |led, _| {
            led.keys().any(|term| term.0 > 0 && !led.contains_key(&Term(term.0 - 1)))
        }),
        past(
            "view-after-acknowledgement",
            "a later view starts after a client was told",
            |_, w| {
                w.acknowledged.iter().any(|(_, told)| w.installed.keys().any(|view| view > told))
            },
        ),
        past(
            "acknowledged-in-a-later-view",
            "a client is told by a primary that is not the first",
            |_, w| w.acknowledged.iter().any(|(_, told)| *told > 0),
        ),
        past("two-acknowledged", "two clients are told", |_, w| w.acknowledged.len() > 1),
        past("acknowledged-in-two-views", "clients are told in two views", |_, w| {
            w.acknowledged.iter().any(|(_, told)| *told != w.acknowledged[0].1)
        }),
    ]
}

fn hears(step: &Step<'_>, is_such: impl Fn(&Message) -> bool) -> bool {
    matches!(&step.event, Event::Deliver { msg, .. } if is_such(msg))
}

fn sends(step: &Step<'_>, is_such: impl Fn(&Message) -> bool) -> bool {
    step.sends.iter().any(|(_, msg)| is_such(msg))
}

fn times_out(step: &Step<'_>, which: Timer) -> bool {
    matches!(&step.event, Event::Timeout { timer } if **timer == which)
}

fn chooses(step: &Step<'_>) -> bool {
    matches!(&step.event, Event::Choose { value: Request(_), .. })
}

/// Whether the replica is up before and after the step, and `is_so` is true of the two states.
fn is_live(step: &Step<'_>, is_so: impl Fn(&State, &State) -> bool) -> bool {
    matches!((step.before, step.after), (Some(before), Some(after)) if is_so(before, after))
}

fn leads(step: &Step<'_>, state: &State) -> bool {
    state.is_normal() && step.actor.primary(state.view) == step.id
}

fn starts(step: &Step<'_>) -> bool {
    sends(step, |msg| matches!(msg, Message::StartView { .. }))
}

fn recovers(step: &Step<'_>, is_so: impl Fn(&State, &State) -> bool) -> bool {
    is_live(step, |before, after| {
        before.is_recovering() && after.is_normal() && is_so(before, after)
    })
}

/// The offers among which a new primary chooses, its own included.
fn offers(step: &Step<'_>, before: &State) -> Vec<Offer> {
    let Status::ViewChange { last_normal, offers, .. } = &before.status else { return Vec::new() };
    let mut all: Vec<Offer> = offers.values().cloned().collect();
    match &step.event {
        Event::Deliver { msg: Message::DoViewChange { offer, .. }, .. } => all.push(offer.clone()),
        _ => all.push(Offer {
            last_normal: *last_normal,
            log: before.log.clone(),
            commit: before.commit,
        }),
    }
    all
}

/// How many views besides the first were led.
fn views(led: &BTreeMap<Term, Reign>) -> usize {
    led.keys().filter(|term| term.0 > 0).count()
}
