//! A protocol of your own: an ordinary stateright actor, and the page of code that turns it over to
//! `oneleader`.
//!
//! Whoever runs out of patience asks everyone for their vote in the next term; a majority makes a
//! leader. Try
//!
//! ```text
//! cargo run --example own_actor -- check
//! cargo run --example own_actor -- check poll --bug votes-for-everyone
//! cargo run --example own_actor -- fuzz poll --bug votes-for-everyone
//! cargo run --example own_actor -- fuzz poll --heal    # no leader stays: nobody ever hears of it
//! ```

use std::borrow::Cow;
use std::process::ExitCode;
use std::time::Duration;

use oneleader::election::{About, BugSpec, Costs, Election, NodeSet, Only, Setup, Term};
use stateright::actor::{Actor, Id, Out, model_peers};

/// The actor, which could be anybody's.
#[derive(Clone, Debug)]
pub struct Poll {
    peers: Vec<Id>,
    votes_for_everyone: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    term: u64,
    voted: bool,
    votes: NodeSet,
    leads: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Message {
    Ask { term: u64 },
    Vote { term: u64 },
}

impl Actor for Poll {
    type Msg = Message;
    type Timer = &'static str;
    type State = State;
    type Storage = ();
    type Random = ();

    fn on_start(&self, _: Id, _: &Option<()>, o: &mut Out<Self>) -> State {
        o.set_timer("patience", Duration::from_millis(30)..Duration::from_millis(60));
        State::default()
    }

    fn on_timeout(&self, id: Id, state: &mut Cow<State>, _: &&'static str, o: &mut Out<Self>) {
        let term = state.term + 1;
        *state.to_mut() =
            State { term, voted: true, votes: [id].into_iter().collect(), leads: false };
        o.set_timer("patience", Duration::from_millis(30)..Duration::from_millis(60));
        o.broadcast(&self.peers, &Message::Ask { term });
    }

    fn on_msg(&self, id: Id, state: &mut Cow<State>, src: Id, msg: Message, o: &mut Out<Self>) {
        match msg {
            Message::Ask { term } if term >= state.term => {
                if term > state.term {
                    *state.to_mut() = State { term, ..State::default() };
                }
                if !state.voted || self.votes_for_everyone {
                    state.to_mut().voted = true;
                    o.send(src, Message::Vote { term });
                }
            }
            Message::Vote { term }
                if term == state.term && !state.leads && !state.votes.contains(src) =>
            {
                let state = state.to_mut();
                state.votes.insert(src);
                state.leads =
                    state.votes.contains(id) && state.votes.len() * 2 > self.peers.len() + 1;
            }
            _ => {}
        }
    }
}

/// What the harness must see of it.
impl Election for Poll {
    type Witness = ();

    fn about() -> &'static About {
        const ABOUT: About = About {
            name: "poll",
            title: "Asking everyone",
            source: "this example",
            has_terms: true,
            starts_led: false,
            notation: &[],
            options: &[],
            bugs: &[BugSpec {
                name: "votes-for-everyone",
                summary: "a node votes for whoever asks",
                rule: "one vote a term",
                instead: "does not vote, because it has voted in this term",
                published: "nowhere",
                costs: Costs::Safety,
            }],
            corpus: r#"
                [[scenario]]
                name = "one-vote-each"
                nodes = 3
                bounds = { max_term = 1 }
                [scenario.expect]
                election-safety = { verdict = "holds-within-bounds" }

                [[scenario]]
                name = "votes-for-everyone"
                nodes = 3
                bounds = { max_term = 1 }
                bug = "votes-for-everyone"
                [scenario.expect]
                election-safety = { verdict = "violated", steps = 6 }
            "#,
        };
        &ABOUT
    }

    fn build(setup: &Setup) -> Result<Vec<Self>, String> {
        let votes_for_everyone = setup.bug == Some("votes-for-everyone");
        let node = |i| Poll { peers: model_peers(i, setup.nodes), votes_for_everyone };
        Ok((0..setup.nodes).map(node).collect())
    }

    fn term(&self, state: &State) -> Term {
        Term(state.term)
    }

    fn leads(&self, _: Id, state: &State) -> Option<Term> {
        state.leads.then_some(Term(state.term))
    }
}

fn main() -> ExitCode {
    oneleader::cli::main(&Only::<Poll>::new())
}
