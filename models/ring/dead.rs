//! Which messages are dead: our own argument, not the papers'.

use stateright::actor::Id;

use super::Ring;
use super::message::Message;

/// Chang and Roberts' winner has nothing to learn from its own number: C5 is for everybody else. So
/// that message is dead to its owner, whatever the owner's state and whatever bug is planted.
///
/// In the textbook ring no message is dead. There are no terms, so nothing says that a message
/// cannot still have an effect.
pub(super) fn is_dead(ring: &Ring, id: Id, msg: &Message) -> bool {
    matches!(msg, Message::Elected { number } if *number == ring.number(id))
}
