//! Model checking and property testing of leader election.
//!
//! Is there ever more than one leader in a term? Does a leader come about, and stay? This crate
//! answers these questions for an ordinary [`stateright`] actor, by exploring every state that a
//! system of such actors can reach, and by random runs. It contains seven published protocols
//! ([`models`]), and takes yours.
//!
//! # The words
//!
//! A *protocol* is an actor that implements [`Election`]: it says how nodes are built, which term a
//! node has reached, and which term it leads. A [`Scenario`] says what a run assumes: nodes,
//! network, timing, faults, bounds, perhaps a planted bug, and what is expected. Both together are
//! a [`System`](semantics::System). [`check`] explores all of its states within the bounds. It
//! gives each *property* a [verdict](Verdict): `holds` if every state was seen,
//! `holds-within-bounds` if some bound cut off steps, `violated` with a shortest run that shows it,
//! `vacuous` if what the property speaks of never happened, and a few more.
//!
//! # A protocol of this crate
//!
//! ```
//! # #[cfg(feature = "ring")] {
//! use oneleader::{Scenario, Verdict, check, models::ring::Ring};
//!
//! // Three nodes, messages may take any time, nothing fails: every property is asked.
//! let mut scenario = Scenario::new("chang-roberts", 3);
//! scenario.options.insert("variant".into(), "chang-roberts".into());
//! check::<Ring>(&scenario)?.assert_as_expected();
//!
//! // With a rule left out, a property is violated. `unexpected` tells which one, with the run.
//! scenario.bug = Some("smaller-numbers-pass".to_string());
//! let checked = check::<Ring>(&scenario)?;
//! assert_eq!(checked.verdict("numbers-are-compared"), Some(Verdict::Violated));
//! println!("{}", checked.unexpected().unwrap());
//! # }
//! # Ok::<(), oneleader::Problem>(())
//! ```
//!
//! # Your own protocol
//!
//! The smallest [`Election`] has four functions. `examples/own_actor.rs` is a whole one, with a
//! planted bug and a corpus of scenarios; then one line makes a test of that corpus:
//!
//! ```
//! # use oneleader::models::ring::Ring as MyProtocol;
//! oneleader::test_corpus!(MyProtocol);
//! ```
//!
//! A test that fails prints the run, step by step, and how to replay it. [`fuzz`] has a proptest
//! strategy over scenarios, for systems that are too large to explore exhaustively. [`cli::main`]
//! is the whole command line for your protocols.
//!
//! In `Cargo.toml`, leave out what you do not need, and let the engine run optimised in your tests:
//!
//! ```toml
//! [dev-dependencies]
//! oneleader = { version = "0.1", default-features = false }
//!
//! [profile.dev.package.oneleader]
//! opt-level = 2
//! [profile.dev]
//! opt-level = 1    # the parts of the engine that are compiled for your types
//! lto = "off"      # else each build optimises a second time, across the parts of a crate
//! ```
//!
//! # Any `ActorModel`
//!
//! A `stateright` model that is no election can be checked, too, without changes:
//!
//! ```
//! # use stateright::actor::{Actor, ActorModel, Id, Out};
//! # use std::borrow::Cow;
//! # #[derive(Clone)] struct Counter;
//! # impl Actor for Counter {
//! #     type Msg = u8; type State = u8; type Timer = (); type Storage = (); type Random = ();
//! #     fn on_start(&self, id: Id, _: &Option<()>, o: &mut Out<Self>) -> u8 { o.send(id, 1); 0 }
//! #     fn on_msg(&self, _: Id, state: &mut Cow<u8>, _: Id, msg: u8, _: &mut Out<Self>) {
//! #         *state.to_mut() = msg;
//! #     }
//! # }
//! # let model = ActorModel::<Counter, ()>::new((), ()).actor(Counter)
//! #     .property(stateright::Expectation::Always, "small", |_, state| *state.actor_states[0] < 2);
//! use oneleader::{Limits, check_model};
//! let seen = check_model(&model, &Limits::exhaustive(), &|_| ())?;
//! seen.assert_properties();
//! # Ok::<(), String>(())
//! ```
//!
//! `ARCHITECTURE.md` says how the crate works, and where to add things.

#![warn(missing_docs, unreachable_pub)]

#[cfg(all(feature = "cli", not(test)))]
pub mod cli;
pub mod election;
pub mod engine;
pub mod exploration;
pub mod fuzz;
pub mod judge;
pub mod liveness;
pub mod reference;
pub mod run;
pub mod scenario;
pub mod semantics;
pub mod support;
pub mod tell;
pub mod testing;

#[path = "../models/mod.rs"]
pub mod models;

pub use election::{About, Election, Invariant, Setup, Term};
pub use engine::check_model;
pub use exploration::Limits;
pub use exploration::verdict::Verdict;
pub use judge::{Checked, check};
pub use scenario::Scenario;
pub use support::problem::Problem;

/// The guide, so that its code is compiled and run by `cargo test`.
#[cfg(doctest)]
#[doc = include_str!("../docs/your-own-protocol.md")]
struct Guide;
