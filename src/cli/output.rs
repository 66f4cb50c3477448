//! Writes to standard output, standard error and files. Nothing here panics or ends the program:
//! the exit code is that of the verdict, even if nobody reads the output.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::cli::Exit;
use crate::scenario::Problem;
use crate::support::plain::printable;

/// Set when standard output is closed.
static IS_CLOSED: AtomicBool = AtomicBool::new(false);
/// Set when something could not be written although somebody waits for it.
static IS_LOST: AtomicBool = AtomicBool::new(false);

/// Writes to standard output. Characters that cannot be printed safely are escaped.
pub(super) fn say(text: &str) {
    put(&printable(text));
}

/// Writes a picture, whose colours are escape codes. What could not be printed safely was escaped
/// when it was drawn.
pub(super) fn show(picture: &str) {
    put(picture);
}

fn put(text: &str) {
    if IS_CLOSED.load(Relaxed) {
        return;
    }
    let mut out = io::stdout().lock();
    let Err(e) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) else { return };
    IS_CLOSED.store(true, Relaxed);
    // A closed pipe is no error: the reader, such as `head`, has read enough.
    if e.kind() != ErrorKind::BrokenPipe {
        lost("standard output", &e);
    }
}

/// Writes a line to standard error.
pub(super) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{}", printable(text));
}

fn lost(what: &str, e: &io::Error) {
    IS_LOST.store(true, Relaxed);
    note(&format!("error: {what}: cannot be written: {e}"));
}

/// The exit code after everything was written. If a report was lost, a good result becomes
/// inconclusive; other results stay.
pub(super) fn settle(exit: Exit) -> Exit {
    match exit {
        Exit::Good if IS_LOST.load(Relaxed) => Exit::Inconclusive,
        exit => exit,
    }
}

/// A file, and what it is to the command: a flag, or the word for an argument.
pub(super) type Named<'a> = (&'static str, &'a str);

/// Finds out, before a long run, whether these files can be written after it, and whether one would
/// overwrite another.
///
/// # Errors
/// The first file that cannot be written.
pub(super) fn plan(inputs: &[Named<'_>], outputs: &[Named<'_>]) -> Result<(), Problem> {
    for (i, (flag, path)) in outputs.iter().enumerate() {
        for (input, read) in inputs {
            if *path != "-" && are_one(path, read) {
                let message = format!("{flag} would overwrite what is read as {input}");
                return Err(Problem::new(message).in_file(path));
            }
        }
        for (other, earlier) in &outputs[..i] {
            if *path == "-" && *earlier == "-" {
                return Err(Problem::new(format!(
                    "only one of {other} and {flag} can go to standard output"
                )));
            }
            let is_sink = place(path) == Path::new("/dev/null");
            if *path != "-" && *earlier != "-" && are_one(path, earlier) && !is_sink {
                let message =
                    format!("{other} and {flag} name the same file: one would overwrite the other");
                return Err(Problem::new(message).in_file(path));
            }
        }
        if is_standard_output(path) {
            let message = format!(
                "{flag} would overwrite standard output, which goes to the same file; `-` stands for it"
            );
            return Err(Problem::new(message).in_file(path));
        }
    }
    outputs.iter().try_for_each(|(_, path)| writable(path))
}

/// Whether two paths lead to the same file, even if it does not exist yet.
pub(super) fn are_one(a: &str, b: &str) -> bool {
    #[cfg(unix)]
    if let (Ok(a), Ok(b)) = (fs::metadata(a), fs::metadata(b)) {
        use std::os::unix::fs::MetadataExt;
        return (a.dev(), a.ino()) == (b.dev(), b.ino());
    }
    place(a) == place(b)
}

/// Whether standard output has been directed to this very file.
fn is_standard_output(path: &str) -> bool {
    let is_file = fs::metadata("/dev/stdout").is_ok_and(|out| out.is_file());
    cfg!(unix) && path != "-" && is_file && are_one(path, "/dev/stdout")
}

/// The place to which a path leads. Links are followed, even those to files that do not exist yet.
fn place(path: &str) -> PathBuf {
    let mut path = PathBuf::from(path);
    for _ in 0..32 {
        if let Ok(real) = fs::canonicalize(&path) {
            return real;
        }
        let Ok(target) = fs::read_link(&path) else { break };
        path = folder(&path).join(target);
    }
    match (fs::canonicalize(folder(&path)), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path,
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Finds out, before a long run, whether a file can be written after it.
///
/// # Errors
/// It cannot.
pub(super) fn writable(path: &str) -> Result<(), Problem> {
    if path == "-" {
        return Ok(());
    }
    let place = place(path);
    let is_new = !place.exists();
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(&place)
        .map_err(|e| cannot_write(path, &e))?;
    if is_new {
        fs::remove_file(&place).map_err(|e| cannot_write(path, &e))?;
    }
    Ok(())
}

/// Writes a file, or to standard output if the path is `-`. If that fails, it says so on standard
/// error.
pub(super) fn write(path: &str, text: &str) {
    if path == "-" {
        return put(text);
    }
    if let Err(e) = fs::write(path, text) {
        lost(path, &e);
    }
}

/// Removes the file that an earlier run has written there, as it could be taken for this run's.
/// Returns whether there was one.
pub(super) fn remove(path: &str) -> bool {
    let place = place(path);
    let is_there = path != "-" && fs::metadata(&place).is_ok_and(|file| file.is_file());
    if is_there && let Err(e) = fs::remove_file(&place) {
        lost(path, &e);
        return false;
    }
    is_there
}

/// Reads a text file.
///
/// # Errors
/// The file cannot be read, or is no text.
pub(super) fn read(path: &str) -> Result<String, Problem> {
    fs::read_to_string(path).map_err(|e| Problem::new(format!("cannot be read: {e}")).in_file(path))
}

fn cannot_write(path: &str, e: &io::Error) -> Problem {
    Problem::new(format!("cannot be written: {e}")).in_file(path)
}
