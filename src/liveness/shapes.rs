//! Forms of states, in numbers.
//!
//! How old timers are makes no difference to the form of a state, but for the ages in it: nothing
//! that is looked at for a form knows them ([`Running`](crate::election::Running)), nor does it
//! depend on them who leads. So each state has a *shape*, which is the state without ages, and the
//! form of its shape, with the ages put back, is the form of the state. There are fewer shapes than
//! states. Values are looked at only where a new shape gets its form.

use std::sync::Arc;

use super::apart::{Grain, Instance};
use super::between::Between;
use super::compiled::{Compiled, Parts};
use super::marks::{Observer, Reigns, marks};
use super::numbers::{Known, Rows, Table};
use super::ticking::Forms;
use super::wide::change;
use crate::election::{Age, Election};
use crate::semantics::System;
use crate::semantics::node::NodeOf;
use crate::semantics::topology::Topology;
use crate::support::parallel;

/// A shape without a form, because a bound is in the way.
const BEYOND: u32 = u32::MAX;
/// A shape whose form has not been found yet.
const UNFORMED: u32 = u32::MAX - 1;

/// So many forms are found at a time.
const BATCH: usize = 1 << 12;

/// What is looked at in a state before or after a tick.
#[derive(PartialEq, Eq, Hash)]
struct Seen {
    reigns: Reigns,
    /// What its form leaves out.
    excess: u64,
}

/// What is known of a shape.
#[derive(Clone, Copy)]
struct Formed {
    seen: u32,
    /// The number of its form, [`BEYOND`], or [`UNFORMED`].
    form: u32,
}

/// The shapes of states, and their forms.
///
/// Many threads look up while none adds anything. What is needed and is not known yet is
/// [`Missing`].
pub(super) struct Shapes<'a, E: Election> {
    pub(super) forms: Forms<'a, E>,
    grain: Grain,
    observer: Observer<'a, E>,
    /// Nodes in which the age of each timer is a mark that says which timer of the node it was.
    nodes: Table<NodeOf<E>>,
    /// By number of a node as it is: its number among those.
    of_nodes: Vec<u32>,
    /// By number of a node as it is: the ages of its timers, in order.
    ages: Vec<Box<[Age]>>,
    /// Shapes, as rows of [`Compiled`] with these numbers of nodes.
    rows: Rows,
    /// By shape.
    formed: Vec<Formed>,
    /// By shape: those that it stands for, as far as they may go on in different ways.
    instances: Vec<Box<[u32]>>,
    seen: Table<Seen>,
    /// A node as it is, and another shape of it.
    reshaped: Rows,
    /// The node in this shape, with its ages.
    reshapes: Vec<u32>,
}

/// What has not been looked at yet.
pub(super) enum Missing {
    /// A shape, as its row.
    Shape(Box<[u32]>),
    /// What a shape stands for.
    Instances(u32),
    /// A node as it is in another shape.
    Reshaped([u32; 2]),
}

/// A shape that has been looked up, and what is seen in it.
type Found<E> = (Parts<E>, Known<Seen>);

impl<'a, E: Election> Shapes<'a, E> {
    pub(super) fn new(
        system: &'a System<E>,
        links: &'a Topology,
        spread: u64,
        grain: Grain,
        width: usize,
    ) -> Self {
        Shapes {
            forms: Forms::new(system, links, spread),
            grain,
            observer: Observer::new(system, links),
            nodes: Table::new(),
            of_nodes: Vec::new(),
            ages: Vec::new(),
            rows: Rows::new(width),
            formed: Vec::new(),
            instances: Vec::new(),
            seen: Table::new(),
            reshaped: Rows::new(2),
            reshapes: Vec::new(),
        }
    }

    /// The form of a state, on values; `None` if a bound is in the way.
    pub(super) fn form(&self, state: Between<E>) -> Option<Between<E>> {
        self.forms.form(self.grain, state).map(|(form, _)| form)
    }

