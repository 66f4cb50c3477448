//! `oneleader report`: what is known of the protocols, as a folder of pages that need no server.
//!
//! `gather` finds out what there is to show, `folder` sees to the folder, and the other files write
//! the pages.

mod families;
mod figures;
mod folder;
mod front;
mod gather;
mod matrix;
mod overview;
mod parts;
mod plots;
mod protocol;
mod results;
mod runs;
mod wait;

use std::time::Instant;

use clap::Args;

use crate::cli::{Ending, Exit, choice, output};
use crate::election::Catalogue;
use crate::scenario::Problem;

/// Write the verdicts, the answers and the runs that show them as a folder of web pages
///
/// The pages need no server and no network: open DIR/index.html. Every scenario that is expected
/// to be violated is checked anew, and every system is asked about liveness anew, since the pages
/// show the runs. What takes minutes is read instead: other verdicts, and answers about the largest
/// systems, from the files of `--results`, or from results that came with the protocols. The pages
/// say of which day and commit they are. Where there are none, the pages show what the corpus
/// expects, and mark it so.
#[derive(Args)]
#[command(after_help = "\
Examples:
  oneleader report site                            all protocols
  oneleader check --json c.json; oneleader report site --results c.json
                                                   with the verdicts of that check
  oneleader liveness raft --deep --json l.json; oneleader report site --results l.json
                                                   with these answers about five nodes")]
pub(super) struct WriteReport {
    /// The folder: a new or empty one, or an earlier report, which is replaced
    #[arg(value_name = "DIR")]
    folder: String,
    /// The protocols; without any, all
    #[arg(value_name = "PROTOCOL")]
    protocols: Vec<String>,
    /// Read other verdicts, or answers about the largest systems, from a file that
    /// `check --json` or `liveness --json` has written; may be given several times, and of two
    /// results the later one counts
    #[arg(long, value_name = "FILE.json")]
    results: Vec<String>,
    /// Check every scenario anew, except for the largest: minutes
    #[arg(long, conflicts_with = "results")]
    fresh: bool,
}

impl WriteReport {
    pub(super) fn run(&self, catalogue: &impl Catalogue) -> Ending {
        let begin = Instant::now();
        let abouts = choice::protocols(catalogue, &self.protocols)?;
        let mut stored = with(catalogue)?;
        self.results.iter().try_for_each(|path| stored.read(path))?;
        let folder = folder::Folder::open(&self.folder)?;
        let ways = gather::Ways { stored, is_fresh: self.fresh };
        let book = gather::gather(catalogue, &abouts, ways)?;
        let pages = pages_of(&book);
        folder.write(&pages)?;
        output::say(&format!(
            "{} pages in {:.1} s: open {}/index.html\n",
            pages.len(),
            begin.elapsed().as_secs_f64(),
            self.folder.trim_end_matches('/')
        ));
        book.unexpected.iter().for_each(|what| output::note(&format!("not as expected: {what}")));
        for stale in &book.stale {
            output::note(&format!("not shown, as the corpus asks no such thing: {stale}"));
        }
        Ok(if book.unexpected.is_empty() { Exit::Good } else { Exit::Bad })
    }
}

/// The results that come with the protocols.
fn with(catalogue: &impl Catalogue) -> Result<results::Stored, Problem> {
    let mut stored = results::Stored::default();
    for (file, text) in catalogue.results() {
        let added = stored.add(file, text, "an unknown day".to_string());
        added.map_err(|problem| problem.in_file(file))?;
    }
    Ok(stored)
}

/// The pages of a report on these protocols, or on all: each with its path, the first page first.
/// Verdicts that no run shows are those that the corpora expect.
///
/// # Errors
/// A name that the catalogue does not have, or a corpus that is wrong.
pub fn pages(
    catalogue: &impl Catalogue,
    protocols: &[String],
) -> Result<Vec<(String, String)>, Problem> {
    let abouts = choice::protocols(catalogue, protocols)?;
    let ways = gather::Ways { stored: with(catalogue)?, is_fresh: false };
    Ok(pages_of(&gather::gather(catalogue, &abouts, ways)?))
}

fn pages_of(book: &gather::Book) -> Vec<(String, String)> {
    let mut pages = vec![("index.html".to_string(), front::page(book))];
    for chapter in &book.chapters {
        pages.push((chapter.path.clone(), protocol::page(book, chapter)));
        let runs = chapter.runs.iter();
        pages.extend(runs.map(|run| (run.path.clone(), runs::page(chapter, run))));
    }
    pages
}
