//! Messages behind their numbers; the part of a front end that concerns the network.

use std::collections::HashMap;
use std::hash::Hash;

use stateright::actor::{Envelope, Id};

use super::digest::{Digest, Interned, Interner};
use super::tables::*;

const MESSAGE: u64 = 1 << 32;

/// As many messages are kept that are equal to others, but were put together separately.
const TWINS: usize = 1024;

/// The messages ever sent.
pub struct Wire<M> {
    seed: u64,
    nodes: usize,
    messages: Interner<Envelope<M>>,
    /// Sender and receiver as one number, whichever they are.
    links: HashMap<(Id, Id), u32>,
    twins: Vec<(Message, Envelope<M>)>,
    met_again: usize,
}

impl<M: Hash + PartialEq> Wire<M> {
    pub fn new(seed: u64, nodes: usize) -> Self {
        Wire {
            seed,
            nodes,
            messages: Interner::default(),
            links: HashMap::new(),
            twins: Vec::new(),
            met_again: 0,
        }
    }

    pub fn envelope(&self, message: Message) -> &Envelope<M> {
        &self.messages[message]
    }

    /// A sample of envelopes that are equal to those with their numbers: what is equal is not always the same, as a set
    /// may go through its elements in another order.
    pub fn twins(&self) -> &[(Message, Envelope<M>)] {
        &self.twins
    }

    pub fn message(&mut self, src: Id, dst: Id, msg: M, tables: &mut Tables) -> Message {
        let envelope = Envelope { src, dst, msg };
        let digest = Digest::of(self.seed, MESSAGE, &envelope);
        let (message, interned) = self.messages.intern(digest, envelope);
        match interned {
            Interned::New(digest) => {
                let next = self.links.len() as u32;
                let link = *self.links.entry((src, dst)).or_insert(next);
                let node =
                    |id: Id| if usize::from(id) < self.nodes { usize::from(id) as u8 } else { NO_NODE };
                // Whoever is no node of the model is a stranger. Strangers share a column, but not a queue.
                let (src, column) = (node(src), tables.column(node(src), node(dst)));
                tables.messages.push(MessageInfo { share: digest.share(), src, link, column });
            }
            Interned::Known(twin) => {
                self.met_again += 1;
                if self.twins.len() < TWINS && (self.met_again < 256 || self.met_again.is_multiple_of(61)) {
                    self.twins.push((message, twin));
                }
            }
        }
        message
    }
}
