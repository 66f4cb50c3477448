//! The house rules that a machine can see to.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use oneleader::models;

/// A file of more lines says more than one thing.
const MOST_LINES: usize = 500;
/// A function of more lines does more than one thing.
const LONGEST_FUNCTION: usize = 70;
/// Of code and comments; a text in quotes may be longer.
const WIDEST_LINE: usize = 100;

/// The folders of `src/`, from the ground up. A file imports from its own floor and from those
/// below it.
const FLOORS: [&str; 13] = [
    "support",
    "election",
    "semantics",
    "exploration",
    "scenario",
    "engine",
    "reference",
    "liveness",
    "run",
    "tell",
    "fuzz",
    "judge",
    "testing",
];
/// On top of all floors.
const TOP: [&str; 1] = ["cli"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files under a directory, with their texts.
fn sources(directory: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![root().join(directory)];
    while let Some(next) = open.pop() {
        let Ok(entries) = fs::read_dir(&next) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root()).unwrap().to_path_buf(), text));
            }
        }
    }
    found.sort();
    found
}

fn all_sources() -> Vec<(PathBuf, String)> {
    let directories = ["models", "src", "tests", "benches", "examples", "mutants"];
    directories.into_iter().flat_map(sources).collect()
}

/// Fails with every line that `is_wrong`.
fn expect_none(sources: &[(PathBuf, String)], rule: &str, is_wrong: impl Fn(&str) -> bool) {
    let mut wrong = Vec::new();
    for (path, text) in sources {
        let lines = text.lines().enumerate().filter(|(_, line)| is_wrong(line));
        wrong.extend(
            lines.map(|(i, line)| format!("{}:{}: {}", path.display(), i + 1, line.trim())),
        );
    }
    assert!(!sources.is_empty() && wrong.is_empty(), "{rule}:\n{}", wrong.join("\n"));
}

#[test]
fn a_protocol_imports_nothing_of_the_crate_but_its_election() {
    let is_protocol =
        |path: &Path| path != Path::new("models/mod.rs") && !path.ends_with("tests.rs");
    let sources: Vec<_> =
        sources("models").into_iter().filter(|(path, _)| is_protocol(path)).collect();
    // Unit tests at the end of a file may use what they like.
    let code = |text: &String| {
        text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_string()
    };
    let sources: Vec<_> = sources.iter().map(|(path, text)| (path.clone(), code(text))).collect();
    expect_none(&sources, "a protocol may import `crate::election` only", |line| {
        let code = line.split("//").next().unwrap_or_default();
        let mut paths = code.match_indices("crate::");
        paths.any(|(i, _)| {
            !code[i..].starts_with("crate::election") && !code[i..].starts_with("crate::models")
        })
    });
}

#[test]
fn the_harness_names_no_protocol() {
    let harness: Vec<_> =
        sources("src").into_iter().filter(|(path, _)| !path.ends_with("main.rs")).collect();
    let modules: Vec<String> =
        models::all().iter().map(|about| format!("models::{}", about.name)).collect();
    expect_none(&harness, "the catalogue hands protocols over", |line| {
        let code = line.split("//").next().unwrap_or_default();
        modules.iter().any(|module| code.contains(module.as_str()))
    });
}

/// A file of `src/` with the floor on which it stands.
struct Room {
    path: PathBuf,
    floor: String,
    /// The name of the module that the file is, within its floor.
    name: String,
    /// Without comments and unit tests.
    code: String,
}

fn rooms() -> Vec<Room> {
    let room = |(path, text): (PathBuf, String)| {
        let parts: Vec<String> = path
            .iter()
            .skip(1)
            .map(|p| p.to_string_lossy().trim_end_matches(".rs").to_string())
            .collect();
        let (floor, name) =
            (parts.first()?.clone(), parts.get(1).cloned().unwrap_or("mod".to_string()));
        let is_test = path.ends_with("tests.rs");
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let code = code
            .lines()
            .map(|line| line.split("//").next().unwrap_or_default())
            .collect::<Vec<_>>();
        let is_door = ["lib", "main"].contains(&floor.as_str());
        (!is_door && !is_test).then(|| Room { path, floor, name, code: code.join("\n") })
    };
    sources("src").into_iter().filter_map(room).collect()
}

/// The paths into the crate that stand in a text, without `crate::`: of `use crate::{a, b::c}`
/// each.
fn paths(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    // A macro's own `$crate::` is for its users.
    for (at, _) in code.match_indices("crate::").filter(|(at, _)| !code[..*at].ends_with('$')) {
        let rest = &code[at + "crate::".len()..];
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        match rest.strip_prefix('{') {
            Some(group) => {
                let group = group.split('}').next().unwrap_or_default();
                found.extend(group.split(',').map(|part| part.trim().to_string()));
            }
            None => found.push(rest.split(|c| !is_part(c)).next().unwrap_or_default().to_string()),
        }
    }
    found
}

