//! One form for states that go on alike, and who leads in a state.
//!
//! Terms grow for ever, but servers only compare them, take over higher ones, and count their own
//! up by one. So only how far current terms are apart matters. A term below all current ones is
//! never counted up again; of such terms (they stand in logs and in messages) only the order
//! matters. Servers that are linked neither directly nor through others that are up never compare
//! terms, so each part of the network is numbered by itself.

use crate::raft::{Message, Options, Role, Server, Set, Term};
use crate::tick::{Links, Place, State};

/// The links that stay, and what they mean.
pub struct Form<'a> {
    pub options: &'a Options,
    pub links: &'a Links,
    /// So far may the current term of a server be above the lowest one in its part of the network.
    pub most_apart: Term,
}

impl Form<'_> {
    /// `None` if terms are too far apart.
    pub fn of(&self, mut state: State) -> Option<State> {
        for to in 0..state.places.len() {
            let Place { server, due } = &mut state.places[to];
            match server {
                Some(server) => {
                    due.retain(|(from, message)| can_matter(self.options, server, *from, message));
                    due.iter_mut().for_each(|(_, message)| forget_what_is_over(server, message));
                }
                None => due.clear(),
            }
        }
        self.let_the_deaf_be_near(&mut state);
        for part in self.parts(&state) {
            renumber(&mut state, part, self.most_apart)?;
        }
        state.places.iter_mut().for_each(|place| place.due.sort_unstable());
        Some(state)
    }

    /// The parts of the network, as sets of servers.
    fn parts(&self, state: &State) -> Vec<Set> {
        let up = |i: &usize| state.places[*i].server.is_some();
        let mut parts: Vec<Set> = Vec::with_capacity(1);
        for one in (0..state.places.len()).filter(up) {
            let is_linked = |i: &usize| (self.links[one] >> i | self.links[*i] >> one) & 1 == 1;
            let near = (0..state.places.len()).filter(up).filter(is_linked);
            let mut part = near.fold(1 << one, |part: Set, i| part | 1 << i);
            // It joins what it is linked with.
            parts.retain(|other| {
                let is_apart = other & part == 0;
                part |= if is_apart { 0 } else { *other };
                is_apart
            });
            parts.push(part);
        }
        parts
    }

    /// With PreVote, a server that hears from nobody never reaches another term: nobody can say yes
    /// to it. Once its term is two below all others, all that it can say, even of the next term, is
    /// of a term that is over. So it does not matter how far it is behind.
    fn let_the_deaf_be_near(&self, state: &mut State) {
        let servers = state.places.len();
        for me in (0..servers).filter(|_| self.options.pre_vote) {
            let is_deaf = (0..servers).all(|from| from == me || self.links[from] >> me & 1 == 0);
            let others = (0..servers).filter(|other| *other != me);
            let terms = others.filter_map(|i| Some(state.places[i].server.as_ref()?.term));
            let lowest = terms.min().unwrap_or(0);
            if let Some(server) = &mut state.places[me].server
                && is_deaf
                && server.log.is_empty()
            {
                server.term = server.term.max(lowest.saturating_sub(2));
            }
        }
    }

    /// Each server that leads, and that a majority of all servers, which are linked with it in both
    /// directions, follows in its term, itself included; with that term.
    pub fn leaders(&self, state: &State) -> Vec<(usize, Term)> {
        let servers = || state.places.iter().enumerate();
        let up = servers().filter_map(|(i, place)| Some((i, place.server.as_ref()?)));
        let leads = |(me, leader): (usize, &Server)| {
            let follows = |(i, server): &(usize, &Server)| {
                let is_linked = self.links[me] >> i & self.links[*i] >> me & 1 == 1;
                let follower = Role::Follower { leader: Some(me as u8) };
                *i == me || is_linked && server.term == leader.term && server.role == follower
            };
            let quorum = up.clone().filter(follows).fold(0, |set: Set, (i, _)| set | 1 << i);
            (leader.leads() && self.options.is_majority(quorum)).then_some((me, leader.term))
        };
        up.clone().filter_map(leads).collect()
    }
}

