//! The pages that `report` writes: that they are whole, that their links lead somewhere, and that
//! they replace nothing of somebody else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::{oneleader, scratch, text};

/// All pages of a report, by their paths.
type Pages = BTreeMap<String, String>;

fn fresh_folder(test: &str) -> PathBuf {
    let folder = scratch(test).join("site");
    let _ = fs::remove_dir_all(&folder);
    folder
}

fn read_all(folder: &Path) -> Pages {
    let mut pages = Pages::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        for path in fs::read_dir(&next).expect("a folder").map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "html") {
                let name = text(path.strip_prefix(folder).unwrap()).replace('\\', "/");
                pages.insert(name, fs::read_to_string(&path).expect("a page"));
            }
        }
    }
    pages
}

/// The report of two protocols.
fn pages() -> &'static Pages {
    static PAGES: OnceLock<Pages> = OnceLock::new();
    PAGES.get_or_init(|| {
        let folder = fresh_folder("pages");
        let ended = oneleader(&["report", text(&folder), "bully", "ring"]);
        assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
        assert!(ended.out.contains(&format!("open {}/index.html", text(&folder))), "{}", ended.out);
        read_all(&folder)
    })
}

/// The values of an attribute.
fn values<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    let begin = format!(" {attribute}=\"");
    page.split(&begin).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

#[test]
fn every_planted_bug_that_is_violated_has_a_page_with_a_diagram() {
    for protocol in ["bully", "ring"] {
        let listed = oneleader(&["list", protocol, "--json", "-"]).json();
        let listed = &listed["protocols"][0];
        let overview = &pages()[&format!("{protocol}.html")];
        let is_violated = |name: &Value| {
            let scenarios = listed["scenarios"].as_array().unwrap();
            let it = scenarios.iter().find(|scenario| scenario["name"] == *name).unwrap();
            it["expect"].as_object().unwrap().values().any(|e| e["verdict"] == "violated")
        };
        let bugs = listed["bugs"].as_array().unwrap();
        assert!(!bugs.is_empty());
        for bug in bugs {
            let name = bug["name"].as_str().unwrap();
            assert!(overview.contains(&format!("id=\"bug-{name}\"")), "{protocol} {name}");
            if !bug["scenarios"].as_array().unwrap().iter().any(is_violated) {
                continue;
            }
            let path = format!("{protocol}/bug-{name}.html");
            let page = pages().get(&path).unwrap_or_else(|| panic!("no page {path}"));
            assert!(page.contains("<svg") && page.contains("class=\"oneleader\""), "{path}");
            assert!(page.contains("id=\"step-0\"") && page.contains("id=\"step-1\""), "{path}");
            assert!(page.contains("oneleader check"), "{path}");
            assert!(overview.contains(&format!("href=\"{path}\"")), "{path}");
        }
    }
}

#[test]
fn an_answer_that_a_run_shows_has_a_page_with_the_run() {
    let page = &pages()["bully/live-chained.html"];
    assert!(page.contains("can-be-lost") && page.contains("goes on for ever"));
    assert!(pages()["index.html"].contains("href=\"bully/live-chained.html\""));
}

#[test]
fn links_lead_to_pages_and_places_that_exist() {
    for (path, page) in pages() {
        let ids: Vec<&str> = values(page, "id");
        let once: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), once.len(), "{path}: an id stands twice");
        let folder = Path::new(path).parent().unwrap();
        for link in values(page, "href") {
            let (to, place) = link.split_once('#').map_or((link, None), |(to, at)| (to, Some(at)));
            let target = match to.strip_prefix("../") {
                _ if to.is_empty() => path.clone(),
                Some(above) => above.to_string(),
                None => text(&folder.join(to)).to_string(),
            };
            let there = pages().get(&target);
            let there = there.unwrap_or_else(|| panic!("{path}: {link} leads nowhere"));
            if let Some(place) = place {
                let is_there = values(there, "id").contains(&place);
                assert!(is_there, "{path}: no place {link}");
            }
        }
        for named in values(page, "aria-labelledby") {
            assert!(once.contains(named), "{path}: {named} names nothing");
        }
    }
}

