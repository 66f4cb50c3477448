//! Worlds: what each allows, and how events change it.

use std::sync::Arc;

use stateright::actor::Id;

use super::SystemSource;
use super::handlers::Origin;
use crate::election::{Check, Election, MAX_NODES};
use crate::engine::digest::{Digest, Interned};
use crate::engine::ids::{MessageId, OutcomeId, WorldEvent, WorldId};
use crate::engine::program::{NewWorld, Program, ProgramBuilder};
use crate::engine::source::place;
use crate::semantics::node::Disk;
use crate::semantics::world::{Faults, World};
use crate::semantics::{PropertyId, Timing, event};

/// All events of single places that a budget pays for.
const PAID: [WorldEvent; 7] = [
    WorldEvent::Crash,
    WorldEvent::Restart(Disk::Intact),
    WorldEvent::Restart(Disk::Empty),
    WorldEvent::Restart(Disk::Older),
    WorldEvent::Lose,
    WorldEvent::Duplicate,
    WorldEvent::Input,
];

/// Whether the budget that pays for an event is not used up.
fn can_pay<W>(world: &World<W>, event: WorldEvent) -> bool {
    let left = &world.left;
    match event {
        WorldEvent::Crash => left.crashes > 0,
        WorldEvent::Restart(disk) => left.allows(disk),
        WorldEvent::Lose => left.losses > 0,
        WorldEvent::Duplicate => left.duplications > 0,
        WorldEvent::Input => world.inputs_left > 0,
        WorldEvent::Switch(topology) => left.switches > 0 && topology != world.topology,
        WorldEvent::Stabilise => !world.stabilised,
        WorldEvent::Outcome(_) => true,
    }
}

/// Changes a world by an event that is no outcome.
fn pay<W>(world: &mut World<W>, event: WorldEvent) {
    let left = &mut world.left;
    match event {
        WorldEvent::Crash => left.crashes -= 1,
        WorldEvent::Restart(disk) => left.pay_for(disk),
        WorldEvent::Lose => left.losses -= 1,
        WorldEvent::Duplicate => left.duplications -= 1,
        WorldEvent::Input => world.inputs_left -= 1,
        WorldEvent::Switch(topology) => {
            left.switches -= 1;
            world.topology = topology;
        }
        WorldEvent::Stabilise => {
            world.left = Faults::none();
            world.stabilised = true;
        }
        WorldEvent::Outcome(_) => {}
    }
}

impl<E: Election> SystemSource<'_, E> {
    /// The id of a world.
    pub(super) fn world(
        &mut self,
        world: Arc<World<E::Witness>>,
        program: &mut ProgramBuilder,
    ) -> WorldId {
        let digest = Digest::of(self.seed, place::WORLD, &world);
        let (id, interned) = self.worlds.intern(digest, world);
        if let Interned::New(digest) = interned {
            program.add_world(self.describe_world(&self.worlds[id], digest));
        }
        id
    }

    fn describe_world(&self, world: &World<E::Witness>, digest: Digest) -> NewWorld {
        let (rules, n) = (&self.system.rules, self.system.actors.len());
        let mut broken = world.broken.keys().map(|&property| PropertyId(property)).collect();
        broken |= self.broken(|check| match check {
            Check::Witness(holds) => holds(&world.witness),
            _ => Ok(()),
        });
        let topology = &rules.topologies[usize::from(world.topology)];
        let mut links = [0; MAX_NODES];
        for (src, row) in links.iter_mut().enumerate().take(n) {
            let up = (0..n).filter(|&dst| topology.is_up(Id::from(src), Id::from(dst)));
            *row = up.fold(0, |bits, dst| bits | 1 << dst);
        }
        let others = (0..=u8::MAX).take(rules.topologies.len()).skip(1);
        NewWorld {
            share: digest.share(),
            broken,
            timeless: self.system.is_timeless(world),
            affordable: PAID.into_iter().filter(|event| can_pay(world, *event)).collect(),
            can_tear: world.left.torn && world.left.crashes > 0,
            next_input: self.system.next_input(world),
            goals: self.system.goals_of_past(world),
            may_stabilise: rules.timing == Timing::Stabilising
                && can_pay(world, WorldEvent::Stabilise),
            switches: others.filter(|t| can_pay(world, WorldEvent::Switch(*t))).collect(),
            links,
        }
    }

    /// Finds the world after an event.
    pub(super) fn resolve_world(
        &mut self,
        id: WorldId,
        event: WorldEvent,
        program: &mut ProgramBuilder,
    ) {
        let mut world = self.worlds[id].clone();
        if let WorldEvent::Outcome(outcome) = event {
            if let Some(after) = self.observe(&world, outcome, program) {
                world = Arc::new(after);
            }
        } else {
            pay(Arc::make_mut(&mut world), event);
        }
        let after = self.world(world, program);
        program.set_world_after(id, event, after);
    }

    /// The world after it has taken note of an outcome; `None` if there is nothing to note.
    fn observe(
        &self,
        world: &World<E::Witness>,
        id: OutcomeId,
        program: &Program,
    ) -> Option<World<E::Witness>> {
        let origin @ Origin { before, cut_short, .. } = self.origins[id];
        let outcome = program.outcome(id);
        let (i, before) = &self.nodes[before];
        let after = &self.nodes[outcome.after].1;
        let sent = |message: &MessageId| {
            let envelope = self.messages.envelope(*message);
            (envelope.dst, envelope.msg.clone())
        };
        let sends: Vec<(Id, E::Msg)> = program.sends_of(outcome).iter().map(sent).collect();
        let told = self.told(origin);
        let cut_short = cut_short.and_then(|local| self.nodes[local].1.state.as_deref());
        let states = (&**before, event(&told), &**after);
        let step = self.system.node_step(i.id(), states, &sends, cut_short);
        let broken_rules = self.broken_rules.get(&id).map_or(&[][..], |rules| rules);
        world.observe(&self.system.invariants, &step, broken_rules)
    }
}
