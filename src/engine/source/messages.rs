//! The messages behind their ids.

use std::collections::HashMap;
use std::hash::Hash;

use stateright::actor::{Envelope, Id};

use super::{Sample, place};
use crate::engine::digest::{Digest, Interned, Interner};
use crate::engine::error::EngineError;
use crate::engine::ids::{Key, MessageId, NodeIndex, Number, narrow};
use crate::engine::program::{Arrival, MessageInfo, ProgramBuilder};
use crate::engine::row::Cell;

/// The most messages that are kept although they are equal to a message with an id. They were built
/// separately, and serve the audit.
const TWINS: usize = 1024;

/// All messages ever sent, each with its id.
pub(super) struct Messages<M> {
    seed: u64,
    nodes: usize,
    envelopes: Interner<MessageId, Envelope<M>>,
    /// For each pair of sender and receiver a number.
    links: HashMap<(Id, Id), u32>,
    twins: Sample<(MessageId, Envelope<M>)>,
}

impl<M: Hash + PartialEq> Messages<M> {
    /// No messages yet, between so many nodes.
    pub(super) fn new(seed: u64, nodes: usize) -> Self {
        Messages {
            seed,
            nodes,
            envelopes: Interner::default(),
            links: HashMap::new(),
            twins: Sample::new(TWINS),
        }
    }

    /// A message with its sender and receiver.
    pub(super) fn envelope(&self, message: MessageId) -> &Envelope<M> {
        &self.envelopes[message]
    }

    /// A sample of messages that are equal to those with their ids. Equal values may behave
    /// differently: two equal sets may list their elements in different orders.
    pub(super) fn twins(&self) -> &[(MessageId, Envelope<M>)] {
        &self.twins.kept
    }

    /// The id of a message.
    pub(super) fn id(
        &mut self,
        src: Id,
        dst: Id,
        msg: M,
        program: &mut ProgramBuilder,
    ) -> MessageId {
        let envelope = Envelope { src, dst, msg };
        let digest = Digest::of(self.seed, place::MESSAGE, &envelope);
        let (message, interned) = self.envelopes.intern(digest, envelope);
        match interned {
            Interned::New(digest) => {
                let next = narrow(self.links.len());
                let link = *self.links.entry((src, dst)).or_insert(next);
                // All who are no nodes of the model share a column, but each has its own queue.
                let (src, dst) = (NodeIndex::of(src, self.nodes), NodeIndex::of(dst, self.nodes));
                let column = program.column(src, dst);
                program.add_message(MessageInfo { share: digest.share(), src, link, column });
            }
            Interned::Known(twin) => self.twins.offer(|| (message, twin)),
        }
        message
    }
}

/// What is in flight at the start, sorted by column.
#[derive(Default)]
pub(super) struct InFlight {
    columns: Vec<Vec<MessageId>>,
}

impl InFlight {
    /// Adds a message that may arrive then, behind what was added before.
    pub(super) fn add(&mut self, message: MessageId, arrival: Arrival, program: &ProgramBuilder) {
        let column = program.column_of(message, arrival).position();
        let known = self.columns.len();
        self.columns.resize(known.max(column + 1), Vec::new());
        self.columns[column].push(message);
    }

    /// The row of a state with this world and these local states.
    pub(super) fn row(
        self,
        world: impl Key,
        locals: Vec<impl Key>,
        program: &mut ProgramBuilder,
    ) -> Result<Vec<u32>, EngineError> {
        let mut row: Vec<u32> = vec![Cell::of(world)];
        row.extend(locals.into_iter().map(<u32 as Cell>::of));
        for messages in self.columns {
            row.push(Cell::of(program.flow(messages)?));
        }
        Ok(row)
    }
}
