//! Messages behind their numbers; the part of a front end that concerns the network.

use std::hash::Hash;

use stateright::actor::{Envelope, Id};

use super::digest::{Digest, Interner};
use super::tables::*;

const MESSAGE: u64 = 1 << 32;

/// The messages ever sent.
pub struct Wire<M> {
    seed: u64,
    nodes: usize,
    messages: Interner<Envelope<M>>,
}

impl<M: Hash> Wire<M> {
    pub fn new(seed: u64, nodes: usize) -> Self {
        Wire { seed, nodes, messages: Interner::default() }
    }

    pub fn envelope(&self, message: Message) -> &Envelope<M> {
        &self.messages[message]
    }

    pub fn message(&mut self, src: Id, dst: Id, msg: M, tables: &mut Tables) -> Message {
        let envelope = Envelope { src, dst, msg };
        let digest = Digest::of(self.seed, MESSAGE, &envelope);
        let (message, is_new) = self.messages.intern(digest, envelope);
        if is_new {
            let (src, dst) = (usize::from(src), usize::from(dst));
            let link = (src as u32) << 16 | (dst as u32 & 0xffff);
            let (src, dst) = (src as u8, if dst < self.nodes { dst as u8 } else { NO_NODE });
            let column = tables.column(src, dst);
            tables.messages.push(MessageInfo { share: digest.share(), src, link, column });
        }
        message
    }
}

/// What a handler's panic says, for the message about it.
pub fn panic_text(panic: Box<dyn std::any::Any + Send>) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|t| t.to_string())).unwrap_or_default()
}
