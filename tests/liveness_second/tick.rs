//! What the whole system can do in a tick.
//!
//! Two ways to find it. [`interleaved`] takes one step after the other, in every order, and so
//! needs no argument; a message may take a tick, or none. [`by_server`] looks at each server alone
//! and puts together what they can do, which is right only where a message takes a tick. It is
//! faster, and a test compares the two.
//!
//! In a tick first nature draws which timers fire: of those that have reached their first age any
//! may, and those that have reached their last age must. Then these timers and the messages that
//! are due come in every order. A timer that is set anew or stopped before its turn does not fire.
//! A server may crash, and a leader may be handed input, between any two of these steps, as long as
//! the budget lasts.

use std::rc::Rc;

use hashbrown::{HashMap, HashSet};

use crate::raft::{Call, Message, Options, Server, Set, TIMERS};

/// Messages with their senders, sorted: how they arrive is chosen when they do.
pub type Inbox = Vec<(u8, Message)>;

/// A server and what is due to it. Without a server it is down, for good.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    pub server: Option<Server>,
    pub due: Inbox,
}

/// How often something may still strike, or has struck.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Budget {
    pub crashes: u8,
    pub inputs: u8,
}

impl Budget {
    pub fn without(self, used: Budget) -> Option<Budget> {
        Some(Budget {
            crashes: self.crashes.checked_sub(used.crashes)?,
            inputs: self.inputs.checked_sub(used.inputs)?,
        })
    }
}

/// The system between two ticks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub places: Vec<Place>,
    pub left: Budget,
}

/// By server, those that hear it.
pub type Links = Vec<Set>;

/// What fires in a tick: four bits a server. `None` if the environment did something.
pub type Draw = Option<u32>;

/// All ways in which a tick can end.
pub type Ticks = Vec<(Draw, State)>;

fn put(inbox: &mut Inbox, from: u8, message: Message) {
    let at = inbox.partition_point(|other| *other < (from, message));
    inbox.insert(at, (from, message));
}

/// Every set of timers of a server that may fire, as bits.
fn draws(options: &Options, server: &Option<Server>) -> Vec<u8> {
    let Some(server) = server else { return vec![0] };
    let mut draws = vec![0];
    for timer in TIMERS {
        let Some(age) = server.timers[timer as usize] else { continue };
        let (first, last) = options.ages(timer);
        let with = draws.iter().map(|draw| draw | 1 << timer as u8).collect::<Vec<u8>>();
        if age >= last {
            draws = with;
        } else if age >= first {
            draws.extend(with);
        }
    }
    draws
}

/// Of the timers that were drawn, those that have run since before the tick.
fn still_due(server: &Server, draw: u8) -> u8 {
    let runs = |bit: &usize| draw >> bit & 1 == 1 && server.timers[*bit].is_some_and(|age| age > 0);
    (0..TIMERS.len()).filter(runs).fold(0, |due, bit| due | 1 << bit)
}

fn grow_older(server: &mut Server) {
    server.timers.iter_mut().flatten().for_each(|age| *age += 1);
}

/// What can happen next at a server.
enum Event {
    Arrives(usize),
    Fires(usize),
    Crashes,
    Input,
}

fn events(place: &Place, draw: u8, left: Budget) -> Vec<Event> {
    let Some(server) = &place.server else { return Vec::new() };
    let is_first_copy = |i: &usize| *i == 0 || place.due[i - 1] != place.due[*i];
    let mut events: Vec<Event> =
        (0..place.due.len()).filter(is_first_copy).map(Event::Arrives).collect();
    let due = still_due(server, draw);
    events.extend((0..TIMERS.len()).filter(|bit| due >> bit & 1 == 1).map(Event::Fires));
    if left.crashes > 0 {
        events.push(Event::Crashes);
    }
    if left.inputs > 0 && server.leads() {
        events.push(Event::Input);
    }
    events
}

/// What has come of an event at a server.
struct Happened {
    place: Place,
    sent: Vec<(u8, Message)>,
    used: Budget,
}

fn happens(options: &Options, me: u8, place: &Place, event: &Event) -> Happened {
    let mut place = place.clone();
    let mut used = Budget::default();
    if let Event::Crashes = event {
        used.crashes = 1;
        let sent = Vec::new();
        return Happened { place: Place { server: None, due: Vec::new() }, sent, used };
    }
    let Place { server: Some(server), due } = &mut place else { unreachable!("it is up") };
    let mut call = Call { options, me, server, sent: Vec::new() };
    match event {
        Event::Arrives(i) => {
            let (from, message) = due.remove(*i);
            call.receive(from, message);
        }
        Event::Fires(bit) => call.fire(TIMERS[*bit]),
        Event::Input => {
            used.inputs = 1;
            call.take_input();
        }
        Event::Crashes => unreachable!("seen to above"),
    }
    let sent = call.sent;
    Happened { place, sent, used }
}

/// A system within a tick.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Within {
    now: State,
    /// What will be due to each server in the next tick.
    later: Vec<Inbox>,
}

