//! The answer by trying everything: a run, in the long run, takes some set of edges again and
//! again, and all such sets of a small graph can be listed.

use super::{Edge, Random, Sketch};
use oneleader::liveness::{Answer, FALLS, Question, RISES};

/// A set of edges that a run can repeat for ever, by their places in the sketch, a bit each.
struct Repeated {
    edges: u32,
    /// Whether all ticks of its states are in it, and none of these states is cut.
    is_closed: bool,
    /// Whether it has an edge of each draw of its states.
    is_held: bool,
}

pub(crate) struct Tried<'a> {
    sketch: &'a Sketch,
    /// Which states reach which, in any number of steps.
    reach: Vec<Vec<bool>>,
    repeated: Vec<Repeated>,
}

/// What reaches what by the edges that are kept, in no step, too.
fn closure(sketch: &Sketch, keeps: impl Fn(usize, &Edge) -> bool) -> Vec<Vec<bool>> {
    let n = sketch.states as usize;
    let mut reach = vec![vec![false; n]; n];
    (0..n).for_each(|state| reach[state][state] = true);
    for (i, (from, edge)) in sketch.edges.iter().enumerate() {
        reach[*from as usize][edge.to as usize] |= keeps(i, edge);
    }
    for by in 0..n {
        for from in 0..n {
            for to in 0..n {
                reach[from][to] |= reach[from][by] && reach[by][to];
            }
        }
    }
    reach
}

impl<'a> Tried<'a> {
    pub(crate) fn new(sketch: &'a Sketch) -> Self {
        let reach = closure(sketch, |_, _| true);
        let mut tried = Tried { sketch, reach, repeated: Vec::new() };
        tried.repeated =
            (1..1_u32 << sketch.edges.len()).filter_map(|edges| tried.repeated(edges)).collect();
        tried
    }

    fn is_in(set: u32, i: usize) -> bool {
        set >> i & 1 == 1
    }

    /// The edges of a set, with the states that they come from.
    fn edges(&self, set: u32) -> impl Iterator<Item = &(u32, Edge)> {
        let numbered = self.sketch.edges.iter().enumerate();
        numbered.filter(move |(i, _)| Self::is_in(set, *i)).map(|(_, edge)| edge)
    }

    fn repeated(&self, set: u32) -> Option<Repeated> {
        let mut states: Vec<u32> = self.edges(set).flat_map(|(from, e)| [*from, e.to]).collect();
        states.sort_unstable();
        states.dedup();
        let is_own = self.edges(set).all(|(_, edge)| !edge.adversary);
        if !is_own || !self.is_reached(states[0]) {
            return None;
        }
        let reach = closure(self.sketch, |i, _| Self::is_in(set, i));
        let reaches_all = |from: &u32| states.iter().all(|to| reach[*from as usize][*to as usize]);
        if !states.iter().all(reaches_all) {
            return None;
        }
        let of_states = || {
            let numbered = self.sketch.edges.iter().enumerate();
            numbered.filter(|(_, (from, edge))| states.contains(from) && !edge.adversary)
        };
        let is_cut = states.iter().any(|state| self.sketch.cut.contains(state));
        Some(Repeated {
            edges: set,
            is_closed: !is_cut && of_states().all(|(i, _)| Self::is_in(set, i)),
            is_held: of_states().all(|(_, (from, edge))| {
                self.edges(set).any(|(other, taken)| other == from && taken.draw == edge.draw)
            }),
        })
    }

    pub(crate) fn is_reached(&self, state: u32) -> bool {
        self.sketch.starts.iter().any(|start| self.reach[*start as usize][state as usize])
    }

    fn is_stop(&self, state: u32) -> bool {
        let mut own = self.sketch.edges.iter().filter(|(_, edge)| !edge.adversary);
        let is_dead = own.all(|(from, _)| *from != state);
        self.sketch.stops.contains(&state) || is_dead && !self.sketch.cut.contains(&state)
    }

    /// Whether a run is good that takes exactly these edges for ever.
    fn is_good(&self, set: u32, question: &Question) -> bool {
        match question {
            Question::Persists { one_of } => one_of
                .iter()
                .any(|mask| self.edges(set).all(|(_, edge)| edge.marks & mask == *mask)),
            Question::Recurs { any } => self.edges(set).any(|(_, edge)| edge.marks & any != 0),
        }
    }