#[test]
fn pages_need_no_network_and_headings_come_in_order() {
    for (path, page) in pages() {
        for far in ["src=\"", "@import", "url(", "<link", "href=\"http"] {
            assert!(!page.contains(far), "{path}: {far}");
        }
        let mut last = 0;
        let levels = page.match_indices("<h").filter_map(|(at, _)| {
            let digit = page[at + 2..].chars().next()?.to_digit(10)?;
            matches!(&page[at + 3..at + 4], " " | ">").then_some(digit)
        });
        for level in levels {
            assert!(level <= last + 1, "{path}: h{level} after h{last}");
            last = level;
        }
        assert_eq!(page.matches("<h1").count(), 1, "{path}");
        assert_eq!(page.matches("<main").count(), 1, "{path}");
    }
}

#[test]
fn verdicts_of_a_file_are_shown_with_their_source() {
    let results = scratch("results").join("results.json");
    let checked = ["check", "bully", "--scenario", "pure-election", "--json", text(&results)];
    assert_eq!(oneleader(&checked).code, 0);
    let folder = fresh_folder("results");
    let ended = oneleader(&["report", text(&folder), "bully", "--results", text(&results)]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    let pages = read_all(&folder);
    let read = values_of(&results);
    let date = read["date"].as_str().expect("a day");
    assert!(date.len() == 10 && date.starts_with("20"), "{date}");
    let index = &pages["index.html"];
    let (_, told) = index.split_once("Read from <code>results.json</code> of ").expect("a source");
    assert!(told.starts_with(date), "{told}");
    assert!(told.contains(": 1 scenario."), "{told}");
    if let Some(commit) = read["commit"].as_str() {
        assert!(told.contains(&format!("commit <code>{commit}</code>")), "{told}");
    }
}

fn values_of(json: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(json).expect("a file")).expect("JSON")
}

/// A file with an answer about each of some systems of Bully.
fn stored(test: &str, systems: &[(&str, &str)]) -> PathBuf {
    let rows = systems.iter().map(|(system, answer)| {
        ["stable-leader", "leader-again-and-again", "everybody-follows", "no-needless-change"]
            .map(|question| {
                json!({
                    "protocol": "bully", "scenario": system, "question": question, "states": 4321,
                    "answer": answer, "expected": answer,
                })
            })
            .to_vec()
    });
    let rows: Vec<Value> = rows.flatten().collect();
    let path = scratch(test).join("answers.json");
    let file = json!({
        "version": 1, "date": "2026-01-02", "commit": "0123456789", "liveness": rows,
    });
    fs::write(&path, file.to_string()).unwrap();
    path
}

#[test]
fn stored_answers_about_large_systems_are_shown_with_day_and_commit() {
    let path = stored("answers", &[("five-mesh", "guaranteed"), ("no-such", "never")]);
    let folder = fresh_folder("answers");
    let ended = oneleader(&["report", text(&folder), "bully", "--results", text(&path)]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.err.contains("the corpus asks no such thing: bully no-such"), "{}", ended.err);
    let pages = read_all(&folder);
    let index = &pages["index.html"];
    let source = "<code>answers.json</code> of 2026-01-02, commit <code>0123456789</code>";
    assert!(index.contains(&format!("Read from {source}: liveness of 1 system.")), "{index}");
    let page = &pages["bully.html"];
    assert!(page.contains(&format!("4,321 states. From {source}")), "{page}");
    assert!(!page.contains("no-such"));
}

