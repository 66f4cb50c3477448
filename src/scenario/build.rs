//! The system that a scenario describes.

use crate::election::Election;
use crate::exploration::{Ended, Limits};
use crate::scenario::start::{self, NoStart};
use crate::scenario::{Scenario, among};
use crate::semantics::node::Clock;
use crate::semantics::{Rules, System, Timing};
use crate::support::memory;
use crate::support::problem::Problem;

/// Why no system could be built from a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unready {
    /// What is wrong with it.
    Wrong(Problem),
    /// A limit ended the search for the state from which checking starts.
    Ended {
        /// Which limit.
        ended: Ended,
        /// How many states had been seen.
        states: u64,
    },
}

impl Scenario {
    /// The system that this scenario describes, for the protocol `E`. The search for its start has
    /// no limit but the [usual](memory::usual_limit) one of memory.
    ///
    /// # Errors
    /// A value that the protocol does not accept, a property that it does not have, a start that
    /// cannot be reached.
    pub fn system<E: Election>(&self) -> Result<System<E>, Problem> {
        let memory = self.start_when.as_ref().and_then(|_| memory::usual_limit());
        let limits = Limits { memory, ..Limits::default() };
        self.system_within(&limits).map_err(|unready| match unready {
            Unready::Wrong(problem) => problem,
            Unready::Ended { states, .. } => Problem::new(format!(
                "scenario `{}`: start_when was not reached in {states} states, for which memory is not enough",
                self.name
            )),
        })
    }

    /// As [`Scenario::system`], but the search for the start has these limits.
    ///
    /// # Errors
    /// Those of [`Scenario::system`], or a limit that was reached.
    pub fn system_within<E: Election>(&self, limits: &Limits) -> Result<System<E>, Unready> {
        let system = self.system_from_origin().map_err(Unready::Wrong)?;
        let prefix = start::prefix(&system, self.start_when.as_deref(), &self.start_steps, limits);
        let prefix = prefix.map_err(|none| match none {
            NoStart::Ended { ended, states } => Unready::Ended { ended, states },
            NoStart::Wrong(why) => {
                Unready::Wrong(Problem::new(format!("scenario `{}`: {why}", self.name)))
            }
        })?;
        Ok(system
            .starting_after(prefix)
            .unwrap_or_else(|i| unreachable!("step {i} of a prefix just taken")))
    }

    /// The system, checked from its very first state.
    fn system_from_origin<E: Election>(&self) -> Result<System<E>, Problem> {
        let about = E::about();
        let problem = |why: String| Problem::new(format!("scenario `{}`: {why}", self.name));
        self.check(about).map_err(|(_, why)| problem(why))?;
        let setup = self.setup(about).map_err(|(_, why)| problem(why))?;
        let actors = E::build(&setup).map_err(problem)?;
        let timed = self.timing != Timing::Asynchronous;
        let rules = Rules {
            network: self.network,
            timing: self.timing,
            clock: if timed { Clock::Ticks(self.tick) } else { Clock::Absent },
            latency: self.latency,
            bounds: self.bounds,
            faults: self.faults,
            topologies: self.topologies().map_err(|(_, why)| problem(why))?,
            keep_dead: self.keep_dead_messages,
            remember: true,
        };
        let known = System::<E>::properties();
        for name in self.expect.keys().filter(|name| *name != "all") {
            if !known.iter().any(|(_, n)| n == name) {
                let all = known.iter().map(|(_, n)| *n);
                return Err(problem(format!(
                    "{} has no property `{name}`{}",
                    about.name,
                    among(name, all)
                )));
            }
        }
        let mut system = System::new(actors, rules);
        for goal in &self.covers {
            let Some(known) = system.goals.iter().find(|known| known.name == goal) else {
                let all = system.goals.iter().map(|goal| goal.name);
                return Err(problem(format!(
                    "{} has no goal `{goal}`{}",
                    about.name,
                    among(goal, all)
                )));
            };
            system.covers.push(known.name);
        }
        if let Some(bug) = setup.bug {
            system.planted = about.bugs.iter().find(|spec| spec.name == bug);
            // Some options cannot be built without the bug. Then nothing tells which steps the bug
            // changes.
            system.unplanted = E::build(&setup.without_bug()).ok();
        }
        if let Some(why) = {
            system.origin();
            system.problem()
        } {
            return Err(problem(why.to_string()));
        }
        Ok(system)
    }
}
