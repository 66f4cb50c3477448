//! The Stateright Explorer, started on a planted bug: the link that is printed leads, through the
//! Explorer's own calls, to a state in which the property is violated.

#[path = "support/explorer.rs"]
mod explorer;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use explorer::Explorer;
use serde_json::Value;

impl Explorer {
    fn get(&self, path: &str) -> Value {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").expect("it listens");
        let mut response = String::new();
        stream.read_to_string(&mut response).expect("it answers");
        let (_, body) = response.split_once("\r\n\r\n").expect("a body");
        serde_json::from_str(body).unwrap_or_else(|e| panic!("{e}: {response}"))
    }

    /// The state after these indices, and what was done last: the Explorer shows the successors of
    /// a path.
    fn reached(&self, path: &str) -> Value {
        let (before, index) = path.rsplit_once('/').expect("a path");
        let index: usize = index.parse().expect("an index");
        let successors = self.get(&format!("/.states{before}"));
        let all = successors.as_array().expect("successors");
        all.iter().find(|s| s["actionIndex"] == index).expect("the step is offered").clone()
    }

    /// What is listed as violated: each property with the path to a violation.
    fn discoveries(&self) -> Vec<(String, String)> {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let status = self.get("/.status");
            let properties = status["properties"].as_array().expect("properties");
            let violated = properties.iter().filter_map(|property| {
                let (name, path) = (property[1].as_str()?, property[2].as_str()?);
                Some((name.to_string(), format!("/{path}")))
            });
            let violated: Vec<_> = violated.collect();
            let is_done = status["done"].as_bool().expect("whether it is done");
            if is_done || Instant::now() > deadline {
                return violated;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn text<'a>(state: &'a Value, what: &str) -> &'a str {
    state[what].as_str().unwrap_or_else(|| panic!("no {what} in {state}"))
}

#[test]
fn the_link_leads_to_the_state_in_which_two_nodes_lead() {
    let explorer = Explorer::start(&["bully", "--bug", "recovers-as-leader"]);
    assert_eq!(
        explorer.path.matches('/').count(),
        1 + 6,
        "initial state and six steps: {}",
        explorer.path
    );
    let last = explorer.reached(&explorer.path);
    assert!(text(&last, "action").contains("⚠ violates election-safety"), "{last}");
    let outcome = text(&last, "outcome");
    assert!(outcome.starts_with("⚠ election-safety IS VIOLATED: "), "{outcome}");
    assert!(!outcome.contains("Id("), "{outcome}");
    assert!(text(&last, "svg").contains("election-safety is violated"), "{last}");
    // The list of properties shows the same violation, although nothing else has been explored.
    let discoveries = explorer.discoveries();
    assert!(discoveries.contains(&("election-safety".into(), explorer.path.clone())));
}

#[test]
fn stars_lead_from_the_start_to_the_violation() {
    let explorer = Explorer::start(&["bully", "--bug", "recovers-as-leader"]);
    let mut path = "/0".to_string();
    while path != explorer.path {
        assert!(path.len() < explorer.path.len(), "{path} leads past {}", explorer.path);
        let next = explorer.get(&format!("/.states{path}"));
        let next = next.as_array().expect("steps");
        assert!(text(&next[0], "action").starts_with("★ "), "{}", next[0]);
        path += &format!("/{}", next[0]["actionIndex"]);
    }
}

#[test]
fn without_a_bug_it_opens_at_the_start_with_the_verdicts() {
    let explorer = Explorer::start(&["bully"]);
    assert_eq!(explorer.path, "/0");
    let start = &explorer.get("/.states")[0];
    assert!(explorer.said.contains("election-safety: holds"), "{}", explorer.said);
    assert!(text(start, "state").contains("election-safety: holds"), "{start}");
    assert_eq!(explorer.discoveries(), []);
}

#[test]
fn a_step_off_the_path_can_be_followed() {
    let explorer = Explorer::start(&["bully", "--bug", "recovers-as-leader"]);
    let first = explorer.get("/.states/0");
    let taken: usize = explorer.path.split('/').nth(2).expect("a step").parse().expect("an index");
    let other = first.as_array().expect("steps").iter().find(|s| s["actionIndex"] != taken);
    let index = other.expect("there is a choice")["actionIndex"].as_u64().expect("an index");
    assert!(!explorer.get(&format!("/.states/0/{index}")).as_array().expect("steps").is_empty());
}
