//! Goals about whole runs: who has led, and what was delivered.

use std::collections::{BTreeMap, BTreeSet};

use stateright::actor::Id;

use super::super::Zab;
use super::super::state::Epoch;
use super::super::witness::Witness;
use super::past;
use crate::election::{Goal, Reign, Term};

/// All goals of this file.
pub(super) fn goals() -> Vec<Goal<Zab>> {
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
        past("two-primaries-broadcast", "A primary of a later epoch broadcasts.", |_, m| {
            primaries(m) > 1
        }),
        past("delivered-of-two-epochs", "Transactions of two epochs are delivered.", |_, m| {
            m.longest.first().map(|txn| txn.zxid.epoch) < m.longest.last().map(|txn| txn.zxid.epoch)
        }),
        past(
            "two-majorities",
            "A quorum has stood behind each of two servers in one round.",
            |_, m| {
                let many = m.support.iter().filter(|(_, support)| support.by.len() > 1);
                let rounds: Vec<u32> = many.map(|(&(round, _), _)| round).collect();
                rounds.windows(2).any(|two| two[0] == two[1])
            },
        ),
    ]
}

fn primaries(witness: &Witness) -> usize {
    let epochs: BTreeSet<Epoch> = witness.primaries.keys().map(|&(epoch, _)| epoch).collect();
    epochs.len()
}

fn leads_again(led: &BTreeMap<Term, Reign>) -> bool {
    let by: Vec<Id> = led.values().map(|reign| reign.node).collect();
    by.iter().enumerate().any(|(i, node)| by[..i].contains(node))
}
