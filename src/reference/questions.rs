//! A [`System`] as a `stateright::Model`, for stateright's own checkers and its Explorer.

use crate::election::Election;
use crate::semantics::{MAX_PROPERTIES, PropertyId, StepOf, System, SystemState};

/// A model over the states of a [`System`] whose properties are known by their positions.
///
/// The conditions that stateright takes are plain functions, which cannot capture a position: [`always`] makes one for
/// each.
pub trait Questioned<E: Election>: stateright::Model<State = SystemState<E>> + Sized {
    fn holds_here(&self, property: PropertyId, state: &SystemState<E>) -> bool;
}

/// These properties for stateright's checkers.
pub fn always<E: Election, M: Questioned<E>>(asked: &[PropertyId]) -> Vec<stateright::Property<M>> {
    fn nth<E: Election, M: Questioned<E>, const N: u8>(model: &M, state: &SystemState<E>) -> bool {
        model.holds_here(PropertyId(N), state)
    }
    let conditions: [fn(&M, &SystemState<E>) -> bool; MAX_PROPERTIES] = [
        nth::<E, M, 0>,
        nth::<E, M, 1>,
        nth::<E, M, 2>,
        nth::<E, M, 3>,
        nth::<E, M, 4>,
        nth::<E, M, 5>,
        nth::<E, M, 6>,
        nth::<E, M, 7>,
        nth::<E, M, 8>,
        nth::<E, M, 9>,
        nth::<E, M, 10>,
        nth::<E, M, 11>,
        nth::<E, M, 12>,
        nth::<E, M, 13>,
        nth::<E, M, 14>,
        nth::<E, M, 15>,
    ];
    let names = System::<E>::properties();
    assert!(names.len() <= MAX_PROPERTIES, "at most {MAX_PROPERTIES} properties");
    let asked = names.into_iter().filter(|(property, _)| asked.contains(property));
    asked.map(|(p, name)| stateright::Property::always(name, conditions[usize::from(p.0)])).collect()
}

impl<E: Election> Questioned<E> for System<E> {
    fn holds_here(&self, property: PropertyId, state: &SystemState<E>) -> bool {
        self.holds(property, state).is_ok()
    }
}

impl<E: Election> stateright::Model for System<E> {
    type State = SystemState<E>;
    type Action = StepOf<E>;

    fn init_states(&self) -> Vec<Self::State> {
        vec![self.initial()]
    }

    fn actions(&self, state: &Self::State, actions: &mut Vec<Self::Action>) {
        actions.extend(self.successors(state).into_iter().map(|(step, _)| step));
    }

    fn next_state(&self, state: &Self::State, step: Self::Action) -> Option<Self::State> {
        self.apply(state, &step)
    }

    fn within_boundary(&self, state: &Self::State) -> bool {
        self.beyond(state).is_none()
    }

    fn properties(&self) -> Vec<stateright::Property<Self>> {
        let all: Vec<PropertyId> = Self::properties().into_iter().map(|(property, _)| property).collect();
        always(&all)
    }

    fn format_action(&self, step: &Self::Action) -> String {
        self.name(step)
    }
}