#[test]
fn imports_go_down_and_never_up() {
    let all: Vec<&str> = FLOORS.into_iter().chain(TOP).collect();
    let is_macro = |name: &str| {
        let declared = format!("macro_rules! {name} ");
        sources("src").iter().any(|(_, text)| text.contains(&declared))
    };
    let level = |floor: &str| all.iter().position(|known| *known == floor);
    let mut wrong = Vec::new();
    for room in rooms() {
        let Some(own) = level(&room.floor) else {
            wrong.push(format!("{}: stands on no floor", room.path.display()));
            continue;
        };
        for path in paths(&room.code) {
            let to = path.split("::").next().unwrap_or_default();
            let is_fine = level(to).is_some_and(|level| level <= own);
            if !is_fine && !to.is_empty() && !is_macro(to) {
                wrong.push(format!("{}: imports `crate::{path}`", room.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Within a floor, too, nothing imports what imports it. The files of a floor import each other by
/// their own names and not through its door, `mod.rs`, or nobody could see a circle.
#[test]
fn no_files_import_each_other() {
    let rooms = rooms();
    let mut wrong = Vec::new();
    for floor in FLOORS.into_iter().chain(TOP) {
        let here: Vec<&Room> =
            rooms.iter().filter(|room| room.floor == floor && room.name != "mod").collect();
        let names: BTreeSet<&str> = here.iter().map(|room| room.name.as_str()).collect();
        let mut edges: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for room in &here {
            let own = paths(&room.code)
                .into_iter()
                .filter_map(|path| Some(path.strip_prefix(floor)?.to_string()));
            let of_super = room
                .code
                .match_indices("super::")
                .map(|(at, what)| room.code[at + what.len()..].to_string());
            for path in own.chain(of_super) {
                let path = path.trim_start_matches("::");
                let to = path
                    .split(|c: char| !c.is_alphanumeric() && c != '_')
                    .next()
                    .unwrap_or_default();
                if let Some(to) = names.get(to).filter(|to| **to != room.name) {
                    edges.entry(&room.name).or_default().insert(to);
                }
            }
        }
        let mut left: BTreeSet<&str> = names.clone();
        loop {
            // Whoever imports nothing that is left is in no circle.
            let free: Vec<&str> = left
                .iter()
                .copied()
                .filter(|name| edges.get(name).is_none_or(|to| to.is_disjoint(&left)))
                .collect();
            if free.is_empty() {
                break;
            }
            free.iter().for_each(|name| {
                left.remove(name);
            });
        }
        if !left.is_empty() {
            wrong.push(format!("src/{floor}: a circle among {left:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_is_about_one_thing() {
    let mut wrong = Vec::new();
    for (path, text) in all_sources() {
        let lines = text.lines().count();
        if lines > MOST_LINES {
            wrong.push(format!("{}: {lines} lines, at most {MOST_LINES}", path.display()));
        }
        if !text.starts_with("//!") {
            wrong.push(format!("{}: does not begin by saying what it is for", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_function_does_one_thing() {
    let mut wrong = Vec::new();
    for (path, text) in all_sources() {
        let lines: Vec<&str> = text.lines().collect();
        for (i, line) in lines.iter().enumerate() {
            let code = line.trim_start();
            let words = code.trim_start_matches("pub(crate) ").trim_start_matches("pub(super) ");
            let words = words.trim_start_matches("pub ").trim_start_matches("const ");
            if !words.starts_with("fn ") || line.trim_end().ends_with([';', '}']) {
                continue;
            }
            // rustfmt puts the end of a function where it begins.
            let indent = &line[..line.len() - code.len()];
            let end = lines[i..].iter().position(|line| *line == format!("{indent}}}"));
            let is_declared = lines[i..].iter().position(|line| *line == format!("{indent});"));
            let length =
                end.filter(|end| is_declared.is_none_or(|d| d > *end)).map_or(0, |end| end + 1);
            if length > LONGEST_FUNCTION {
                wrong.push(format!(
                    "{}:{}: {length} lines, at most {LONGEST_FUNCTION}",
                    path.display(),
                    i + 1
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A file that no `mod` declares is not compiled, and rots.
#[test]
fn every_file_is_used() {
    let mut wrong = Vec::new();
    for (path, _) in all_sources() {
        let folder = path.parent().unwrap();
        let (stem, inner) = match path.file_stem().unwrap().to_string_lossy().to_string() {
            door if door == "mod" => {
                (folder.file_name().unwrap().to_string_lossy().to_string(), false)
            }
            stem => (stem, true),
        };
        // The roots of crates; and each test, bench and example is one.
        let is_root = ["lib", "main", "build"].contains(&stem.as_str())
            || ["tests", "benches", "examples"].iter().any(|root| folder == *root)
            || path == Path::new("models/mod.rs");
        let doors: Vec<PathBuf> = match inner {
            true => vec![
                folder.join("mod.rs"),
                folder.join("main.rs"),
                folder.join("lib.rs"),
                folder.with_extension("rs"),
            ],
            false => {
                let above = folder.parent().unwrap();
                let names = ["mod.rs", "main.rs", "lib.rs", "build.rs"];
                names
                    .iter()
                    .map(|name| above.join(name))
                    .chain([above.with_extension("rs")])
                    .collect()
            }
        };
        let is_declared = |door: &PathBuf| {
            let text = fs::read_to_string(root().join(door)).unwrap_or_default();
            text.lines().any(|line| line.trim_end().ends_with(&format!("mod {stem};")))
        };
        let is_shared = || {
            sources("tests").iter().chain(&sources("benches")).any(|(_, text)| {
                text.contains(&format!("{stem}.rs")) || text.contains(&format!("mod {stem};"))
            })
        };
        let is_used = is_root
            || doors.iter().any(is_declared)
            || (folder.ends_with("support") && is_shared());
        if !is_used {
            wrong.push(format!("{}: no `mod {stem};` declares it", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_line_is_too_long() {
    expect_none(&all_sources(), "lines are as wide as a page", |line| {
        let is_text = line.contains('"') || line.ends_with('\\');
        line.chars().count() > WIDEST_LINE && !is_text
    });
}

#[test]
fn nothing_is_left_for_later() {
    let words =
        ["to".to_string() + "do!(", "un".to_string() + "implemented!(", "TO".to_string() + "DO"];
    expect_none(&all_sources(), "finish it or leave it out", |line| {
        words.iter().any(|word| line.contains(word))
    });
}
