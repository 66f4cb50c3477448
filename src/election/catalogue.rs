//! Protocols by name. The harness meets a protocol only through a catalogue, which hands it over as
//! a type.

use std::marker::PhantomData;

use super::{About, Election};

/// Something to be done with whichever protocol a name stands for; how the catalogue erases types.
pub trait Visitor {
    /// What comes of it.
    type Output;
    /// Does it with the protocol `E`.
    fn visit<E: Election>(self) -> Self::Output;
}

/// Protocols by name: this crate's own, or a user's.
pub trait Catalogue {
    /// What each says of itself, in the order in which they are presented.
    fn all(&self) -> Vec<&'static About>;

    /// Hands the protocol of that name to the visitor; `None` if there is no such protocol.
    fn visit<V: Visitor>(&self, name: &str, visitor: V) -> Option<V::Output>;
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

/// Two catalogues as one. Of a name that stands in both, the first one's protocol is meant.
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
}
