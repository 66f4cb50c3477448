//! What a protocol is given to say in its own words what a node did in one step.

use std::fmt::{Debug, Display};

use stateright::actor::Id;

use super::{Election, NodeSet, NodeStep, node_name};

/// What a node did in one step, with what it may have forgotten.
pub struct Deed<'a, E: Election> {
    /// The step. If the node crashed in the middle of it, `after` and `cut_short` are the state in
    /// which the handler would have ended.
    pub step: NodeStep<'a, E>,
    /// With a start: the state that the node had when it crashed.
    pub lost: Option<&'a E::State>,
    /// With a start: what the node finds on its disk.
    pub found: Found,
    /// How many nodes there are.
    pub nodes: usize,
    /// What the witness remembered before the step. Of runs that answer a question about liveness
    /// it remembers nothing.
    pub past: &'a E::Witness,
    /// The states of all nodes before the step; `None` for those that were down.
    pub states: Vec<Option<&'a E::State>>,
}

/// What a start finds on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// What was saved last.
    Everything,
    /// What was saved before the last save.
    Older,
    /// Nothing.
    Nothing,
}

impl Found {
    /// Why something is forgotten: ` (its disk was empty)`; nothing if the disk is not to blame.
    pub fn why(self) -> &'static str {
        match self {
            Found::Everything => "",
            Found::Older => " (the last save had not reached its disk)",
            Found::Nothing => " (its disk was empty)",
        }
    }
}

impl<E: Election> Deed<'_, E> {
    /// Those to whom a message of this kind was sent, as in `n1, n2 and n3`; `None` if nobody was.
    pub fn sent_to(&self, is_it: impl Fn(&E::Msg) -> bool) -> Option<String> {
        let sends = self.step.sends.iter().filter(|(_, msg)| is_it(msg));
        let to: NodeSet = sends.map(|(dst, _)| *dst).collect();
        (!to.is_empty()).then(|| nodes_listed(to.iter()))
    }

    /// The state of a node before the step; `None` if it was down, or if there is no such node.
    pub fn state_of(&self, id: Id) -> Option<&E::State> {
        self.states.get(usize::from(id)).copied().flatten()
    }
}

/// The kind of a message (or timer): the first word of its `Debug` form.
pub fn kind(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// Things in a list: `a, b and c`.
pub fn listed<T: Display>(things: &[T]) -> String {
    let things: Vec<String> = things.iter().map(T::to_string).collect();
    match &things[..] {
        [] => "nobody".to_string(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// Nodes in a list: `n1, n2 and n3`.
pub fn nodes_listed(nodes: impl IntoIterator<Item = Id>) -> String {
    listed(&nodes.into_iter().map(node_name).collect::<Vec<_>>())
}
