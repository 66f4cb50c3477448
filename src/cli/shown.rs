//! A system of any protocol, as front ends show it: runs in sentences and as diagrams, states as
//! sheets. Types are erased, so a front end is compiled once and not once for each protocol.

use crate::election::Election;
use crate::reference::erased::{AnySystem, Erased};
use crate::semantics::{PropertyId, StepOf, System, SystemState};
use crate::tell::diagram::{Caption, Diagram};
use crate::tell::scene::Scene;
use crate::tell::sheet;

/// A system of any protocol that can be shown.
pub trait Shown: AnySystem {
    /// What a property says.
    fn meaning(&self, property: PropertyId) -> &'static str;
    /// What the last step of a run did, in a sentence or two.
    fn told(&self, run: &[Erased]) -> String;
    /// The state after a step, with what the step changed.
    fn changed(&self, before: &Erased, after: &Erased) -> String;
    /// The whole state.
    fn whole(&self, state: &Erased) -> String;
    /// The run as a diagram.
    fn diagram(&self, run: &[Erased], caption: Caption) -> Diagram;
    /// The state after a step of a recorded run, which may change nothing.
    fn take(&self, state: &Erased, step: &Erased) -> Option<Erased>;
}

fn scene<E: Election>(system: &System<E>, run: &[Erased]) -> Scene {
    let steps: Vec<StepOf<E>> = run.iter().map(|step| step.get::<StepOf<E>>().clone()).collect();
    Scene::new(system, &steps)
}

impl<E: Election> Shown for System<E> {
    fn meaning(&self, property: PropertyId) -> &'static str {
        System::<E>::meaning(property)
    }
    fn told(&self, run: &[Erased]) -> String {
        scene(self, run).frames.pop().map(|frame| frame.told).unwrap_or_default()
    }
    fn changed(&self, before: &Erased, after: &Erased) -> String {
        sheet::changed::<E>(self, before.get(), after.get())
    }
    fn whole(&self, state: &Erased) -> String {
        sheet::whole::<E>(self, state.get::<SystemState<E>>())
    }
    fn diagram(&self, run: &[Erased], caption: Caption) -> Diagram {
        Diagram::new(&scene(self, run), caption)
    }
    fn take(&self, state: &Erased, step: &Erased) -> Option<Erased> {
        self.take(state.get::<SystemState<E>>(), step.get::<StepOf<E>>()).map(Erased::new)
    }
}