    pub(crate) fn answer(&self, question: &Question) -> Answer {
        let reached: Vec<u32> =
            (0..self.sketch.states).filter(|state| self.is_reached(*state)).collect();
        if reached.iter().any(|state| self.is_stop(*state)) {
            return Answer::TimeStops;
        }
        let (good, bad): (Vec<&Repeated>, Vec<&Repeated>) =
            self.repeated.iter().partition(|set| self.is_good(set.edges, question));
        let is_whole = !reached.iter().any(|state| self.sketch.cut.contains(state));
        if is_whole && good.is_empty() {
            return Answer::Never;
        }
        let lost: Vec<u32> = bad.iter().filter(|set| set.is_closed).map(|set| set.edges).collect();
        if !lost.is_empty() {
            let is_hopeless = |set: &u32| !good.iter().any(|good| good.edges & !set == 0);
            return Answer::CanBeLost { for_good: lost.iter().any(is_hopeless) };
        }
        match (is_whole, bad.is_empty()) {
            (false, is_empty) => Answer::Unknown { refuted: !is_empty },
            (true, true) => Answer::Guaranteed,
            (true, false) if bad.iter().any(|set| set.is_held) => {
                Answer::AlmostSure { random: Random::TimeoutsAndOrder }
            }
            (true, false) => Answer::AlmostSure { random: Random::Timeouts },
        }
    }

    /// The answer if the sketch has all runs of a system and maybe others, of which those do not
    /// count that fall again and again and rise only finitely often. The system can reach those of
    /// its states that are real.
    pub(crate) fn wide_answer(&self, real: &[u32], question: &Question, refuted: bool) -> Answer {
        let some = |set: &Repeated, mark| self.edges(set.edges).any(|(_, e)| e.marks & mark != 0);
        let is_possible = |set: &&Repeated| some(set, RISES) || !some(set, FALLS);
        let (good, bad): (Vec<&Repeated>, Vec<&Repeated>) = self
            .repeated
            .iter()
            .filter(is_possible)
            .partition(|set| self.is_good(set.edges, question));
        let is_cut = self.sketch.cut.iter().any(|state| self.is_reached(*state));
        let is_whole = self.answer(question) != Answer::TimeStops && !is_cut;
        let own = closure(self.sketch, |_, edge| !edge.adversary);
        // Of these sets, is none among what comes after some real state?
        let is_lost = |sets: &dyn Fn(&Repeated) -> bool| {
            real.iter().any(|from| {
                let comes = |set: &Repeated| {
                    self.edges(set.edges).all(|(state, _)| own[*from as usize][*state as usize])
                };
                !good.iter().any(|set| sets(set) && comes(set))
            })
        };
        match refuted {
            _ if !is_whole => Answer::Unknown { refuted },
            true if good.is_empty() => Answer::Never,
            false if bad.is_empty() => Answer::Guaranteed,
            true if !bad.iter().any(|set| set.is_held) => {
                Answer::AlmostSure { random: Random::Timeouts }
            }
            true if is_lost(&|_| true) => Answer::CanBeLost { for_good: true },
            true if is_lost(&|set| set.is_held) => Answer::CanBeLost { for_good: false },
            _ => Answer::Unknown { refuted },
        }
    }

    fn is_bad_with(&self, set: &Repeated, question: &Question, ticks: &[(u32, Edge)]) -> bool {
        let has = |tick: &(u32, Edge)| ticks.contains(tick);
        let is_same = self.edges(set.edges).all(has)
            && ticks.iter().all(|tick| self.edges(set.edges).any(|other| other == tick));
        is_same && !self.is_good(set.edges, question)
    }

    /// Whether these are all ticks of a bottom, which is bad.
    pub(crate) fn is_bad_bottom(&self, ticks: &[(u32, Edge)], question: &Question) -> bool {
        let mut sets = self.repeated.iter().filter(|set| set.is_closed);
        sets.any(|set| self.is_bad_with(set, question, ticks))
    }

    /// Whether these ticks are an end component, which is bad.
    pub(crate) fn is_bad_end(&self, ticks: &[(u32, Edge)], question: &Question) -> bool {
        let mut sets = self.repeated.iter().filter(|set| set.is_held);
        sets.any(|set| self.is_bad_with(set, question, ticks))
    }

    /// Whether a run is good that repeats some of these ticks, and no others.
    pub(crate) fn has_good(&self, ticks: &[(u32, Edge)], question: &Question) -> bool {
        let mut sets = self.repeated.iter();
        sets.any(|set| {
            self.edges(set.edges).all(|tick| ticks.contains(tick))
                && self.is_good(set.edges, question)
        })
    }

    /// How many states can be reached, how many components they form, and how many of those are
    /// left by the adversary only.
    pub(crate) fn counts(&self) -> (u32, u32, u32) {
        let own = closure(self.sketch, |_, edge| !edge.adversary);
        let (mut states, mut components, mut bottoms) = (0, 0, 0);
        let n = self.sketch.states as usize;
        for state in (0..n).filter(|state| self.is_reached(*state as u32)) {
            states += 1;
            if !(0..state).any(|other| own[state][other] && own[other][state]) {
                components += 1;
                bottoms += (0..n).all(|to| !own[state][to] || own[to][state]) as u32;
            }
        }
        (states, components, bottoms)
    }

    /// Whether the adversary has an edge on a cycle that can be reached.
    pub(crate) fn has_adversary_on_cycle(&self) -> bool {
        let mut edges = self.sketch.edges.iter().filter(|(_, edge)| edge.adversary);
        edges.any(|(from, edge)| {
            self.is_reached(*from) && self.reach[edge.to as usize][*from as usize]
        })
    }
}
