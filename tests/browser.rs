//! The Stateright Explorer in a real browser: what its page shows, and that stepping by its links
//! works. The browser is driven by the DevTools protocol: messages in JSON over a WebSocket.
//!
//! The environment variable `CHROMIUM` names the browser; `.ci/browser` finds or installs one.

#[path = "support/explorer.rs"]
mod explorer;

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use explorer::Explorer;
use serde_json::{Value, json};
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};

/// How long the page may take to show something.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one page.
struct Browser {
    child: Child,
    socket: WebSocket<MaybeTlsStream<TcpStream>>,
    /// The page, once one is open.
    session: Option<Value>,
    sent: u64,
    /// Errors that scripts of the page raised or wrote to the console.
    errors: Vec<String>,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Browser {
    fn open(explorer: &Explorer, path: &str) -> Self {
        let program = std::env::var_os("CHROMIUM").expect("CHROMIUM names a browser");
        let profile = format!("{}/{}", env!("CARGO_TARGET_TMPDIR"), explorer.address);
        let mut child = Command::new(program)
            // Continuous integration often runs as root, for whom there is no sandbox.
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1600,1200"])
            .args(["--remote-debugging-port=0", &format!("--user-data-dir={profile}")])
            .arg("about:blank")
            .stderr(Stdio::piped())
            .spawn()
            .expect("the browser runs");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let url = lines.by_ref().map_while(Result::ok).find_map(|line| {
            line.strip_prefix("DevTools listening on ").map(|url| url.trim().to_string())
        });
        let url = url.expect("the browser says where it can be reached");
        // A browser whose messages nobody reads would stop.
        std::thread::spawn(move || lines.for_each(drop));
        let (socket, _) = tungstenite::connect(url).expect("the browser answers");
        let mut browser = Browser { child, socket, session: None, sent: 0, errors: Vec::new() };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        browser.session = Some(browser.call("Target.attachToTarget", attach)["sessionId"].clone());
        browser.call("Runtime.enable", json!({}));
        browser.call("Log.enable", json!({}));
        let url = format!("http://{}/#/steps{path}", explorer.address);
        browser.call("Page.navigate", json!({ "url": url }));
        browser
    }

    /// Calls a method of the DevTools protocol, and waits for what it returns.
    fn call(&mut self, method: &str, params: Value) -> Value {
        self.sent += 1;
        let mut call = json!({ "id": self.sent, "method": method, "params": params });
        if let Some(session) = &self.session {
            call["sessionId"] = session.clone();
        }
        self.socket.send(Message::text(call.to_string())).expect("the browser listens");
        loop {
            let message = self.socket.read().expect("the browser answers");
            let Message::Text(text) = message else { continue };
            let answer: Value = serde_json::from_str(&text).expect("JSON");
            if answer["id"] == self.sent {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
            self.note_error(&answer);
        }
    }

    fn note_error(&mut self, event: &Value) {
        let is_error = match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Runtime.consoleAPICalled") => event["params"]["type"] == "error",
            // The Explorer has no icon, for which browsers ask.
            Some("Log.entryAdded") => {
                let entry = &event["params"]["entry"];
                let is_icon = entry["url"].as_str().is_some_and(|url| url.ends_with("favicon.ico"));
                entry["level"] == "error" && !is_icon
            }
            _ => false,
        };
        if is_error {
            self.errors.push(event["params"].to_string());
        }
    }

    /// The value of an expression in JavaScript.
    fn value(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "returnByValue": true });
        let answer = self.call("Runtime.evaluate", params);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Waits until the expression is true.
    fn wait_for(&mut self, expression: &str) {
        let begin = Instant::now();
        while self.value(expression) != Value::Bool(true) {
            let shown = || "document.body.innerText".to_string();
            if begin.elapsed() > PATIENCE {
                panic!("not so: {expression}; shown is {}", self.value(&shown()));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until the chosen state is the one after so many steps from the start.
    fn wait_for_steps(&mut self, steps: usize) {
        // Two entries stand before the steps: before the start, and the start.
        self.wait_for(&format!(
            "document.querySelectorAll('.path-list li').length === {} \
             && document.querySelector('.path-list li:last-child .is-selected-state') !== null",
            steps + 2
        ));
    }

    /// What the page says in words of the chosen state.
    fn state(&mut self) -> String {
        let text = self.value("document.querySelector('.font-small.color-dark').innerText");
        text.as_str().expect("a text").to_string()
    }

    /// What stands in the diagram.
    fn diagram(&mut self) -> String {
        let text = self.value("document.querySelector('svg.oneleader').textContent");
        text.as_str().expect("a text").to_string()
    }
}

#[test]
#[ignore = "needs a browser in CHROMIUM; .ci/run finds or installs one"]
fn the_link_shows_why_the_property_is_violated() {
    let explorer = Explorer::start(&["raft", "--bug", "forgets-vote"]);
    let steps = explorer.path.matches('/').count() - 1;
    let mut browser = Browser::open(&explorer, &explorer.path);
    browser.wait_for_steps(steps);
    let state = browser.state();
    for part in ["⚠ election-safety IS VIOLATED: n3 and n1 both led term 1", "n1  LEADS term 1"] {
        assert!(state.contains(part), "no `{part}` in {state}");
    }
    assert!(state.contains("crashes=1") && state.contains("forgets-vote"), "{state}");
    assert!(!state.contains("Id("), "{state}");
    let diagram = browser.diagram();
    for part in ["election-safety is violated", "n3 and n1 both led term 1", "crashes", "n3"] {
        assert!(diagram.contains(part), "no `{part}` in {diagram}");
    }
    // Nothing of the diagram is cut off, and it can be read.
    browser.wait_for(
        "(() => { const svg = document.querySelector('svg.oneleader').getBoundingClientRect(); \
         const box = document.querySelector('.hscroll'); \
         return svg.width > 700 && box.scrollWidth <= box.clientWidth \
             && svg.right <= window.innerWidth; })()",
    );
    // Every property that is violated on the way is listed, and leads to its violation.
    browser.wait_for(
        "[...document.querySelectorAll('nav li')].filter(li => \
         li.innerText.includes('Counterexample found')).length >= 2",
    );
    assert_eq!(browser.errors, Vec::<String>::new());
}

#[test]
#[ignore = "needs a browser in CHROMIUM; .ci/run finds or installs one"]
fn clicking_on_stars_leads_from_the_start_to_the_violation() {
    let explorer = Explorer::start(&["bully", "--bug", "recovers-as-leader"]);
    let steps = explorer.path.matches('/').count() - 1;
    let mut browser = Browser::open(&explorer, "/0");
    for step in 0..steps {
        browser.wait_for_steps(step);
        assert!(!browser.state().contains("IS VIOLATED"), "after {step} steps");
        let star = "[...document.querySelectorAll('nav > ul a')].find(a => a.innerText[0] === '★')";
        browser.wait_for(&format!("{star} !== undefined"));
        browser.value(&format!("{star}.click()"));
    }
    browser.wait_for_steps(steps);
    assert!(browser.state().contains("⚠ election-safety IS VIOLATED"), "{}", browser.state());
    assert_eq!(browser.errors, Vec::<String>::new());
}

#[test]
#[ignore = "needs a browser in CHROMIUM; .ci/run finds or installs one"]
fn without_a_bug_the_start_is_shown_with_the_verdicts() {
    let explorer = Explorer::start(&["bully"]);
    assert!(explorer.said.contains("election-safety: holds"), "{}", explorer.said);
    let mut browser = Browser::open(&explorer, &explorer.path);
    browser.wait_for_steps(0);
    let state = browser.state();
    assert!(state.contains("election-safety: holds"), "{state}");
    assert!(browser.diagram().contains("All nodes start"));
    browser.wait_for("document.querySelectorAll('nav > ul a').length > 0");
    assert_eq!(browser.errors, Vec::<String>::new());
}

#[test]
#[ignore = "needs a browser in CHROMIUM; .ci/run finds or installs one"]
fn a_start_that_steps_lead_to_is_shown_with_them() {
    let explorer = Explorer::start(&["raft", "--bug", "commits-old-terms"]);
    let mut browser = Browser::open(&explorer, "/0");
    browser.wait_for_steps(0);
    assert!(browser.diagram().contains("stands for election"), "{}", browser.diagram());
    assert_eq!(browser.errors, Vec::<String>::new());
}
