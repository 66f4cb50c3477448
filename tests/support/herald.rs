//! A protocol to test the harness with: n1 alone leads, term after term, and greets the others.

use std::borrow::Cow;
use std::time::Duration;

use oneleader::election::{
    About, BugSpec, CLIENT, Check, Costs, Election, Event, Goal, Invariant, NodeStep, OptionSpec,
    Reached, Setup, Term, Value,
};
use stateright::actor::{Actor, Id, Out};

#[derive(Clone, Debug)]
pub struct Herald {
    nodes: usize,
    /// The term is on disk before anybody hears of it.
    saves_first: bool,
    inputs: u32,
    bug: Option<&'static str>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    pub term: u64,
    pub leads: bool,
    pub greeted: bool,
    /// The client inputs, as they came.
    pub inputs: Vec<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hello;

impl Herald {
    fn wait(&self, o: &mut Out<Self>) {
        o.set_timer("next", Duration::from_millis(10)..Duration::from_millis(20));
    }

    fn listen(&self, o: &mut Out<Self>) {
        if self.inputs > 0 {
            o.choose_random(CLIENT, (1..=self.inputs).collect());
        }
    }
}

impl Actor for Herald {
    type Msg = Hello;
    type Timer = &'static str;
    type State = State;
    /// The term.
    type Storage = u64;
    type Random = u32;

    fn on_start(&self, _: Id, storage: &Option<u64>, o: &mut Out<Self>) -> State {
        self.wait(o);
        self.listen(o);
        State { term: storage.unwrap_or(0), ..State::default() }
    }

    fn on_timeout(&self, id: Id, state: &mut Cow<State>, _: &&'static str, o: &mut Out<Self>) {
        let state = state.to_mut();
        state.term += 1;
        if self.saves_first {
            o.save(state.term);
        }
        if usize::from(id) == 0 {
            state.leads = true;
            (1..self.nodes).for_each(|peer| o.send(Id::from(peer), Hello));
        }
        if !self.saves_first {
            o.save(state.term);
        }
        self.wait(o);
    }

    fn on_msg(&self, _: Id, state: &mut Cow<State>, _: Id, _: Hello, _: &mut Out<Self>) {
        if state.term > 0 && !state.greeted {
            state.to_mut().greeted = true;
        }
    }

    fn on_random(&self, _: Id, state: &mut Cow<State>, input: &u32, o: &mut Out<Self>) {
        state.to_mut().inputs.push(*input);
        self.listen(o);
    }
}

impl Election for Herald {
    type Witness = ();

    fn about() -> &'static About {
        const fn bug(name: &'static str) -> BugSpec {
            let instead = "does without the bug";
            BugSpec { name, summary: "", rule: "", instead, published: "", costs: Costs::Nothing }
        }
        const ABOUT: About = About {
            name: "herald",
            title: "One who leads, and greets",
            source: "this test",
            has_terms: true,
            starts_led: false,
            notation: &[],
            options: &[
                OptionSpec {
                    name: "saves_first",
                    default: Value::Flag(true),
                    allowed: &[],
                    help: "the term is saved before anybody hears of it",
                },
                OptionSpec {
                    name: "inputs",
                    default: Value::Number(0),
                    allowed: &[],
                    help: "client inputs",
                },
            ],
            bugs: &[bug("does-nothing"), bug("buries-the-living"), bug("buries-too-early")],
            corpus: "",
        };
        &ABOUT
    }

    fn build(setup: &Setup) -> Result<Vec<Self>, String> {
        let herald = Herald {
            nodes: setup.nodes,
            saves_first: setup.flag("saves_first"),
            inputs: setup.number("inputs") as u32,
            bug: setup.bug,
        };
        Ok(vec![herald; setup.nodes])
    }

    fn term(&self, state: &State) -> Term {
        Term(state.term)
    }

    fn leads(&self, _: Id, state: &State) -> Option<Term> {
        state.leads.then_some(Term(state.term))
    }

    fn inputs(nodes: &[Self]) -> u32 {
        nodes[0].inputs
    }

    fn input_number(input: &u32) -> Option<u32> {
        Some(*input)
    }

    fn goals() -> Vec<Goal<Self>> {
        vec![
            Goal {
                name: "greeted",
                meaning: "Somebody hears the greeting.",
                reached: Reached::Step(|step: &NodeStep<Self>| {
                    let greeted = |state: Option<&State>| state.is_some_and(|state| state.greeted);
                    matches!(step.event, Event::Deliver { .. })
                        && greeted(step.after)
                        && !greeted(step.before)
                }),
            },
            Goal {
                name: "two-terms",
                meaning: "Two terms were led.",
                reached: Reached::Past(|led, ()| led.len() == 2),
            },
        ]
    }

    fn invariants() -> Vec<Invariant<Self>> {
        let ok = Check::Node(|_: &Self, _, _: &State| Ok(()));
        vec![
            Invariant::new("with-inputs", "speaks of inputs", ok)
                .with_setting("inputs >= 1", |n| n[0].inputs > 0),
            Invariant::new("of-two-terms", "speaks of a second term", ok).needing(&["two-terms"]),
        ]
    }

    /// With the two bugs, wrong: at once, or in the next term.
    fn is_dead(&self, _: Id, state: &State, _: Id, _: &Hello) -> bool {
        match self.bug {
            Some("buries-the-living") => true,
            Some("buries-too-early") => state.term == 0 || state.greeted,
            _ => state.greeted,
        }
    }
}
