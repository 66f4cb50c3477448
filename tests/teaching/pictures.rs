//! The pictures of the pages. `docs/pictures.sh` has a line for each.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::pages::{entries, pages};
use crate::{oneleader, read, top};

const REDRAW: &str = "sh docs/pictures.sh";

/// A line of `docs/pictures.sh`: what is run, and the file that it draws.
struct Drawing {
    args: Vec<String>,
    file: PathBuf,
}

fn drawings() -> Vec<Drawing> {
    let script = read(&top().join("docs/pictures.sh"));
    let lines = script.lines().filter_map(|line| line.strip_prefix("oneleader "));
    let drawing = |line: &str| match line.split_once(" --svg ") {
        Some((args, file)) => Drawing {
            args: args.split_whitespace().map(str::to_string).collect(),
            file: file.into(),
        },
        None => panic!("docs/pictures.sh: expected `--svg FILE` at the end of `{line}`"),
    };
    lines.map(drawing).collect()
}

/// What is wrong with a picture, if something is.
fn wrong(Drawing { args, file }: Drawing) -> Option<String> {
    let command: Vec<&str> = args.iter().map(String::as_str).chain(["--svg", "-"]).collect();
    let drawn = oneleader(top(), &command);
    if ![0, 1].contains(&drawn.code) {
        return Some(format!("{}: `oneleader {}`: {}", file.display(), args.join(" "), drawn.err));
    }
    let committed = std::fs::read_to_string(top().join(&file)).unwrap_or_default();
    (committed != drawn.out).then(|| format!("{}: not as its command draws it", file.display()))
}

#[test]
fn each_picture_is_what_its_command_draws() {
    let wrong: Vec<String> = drawings().into_par_iter().filter_map(wrong).collect();
    assert!(
        wrong.is_empty(),
        "{}\ndraw them again by `{REDRAW}`, look at them, and see whether the pages around them are still right",
        wrong.join("\n")
    );
}

#[test]
fn each_picture_is_shown_and_each_that_is_shown_is_drawn() {
    let shown: BTreeSet<PathBuf> = pages().iter().flat_map(|page| page.pictures()).collect();
    let drawn: BTreeSet<PathBuf> = drawings().into_iter().map(|drawing| drawing.file).collect();
    assert_eq!(drawn.len(), drawings().len(), "two lines of docs/pictures.sh draw the same file");
    let only = |these: &BTreeSet<PathBuf>, those: &BTreeSet<PathBuf>| -> Vec<PathBuf> {
        these.difference(those).cloned().collect()
    };
    let not_shown = only(&drawn, &shown);
    assert!(not_shown.is_empty(), "drawn by docs/pictures.sh, and on no page: {not_shown:?}");
    let not_drawn = only(&shown, &drawn);
    assert!(not_drawn.is_empty(), "on a page, and not drawn by docs/pictures.sh: {not_drawn:?}");
    let files = entries(&top().join("docs/pictures"));
    let files = files.iter().map(|path| path.strip_prefix(top()).expect("within").to_path_buf());
    let left_over = only(&files.collect(), &drawn);
    assert!(left_over.is_empty(), "drawn by no line of docs/pictures.sh: {left_over:?}");
}

/// A run that is kept is used: drawn or replayed on some page.
#[test]
fn each_run_that_is_kept_is_used() {
    let script = read(&top().join("docs/pictures.sh"));
    let pages = pages();
    for path in entries(&top().join("docs/runs")) {
        let name = Path::new("docs/runs").join(path.file_name().expect("a name"));
        let name = name.display().to_string();
        let is_used = script.contains(&name) || pages.iter().any(|page| page.text.contains(&name));
        assert!(is_used, "{name} is drawn by no line of docs/pictures.sh and is on no page");
    }
}
