//! Exhaustive search of any stateright [`ActorModel`], without changes to the model.
//!
//! Supported are all three network kinds, lossy networks, `max_crashes`, storage, random choices,
//! history, boundary, and `always` and `sometimes` properties. Properties and boundary are
//! functions of whole states. So each distinct state is built in full for them, which takes most of
//! the time. `eventually` is not checked (stateright's own meaning of it misses cycles), and the
//! answer says so. More than 16 actors or properties are refused.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hash::Hash;

use stateright::actor::{Actor, ActorModel, ActorModelAction, ActorModelState, Id, Out};
use stateright::{Expectation, Model};

use super::error::EngineError;
use super::ids::StepId;
use super::program::{ProgramBuilder, Source};
use super::search::{Assignment, search};
use super::source::{ActionOf, ModelSource, guarded, retell};
use crate::election::{MAX_NODES, node_name};
use crate::exploration::{Ended, Limits, Progress};
use crate::semantics::names;
use crate::semantics::{MAX_PROPERTIES, PropertyId, PropertySet};

/// What was seen of an actor model.
#[must_use = "nothing has been asserted yet: `assert_properties` does"]
pub struct ModelExploration<A: Actor> {
    /// Never [`Ended::Failed`].
    pub ended: Ended,
    /// Distinct states within the boundary. Stateright's `unique_state_count` is the same, if
    /// stateright's hash differs for all states that differ by `==`.
    ///
    /// The engine tells states apart by `==`, stateright by their hash. Stateright hashes a set or
    /// map without its length. So it confuses, for instance, states that differ only in the actor
    /// at which a timer is set. Then it counts fewer states, and may miss some that can be reached.
    pub distinct: u64,
    /// Generated states within the boundary: stateright's `state_count`.
    pub generated: u64,
    /// Steps to the farthest state; stateright's `max_depth` is one more.
    pub depth: usize,
    /// For each property that was discovered, a shortest run: to an example of a `sometimes`, or to
    /// a counterexample of an `always`.
    pub discoveries: BTreeMap<&'static str, Vec<ActorModelAction<A::Msg, A::Timer, A::Random>>>,
    /// The properties that were not checked: those that expect something `eventually`.
    pub not_checked: Vec<&'static str>,
    /// The properties that were checked, in the model's order.
    pub checked: Vec<(&'static str, Expectation)>,
    /// How long it took.
    pub seconds: f64,
    /// The most bytes held, without the states themselves.
    pub peak_bytes: u64,
}

impl<A: Actor> ModelExploration<A> {
    /// Whether a property holds: an `always` has no counterexample, a `sometimes` has an example.
    ///
    /// # Errors
    /// Why this is not so: the property does not hold (with the run that shows it); the run was
    /// stopped before the property was settled; the property was not checked; or there is no such
    /// property.
    pub fn holds(&self, name: &str) -> Result<(), String> {
        if self.not_checked.contains(&name) {
            return Err(format!("`{name}` is an `eventually`, which is not checked"));
        }
        let Some((_, expectation)) = self.checked.iter().find(|(checked, _)| *checked == name)
        else {
            let names: Vec<&str> = self.checked.iter().map(|(name, _)| *name).collect();
            return Err(format!(
                "expected a property of the model ({}), found `{name}`",
                names.join(", ")
            ));
        };
        let is_example = *expectation == Expectation::Sometimes;
        match self.discoveries.get(name) {
            Some(_) if is_example => Ok(()),
            Some(actions) => {
                let steps: Vec<String> =
                    actions.iter().map(|action| format!("\n  {}", names::value(action))).collect();
                let plural = if steps.len() == 1 { "" } else { "s" };
                let (n, steps) = (steps.len(), steps.concat());
                Err(format!("`{name}` has a counterexample after {n} step{plural}:{steps}"))
            }
            None if self.ended != Ended::Exhausted => Err(format!(
                "`{name}` is not settled: no {} was found, but the search ended early ({:?}, \
                 {} states)",
                if is_example { "example" } else { "counterexample" },
                self.ended,
                self.distinct
            )),
            None if is_example => {
                Err(format!("`{name}` has no example among all {} states", self.distinct))
            }
            None => Ok(()),
        }
    }

