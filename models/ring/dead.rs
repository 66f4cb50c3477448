//! Which messages are dead: our own argument, not the papers'.

use stateright::actor::Id;

use super::Ring;
use super::message::Message;

/// The winner of Chang and Roberts' election learns nothing from its own ELECTED: C5 is for all
/// other nodes. So this message is dead at its owner, in every state and with every planted bug.
///
/// In the textbook ring no message is dead. There are no terms, so nothing says that a message
/// cannot still have an effect.
pub(super) fn is_dead(ring: &Ring, id: Id, msg: &Message) -> bool {
    matches!(msg, Message::Elected { number } if *number == ring.number(id))
}
