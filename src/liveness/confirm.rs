//! A second opinion on a decision, by other means.
//!
//! Every claim of an answer is looked at: what is shown, edge by edge, and what cannot be shown by
//! a few runs, by fixpoints (`fixpoints.rs`) instead of components. No code is shared with what
//! decides. Together the claims of an answer exclude all others, so a wrong answer is found
//! whatever is shown for it.

use super::answer::{
    Answer, Bottom, Decision, EndComponent, Evidence, Lasso, Path, Question, Random,
};
use super::fixpoints::{Before, FAR, Kind, Part, distances};
use super::graph::{Edge, Graph};

/// Looks at a decision in another way. What it says is the first thing that is not as claimed. The
/// numbers of components are not looked at.
pub fn confirm(graph: &Graph, question: &Question, decision: &Decision) -> Result<(), String> {
    let check = Check::new(graph, question);
    let reached = check.distance.iter().filter(|distance| **distance != FAR).count();
    claim(reached == decision.states as usize, "the number of states that can be reached")?;
    let is_adversary = |edge: &Edge| edge.adversary;
    let whole = Part::new(graph, check.reached(), &|_| true);
    claim(!whole.has_walk(&[&is_adversary]), "that no edge of the adversary lies on a cycle")?;
    check.shown(decision.answer, &decision.evidence)?;
    check.answer(decision.answer, &decision.evidence)
}

fn claim(is_so: bool, what: &str) -> Result<(), String> {
    match is_so {
        true => Ok(()),
        false => Err(format!("the decision is wrong in this: {what}")),
    }
}

fn own(edge: &Edge) -> bool {
    !edge.adversary
}

struct Check<'a> {
    graph: &'a Graph,
    question: &'a Question,
    distance: Vec<u32>,
    before: Before,
}

impl<'a> Check<'a> {
    fn new(graph: &'a Graph, question: &'a Question) -> Self {
        Check { graph, question, distance: distances(graph), before: Before::new(graph) }
    }

    fn reached(&self) -> Vec<bool> {
        self.distance.iter().map(|distance| *distance != FAR).collect()
    }

    fn is_anywhere(&self, is_it: impl Fn(u32) -> bool) -> bool {
        let mut states = 0..self.graph.states();
        states.any(|state| self.distance[state as usize] != FAR && is_it(state))
    }

    /// What must be shown with an answer, and nothing else, is shown.
    fn shown(&self, answer: Answer, evidence: &Evidence) -> Result<(), String> {
        let is_order = answer == Answer::AlmostSure { random: Random::TimeoutsAndOrder };
        let is_lost = matches!(answer, Answer::CanBeLost { .. });
        let is_stop = answer == Answer::TimeStops;
        let is_unrefuted =
            matches!(answer, Answer::Guaranteed | Answer::Unknown { refuted: false });
        let has_lasso = evidence.lasso.is_some();
        claim(has_lasso != (is_stop || is_unrefuted), "whether a bad run is shown")?;
        claim(evidence.bottom.is_some() == is_lost, "whether a bottom is shown")?;
        claim(evidence.end_component.is_some() == is_order, "whether an end component is shown")?;
        claim(evidence.stop.is_some() == is_stop, "whether a run to a stop is shown")?;
        evidence.lasso.as_ref().map_or(Ok(()), |lasso| self.lasso(lasso))?;
        evidence.bottom.as_ref().map_or(Ok(()), |bottom| self.bottom(bottom))?;
        evidence.end_component.as_ref().map_or(Ok(()), |shown| self.end_component(shown))?;
        evidence.stop.as_ref().map_or(Ok(()), |path| {
            let end = self.path(path)?;
            claim(self.graph.is_stop(end), "that time stops where the run ends")
        })
    }

