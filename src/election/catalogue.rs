//! Protocols by name. The harness reaches a protocol only through a catalogue, which calls a
//! [`Visitor`] with the protocol's type.

use std::marker::PhantomData;

use super::{About, Election};

/// A function that is generic over the protocol. The catalogue calls it with the protocol that a
/// name stands for, so the caller need not know the type.
pub trait Visitor {
    /// The result, which does not depend on the protocol's type.
    type Output;
    /// Called with the protocol `E`.
    fn visit<E: Election>(self) -> Self::Output;
}

/// Protocols by name: this crate's own, or a user's.
pub trait Catalogue {
    /// The descriptions of all protocols, in the order in which they are presented.
    fn all(&self) -> Vec<&'static About>;

    /// Calls the visitor with the protocol of that name; `None` if there is no such protocol.
    fn visit<V: Visitor>(&self, name: &str, visitor: V) -> Option<V::Output>;

    /// Results that come with the protocols, as they take long to find: names of files, and what
    /// `check --json` and `liveness --json` have written there. `report` shows them.
    fn results(&self) -> Vec<(&'static str, &'static str)> {
        Vec::new()
    }
}

/// The catalogue of a single protocol.
pub struct Only<E>(PhantomData<E>);

impl<E: Election> Only<E> {
    /// The catalogue of `E`.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Only(PhantomData)
    }
}

impl<E: Election> Catalogue for Only<E> {
    fn all(&self) -> Vec<&'static About> {
        vec![E::about()]
    }
    fn visit<V: Visitor>(&self, name: &str, visitor: V) -> Option<V::Output> {
        (name == E::about().name).then(|| visitor.visit::<E>())
    }
}

/// Two catalogues as one. If both have a protocol of the same name, the first one's counts.
impl<A: Catalogue, B: Catalogue> Catalogue for (A, B) {
    fn all(&self) -> Vec<&'static About> {
        let first = self.0.all();
        let is_new = |about: &&'static About| first.iter().all(|known| known.name != about.name);
        first.iter().copied().chain(self.1.all().into_iter().filter(is_new)).collect()
    }
    fn visit<V: Visitor>(&self, name: &str, visitor: V) -> Option<V::Output> {
        match self.0.all().iter().any(|about| about.name == name) {
            true => self.0.visit(name, visitor),
            false => self.1.visit(name, visitor),
        }
    }
    fn results(&self) -> Vec<(&'static str, &'static str)> {
        // Of two results the later one counts.
        [self.1.results(), self.0.results()].concat()
    }
}
