//! What a protocol promises once the network has *healed*. From then on all links are up, nothing
//! fails, messages arrive within their tick and timers fire within their limits. Nodes that are
//! down stay down.
//!
//! Protocols promise different things. Raft promises a leader that a quorum follows; single-decree
//! Paxos ends when the value is learned, and needs no leader then; in Viewstamped Replication a
//! replica that recovers does not count as up. So each protocol says what must be reached
//! ([`AfterHealing::recovered`]), and when it still can be reached ([`AfterHealing::can_recover`]).
//! How long this may take is not said here; the harness decides it.

use stateright::actor::{Actor, Id};

use super::{Election, NodeSet, Term, Value, node_name};

/// The nodes of a system whose network has healed.
pub struct Healed<'a, E: Actor> {
    /// The nodes' configurations.
    pub nodes: &'a [E],
    /// The nodes' states. `None` for a node that is down; it stays down.
    pub states: Vec<Option<&'a E::State>>,
    /// What each node saved last. Nodes that are down are included, since a message about what they
    /// saved may still be in flight.
    pub disks: Vec<Option<&'a E::Storage>>,
}

/// Who leads, and in which term.
pub type Led = (Id, Term);

/// What a protocol promises of a healed network.
pub struct AfterHealing<E: Election> {
    /// The promise, as the end of the sentence "once the network has healed, ..".
    pub meaning: &'static str,
    /// Whether the promise is kept in this state. `Ok` says who leads (`None` if no leader is
    /// needed any more), `Err` says what is missing. It is asked at each tick, and the answer must
    /// stay the same for a number of ticks.
    pub recovered: fn(&Healed<'_, E>) -> Result<Option<Led>, String>,
    /// Whether the promise can be kept with the nodes that are up. Random faults stop short of
    /// making this false.
    pub can_recover: fn(&Healed<'_, E>) -> bool,
    /// Which client inputs still come after healing. Actions of an operator, such as a change of
    /// the membership, should not: they could keep the group from recovering.
    pub takes: fn(&E::Random) -> bool,
}

impl<E: Election> Clone for AfterHealing<E> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<E: Election> Copy for AfterHealing<E> {}

impl<E: Election> AfterHealing<E> {
    /// The promise of a protocol that only says who leads: one node comes to lead, and keeps
    /// leading.
    pub fn one_leads() -> Self {
        AfterHealing {
            meaning: "one node comes to lead, and no other leads a later term",
            recovered: |healed| healed.latest_leader().map(Some),
            can_recover: |healed| healed.has_quorum(),
            takes: |_| true,
        }
    }

    /// The usual promise: a leader comes about that a quorum follows, and in the end every node
    /// that is up follows it.
    pub fn all_follow_a_leader() -> Self {
        AfterHealing {
            meaning: "a leader comes about that a quorum follows, and so does every other node that is up",
            recovered: |healed| {
                let led = healed.followed_leader()?;
                healed.all_follow(led, healed.up()).map(|()| Some(led))
            },
            ..Self::one_leads()
        }
    }

    /// The promise of elections by rank: the highest node that is up leads.
    pub fn highest_leads() -> Self {
        AfterHealing {
            meaning: "the highest node that is up comes to lead, alone, and every other node that is up follows it",
            recovered: |healed| {
                let led = healed.followed_leader()?;
                healed.all_follow(led, healed.up())?;
                match healed.up().iter().max() {
                    Some(highest) if highest != led.0 => Err(format!(
                        "{} leads, though {} is up",
                        node_name(led.0),
                        node_name(highest)
                    )),
                    _ => Ok(Some(led)),
                }
            },
            ..Self::one_leads()
        }
    }
}

/// A value of an option with which a protocol does not recover, and the value that runs with
/// healing take instead. Corpora switch off what only the passing of time needs (heartbeats,
/// repetitions), since this makes an asynchronous search smaller.
#[derive(Clone, Copy, Debug)]
pub struct NeedOfTime {
    /// The name of the option.
    pub option: &'static str,
    /// The value that is not enough.
    pub not: Value,
    /// What it must be instead.
    pub but: Value,
}

impl<'a, E: Election> Healed<'a, E> {
    /// The nodes that are up.
    pub fn up(&self) -> NodeSet {
        self.live().map(|(id, ..)| id).collect()
    }

    /// The nodes that are up, each with its configuration and its state.
    pub fn live(&self) -> impl Iterator<Item = (Id, &'a E, &'a E::State)> {
        let nodes = self.nodes.iter().zip(&self.states).enumerate();
        nodes.filter_map(|(i, (node, state))| Some((Id::from(i), node, (*state)?)))
    }

    /// Configuration and state of a node that is up.
    pub fn get(&self, id: Id) -> Option<(&'a E, &'a E::State)> {
        Some((self.nodes.get(usize::from(id))?, (*self.states.get(usize::from(id))?)?))
    }

    /// Whether the nodes that are up are a quorum for one of them.
    pub fn has_quorum(&self) -> bool {
        self.has_quorum_of(self.up())
    }

    /// Whether those of these nodes that are up are a quorum for one of them.
    pub fn has_quorum_of(&self, members: NodeSet) -> bool {
        let mut members_up = self.live().filter(|(id, ..)| members.contains(*id));
        members_up.any(|(_, node, state)| node.is_quorum(state, self.nodes.len(), members, members))
    }

    /// Who leads. Where several do: who leads the latest term, unless that is led twice.
    pub fn latest_leader(&self) -> Result<Led, String> {
        let mut leaders: Vec<Led> = self
            .live()
            .filter_map(|(id, node, state)| Some((id, node.leads(id, state)?)))
            .collect();
        leaders.sort_by_key(|&(id, term)| (term, id));
        match leaders[..] {
            [] => Err("nobody leads".to_string()),
            [.., (a, s), (b, t)] if s == t => {
                Err(format!("{} and {} both lead", node_name(a), node_name(b)))
            }
            [.., last] => Ok(last),
        }
    }

    /// The leader that a quorum follows.
    pub fn followed_leader(&self) -> Result<Led, String> {
        let (id, term) = self.latest_leader()?;
        let (node, state) = self.get(id).expect("a leader is up");
        let up = self.up();
        let members: NodeSet = up.iter().filter(|&other| self.follows(other, (id, term))).collect();
        if node.is_quorum(state, self.nodes.len(), up, members) {
            return Ok((id, term));
        }
        Err(format!("{} leads{}, and {members:?} are no quorum", node_name(id), in_term::<E>(term)))
    }

    /// Whether a node follows this leader, or is it.
    fn follows(&self, id: Id, (leader, term): Led) -> bool {
        let follows =
            |(node, state): (&E, &E::State)| node.follows(id, state) == Some((term, leader));
        id == leader || self.get(id).is_some_and(follows)
    }

    /// Whether all these nodes follow the leader, as far as they are up.
    pub fn all_follow(&self, led: Led, nodes: NodeSet) -> Result<(), String> {
        let up = self.up();
        match nodes.iter().find(|&id| up.contains(id) && !self.follows(id, led)) {
            Some(id) => Err(format!(
                "{} leads{}, and {} does not follow",
                node_name(led.0),
                in_term::<E>(led.1),
                node_name(id)
            )),
            None => Ok(()),
        }
    }
}

/// In which term, where there are terms.
fn in_term<E: Election>(term: Term) -> String {
    if E::about().has_terms { format!(" term {term}") } else { String::new() }
}