    /// The shape of the state with this row. The row of the shape is written to `shape`.
    pub(super) fn of(
        &self,
        row: &[u32],
        shape: &mut [u32],
        missing: &mut Vec<Missing>,
    ) -> Option<u32> {
        let n = row.len() / 2;
        shape.copy_from_slice(row);
        shape[..n].iter_mut().for_each(|node| *node = self.of_nodes[*node as usize]);
        let known = self.rows.find(shape).ok();
        let number = known.filter(|number| self.formed[*number as usize].form != UNFORMED);
        if number.is_none() {
            missing.push(Missing::Shape(Box::from(&*shape)));
        }
        number
    }

    /// The shapes of states that are forms.
    pub(super) fn of_forms(&mut self, compiled: &mut Compiled<'_, E>, rows: &[&[u32]]) -> Vec<u32> {
        let (mut missing, mut shape) = (Vec::new(), Vec::new());
        for row in rows {
            shape.resize(row.len(), 0);
            self.of(row, &mut shape, &mut missing);
        }
        self.learn(compiled, missing);
        let mut of = |row: &&[u32]| self.of(row, &mut shape, &mut Vec::new());
        rows.iter().filter_map(&mut of).collect()
    }

    /// The shape of the form of a shape; `None` if a bound is in the way.
    pub(super) fn form_of(&self, shape: u32) -> Option<u32> {
        let Formed { form, .. } = self.formed[shape as usize];
        (form != BEYOND).then_some(form)
    }

    /// The shapes that one stands for; none if they are not known.
    pub(super) fn instances(&self, shape: u32, missing: &mut Vec<Missing>) -> &[u32] {
        let instances = self.instances.get(shape as usize).map_or(&[][..], |all| all);
        if instances.is_empty() {
            missing.push(Missing::Instances(shape));
        }
        instances
    }

    /// What is true of a tick from one shape to another.
    pub(super) fn marks(&self, before: u32, after: u32) -> u32 {
        let seen = |shape: u32| self.seen.get(self.formed[shape as usize].seen);
        let (before, after) = (seen(before), seen(after));
        marks(&before.reigns, &after.reigns) | change(before.excess, after.excess)
    }

    /// The row of a state, given that of one with the same ages in another shape; whether it is
    /// known.
    pub(super) fn reshape(
        &self,
        row: &[u32],
        shape: u32,
        new: &mut [u32],
        missing: &mut Vec<Missing>,
    ) -> bool {
        let (n, mut is_known) = (row.len() / 2, true);
        new.copy_from_slice(self.rows.get(shape));
        for (node, new) in row[..n].iter().zip(new) {
            if self.of_nodes[*node as usize] == *new {
                *new = *node;
                continue;
            }
            let pair = [*node, *new];
            match self.reshaped.find(&pair) {
                Ok(number) => *new = self.reshapes[number as usize],
                Err(_) => {
                    missing.push(Missing::Reshaped(pair));
                    is_known = false;
                }
            }
        }
        is_known
    }

    /// Looks at what is missing, after any nodes have been added. All threads find out what it is;
    /// numbers are given in the order in which it is listed, so they do not depend on the threads.
    pub(super) fn learn(
        &mut self,
        compiled: &mut Compiled<'_, E>,
        missing: impl IntoIterator<Item = Missing>,
    ) {
        let mut stand = Vec::new();
        for missing in missing {
            match missing {
                Missing::Shape(row) => {
                    self.rows.put(&row);
                }
                Missing::Instances(shape) => stand.push(shape),
                Missing::Reshaped(pair) => {
                    self.reshaped.put(&pair);
                }
            }
        }
        self.find_forms(compiled);
        stand.sort_unstable();
        stand.dedup();
        self.find_instances(compiled, &stand);
        for number in self.reshapes.len()..self.reshaped.len() {
            let node = self.reshape_node(number as u32);
            self.reshapes.push(compiled.nodes.put(Arc::new(node)));
        }
        self.look_at_nodes(compiled);
    }