#[test]
fn stored_answers_count_only_if_the_same_is_asked_today() {
    // The corpus expects that a leader is guaranteed.
    let path = stored("answers-to-others", &[("five-mesh", "never")]);
    let folder = fresh_folder("answers-to-others");
    let ended = oneleader(&["report", text(&folder), "bully", "--results", text(&path)]);
    assert!(ended.err.contains("the corpus asks no such thing: bully five-mesh"), "{}", ended.err);
    assert!(!read_all(&folder)["bully.html"].contains("4,321 states"));
}

#[test]
fn results_that_are_none_are_refused_with_what_is_wrong() {
    let folder = fresh_folder("no-results");
    let refused = |path: &Path| oneleader(&["report", text(&folder), "--results", text(path)]);
    refused(&folder.join("no.json")).refuses(&["no.json", "cannot be read"]);
    let path = stored("no-results", &[("five-mesh", "guaranteed")]);
    let whole = fs::read_to_string(&path).unwrap();
    let half = whole[..whole.len() / 2].to_string();
    for (text, found) in [
        ("{}", "missing field `version`"),
        (r#"{"version": 1}"#, "found neither `results` nor `liveness`"),
        (&half, "EOF while parsing"),
        (&whole.replace("\"version\":1", "\"version\":2"), "found those of version 2"),
        (&whole.replace("stable-leader", "stable-lead"), "found the question `stable-lead`"),
        ("PK\u{3}", "expected value"),
    ] {
        fs::write(&path, text).unwrap();
        let ended = refused(&path);
        ended.refuses(&["answers.json", "expected results as `check --json`", found]);
        assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
    }
}

#[test]
fn plots_stand_beside_their_numbers() {
    let index = &pages()["index.html"];
    for (id, plot) in [("lengths", "counterexamples"), ("levels", "states"), ("waits", "ticks")] {
        let (_, section) = index.split_once(&format!("<h2 id=\"{id}\"")).expect("a section");
        let (section, _) = section.split_once("</section>").expect("its end");
        for part in ["class=\"plot\"", "role=\"img\"", "The numbers", "<table", plot] {
            assert!(section.contains(part), "{id}: no {part}");
        }
    }
    // The search of Bully's scenario begins with one state, and finds 30,727.
    let (_, levels) = index.split_once("<td>crash-and-restart</td><td>").expect("its levels");
    let (levels, _) = levels.split_once("</td>").expect("their end");
    let levels: Vec<u64> =
        levels.split(" · ").map(|n| n.replace(',', "").parse().expect("a number")).collect();
    assert_eq!((levels[0], levels.iter().sum::<u64>()), (1, 30_727), "{levels:?}");
}

#[test]
fn a_folder_of_somebody_else_stays_as_it_is() {
    let folder = fresh_folder("foreign");
    fs::create_dir_all(&folder).unwrap();
    let own = folder.join("index.html");
    fs::write(&own, "mine").unwrap();
    let refused = oneleader(&["report", text(&folder), "bully"]);
    refused.refuses(&[text(&folder), "not empty", "name a new one"]);
    assert_eq!(refused.err.lines().count(), 1, "{}", refused.err);
    assert_eq!(fs::read_to_string(&own).unwrap(), "mine");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    oneleader(&["report", text(&own), "bully"]).refuses(&["is a file"]);
    assert_eq!(fs::read_to_string(&own).unwrap(), "mine");
    oneleader(&["report", text(&folder), "bulli"]).refuses(&["did you mean `bully`?"]);
}

#[test]
fn an_earlier_report_is_replaced_and_what_was_put_beside_it_stays() {
    let folder = fresh_folder("again");
    assert_eq!(oneleader(&["report", text(&folder), "ring"]).code, 0);
    assert!(folder.join("ring.html").is_file());
    fs::write(folder.join("notes.txt"), "mine").unwrap();
    assert_eq!(oneleader(&["report", text(&folder), "bully"]).code, 0);
    assert!(folder.join("bully.html").is_file() && !folder.join("ring.html").exists());
    assert_eq!(fs::read_to_string(folder.join("notes.txt")).unwrap(), "mine");
}
