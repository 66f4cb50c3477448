//! The command `explore`, started for a test and ended with it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// The command while it runs.
pub struct Explorer {
    child: Child,
    /// Where it listens.
    pub address: String,
    /// The path to which its link leads: `/0/3/1`.
    pub path: String,
    /// What it said before the link.
    pub said: String,
}

impl Drop for Explorer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Explorer {
    /// Starts it, and waits for its link.
    pub fn start(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_oneleader"))
            .arg("explore")
            .args(args)
            .args(["--port", "0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the command runs");
        let mut said = String::new();
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let link = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let link = line.strip_prefix("Stateright Explorer: http://").map(str::to_string);
            if link.is_none() {
                said += &format!("{line}\n");
            }
            link
        });
        let link = link.expect("a link is printed");
        let (address, path) = link.split_once("/#/steps").expect("a link to a state");
        Explorer { child, address: address.to_string(), path: path.to_string(), said }
    }
}
