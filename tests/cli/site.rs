//! The pages that `report` writes: that they are whole, that their links lead somewhere, and that
//! they replace nothing of somebody else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;

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
    assert!(pages["index.html"].contains("1 scenario read from <code>results.json</code>"));
    let ended = oneleader(&["report", text(&folder), "--results", text(&folder.join("no.json"))]);
    ended.refuses(&["no.json", "cannot be read"]);
    fs::write(&results, "{}").unwrap();
    let ended = oneleader(&["report", text(&folder), "--results", text(&results)]);
    ended.refuses(&["expected results as `oneleader check --json` writes them"]);
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