    /// Asserts that every property of the model [holds](Self::holds), and that every one was
    /// checked.
    ///
    /// # Panics
    /// If a property does not hold, with the actions that show it; or if a property is not settled.
    #[track_caller]
    pub fn assert_properties(&self) {
        let names = self.checked.iter().map(|(name, _)| name).chain(&self.not_checked);
        let broken: Vec<String> = names.filter_map(|name| self.holds(name).err()).collect();
        assert!(broken.is_empty(), "{}", broken.join("\n"));
    }

    /// Asserts that one property [holds](Self::holds).
    ///
    /// # Panics
    /// As [`assert_properties`](Self::assert_properties).
    #[track_caller]
    pub fn assert_property(&self, name: &str) {
        if let Err(why) = self.holds(name) {
            panic!("{why}");
        }
    }
}

/// Explores an actor model exhaustively, within limits. A discovery of any property counts as a
/// violation for [`Limits::until`]; properties are numbered in the model's order.
///
/// In a test, use [`ModelExploration::assert_properties`], which fails unless every property is
/// settled. An empty map of discoveries proves nothing: a limit may have ended the search.
///
/// ```
/// use oneleader::exploration::Limits;
/// use oneleader::engine;
/// # use stateright::actor::{Actor, ActorModel, Id, Network, Out};
/// # use stateright::Expectation;
/// # #[derive(Clone)] struct Quiet;
/// # impl Actor for Quiet {
/// #     type Msg = (); type Timer = (); type State = u8; type Storage = (); type Random = ();
/// #     fn on_start(&self, _: Id, _: &Option<()>, _: &mut Out<Self>) -> u8 { 0 }
/// # }
/// # let model = ActorModel::<_, (), ()>::new((), ()).actor(Quiet)
/// #     .init_network(Network::new_ordered([]))
/// #     .property(Expectation::Always, "quiet", |_, state| *state.actor_states[0] == 0);
/// let seen = engine::check_model(&model, &Limits::exhaustive(), &|_| ()).expect("the model runs");
/// seen.assert_properties();
/// assert_eq!(seen.distinct, 1);
/// ```
///
/// States are told apart by `==`; therefore `H: PartialEq`, as stateright's checkers require, too.
///
/// # Errors
/// If nothing can be concluded: the model uses something that is not supported; one of its
/// functions panicked (a handler, a property, the boundary, or a function that records the
/// history); a handler is not a function of its arguments; or engine and stateright disagree about
/// a run.
pub fn check_model<A, C, H>(
    model: &ActorModel<A, C, H>,
    limits: &Limits,
    progress: &dyn Fn(&Progress),
) -> Result<ModelExploration<A>, String>
where
    A: Actor + Sync,
    A::Msg: Ord + Send + Sync,
    A::Timer: Ord + Send + Sync,
    A::State: Send + Sync,
    A::Storage: Send + Sync,
    A::Random: Send + Sync,
    C: Sync,
    H: Clone + Debug + Hash + PartialEq + Send + Sync,
{
    check(model, limits, progress).map_err(|why| why.to_string())
}

/// [`check_model`], with an error type that separates the user's mistakes from ours.
fn check<A, C, H>(
    model: &ActorModel<A, C, H>,
    limits: &Limits,
    progress: &dyn Fn(&Progress),
) -> Result<ModelExploration<A>, EngineError>
where
    A: Actor + Sync,
    A::Msg: Ord + Send + Sync,
    A::Timer: Ord + Send + Sync,
    A::State: Send + Sync,
    A::Storage: Send + Sync,
    A::Random: Send + Sync,
    C: Sync,
    H: Clone + Debug + Hash + PartialEq + Send + Sync,
{
    expect_few("actors", model.actors.len(), MAX_NODES)?;
    expect_few("properties", model.properties.len(), MAX_PROPERTIES)?;
    let start = start(model)?;
    let (mut source, mut program) = ModelSource::new(model);
    let of_start = || "what clones, compares or hashes the initial state".to_string();
    let initial = guarded(of_start, || source.row(&start, &mut program))??;
    if !guarded(of_start, || source.state_of(&initial, &program) == start)? {
        let what =
            "the initial state cannot be told by its parts: is a queue of its network empty?";
        return Err(EngineError::Unsupported(what.to_string()));
    }
    let properties = model.properties.iter().zip(0..);
    let is_checked = properties.filter(|(p, _)| p.expectation != Expectation::Eventually);
    let asked: PropertySet = is_checked.map(|(_, p)| PropertyId(p)).collect();
    let assignment = Assignment { asked, limits, progress };
    let findings = search(&mut program, &mut source, &initial, &assignment);
    let ended = findings.ended?;
    guarded(|| "what clones, compares or hashes a state".to_string(), || source.audit(&program))??;
    let mut discoveries = BTreeMap::new();
    for (&property, path) in &findings.broken {
        let start = (&initial[..], source.state_of(&initial, &program));
        let (name, actions) = discovery(&mut source, &mut program, start, path, property)?;
        discoveries.insert(name, actions);
    }
    let (checked, not_checked): (Vec<_>, Vec<_>) = model
        .properties
        .iter()
        .partition(|property| property.expectation != Expectation::Eventually);
    Ok(ModelExploration {
        ended,
        distinct: findings.distinct,
        generated: findings.generated,
        depth: findings.depth,
        discoveries,
        checked: checked
            .into_iter()
            .map(|property| (property.name, property.expectation.clone()))
            .collect(),
        not_checked: not_checked.into_iter().map(|property| property.name).collect(),
        seconds: findings.seconds,
        peak_bytes: findings.peak_bytes,
    })
}

/// Refuses a model with too many of something.
fn expect_few(what: &str, found: usize, most: usize) -> Result<(), EngineError> {
    match found <= most {
        true => Ok(()),
        false => Err(EngineError::Unsupported(format!(
            "expected a model with at most {most} {what}, found {found}"
        ))),
    }
}

/// The name of a property, and the path to where it was discovered as actions of stateright's.
///
/// # Errors
/// Stateright takes the actions to other states, or the property gives another answer about the
/// last state than before.
fn discovery<'a, A, C, H>(
    source: &mut ModelSource<'a, A, C, H>,
    program: &mut ProgramBuilder,
    start: (&[u32], ActorModelState<A, H>),
    path: &[StepId],
    PropertyId(p): PropertyId,
) -> Result<(&'static str, Vec<ActionOf<A>>), EngineError>
where
    A: Actor,
    A::Msg: Ord,
    A::Timer: Ord,
    H: Clone + Debug + Hash + PartialEq,
    ModelSource<'a, A, C, H>: Source,
{
    let model = source.model();
    let property = &model.properties[usize::from(p)];
    let who = || format!("property {}", property.name);
    let (actions, holds) = guarded(who, || {
        let told = retell(source, program, start, path);
        told.map(|(actions, last)| (actions, (property.condition)(model, &last)))
    })??;
    match holds == (property.expectation == Expectation::Sometimes) {
        true => Ok((property.name, actions)),
        false => Err(EngineError::Impure(format!(
            "property {} judged one state in two ways: it is not a pure function",
            property.name
        ))),
    }
}

/// The initial state.
///
/// # Errors
/// A function of the model panicked, or the state is not the same each time, or it lies outside the
/// boundary.
fn start<A, C, H>(model: &ActorModel<A, C, H>) -> Result<ActorModelState<A, H>, EngineError>
where
    A: Actor,
    A::Msg: Ord,
    A::Timer: Ord,
    H: Clone + Debug + Hash + PartialEq,
{
    for (id, actor) in model.actors.iter().enumerate() {
        let who = || format!("the actor of {} at its first start", node_name(Id::from(id)));
        guarded(who, || drop(actor.on_start(Id::from(id), &None, &mut Out::new())))?;
    }
    let who = || "what the first starts send, and `record_msg_out` of it,".to_string();
    let states = guarded(who, || [model.init_states(), model.init_states()])?;
    let [Some(start), Some(again)] = states.map(|mut states| states.pop()) else {
        let what = "expected an initial state, found none";
        return Err(EngineError::Unsupported(what.to_string()));
    };
    if guarded(|| "what compares states".to_string(), || start != again)? {
        let what = "the first start of some actor is not a pure function: it had two outcomes";
        return Err(EngineError::Impure(what.to_string()));
    }
    if !guarded(|| "the boundary".to_string(), || model.within_boundary(&start))? {
        let what = "the initial state is outside the boundary";
        return Err(EngineError::Unsupported(what.to_string()));
    }
    Ok(start)
}