    /// What the answer says of all runs.
    fn answer(&self, answer: Answer, evidence: &Evidence) -> Result<(), String> {
        if answer == Answer::TimeStops {
            return Ok(());
        }
        claim(!self.is_anywhere(|state| self.graph.is_stop(state)), "that time cannot stop")?;
        let is_whole = !self.is_anywhere(|state| self.graph.is_cut(state));
        match answer {
            Answer::TimeStops => {}
            Answer::Never => {
                claim(is_whole, "that nothing is cut")?;
                claim(!self.has_good_cycle(&self.reached()), "that no run is good")?;
            }
            Answer::CanBeLost { for_good } => {
                let has_good = !is_whole || self.has_good_cycle(&self.reached());
                claim(has_good, "that a run can be good")?;
                let states = evidence.bottom.as_ref().map_or(&[][..], |bottom| &bottom.states);
                let is_hopeless = !self.has_good_cycle(&self.set(states));
                claim(is_hopeless == for_good, "whether a run can be good in the bottom shown")?;
                claim(for_good || self.has_hope(), "that nowhere all runs are bad")?;
            }
            Answer::AlmostSure { random } => {
                claim(is_whole, "that nothing is cut")?;
                claim(self.is_always_near_good(), "that a run can always become good for good")?;
                let is_held = self.can_be_held();
                let by_order = random == Random::TimeoutsAndOrder;
                claim(is_held == by_order, "whether an order of delivery can hold out")?;
            }
            Answer::Guaranteed => {
                claim(is_whole, "that nothing is cut")?;
                claim(!self.has_bad_cycle(), "that no run is bad")?;
            }
            Answer::Unknown { refuted } => {
                claim(!is_whole, "that something is cut")?;
                claim(self.is_always_near_good(), "that no bottom is known to be bad")?;
                claim(refuted || !self.has_bad_cycle(), "that no bad run is known")?;
            }
        }
        Ok(())
    }
}

