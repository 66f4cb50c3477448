//! A system with erased types. Stateright gets one model for all protocols, so its checkers and its
//! Explorer are compiled once, and not once for each protocol.

use std::any::Any;
use std::fmt::{self, Debug};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::election::Election;
use crate::exploration::Tally;
use crate::semantics::{Bound, PropertyId, StepOf, System, SystemState};

/// A state or a step with erased type.
#[derive(Clone)]
pub struct Erased(Arc<dyn Value>);

/// The operations that stateright needs of states and steps.
trait Value: Any + Send + Sync {
    fn equals(&self, other: &dyn Any) -> bool;
    fn feed(&self, hasher: &mut dyn Hasher);
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

impl<T: Any + Send + Sync + PartialEq + Hash + Debug> Value for T {
    fn equals(&self, other: &dyn Any) -> bool {
        other.downcast_ref::<T>().is_some_and(|other| self == other)
    }
    fn feed(&self, mut hasher: &mut dyn Hasher) {
        self.hash(&mut hasher);
    }
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt(f)
    }
}

impl Erased {
    /// Erases the type of a value.
    pub fn new(value: impl Any + Send + Sync + PartialEq + Hash + Debug) -> Self {
        Erased(Arc::new(value))
    }

    /// The value.
    ///
    /// # Panics
    /// It is of another type: states and steps of one protocol were given to another.
    pub fn get<T: Any>(&self) -> &T {
        let value: &dyn Any = &*self.0;
        value.downcast_ref().expect("a value of this protocol")
    }
}

impl PartialEq for Erased {
    fn eq(&self, other: &Self) -> bool {
        let other: &dyn Any = &*other.0;
        self.0.equals(other)
    }
}

impl Hash for Erased {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.0.feed(hasher);
    }
}

impl Debug for Erased {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.show(f)
    }
}

/// A system of any protocol. See the functions of the same names of [`System`].
pub trait AnySystem: Send + Sync {
    /// The names of all properties, election safety first.
    fn properties(&self) -> Vec<(PropertyId, &'static str)>;
    /// The state in which checking starts.
    fn initial(&self) -> Erased;
    /// The steps that can be taken, each with the state that it leads to.
    fn successors(&self, state: &Erased) -> Vec<(Erased, Erased)>;
    /// The state after a step, if that can be taken.
    fn apply(&self, state: &Erased, step: &Erased) -> Option<Erased>;
    /// The first bound that a state is beyond.
    fn beyond(&self, state: &Erased) -> Option<Bound>;
    /// Whether a property holds in a state; if not, the conflicting facts.
    fn holds(&self, property: PropertyId, state: &Erased) -> Result<(), String>;
    /// A step by name.
    fn name(&self, step: &Erased) -> String;
    /// Counts a step between two states.
    fn count(&self, tally: &mut Tally, before: &Erased, step: &Erased, after: &Erased);
}

impl<E: Election> AnySystem for System<E> {
    fn properties(&self) -> Vec<(PropertyId, &'static str)> {
        System::<E>::properties()
    }
    fn initial(&self) -> Erased {
        Erased::new(self.initial())
    }
    fn successors(&self, state: &Erased) -> Vec<(Erased, Erased)> {
        let successors = self.successors(state.get::<SystemState<E>>()).into_iter();
        successors.map(|(step, next)| (Erased::new(step), Erased::new(next))).collect()
    }
    fn apply(&self, state: &Erased, step: &Erased) -> Option<Erased> {
        self.apply(state.get(), step.get()).map(Erased::new)
    }
    fn beyond(&self, state: &Erased) -> Option<Bound> {
        self.beyond(state.get())
    }
    fn holds(&self, property: PropertyId, state: &Erased) -> Result<(), String> {
        self.holds(property, state.get())
    }
    fn name(&self, step: &Erased) -> String {
        self.name(step.get())
    }
    fn count(&self, tally: &mut Tally, before: &Erased, step: &Erased, after: &Erased) {
        tally.count(self, before.get(), step.get::<StepOf<E>>(), after.get());
    }
}
