//! Messages between one node and others, in the order that matters on their network.

use stateright::actor::Id;

use crate::semantics::network::NetworkKind;

/// Messages between one node and others, of whom each is named with its message. On the ordered
/// network those from or to one other node stand in the order in which they were sent; on the
/// unordered one they stand in the order of their values. So bags that go on alike are equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Messages<M> {
    is_ordered: bool,
    all: Vec<(Id, M)>,
}

impl<M: Ord> Messages<M> {
    /// No messages.
    pub(super) fn new(network: NetworkKind) -> Self {
        Messages { is_ordered: network == NetworkKind::Ordered, all: Vec::new() }
    }

    /// One more message, sent after all that are there.
    pub(super) fn put(&mut self, other: Id, msg: M) {
        let at = match self.is_ordered {
            true => self.all.partition_point(|(known, _)| *known <= other),
            false => self.all.partition_point(|(known, m)| (known, m) <= (&other, &msg)),
        };
        self.all.insert(at, (other, msg));
    }

    /// Every message, each copy for itself.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Id, &M)> {
        self.all.iter().map(|(other, msg)| (*other, msg))
    }

    /// Those that may come next, each once: all; or, in order, the first of each node. Each stands
    /// with its position.
    pub(super) fn heads(&self) -> impl Iterator<Item = (usize, Id, &M)> {
        let is_head = |at: &usize| {
            let Some(before) = at.checked_sub(1) else { return true };
            let (before, this) = (&self.all[before], &self.all[*at]);
            if self.is_ordered { before.0 != this.0 } else { before != this }
        };
        (0..self.all.len()).filter(is_head).map(|at| (at, self.all[at].0, &self.all[at].1))
    }

    /// Those of which one may be lost: each once, with its position.
    pub(super) fn distinct(&self) -> impl Iterator<Item = (usize, Id, &M)> {
        let is_first = |at: &usize| !self.all[..*at].contains(&self.all[*at]);
        (0..self.all.len()).filter(is_first).map(|at| (at, self.all[at].0, &self.all[at].1))
    }

    /// How many messages wait of which the one at this position is the next: its copies; or, in
    /// order, all of its node.
    pub(super) fn waiting(&self, at: usize) -> usize {
        let is_like = |other: &&(Id, M)| match self.is_ordered {
            true => other.0 == self.all[at].0,
            false => **other == self.all[at],
        };
        self.all.iter().filter(is_like).count()
    }

    /// Takes out the message at this position.
    pub(super) fn remove(&mut self, at: usize) {
        self.all.remove(at);
    }

    /// Keeps only the messages for which `keep` is true.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(Id, &M) -> bool) {
        self.all.retain(|(other, msg)| keep(*other, msg));
    }

    /// Changes each message.
    pub(super) fn change(&mut self, mut change: impl FnMut(&mut M)) {
        self.all.iter_mut().for_each(|(_, msg)| change(msg));
        if !self.is_ordered {
            self.all.sort_unstable();
        }
    }

    /// Takes out all.
    pub(super) fn clear(&mut self) {
        self.all.clear();
    }

    /// How many there are, each copy for itself.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bag(network: NetworkKind) -> Messages<char> {
        let mut bag = Messages::new(network);
        for (other, msg) in [(2, 'b'), (1, 'd'), (2, 'a'), (1, 'c'), (1, 'd')] {
            bag.put(Id::from(other), msg);
        }
        bag
    }

    fn heads(bag: &Messages<char>) -> Vec<(usize, usize, char)> {
        bag.heads().map(|(at, other, msg)| (at, other.into(), *msg)).collect()
    }

    #[test]
    fn on_the_unordered_network_each_distinct_message_may_come_next() {
        let mut bag = bag(NetworkKind::Unordered);
        assert_eq!(heads(&bag), [(0, 1, 'c'), (1, 1, 'd'), (3, 2, 'a'), (4, 2, 'b')]);
        assert_eq!([0, 1, 3, 4].map(|at| bag.waiting(at)), [1, 2, 1, 1], "copies");
        bag.remove(1);
        assert_eq!(heads(&bag), [(0, 1, 'c'), (1, 1, 'd'), (2, 2, 'a'), (3, 2, 'b')]);
        bag.change(|msg| *msg = if *msg == 'a' { 'z' } else { *msg });
        assert_eq!(heads(&bag), [(0, 1, 'c'), (1, 1, 'd'), (2, 2, 'b'), (3, 2, 'z')]);
    }

    #[test]
    fn on_the_ordered_network_only_the_first_of_each_node_may_come_next() {
        let mut bag = bag(NetworkKind::Ordered);
        assert_eq!(heads(&bag), [(0, 1, 'd'), (3, 2, 'b')]);
        assert_eq!([0, 3].map(|at| bag.waiting(at)), [3, 2], "all of a queue");
        bag.remove(0);
        assert_eq!(heads(&bag), [(0, 1, 'c'), (2, 2, 'b')]);
        bag.change(|msg| *msg = if *msg == 'b' { 'z' } else { *msg });
        bag.retain(|_, msg| *msg != 'c');
        let all: Vec<char> = bag.iter().map(|(_, msg)| *msg).collect();
        assert_eq!(all, ['d', 'z', 'a']);
    }
}
