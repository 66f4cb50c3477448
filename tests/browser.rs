//! Our pages in a real browser. The Stateright Explorer: what its page shows, and that stepping by
//! its links works. The pages of a report: that everybody can read them.

#[path = "support/browser.rs"]
mod driver;
#[path = "support/explorer.rs"]
mod explorer;

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use driver::Browser;
use explorer::Explorer;
use serde_json::json;

/// The Explorer's page.
struct Stepper {
    page: Browser,
}

impl Stepper {
    fn open(explorer: &Explorer, path: &str) -> Self {
        let url = format!("http://{}/#/steps{path}", explorer.address);
        Stepper { page: Browser::open(&url, &explorer.address) }
    }

    /// Waits until the chosen state is the one after so many steps from the start.
    fn wait_for_steps(&mut self, steps: usize) {
        // Two entries stand before the steps: before the start, and the start.
        self.page.wait_for(&format!(
            "document.querySelectorAll('.path-list li').length === {} \
             && document.querySelector('.path-list li:last-child .is-selected-state') !== null",
            steps + 2
        ));
    }

    /// What the page says in words of the chosen state.
    fn state(&mut self) -> String {
        let text = self.page.value("document.querySelector('.font-small.color-dark').innerText");
        text.as_str().expect("a text").to_string()
    }

    /// What stands in the diagram.
    fn diagram(&mut self) -> String {
        let text = self.page.value("document.querySelector('svg.oneleader').textContent");
        text.as_str().expect("a text").to_string()
    }
}

#[test]
#[ignore = "needs a browser in CHROMIUM; .ci/run finds or installs one"]
fn the_link_shows_why_the_property_is_violated() {
    let explorer = Explorer::start(&["raft", "--bug", "forgets-vote"]);
    let steps = explorer.path.matches('/').count() - 1;
    let mut browser = Stepper::open(&explorer, &explorer.path);
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
    browser.page.wait_for(
        "(() => { const svg = document.querySelector('svg.oneleader').getBoundingClientRect(); \
         const box = document.querySelector('.hscroll'); \
         return svg.width > 700 && box.scrollWidth <= box.clientWidth \
             && svg.right <= window.innerWidth; })()",
    );
    // Every property that is violated on the way is listed, and leads to its violation.
    browser.page.wait_for(
        "[...document.querySelectorAll('nav li')].filter(li => \
         li.innerText.includes('Counterexample found')).length >= 2",
    );
    assert_eq!(browser.page.errors, Vec::<String>::new());
}

#[test]
#[ignore = "needs a browser in CHROMIUM; .ci/run finds or installs one"]
fn clicking_on_stars_leads_from_the_start_to_the_violation() {
    let explorer = Explorer::start(&["bully", "--bug", "recovers-as-leader"]);
    let steps = explorer.path.matches('/').count() - 1;
    let mut browser = Stepper::open(&explorer, "/0");
    for step in 0..steps {
        browser.wait_for_steps(step);
        assert!(!browser.state().contains("IS VIOLATED"), "after {step} steps");
        let star = "[...document.querySelectorAll('nav > ul a')].find(a => a.innerText[0] === '★')";
        browser.page.wait_for(&format!("{star} !== undefined"));
        browser.page.value(&format!("{star}.click()"));
    }
    browser.wait_for_steps(steps);
    assert!(browser.state().contains("⚠ election-safety IS VIOLATED"), "{}", browser.state());
    assert_eq!(browser.page.errors, Vec::<String>::new());
}

#[test]
#[ignore = "needs a browser in CHROMIUM; .ci/run finds or installs one"]
fn without_a_bug_the_start_is_shown_with_the_verdicts() {
    let explorer = Explorer::start(&["bully"]);
    assert!(explorer.said.contains("election-safety: holds"), "{}", explorer.said);
    let mut browser = Stepper::open(&explorer, &explorer.path);
    browser.wait_for_steps(0);
    let state = browser.state();
    assert!(state.contains("election-safety: holds"), "{state}");
    assert!(browser.diagram().contains("All nodes start"));
    browser.page.wait_for("document.querySelectorAll('nav > ul a').length > 0");
    assert_eq!(browser.page.errors, Vec::<String>::new());
}

#[test]
#[ignore = "needs a browser in CHROMIUM; .ci/run finds or installs one"]
fn a_start_that_steps_lead_to_is_shown_with_them() {
    let explorer = Explorer::start(&["raft", "--bug", "commits-old-terms"]);
    let mut browser = Stepper::open(&explorer, "/0");
    browser.wait_for_steps(0);
    assert!(browser.diagram().contains("stands for election"), "{}", browser.diagram());
    assert_eq!(browser.page.errors, Vec::<String>::new());
}

/// A report on a protocol, as a folder.
fn report() -> String {
    let folder = format!("{}/report", env!("CARGO_TARGET_TMPDIR"));
    let mut report = Command::new(env!("CARGO_BIN_EXE_oneleader"));
    let ended = report.args(["report", &folder, "bully"]).output().expect("the command runs");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    folder
}

/// The pages of a folder and of the folders in it.
fn pages(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("one").path());
    let pages = entries.flat_map(|path| match path.extension() {
        _ if path.is_dir() => pages(&path),
        Some(end) if end == "html" => vec![format!("file://{}", path.display())],
        _ => Vec::new(),
    });
    pages.collect()
}

#[test]
#[ignore = "needs a browser in CHROMIUM and axe in AXE; .ci/run finds or installs them"]
fn everybody_can_read_a_report() {
    let axe = env::var_os("AXE").expect("AXE names axe.min.js");
    let axe = fs::read_to_string(axe).expect("axe.min.js");
    let pages = pages(Path::new(&report()));
    assert!(pages.len() > 20, "{pages:?}");
    let mut browser = Browser::open("about:blank", "report");
    let mut wrong: Vec<String> = Vec::new();
    for (scheme, width) in [("light", 1400), ("dark", 1400), ("light", 390)] {
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        browser.call("Emulation.setEmulatedMedia", media);
        let size =
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500 });
        browser.call("Emulation.setDeviceMetricsOverride", size);
        for page in &pages {
            browser.go(page);
            browser.wait_for(&format!(
                "decodeURI(location.href).startsWith({page:?}) && document.readyState === 'complete'"
            ));
            browser.value(&axe);
            let found = browser.value(
                "axe.run().then(r => r.violations.map(v => \
                 v.id + ': ' + v.help + ': ' + v.nodes.map(n => n.html).slice(0, 3).join(' ')))",
            );
            if found != json!([]) {
                wrong.push(format!("{page}, {scheme}, {width} wide: {found}"));
            }
            // Nothing makes the whole page scroll sideways.
            let over =
                "document.documentElement.scrollWidth - document.documentElement.clientWidth";
            let over = browser.value(over);
            if over != json!(0) {
                wrong.push(format!("{page}, {width} wide: {over} pixels too wide"));
            }
        }
    }
    wrong.append(&mut browser.errors);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
