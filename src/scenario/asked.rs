//! Which properties a scenario asks about.

use crate::election::Election;
use crate::scenario::Scenario;
use crate::semantics::{PropertyId, System};

/// Which properties a scenario asks of its system, and which it leaves out.
pub struct Asked {
    /// Those that are asked, by position and name.
    pub properties: Vec<(PropertyId, &'static str)>,
    /// Properties that say nothing about nodes with these options, each with the setting that it
    /// needs.
    pub not_asked: Vec<(&'static str, &'static str)>,
}

/// Which properties a scenario asks: those that it names in `expect`; and, if it names `all` or has
/// no `expect`, every other property that says something about nodes with these options.
pub fn asked<E: Election>(scenario: &Scenario, system: &System<E>) -> Asked {
    let mut asked = Asked { properties: Vec::new(), not_asked: Vec::new() };
    for (property, name) in System::<E>::properties() {
        let setting =
            usize::from(property.0).checked_sub(1).and_then(|i| system.invariants[i].setting);
        let lacks = setting.filter(|(_, has)| !has(&system.actors));
        match lacks {
            _ if scenario.expect.contains_key(name) => asked.properties.push((property, name)),
            _ if !scenario.expect.is_empty() && !scenario.expect.contains_key("all") => {}
            Some((setting, _)) => asked.not_asked.push((name, setting)),
            None => asked.properties.push((property, name)),
        }
    }
    asked
}
