//! The folder of a report. Whatever this command has not written there stays as it is.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::scenario::Problem;

/// The file by which a folder is known as one of ours. It lists the pages.
const MARK: &str = ".oneleader-report";

/// A folder that may be written to.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// The pages of an earlier report.
    earlier: Vec<String>,
}

impl Folder {
    /// Makes the folder, or finds one that is empty or holds an earlier report.
    ///
    /// # Errors
    /// Something else is there, or it cannot be written. Then nothing has changed.
    pub(super) fn open(path: &str) -> Result<Self, Problem> {
        let refuse = |why: &str| Problem::new(why).in_file(path);
        let place = PathBuf::from(path);
        if place.exists() && !place.is_dir() {
            return Err(refuse("is a file: expected a folder for the report"));
        }
        fs::create_dir_all(&place).map_err(|e| cannot_write(&place, &e))?;
        let mut entries =
            fs::read_dir(&place).map_err(|e| refuse(&format!("the folder cannot be read: {e}")))?;
        let mark = place.join(MARK);
        if entries.next().is_some() && !mark.is_file() {
            return Err(refuse(
                "the folder is not empty, and no report of this command: name a new one",
            ));
        }
        let earlier = fs::read_to_string(&mark).unwrap_or_default();
        let earlier: Vec<String> =
            earlier.lines().filter(|line| is_page(line)).map(str::to_string).collect();
        // Finds out before the work begins whether anything can be written.
        fs::write(&mark, listed(&earlier)).map_err(|e| cannot_write(&mark, &e))?;
        Ok(Folder { path: place, earlier })
    }

    /// Writes the pages, and removes those of an earlier report that are no more.
    ///
    /// # Errors
    /// The first file that cannot be written.
    pub(super) fn write(&self, pages: &[(String, String)]) -> Result<(), Problem> {
        let names: Vec<String> = pages.iter().map(|(name, _)| name.clone()).collect();
        let both: Vec<String> = self.earlier.iter().chain(&names).cloned().collect();
        let mark = self.path.join(MARK);
        // If this is interrupted, all that was written is known as ours.
        fs::write(&mark, listed(&both)).map_err(|e| cannot_write(&mark, &e))?;
        for (name, text) in pages {
            let file = self.path.join(name);
            let folder = file.parent().unwrap_or(&self.path);
            fs::create_dir_all(folder).map_err(|e| cannot_write(folder, &e))?;
            fs::write(&file, text).map_err(|e| cannot_write(&file, &e))?;
        }
        for old in self.earlier.iter().filter(|old| !names.contains(old)) {
            // It may be gone already.
            let _ = fs::remove_file(self.path.join(old));
        }
        fs::write(&mark, listed(&names)).map_err(|e| cannot_write(&mark, &e))
    }
}

fn listed(names: &[String]) -> String {
    let head = "The pages that `oneleader report` has written here:\n".to_string();
    names.iter().fold(head, |text, name| text + name + "\n")
}

/// Whether a line of the mark is the name of a page within the folder. Nothing else is removed.
fn is_page(name: &str) -> bool {
    let path = Path::new(name);
    name.ends_with(".html") && path.components().all(|part| matches!(part, Component::Normal(_)))
}

fn cannot_write(path: &Path, e: &io::Error) -> Problem {
    Problem::new(format!("cannot be written: {e}")).in_file(&path.display().to_string())
}