    /// Finds the shapes of nodes that are new.
    pub(super) fn look_at_nodes(&mut self, compiled: &Compiled<'_, E>) {
        for number in self.of_nodes.len()..compiled.nodes.len() {
            let mut node = (**compiled.nodes.get(number as u32)).clone();
            self.ages.push(node.timers.values().copied().collect());
            for (at, age) in (1..).zip(node.timers.values_mut()) {
                *age = Age { now: at, first: 0, last: 0 };
            }
            self.of_nodes.push(self.nodes.put(Arc::new(node)));
        }
    }

    /// A node in another shape, with its ages.
    fn reshape_node(&self, number: u32) -> NodeOf<E> {
        let pair = self.reshaped.get(number);
        let (ages, mut node) = (&self.ages[pair[0] as usize], (**self.nodes.get(pair[1])).clone());
        for age in node.timers.values_mut() {
            // A timer that the form has and the state has not stays as the form has it.
            let old = usize::from(age.now).checked_sub(1).and_then(|at| ages.get(at));
            *age = old.copied().unwrap_or(*age);
        }
        node
    }

    /// Finds the forms of new shapes.
    fn find_forms(&mut self, compiled: &mut Compiled<'_, E>) {
        let new: Vec<u32> =
            (self.formed.len()..self.rows.len()).map(|shape| shape as u32).collect();
        self.make_room();
        for some in new.chunks(BATCH) {
            let found = |at: usize| {
                let state = compiled.state_of(self.rows.get(some[at]), &self.nodes);
                let reigns = self.observer.reigns(&state);
                let formed = self.forms.form(self.grain, state);
                let excess = formed.as_ref().map_or(0, |(_, excess)| *excess);
                let form = formed.map(|(form, _)| self.find(compiled, form, 0));
                (self.seen.find(Arc::new(Seen { reigns, excess })), form)
            };
            let found: Vec<(Known<Seen>, Option<Found<E>>)> = parallel::map(some.len(), found);
            for (shape, (seen, form)) in some.iter().zip(found) {
                let seen = self.seen.add(seen);
                let form = form.map_or(BEYOND, |form| self.add(compiled, form, None));
                self.formed[*shape as usize] = Formed { seen, form };
            }
        }
    }

    fn find_instances(&mut self, compiled: &mut Compiled<'_, E>, shapes: &[u32]) {
        let found = |at: usize| {
            let form = compiled.state_of(self.rows.get(shapes[at]), &self.nodes);
            let instances = self.forms.stands_for(self.grain, &form).into_iter();
            let found =
                instances.map(|Instance { state, excess }| self.find(compiled, state, excess));
            found.collect()
        };
        let found: Vec<Vec<Found<E>>> = parallel::map(shapes.len(), found);
        for (shape, found) in shapes.iter().zip(found) {
            let instances = found.into_iter().map(|found| self.add(compiled, found, Some(*shape)));
            self.instances[*shape as usize] = instances.collect();
        }
    }

    fn find(&self, compiled: &Compiled<'_, E>, state: Between<E>, excess: u64) -> Found<E> {
        let reigns = self.observer.reigns(&state);
        let seen = self.seen.find(Arc::new(Seen { reigns, excess }));
        (compiled.find(state, &self.nodes), seen)
    }

    /// The number of a shape. If it is new, this is its form, or it is one itself.
    fn add(&mut self, compiled: &mut Compiled<'_, E>, found: Found<E>, form: Option<u32>) -> u32 {
        let (Parts { nodes, due, left }, seen) = found;
        let nodes = nodes.into_iter().map(|known| self.nodes.add(known)).collect();
        let shape = self.rows.put(&compiled.add(nodes, due, left));
        self.make_room();
        if self.formed[shape as usize].form == UNFORMED {
            let seen = self.seen.add(seen);
            self.formed[shape as usize] = Formed { seen, form: form.unwrap_or(shape) };
        }
        shape
    }

    /// Makes room for what is known of each shape.
    fn make_room(&mut self) {
        self.formed.resize(self.rows.len(), Formed { seen: 0, form: UNFORMED });
        self.instances.resize(self.rows.len(), Box::default());
    }
}
