//! The systems that the corpus asks about: the `[[liveness]]` tables of `models/raft`, as
//! `docs/scenarios.md` describes them, read once more.

use toml::{Table, Value};

use crate::form::{Form, cut};
use crate::graph::{Found, Graph, Way, search};
use crate::raft::{Options, Role, Server, Term};
use crate::tick::{Budget, Inbox, Links, Place, State};

static RAFT: &str = include_str!("../../models/raft/scenarios.toml");

/// A system with the expected answer on `stable-leader`.
pub struct Asked {
    pub options: Options,
    links: Links,
    budget: Budget,
    /// The links from some moment on, and in which states that moment may come.
    cut: Option<(Links, String)>,
    pub expected: String,
}

/// How many milliseconds a tick is.
const TICK: i64 = 10;

impl Asked {
    /// The system of this name.
    pub fn named(name: &str) -> Asked {
        let all: Table = RAFT.parse().expect("the corpus is TOML");
        let mut tables = all["liveness"].as_array().expect("tables").iter();
        let table = tables
            .find(|table| table["name"].as_str() == Some(name))
            .unwrap_or_else(|| panic!("expected a system of the corpus, found {name}"));
        let known =
            ["name", "note", "nodes", "options", "faults", "topology", "cut", "size", "expect"];
        for key in table.as_table().expect("a table").keys() {
            assert!(
                known.contains(&key.as_str()),
                "{name} has the key {key}, which is not read here"
            );
        }
        let none = Value::Table(Table::new());
        let options = table.get("options").unwrap_or(&none);
        let servers = table["nodes"].as_integer().expect("a number") as u8;
        let flag = |key| options.get(key).is_some_and(|value| value.as_bool() == Some(true));
        let number = |table: &Value, key, default| {
            table.get(key).map_or(default, |value| value.as_integer().expect("a number"))
        };
        let ticks = |key, default| (number(options, key, default) / TICK) as u8;
        let (first, spread) = (ticks("election_ms", 30), ticks("election_spread_ms", 30));
        let faults = table.get("faults").unwrap_or(&none);
        assert_eq!(number(faults, "restarts", 0) + number(faults, "losses", 0), 0, "{name}");
        let links = |text: &Value| links(text.as_str().expect("a topology"), servers);
        Asked {
            options: Options {
                servers,
                pre_vote: flag("pre_vote"),
                check_quorum: flag("check_quorum"),
                sticky: flag("sticky"),
                heartbeat: ticks("heartbeat_ms", 10),
                // The end of the range does not belong to it.
                election: (first, first + spread.max(1) - 1),
            },
            links: links(table.get("topology").unwrap_or(&"mesh".into())),
            budget: Budget {
                crashes: number(faults, "crashes", 0) as u8,
                inputs: number(options, "values", 0) as u8,
            },
            cut: table.get("cut").map(|cut| {
                (links(&cut["to"]), cut["when"].as_str().expect("a predicate").to_string())
            }),
            expected: table["expect"]["stable-leader"].as_str().expect("an answer").to_string(),
        }
    }

    /// The state in which a run begins.
    pub fn start(&self) -> State {
        let place = Place { server: Some(Server::new()), due: Inbox::new() };
        let places = vec![place; usize::from(self.options.servers)];
        State { places, left: self.budget }
    }

    /// The graph of what counts: of everything, or of what comes after the cut. What comes before
    /// it is the same for many systems, and found `once` for all.
    pub fn graph(&self, way: Way, most_apart: Term, once: &mut Once) -> Result<Graph, String> {
        let options = &self.options;
        let key = (*options, self.links.clone(), self.budget);
        let form = Form { options, links: &self.links, most_apart };
        let Some((links, when)) = &self.cut else {
            return Ok(search(&form, way, vec![self.start()], MOST)?.graph);
        };
        if once.as_ref().is_none_or(|(known, _)| *known != key) {
            *once = Some((key, search(&form, way, vec![self.start()], MOST)?));
        }
        let (_, before) = once.as_ref().expect("it was just found");
        if before.graph.cut.contains(&true) {
            return Err("not all states are known in which the cut may come".to_string());
        }
        let may_come = |state: &State| when.split(" and ").all(|fact| is_true(fact, state));
        let starts = before.states().filter(may_come);
        let starts: Vec<State> = starts.map(|state| cut(&state, links)).collect();
        if starts.is_empty() {
            return Err("the cut never comes".to_string());
        }
        Ok(search(&Form { options, links, most_apart }, way, starts, MOST)?.graph)
    }
}

/// What comes before the cut, with what it depends on.
pub type Once = Option<((Options, Links, Budget), Found)>;

/// So many states may a graph have.
const MOST: usize = 30_000_000;

/// `n1` is server 0.
fn server(name: &str) -> usize {
    let number = name.trim().strip_prefix('n').and_then(|number| number.parse::<usize>().ok());
    number.unwrap_or_else(|| panic!("expected a node, found {name}")) - 1
}

fn links(text: &str, servers: u8) -> Links {
    let all: u8 = (1 << servers) - 1;
    let (kind, inner) = text.trim_end_matches(')').split_once('(').unwrap_or((text, ""));
    let mut links =
        vec![if matches!(kind, "star" | "line") { 0 } else { all }; usize::from(servers)];
    let mut set = |from: usize, to: usize, is_up: bool| match is_up {
        true => links[from] |= 1 << to,
        false => links[from] &= !(1 << to),
    };
    let each = || 0..usize::from(servers);
    match kind {
        "mesh" => {}
        "star" => each().for_each(|i| {
            set(server(inner), i, true);
            set(i, server(inner), true);
        }),
        "isolate" => each().for_each(|i| {
            set(server(inner), i, false);
            set(i, server(inner), false);
        }),
        "line" => {
            let line: Vec<usize> = inner.split(',').map(server).collect();
            line.windows(2).for_each(|pair| {
                set(pair[0], pair[1], true);
                set(pair[1], pair[0], true);
            });
        }
        "cut" => inner.split(',').for_each(|pair| {
            let (from, to) = pair.split_once(['-', '>']).expect("a pair");
            set(server(from), server(to), false);
            if pair.contains('-') {
                set(server(to), server(from), false);
            }
        }),
        _ => panic!("a topology that is not read here: {text}"),
    }
    links
}

fn is_true(fact: &str, state: &State) -> bool {
    let words: Vec<&str> = fact.split_whitespace().collect();
    let of = |name: &str| state.places[server(name)].server.as_ref();
    match words[..] {
        [one, "leads"] => of(one).is_some_and(Server::leads),
        [one, "follows", other] => {
            let follower = Role::Follower { leader: Some(server(other) as u8) };
            of(one).is_some_and(|server| server.role == follower)
        }
        [one, "is", "down"] => of(one).is_none(),
        [one, "has", "1", "entry"] => of(one).is_some_and(|server| server.log.len() == 1),
        [one, "lacks", "entry", "1"] => of(one).is_some_and(|server| server.log.is_empty()),
        _ => panic!("a fact that is not read here: {fact}"),
    }
}
