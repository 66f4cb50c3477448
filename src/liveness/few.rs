//! What the environment may do in a run: it has a budget for each kind of fault, and for input.

use crate::election::Election;
use crate::semantics::System;
use crate::semantics::world::{Faults, World};

/// What the environment may still do in a run, or has done in a tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Few {
    /// Crashes.
    pub(super) crashes: u32,
    /// Restarts, with the disk intact.
    pub(super) restarts: u32,
    /// Messages lost on links that are up.
    pub(super) losses: u32,
    /// Client inputs. They come in the order of their numbers, whichever nodes they go to.
    pub(super) inputs: Inputs,
}

impl Few {
    /// What is left of a system's budgets.
    pub(super) fn of<E: Election>(system: &System<E>, world: &World<E::Witness>) -> Few {
        let Faults { crashes, restarts, losses, .. } = world.left;
        let all = E::inputs(&system.actors);
        Few { crashes, restarts, losses, inputs: Inputs::after(all - world.inputs_left, all) }
    }

    /// What is left after some has been used; `None` if that is too much.
    pub(super) fn without(self, used: Few) -> Option<Few> {
        Some(Few {
            crashes: self.crashes.checked_sub(used.crashes)?,
            restarts: self.restarts.checked_sub(used.restarts)?,
            losses: self.losses.checked_sub(used.losses)?,
            inputs: self.inputs.without(used.inputs)?,
        })
    }

    /// Whether the inputs that a tick has used come before those that are left after it.
    pub(super) fn is_in_order_after(self, before: Few) -> bool {
        let used = before.inputs.without(self.inputs).unwrap_or_default();
        self.inputs.above(used).count() as u32 == self.inputs.len()
    }
}

/// Client inputs by number, the first one being 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Inputs(u32);

impl Inputs {
    /// So many can be told apart.
    pub(super) const MOST: u32 = u32::BITS;

    /// Of so many all but the first.
    fn after(first: u32, all: u32) -> Inputs {
        let below = |number: u32| 1u32.checked_shl(number).map_or(u32::MAX, |bit| bit - 1);
        Inputs(below(all) & !below(first))
    }

    pub(super) fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// All of these but one.
    pub(super) fn but(self, number: u32) -> Inputs {
        Inputs(self.0 & !Inputs::of(number).0)
    }

    pub(super) fn without(self, used: Inputs) -> Option<Inputs> {
        (self.0 & used.0 == used.0).then_some(Inputs(self.0 & !used.0))
    }

    /// Those above the highest of `used`: a node takes inputs in the order of their numbers.
    pub(super) fn above(self, used: Inputs) -> impl Iterator<Item = u32> {
        let highest = u32::BITS - used.0.leading_zeros();
        (highest + 1..=Self::MOST).filter(move |number| self.0 >> (number - 1) & 1 == 1)
    }

    fn of(number: u32) -> Inputs {
        Inputs(1 << (number - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of three inputs: which may be left after a tick that began with the last two.
    #[test]
    fn inputs_come_in_the_order_of_their_numbers() {
        let few = |inputs: &[u32]| {
            let bits = inputs.iter().fold(0, |bits, number| bits | Inputs::of(*number).0);
            Few { inputs: Inputs(bits), ..Few::default() }
        };
        assert_eq!(Inputs::after(1, 3), few(&[2, 3]).inputs);
        assert_eq!(Inputs::after(0, Inputs::MOST).len(), Inputs::MOST);
        let after = [few(&[2, 3]), few(&[3]), few(&[2]), few(&[])];
        let in_order = after.map(|after| after.is_in_order_after(few(&[2, 3])));
        assert_eq!(in_order, [true, true, false, true]);
        assert_eq!(few(&[2]).without(few(&[3])), None, "it was handed in elsewhere");
        let above: Vec<u32> = few(&[1, 3]).inputs.above(few(&[2]).inputs).collect();
        assert_eq!(above, [3]);
    }
}