/// Whether a message can still do something to a server whose term never falls, and that never
/// becomes candidate or leader of a term again.
fn can_matter(options: &Options, server: &Server, from: u8, message: &Message) -> bool {
    let own = server.term;
    match *message {
        Message::RequestVote { .. } | Message::PreVote { .. } | Message::AppendEntries { .. } => {
            true
        }
        Message::Vote { term } => {
            let may_count = match server.role {
                Role::Candidate { yes } => yes >> from & 1 == 0,
                _ => false,
            };
            term > own || term == own && may_count
        }
        Message::PreVoteGranted { term } | Message::Refused { term } => term > own,
        Message::Appended { term, matched } => match &server.role {
            Role::Leader { matched: known, .. } if term == own => {
                options.check_quorum || matched > known[usize::from(from)]
            }
            _ => term > own,
        },
        Message::Mismatch { term, prev } => match &server.role {
            Role::Leader { matched, next, .. } if term == own => {
                let (matched, next) = (matched[usize::from(from)], next[usize::from(from)]);
                options.check_quorum || prev > matched && prev < next
            }
            _ => term > own,
        },
    }
}

/// A request of a term that is over is refused, whatever it says.
fn forget_what_is_over(server: &Server, message: &mut Message) {
    match message {
        Message::RequestVote { term, end } | Message::PreVote { term, end }
            if *term < server.term =>
        {
            (*term, *end) = (0, (0, 0));
        }
        Message::AppendEntries { term, prev, entry } if *term < server.term => {
            (*term, *prev, *entry) = (0, (0, 0), None);
        }
        _ => {}
    }
}

/// Shows each term of a part of the network to `see`, which may replace it.
fn each_term(state: &mut State, part: Set, see: &mut dyn FnMut(&mut Term)) {
    for i in (0..state.places.len()).filter(|i| part >> i & 1 == 1) {
        let Place { server, due } = &mut state.places[i];
        for server in server.iter_mut() {
            see(&mut server.term);
            server.log.iter_mut().for_each(&mut *see);
        }
        for (_, message) in due {
            match message {
                Message::RequestVote { term, end: (last, _) }
                | Message::PreVote { term, end: (last, _) } => {
                    see(term);
                    see(last);
                }
                Message::AppendEntries { term, prev: (prev, _), entry } => {
                    see(term);
                    see(prev);
                    entry.iter_mut().for_each(&mut *see);
                }
                Message::Vote { term }
                | Message::PreVoteGranted { term }
                | Message::Appended { term, .. }
                | Message::Mismatch { term, .. }
                | Message::Refused { term } => see(term),
            }
        }
    }
}

/// The lowest current term becomes the first number above those that are only compared. 0, which is
/// no term, stays 0.
fn renumber(state: &mut State, part: Set, most_apart: Term) -> Option<()> {
    let servers = (0..state.places.len()).filter(|i| part >> i & 1 == 1);
    let current = servers.filter_map(|i| Some(state.places[i].server.as_ref()?.term));
    let (lowest, highest) = (current.clone().min()?, current.max()?);
    if highest - lowest > most_apart {
        return None;
    }
    let mut below = Vec::new();
    each_term(state, part, &mut |term| {
        if *term > 0 && *term < lowest {
            below.push(*term);
        }
    });
    below.sort_unstable();
    below.dedup();
    let rank = |term: Term| below.partition_point(|other| *other < term) as Term + 1;
    let first = if lowest == 0 { 0 } else { rank(lowest) };
    each_term(state, part, &mut |term| {
        *term = match *term {
            0 => 0,
            term if term >= lowest => term - lowest + first,
            term => rank(term),
        };
    });
    Some(())
}

/// What the cut leaves of a state.
pub fn cut(state: &State, links: &Links) -> State {
    let mut state = state.clone();
    for (to, place) in state.places.iter_mut().enumerate() {
        place.due.retain(|(from, _)| links[usize::from(*from)] >> to & 1 == 1);
    }
    state
}