/// What is shown, edge by edge.
impl Check<'_> {
    /// Where a path ends that starts at a start, is connected, and is a shortest one to there.
    fn path(&self, path: &Path) -> Result<u32, String> {
        claim(self.graph.starts().contains(&path.start), "that the run begins at a start")?;
        let end = self.walk(path.start, &path.edges)?;
        let distance = self.distance[end as usize] as usize;
        claim(distance == path.edges.len(), "that the run is a shortest one")?;
        Ok(end)
    }

    fn walk(&self, from: u32, edges: &[u32]) -> Result<u32, String> {
        let mut at = from;
        for number in edges {
            let is_here = self.graph.edges_of(at).contains(number);
            claim(is_here, "that each edge begins where the one before it ends")?;
            at = self.graph.edge(*number).to;
        }
        Ok(at)
    }

    fn lasso(&self, lasso: &Lasso) -> Result<(), String> {
        let home = self.path(&lasso.prefix)?;
        claim(!lasso.cycle.is_empty(), "that the cycle has an edge")?;
        claim(self.walk(home, &lasso.cycle)? == home, "that the cycle is closed")?;
        self.bad_for_ever(&lasso.cycle)
    }

    /// Edges that are bad if exactly they are taken again and again.
    fn bad_for_ever(&self, edges: &[u32]) -> Result<(), String> {
        let edge = |number: &u32| self.graph.edge(*number);
        let is_own = edges.iter().map(edge).all(own);
        claim(is_own && !edges.is_empty(), "that ticks of no adversary are repeated")?;
        let is_bad = match self.question {
            Question::Persists { one_of } => {
                one_of.iter().all(|mask| edges.iter().any(|number| !edge(number).carries(*mask)))
            }
            Question::Recurs { any } => edges.iter().all(|number| edge(number).marks & any == 0),
        };
        claim(is_bad, "that what is repeated is bad")
    }

    fn bottom(&self, bottom: &Bottom) -> Result<(), String> {
        self.members(&bottom.states, &bottom.prefix)?;
        let is_open = bottom.states.iter().any(|state| self.graph.is_cut(*state));
        claim(!is_open, "that no state of the bottom is cut")?;
        let is_own = |number: u32| own(self.graph.edge(number));
        self.connected(&bottom.states, &is_own)?;
        let edges = bottom.states.iter().flat_map(|state| self.graph.edges_of(*state));
        self.bad_for_ever(&edges.filter(|number| is_own(*number)).collect::<Vec<u32>>())
    }

    fn end_component(&self, shown: &EndComponent) -> Result<(), String> {
        self.members(&shown.states, &shown.prefix)?;
        let mut is_choice = vec![false; self.graph.edges() as usize];
        for number in &shown.choices {
            let is_new = is_choice.get_mut(*number as usize).filter(|is_choice| !**is_choice);
            let Some(is_new) = is_new else {
                return claim(false, "that the choices are edges, each named once");
            };
            *is_new = true;
        }
        let is_choice = |number: u32| is_choice[number as usize];
        self.connected(&shown.states, &is_choice)?;
        let mut count = 0;
        for state in &shown.states {
            let numbers = self.graph.edges_of(*state);
            let edges = self.graph.out(*state);
            let of_draw = |draw: u16| {
                let numbered = numbers.clone().zip(edges);
                numbered.filter(move |(_, edge)| own(edge) && edge.draw == draw)
            };
            let is_met = |draw: u16| of_draw(draw).any(|(number, _)| is_choice(number));
            let are_met = edges.iter().filter(|edge| own(edge)).all(|edge| is_met(edge.draw));
            claim(are_met, "that there is a choice for each draw")?;
            count += numbers.clone().filter(|number| is_choice(*number)).count();
        }
        claim(count == shown.choices.len(), "that each choice begins in a state shown")?;
        self.bad_for_ever(&shown.choices)
    }

    /// States in order, with a shortest way to one of them.
    fn members(&self, states: &[u32], prefix: &Path) -> Result<(), String> {
        claim(states.is_sorted_by(|a, b| a < b), "that the states are in order")?;
        let end = self.path(prefix)?;
        claim(states.binary_search(&end).is_ok(), "that the run leads to the states shown")?;
        let is_real = states.last().is_some_and(|last| *last < self.graph.states());
        claim(is_real, "that the states exist")?;
        let nearest = states.iter().map(|state| self.distance[*state as usize]).min();
        claim(nearest == Some(self.distance[end as usize]), "that the nearest state is shown")
    }

    /// The edges of the states that are taken stay among the states, and lead from each to each.
    fn connected(&self, states: &[u32], is_taken: &dyn Fn(u32) -> bool) -> Result<(), String> {
        let is_inside = self.set(states);
        let taken = |state: u32| {
            let numbered = self.graph.edges_of(state).zip(self.graph.out(state));
            numbered.filter(|(number, _)| is_taken(*number)).map(|(_, edge)| edge.to)
        };
        let stays = |state: &u32| taken(*state).all(|to| is_inside[to as usize]);
        claim(states.iter().all(stays), "that the edges stay among the states shown")?;
        let on = |state: u32, next: &mut Vec<u32>| next.extend(taken(state));
        let back = |state: u32, next: &mut Vec<u32>| {
            let before = self.before.of(state).iter().copied();
            let leads =
                |from: &u32| is_inside[*from as usize] && taken(*from).any(|to| to == state);
            next.extend(before.filter(leads));
        };
        let are_met = self.spread(states[0], on) == states.len()
            && self.spread(states[0], back) == states.len();
        claim(are_met, "that the states shown reach each other")
    }

    /// How many states can be reached from one.
    fn spread(&self, from: u32, on: impl Fn(u32, &mut Vec<u32>)) -> usize {
        let mut met = self.set(&[from]);
        let mut open = vec![from];
        let mut next = Vec::new();
        let mut count = 0;
        while let Some(state) = open.pop() {
            count += 1;
            on(state, &mut next);
            for state in next.drain(..) {
                if !met[state as usize] {
                    met[state as usize] = true;
                    open.push(state);
                }
            }
        }
        count
    }

    fn set(&self, states: &[u32]) -> Vec<bool> {
        let mut set = vec![false; self.graph.states() as usize];
        states.iter().for_each(|state| set[*state as usize] = true);
        set
    }
}

