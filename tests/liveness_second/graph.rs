//! The graph of all ticks, found by a search through all states.

use std::rc::Rc;

use hashbrown::HashMap;

use crate::form::Form;
use crate::tick::{Alone, Budget, Place, State, by_server, interleaved};

/// How ticks are found, and how long a message takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// One step after the other, in every order; messages arrive within their tick.
    AtOnce,
    /// The same, but they arrive in the next tick.
    OneByOne,
    /// They arrive in the next tick, so what servers can do is found for each alone.
    ByServer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Edge {
    pub to: u32,
    /// What nature has drawn; [`FAULT`] if the environment did something in this tick.
    pub draw: u32,
    /// The servers that lead with a quorum in the same term before and after the tick.
    pub stays: u8,
}

pub const FAULT: u32 = u32::MAX;

/// The edges of a state lie between two of its `first`.
pub struct Graph {
    pub first: Vec<usize>,
    pub edges: Vec<Edge>,
    /// The states some of whose ticks are not followed, as terms come too far apart in them.
    pub cut: Vec<bool>,
}

impl Graph {
    pub fn states(&self) -> usize {
        self.first.len() - 1
    }

    /// The edges of a state, by their numbers.
    pub fn edges_of(&self, state: usize) -> std::ops::Range<usize> {
        self.first[state]..self.first[state + 1]
    }
}

/// States, as rows of numbers of places: there are few of these, although there are many states.
#[derive(Default)]
struct States {
    numbers_of_places: HashMap<Rc<Place>, u32>,
    places: Vec<Rc<Place>>,
    numbers: HashMap<(Box<[u32]>, Budget), u32>,
    rows: Vec<(Box<[u32]>, Budget)>,
}

impl States {
    fn number(&mut self, state: State) -> u32 {
        let row = state.places.into_iter().map(|place| {
            if let Some(number) = self.numbers_of_places.get(&place) {
                return *number;
            }
            let (place, number) = (Rc::new(place), self.places.len() as u32);
            self.places.push(place.clone());
            self.numbers_of_places.insert(place, number);
            number
        });
        let row = (row.collect::<Box<[u32]>>(), state.left);
        if let Some(number) = self.numbers.get(&row) {
            return *number;
        }
        let number = self.rows.len() as u32;
        self.rows.push(row.clone());
        self.numbers.insert(row, number);
        number
    }

    fn get(&self, number: u32) -> State {
        let (row, left) = &self.rows[number as usize];
        let places = row.iter().map(|place| (*self.places[*place as usize]).clone()).collect();
        State { places, left: *left }
    }
}

/// A graph with the states that its numbers stand for.
pub struct Found {
    pub graph: Graph,
    states: States,
}

impl Found {
    pub fn states(&self) -> impl Iterator<Item = State> {
        (0..self.graph.states() as u32).map(|number| self.states.get(number))
    }
}

/// All that can be reached from these states. The error says why there is no such graph.
pub fn search(form: &Form, way: Way, starts: Vec<State>, most: usize) -> Result<Found, String> {
    let mut states = States::default();
    let mut alone = Alone::default();
    let mut graph = Graph { first: vec![0], edges: Vec::new(), cut: Vec::new() };
    for start in starts {
        states.number(form.of(start).ok_or("terms are too far apart at the start")?);
    }
    while graph.states() < states.rows.len() {
        let state = states.get(graph.states() as u32);
        let leaders = form.leaders(&state);
        let ticks = match way {
            Way::AtOnce => interleaved(form.options, form.links, &state, false),
            Way::OneByOne => interleaved(form.options, form.links, &state, true),
            Way::ByServer => by_server(form.options, form.links, &state, &mut alone),
        };
        if ticks.iter().all(|(draw, _)| draw.is_none()) {
            return Err(format!("no time passes in {state:?}"));
        }
        let mut edges = Vec::with_capacity(ticks.len());
        let mut is_cut = false;
        for (draw, after) in ticks {
            let stays = form.leaders(&after).into_iter().filter(|leader| leaders.contains(leader));
            let stays = stays.fold(0, |set, (leader, _)| set | 1 << leader);
            let Some(after) = form.of(after) else {
                is_cut = true;
                continue;
            };
            edges.push(Edge { to: states.number(after), draw: draw.unwrap_or(FAULT), stays });
        }
        edges.sort_unstable_by_key(|edge| (edge.draw, edge.to, edge.stays));
        edges.dedup();
        graph.edges.extend(edges);
        graph.first.push(graph.edges.len());
        graph.cut.push(is_cut);
        if states.rows.len() > most {
            return Err(format!("there are more than {most} states"));
        }
    }
    Ok(Found { graph, states })
}
