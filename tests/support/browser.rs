//! A real browser, driven by the DevTools protocol: messages in JSON over a WebSocket.
//!
//! The environment variable `CHROMIUM` names the browser; `.ci/browser` finds or installs one.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};

/// How long the page may take to show something.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one page.
pub struct Browser {
    child: Child,
    socket: WebSocket<MaybeTlsStream<TcpStream>>,
    /// The page, once one is open.
    session: Option<Value>,
    sent: u64,
    /// Errors that scripts of the page raised or wrote to the console.
    pub errors: Vec<String>,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Browser {
    /// Opens a page. No other browser may have this profile.
    pub fn open(url: &str, profile: &str) -> Self {
        let program = std::env::var_os("CHROMIUM").expect("CHROMIUM names a browser");
        let profile = format!("{}/{profile}", env!("CARGO_TARGET_TMPDIR"));
        let mut child = Command::new(program)
            // Continuous integration often runs as root, for whom there is no sandbox.
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1600,1200"])
            .args(["--remote-debugging-port=0", &format!("--user-data-dir={profile}")])
            .arg("about:blank")
            .stderr(Stdio::piped())
            .spawn()
            .expect("the browser runs");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let socket = lines.by_ref().map_while(Result::ok).find_map(|line| {
            line.strip_prefix("DevTools listening on ").map(|url| url.trim().to_string())
        });
        let socket = socket.expect("the browser says where it can be reached");
        // A browser whose messages nobody reads would stop.
        std::thread::spawn(move || lines.for_each(drop));
        let (socket, _) = tungstenite::connect(socket).expect("the browser answers");
        let mut browser = Browser { child, socket, session: None, sent: 0, errors: Vec::new() };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        browser.session = Some(browser.call("Target.attachToTarget", attach)["sessionId"].clone());
        browser.call("Runtime.enable", json!({}));
        browser.call("Log.enable", json!({}));
        browser.go(url);
        browser
    }

    /// Goes to a page.
    pub fn go(&mut self, url: &str) {
        self.call("Page.navigate", json!({ "url": url }));
    }

    /// Calls a method of the DevTools protocol, and waits for what it returns.
    pub fn call(&mut self, method: &str, params: Value) -> Value {
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

    /// The value of an expression in JavaScript; of a promise, what it comes to.
    pub fn value(&mut self, expression: &str) -> Value {
        let params =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", params);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Waits until the expression is true.
    pub fn wait_for(&mut self, expression: &str) {
        let begin = Instant::now();
        while self.value(expression) != Value::Bool(true) {
            let shown = || "document.body.innerText".to_string();
            if begin.elapsed() > PATIENCE {
                panic!("not so: {expression}; shown is {}", self.value(&shown()));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
