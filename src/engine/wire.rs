//! Messages and flows behind their numbers; the part of a front end that concerns the network.

use std::hash::Hash;

use stateright::actor::{Envelope, Id};

use super::digest::{Digest, Interner};
use super::tables::*;

const MESSAGE: u64 = 1 << 32;
const FLOW: u64 = 2 << 32;

/// The messages ever sent, and the queues they ever stood in.
pub struct Wire<M> {
    seed: u64,
    nodes: usize,
    messages: Interner<Envelope<M>>,
    /// How many messages to each node there are.
    to: [u32; 16],
    flows: Interner<Box<[Message]>>,
}

impl<M: Hash> Wire<M> {
    pub fn new(seed: u64, nodes: usize) -> Self {
        Wire { seed, nodes, messages: Interner::default(), to: [0; 16], flows: Interner::default() }
    }

    pub fn envelope(&self, message: Message) -> &Envelope<M> {
        &self.messages[message]
    }

    pub fn queue(&self, flow: Flow) -> &[Message] {
        &self.flows[flow]
    }

    pub fn message(&mut self, src: Id, dst: Id, msg: M, tables: &mut Tables) -> Message {
        let envelope = Envelope { src, dst, msg };
        let digest = Digest::of(self.seed, MESSAGE, &envelope);
        let (message, is_new) = self.messages.intern(digest, envelope);
        if is_new {
            let (src, dst) = (usize::from(src), usize::from(dst));
            // Messages to nobody are never looked up.
            let count = &mut self.to[dst % 16];
            let ordinal = *count;
            *count += 1;
            tables.add_message(MessageInfo {
                share: digest.share(),
                link: (src as u32) << 16 | (dst as u32 & 0xffff),
                ordinal,
                src: src as u8,
                dst: if dst < self.nodes { dst as u8 } else { NO_NODE },
            });
        }
        message
    }

    pub fn flow(&mut self, queue: Box<[Message]>, tables: &mut Tables) -> Flow {
        let content: Vec<&Envelope<M>> = queue.iter().map(|&m| &self.messages[m]).collect();
        let digest = Digest::of(self.seed, FLOW, &content);
        let link = tables.messages[queue[0] as usize].link;
        let (flow, is_new) = self.flows.intern(digest, queue.clone());
        if is_new {
            tables.flows.push(FlowInfo { share: digest.share(), link, messages: queue });
        }
        flow
    }

    /// Answers [`Miss::Push`].
    pub fn push(&mut self, flow: Flow, message: Message, tables: &mut Tables) {
        let queue = if flow == NOTHING { &[] } else { self.queue(flow) };
        let longer = queue.iter().copied().chain([message]).collect();
        let longer = self.flow(longer, tables);
        tables.pushed.insert(flow, message, longer);
    }

    /// Answers [`Miss::Remove`].
    pub fn remove(&mut self, flow: Flow, within: u32, tables: &mut Tables) {
        let mut queue = self.queue(flow).to_vec();
        queue.remove(within as usize);
        let rest = if queue.is_empty() { NOTHING } else { self.flow(queue.into(), tables) };
        tables.removed.insert(flow, within, rest);
    }
}

/// What a handler's panic says, for the message about it.
pub fn panic_text(panic: Box<dyn std::any::Any + Send>) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|t| t.to_string())).unwrap_or_default()
}
