//! A [`System`] as a `stateright::Model`, for stateright's own checkers and its Explorer.

use crate::election::Election;
use crate::semantics::{MAX_PROPERTIES, PropertyId, StepOf, System, SystemState};

/// A model over the states of a [`System`] whose properties are known by their positions.
///
/// The conditions that stateright takes are plain functions, which cannot capture a position:
/// [`always`] makes one for each.
pub trait Questioned: stateright::Model + Sized {
    /// Whether a property holds in a state.
    fn holds_here(&self, property: PropertyId, state: &Self::State) -> bool;
}

/// These properties for stateright's checkers.
pub fn always<M: Questioned>(
    names: Vec<(PropertyId, &'static str)>,
    asked: &[PropertyId],
) -> Vec<stateright::Property<M>> {
    fn nth<M: Questioned, const N: u8>(model: &M, state: &M::State) -> bool {
        model.holds_here(PropertyId(N), state)
    }
    let conditions: [fn(&M, &M::State) -> bool; MAX_PROPERTIES] = [
        nth::<M, 0>,
        nth::<M, 1>,
        nth::<M, 2>,
        nth::<M, 3>,
        nth::<M, 4>,
        nth::<M, 5>,
        nth::<M, 6>,
        nth::<M, 7>,
        nth::<M, 8>,
        nth::<M, 9>,
        nth::<M, 10>,
        nth::<M, 11>,
        nth::<M, 12>,
        nth::<M, 13>,
        nth::<M, 14>,
        nth::<M, 15>,
    ];
    assert!(names.len() <= MAX_PROPERTIES, "at most {MAX_PROPERTIES} properties");
    let asked = names.into_iter().filter(|(property, _)| asked.contains(property));
    asked
        .map(|(p, name)| stateright::Property::always(name, conditions[usize::from(p.0)]))
        .collect()
}

impl<E: Election> Questioned for System<E> {
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
        let names = Self::properties();
        let all: Vec<PropertyId> = names.iter().map(|(property, _)| *property).collect();
        always(names, &all)
    }

    fn format_action(&self, step: &Self::Action) -> String {
        self.name(step)
    }
}
