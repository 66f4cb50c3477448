//! The Markdown pages of the project.

use std::path::{Path, PathBuf};

use crate::{read, top};

/// A page.
pub(crate) struct Page {
    /// Where it is, from the top folder.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// All pages that readers come to: those of the top folder, of `docs/`, and one of each protocol.
pub(crate) fn pages() -> Vec<Page> {
    let mut folders = vec![top().to_path_buf(), top().join("docs")];
    folders.extend(entries(&top().join("models")).into_iter().filter(|path| path.is_dir()));
    let is_page = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "md");
    let found = folders.iter().flat_map(|folder| entries(folder)).filter(is_page);
    let page = |path: PathBuf| {
        let text = read(&path);
        Page { path: path.strip_prefix(top()).expect("a page of the project").into(), text }
    };
    found.map(page).collect()
}

/// What stands in a folder, in alphabetical order.
pub(crate) fn entries(folder: &Path) -> Vec<PathBuf> {
    let listed = std::fs::read_dir(folder).expect("a folder");
    let mut all: Vec<PathBuf> = listed.map(|entry| entry.expect("an entry").path()).collect();
    all.sort();
    all
}

impl Page {
    /// The pictures of the project that the page shows, each from the top folder.
    pub(crate) fn pictures(&self) -> Vec<PathBuf> {
        // Code has no pictures, though it may look like one.
        let prose = self.text.split("```").step_by(2);
        let shown = prose.flat_map(|prose| {
            prose.match_indices("![").filter_map(|(at, _)| {
                let (_, rest) = prose[at..].split_once("](")?;
                Some(rest.split_once(')')?.0)
            })
        });
        let folder = self.path.parent().unwrap_or(Path::new(""));
        shown.filter(|link| !link.contains("://")).map(|link| plain(&folder.join(link))).collect()
    }

    /// The blocks of lines that a shell is to run, each line with its number.
    pub(crate) fn shell(&self) -> Vec<Vec<(usize, &str)>> {
        let mut language = None;
        let mut blocks: Vec<Vec<(usize, &str)>> = Vec::new();
        for (number, line) in (1..).zip(self.text.lines()) {
            match (line.trim_start().strip_prefix("```"), language) {
                (Some(begins), None) => {
                    language = Some(begins);
                    blocks.push(Vec::new());
                }
                (Some(_), Some(_)) => language = None,
                (None, Some("sh")) => {
                    blocks.last_mut().expect("a block has begun").push((number, line.trim()));
                }
                (None, _) => {}
            }
        }
        blocks.into_iter().filter(|block| !block.is_empty()).collect()
    }

    /// Its paragraphs, each as one line, with the number of its first.
    pub(crate) fn paragraphs(&self) -> Vec<(usize, String)> {
        let mut paragraphs: Vec<(usize, String)> = Vec::new();
        let mut is_open = false;
        for (number, line) in (1..).zip(self.text.lines()) {
            match paragraphs.last_mut() {
                Some((_, text)) if is_open => *text = format!("{text} {line}"),
                _ => paragraphs.push((number, line.to_string())),
            }
            is_open = !line.trim().is_empty();
        }
        paragraphs
    }
}

/// The path without its `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part.as_os_str() == ".." {
            true => drop(plain.pop()),
            false => plain.push(part),
        }
    }
    plain
}