/// All that can happen in a tick, one step after the other. With `latency`, what is sent is due in
/// the next tick; without, it is due at once.
pub fn interleaved(options: &Options, links: &Links, state: &State, latency: bool) -> Ticks {
    let servers = state.places.len();
    let mut all = vec![Vec::new()];
    for place in &state.places {
        let mine = draws(options, &place.server);
        let with = |before: &Vec<u8>| {
            let before = before.clone();
            mine.iter().map(move |draw| [before.clone(), vec![*draw]].concat()).collect::<Vec<_>>()
        };
        all = all.iter().flat_map(with).collect();
    }
    let mut ticks = HashSet::new();
    for draw in all {
        let begin = Within { now: state.clone(), later: vec![Inbox::new(); servers] };
        let (mut seen, mut open) = (HashSet::new(), vec![begin]);
        while let Some(within) = open.pop() {
            let mut is_over = true;
            for me in 0..servers {
                let place = &within.now.places[me];
                for event in events(place, draw[me], within.now.left) {
                    // The environment need not do anything, so it does not keep a tick from ending.
                    is_over &= matches!(event, Event::Crashes | Event::Input);
                    let Happened { place, sent, used } = happens(options, me as u8, place, &event);
                    let mut next = within.clone();
                    next.now.places[me] = place;
                    next.now.left = next.now.left.without(used).expect("it is left");
                    for (to, message) in sent {
                        if links[me] >> to & 1 == 1 {
                            let inbox = match latency {
                                true => &mut next.later[usize::from(to)],
                                false => &mut next.now.places[usize::from(to)].due,
                            };
                            put(inbox, me as u8, message);
                        }
                    }
                    if seen.insert(next.clone()) {
                        open.push(next);
                    }
                }
            }
            if is_over {
                let mut after = within.now;
                for (place, later) in after.places.iter_mut().zip(within.later) {
                    place.server.iter_mut().for_each(grow_older);
                    place.due = later;
                }
                let bits = draw.iter().rev().fold(0, |bits, draw| bits << 4 | u32::from(*draw));
                ticks.insert(((after.left == state.left).then_some(bits), after));
            }
        }
    }
    ticks.into_iter().collect()
}

/// A way in which a tick can end at one server.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Ending {
    draw: u8,
    server: Option<Server>,
    sent: Vec<(u8, Message)>,
    used: Budget,
}

/// The ways in which a tick can end at a server that these hear.
fn endings(options: &Options, me: u8, heard: Set, place: &Place, left: Budget) -> Vec<Ending> {
    let mut found = HashSet::new();
    for draw in draws(options, &place.server) {
        let begin = (place.clone(), Vec::new(), Budget::default());
        let (mut seen, mut open) = (HashSet::new(), vec![begin]);
        while let Some((place, sent, used)) = open.pop() {
            let mut is_over = true;
            for event in events(&place, draw, left.without(used).expect("it is left")) {
                is_over &= matches!(event, Event::Crashes | Event::Input);
                let next = happens(options, me, &place, &event);
                let mut sent = sent.clone();
                sent.extend(next.sent.into_iter().filter(|(to, _)| heard >> to & 1 == 1));
                sent.sort_unstable();
                let used = Budget {
                    crashes: used.crashes + next.used.crashes,
                    inputs: used.inputs + next.used.inputs,
                };
                let next = (next.place, sent, used);
                if seen.insert(next.clone()) {
                    open.push(next);
                }
            }
            if is_over {
                let mut server = place.server;
                server.iter_mut().for_each(grow_older);
                found.insert(Ending { draw, server, sent, used });
            }
        }
    }
    found.into_iter().collect()
}

/// What servers can do alone, found once for each.
#[derive(Default)]
pub struct Alone(HashMap<(u8, Place, Budget), Rc<Vec<Ending>>>);

/// All that can happen in a tick, where what is sent is due in the next one: each server does one
/// of the things that it can do alone.
pub fn by_server(options: &Options, links: &Links, state: &State, alone: &mut Alone) -> Ticks {
    let servers = state.places.len();
    let mut each: Vec<Rc<Vec<Ending>>> = Vec::with_capacity(servers);
    for (place, me) in state.places.iter().zip(0..) {
        let found = alone.0.entry((me, place.clone(), state.left)).or_insert_with(|| {
            Rc::new(endings(options, me, links[usize::from(me)], place, state.left))
        });
        each.push(found.clone());
    }
    let mut ticks = Vec::new();
    let mut picked = vec![0; servers];
    loop {
        let endings = || each.iter().zip(&picked).map(|(endings, i)| &endings[*i]);
        let left = endings().try_fold(state.left, |left, ending| left.without(ending.used));
        if let Some(left) = left {
            let mut places: Vec<Place> = endings()
                .map(|ending| Place { server: ending.server.clone(), due: Inbox::new() })
                .collect();
            for (ending, me) in endings().zip(0..) {
                for (to, message) in &ending.sent {
                    places[usize::from(*to)].due.push((me, *message));
                }
            }
            let bits = endings().rev().fold(0, |bits, end| bits << 4 | u32::from(end.draw));
            let draw = (left == state.left).then_some(bits);
            ticks.push((draw, State { places, left }));
        }
        // The next one, counting as with digits.
        let Some(at) = (0..servers).find(|i| picked[*i] + 1 < each[*i].len()) else { break };
        picked[..at].fill(0);
        picked[at] += 1;
    }
    ticks
}