/// What no few runs can show.
impl Check<'_> {
    fn part<'b>(&'b self, keeps: &'b Kind<'b>) -> Part<'b> {
        Part::new(self.graph, self.reached(), keeps)
    }

    /// Whether there is a good cycle among these states.
    fn has_good_cycle(&self, states: &[bool]) -> bool {
        let has_walk = |keeps: &Kind, through: &[&Kind]| {
            Part::new(self.graph, states.to_vec(), keeps).has_walk(through)
        };
        match self.question {
            Question::Persists { one_of } => {
                one_of.iter().any(|mask| has_walk(&|e| own(e) && e.carries(*mask), &[]))
            }
            Question::Recurs { any } => has_walk(&own, &[&|edge| edge.marks & any != 0]),
        }
    }

    fn has_bad_cycle(&self) -> bool {
        self.with_bad(|keeps, through| self.part(keeps).has_walk(through))
    }

    fn can_be_held(&self) -> bool {
        self.with_bad(|keeps, through| self.part(keeps).can_be_held(&self.before, through))
    }

    /// The edges that a bad run may take for ever, and the kinds of edges of which it must.
    fn with_bad(&self, ask: impl Fn(&Kind, &[&Kind]) -> bool) -> bool {
        match self.question {
            Question::Persists { one_of } => {
                let lacking: Vec<_> =
                    one_of.iter().map(|mask| move |edge: &Edge| !edge.carries(*mask)).collect();
                let through: Vec<&Kind> = lacking.iter().map(|kind| kind as &Kind).collect();
                ask(&own, &through)
            }
            Question::Recurs { any } => ask(&|edge| own(edge) && edge.marks & any == 0, &[]),
        }
    }

    /// Whether from each state that can be reached, without the adversary, there is a way to a
    /// target or to a state that is cut.
    fn all_reach(&self, is_target: impl Fn(u32) -> bool) -> bool {
        let is_end = |state: u32| is_target(state) || self.graph.is_cut(state);
        let reaching = self.part(&own).reaching(&self.before, is_end);
        !self.is_anywhere(|state| !reaching[state as usize])
    }

    /// Whether from each state the run may get to where it is good whatever happens then (without
    /// the adversary), or at least may get to a good edge again. If so, then within so many ticks
    /// it does with at least some probability, and so with probability one.
    fn is_always_near_good(&self) -> bool {
        let has = |state: u32, kind: &Kind| self.graph.out(state).iter().any(|e| own(e) && kind(e));
        match self.question {
            Question::Persists { one_of } => {
                let mut is_safe = vec![false; self.graph.states() as usize];
                for mask in one_of {
                    let lacks = |state: u32| has(state, &|edge| !edge.carries(*mask));
                    let may_lack = self.part(&own).reaching(&self.before, lacks);
                    is_safe.iter_mut().zip(may_lack).for_each(|(safe, may)| *safe |= !may);
                }
                self.all_reach(|state| is_safe[state as usize])
            }
            Question::Recurs { any } => {
                self.all_reach(|state| has(state, &|edge| edge.marks & any != 0))
            }
        }
    }

    /// Whether from each state some run is good.
    fn has_hope(&self) -> bool {
        let Question::Persists { one_of } = self.question else {
            return self.is_always_near_good();
        };
        let mut has_hope = vec![false; self.graph.states() as usize];
        for mask in one_of {
            let keeps = |edge: &Edge| own(edge) && edge.carries(*mask);
            let endless = self.part(&keeps).endless(&self.before);
            has_hope.iter_mut().zip(endless).for_each(|(hope, is_endless)| *hope |= is_endless);
        }
        self.all_reach(|state| has_hope[state as usize])
    }
}
