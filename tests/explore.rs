//! The Stateright Explorer, started on a planted bug: the link that is printed leads, through the
//! Explorer's own calls, to a state in which the property is violated.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The command, ended with the test.
struct Explorer {
    child: Child,
    address: String,
    /// `/0/3/1`
    path: String,
}

impl Drop for Explorer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Explorer {
    fn start(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_oneleader"))
            .arg("explore")
            .args(args)
            .args(["--port", "0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the command runs");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let link = lines.map_while(Result::ok).find_map(|line| {
            let link = line.strip_prefix("Stateright Explorer: http://")?;
            let (address, path) = link.split_once("/#/steps")?;
            Some((address.to_string(), path.to_string()))
        });
        let (address, path) = link.expect("a link is printed");
        Explorer { child, address, path }
    }

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

    /// The path to the violation of election safety that the list of properties shows.
    fn discovery(&self) -> Option<String> {
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            let status = self.get("/.status");
            let properties = status["properties"].as_array().expect("properties");
            let safety =
                properties.iter().find(|p| p[1] == "election-safety").expect("it is asked");
            if let Some(path) = safety[2].as_str() {
                return Some(format!("/{path}"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        None
    }
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
    let (action, outcome) = (last["action"].as_str(), last["outcome"].as_str());
    assert!(action.is_some_and(|action| !action.is_empty()), "{last}");
    assert!(outcome.is_some(), "{last}");
    // The list of properties shows the same violation, although nothing else has been explored.
    assert_eq!(explorer.discovery().as_deref(), Some(explorer.path.as_str()));
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
