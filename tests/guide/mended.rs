//! The small election, mended.

use std::borrow::Cow;
use std::time::Duration;

use oneleader::election::{About, Counter, Counting, Election, NodeSet, Part, Setup, Term};
use stateright::actor::{Actor, Id, Out, model_peers};

/// Whoever hears nothing for a while asks all others for their vote in the next term. With the
/// votes of a majority it leads, and says so again and again.
#[derive(Clone, Debug)]
pub struct Poll {
    peers: Vec<Id>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    term: u64,
    voted: bool,
    votes: NodeSet,
    leader: Option<Id>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Message {
    Ask(u64),
    Vote(u64),
    Lead(u64),
}

fn patience() -> std::ops::Range<Duration> {
    Duration::from_millis(30)..Duration::from_millis(60)
}

fn pulse() -> std::ops::Range<Duration> {
    Duration::from_millis(10)..Duration::from_millis(20)
}

impl Actor for Poll {
    type Msg = Message;
    type Timer = &'static str;
    type State = State;
    type Storage = (u64, bool);
    type Random = ();

    fn on_start(&self, _: Id, saved: &Option<(u64, bool)>, o: &mut Out<Self>) -> State {
        o.set_timer("patience", patience());
        let (term, voted) = saved.unwrap_or_default();
        State { term, voted, ..State::default() }
    }

    fn on_timeout(&self, id: Id, state: &mut Cow<State>, timer: &&'static str, o: &mut Out<Self>) {
        if *timer == "pulse" {
            o.set_timer("pulse", pulse());
            o.broadcast(&self.peers, &Message::Lead(state.term));
            return;
        }
        let term = state.term + 1;
        *state.to_mut() =
            State { term, voted: true, votes: [id].into_iter().collect(), leader: None };
        o.save((term, true));
        o.set_timer("patience", patience());
        o.broadcast(&self.peers, &Message::Ask(term));
    }

    fn on_msg(&self, id: Id, state: &mut Cow<State>, src: Id, msg: Message, o: &mut Out<Self>) {
        let (Message::Ask(term) | Message::Vote(term) | Message::Lead(term)) = msg;
        if term > state.term {
            *state.to_mut() = State { term, ..State::default() };
            o.save((term, false));
            o.cancel_timer("pulse");
            o.set_timer("patience", patience());
        }
        match msg {
            Message::Ask(term) if term == state.term && !state.voted => {
                state.to_mut().voted = true;
                o.save((term, true));
                o.send(src, Message::Vote(term));
            }
            Message::Vote(term) if term == state.term && state.leader.is_none() => {
                state.to_mut().votes.insert(src);
                if state.votes.len() * 2 > self.peers.len() + 1 {
                    state.to_mut().leader = Some(id);
                    o.cancel_timer("patience");
                    o.set_timer("pulse", pulse());
                    o.broadcast(&self.peers, &Message::Lead(term));
                }
            }
            Message::Lead(term) if term == state.term => {
                state.to_mut().leader = Some(src);
                o.set_timer("patience", patience());
            }
            _ => {}
        }
    }
}

impl Election for Poll {
    type Witness = ();

    fn about() -> &'static About {
        const ABOUT: About = About {
            name: "poll",
            title: "Asking everyone",
            source: "the guide",
            has_terms: true,
            starts_led: false,
            notation: &[],
            options: &[],
            bugs: &[],
            corpus: r#"
                [[scenario]]
                name = "two-terms"
                nodes = 3
                bounds = { max_term = 2, max_copies = 1 }
                [scenario.expect]
                election-safety = { verdict = "holds-within-bounds" }

                [[scenario]]
                name = "restart"
                nodes = 3
                faults = { crashes = 1, restarts = 1 }
                bounds = { max_term = 1, max_copies = 1 }
                [scenario.expect]
                election-safety = { verdict = "holds-within-bounds" }

                [[liveness]]
                name = "mesh"
                nodes = 3
                [liveness.expect]
                stable-leader = "almost-sure (timeouts)"

                [[liveness]]
                name = "crash-and-restart"
                nodes = 3
                faults = { crashes = 1, restarts = 1 }
                [liveness.expect]
                stable-leader = "almost-sure (timeouts)"
            "#,
        };
        &ABOUT
    }

    fn build(setup: &Setup) -> Result<Vec<Self>, String> {
        Ok((0..setup.nodes).map(|i| Poll { peers: model_peers(i, setup.nodes) }).collect())
    }

    fn term(&self, state: &State) -> Term {
        Term(state.term)
    }

    fn leads(&self, id: Id, state: &State) -> Option<Term> {
        (state.leader == Some(id)).then_some(Term(state.term))
    }

    fn follows(&self, id: Id, state: &State) -> Option<(Term, Id)> {
        let leader = state.leader.filter(|leader| *leader != id)?;
        Some((Term(state.term), leader))
    }

    fn countings(_: &[Self]) -> Vec<Counting> {
        vec![Counting { name: "terms", step: 1 }]
    }

    fn renumber(part: Part<'_, Self>, new: &mut dyn FnMut(Counter, u64) -> u64) {
        match part {
            Part::State(state) => state.term = new(Counter::growing(0), state.term),
            Part::Disk((term, _)) => *term = new(Counter::growing(0), *term),
            Part::NoDisk => {
                new(Counter::growing(0), 0);
            }
            Part::Message(Message::Ask(term) | Message::Vote(term) | Message::Lead(term)) => {
                *term = new(Counter::compared(0), *term);
            }
            _ => {}
        }
    }
}

oneleader::test_corpus!(Poll);
