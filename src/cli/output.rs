//! Where output goes: standard output, standard error, files. Nothing here panics when nobody listens.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::scenario::Problem;

/// Writes to standard output. When nobody reads it any more, there is nothing left to do.
pub fn say(text: &str) {
    let mut out = io::stdout().lock();
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        std::process::exit(3);
    }
}

/// Writes a line to standard error.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Finds out, before a long run, whether a file can be written after it.
///
/// # Errors
/// It cannot.
pub fn writable(path: &str) -> Result<(), Problem> {
    if path == "-" {
        return Ok(());
    }
    let is_new = !Path::new(path).exists();
    OpenOptions::new().append(true).create(true).open(path).map_err(|e| cannot_write(path, &e))?;
    if is_new {
        fs::remove_file(path).map_err(|e| cannot_write(path, &e))?;
    }
    Ok(())
}

/// Writes a file, or to standard output if the path is `-`.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &str, text: &str) -> Result<(), Problem> {
    if path == "-" {
        say(text);
        return Ok(());
    }
    fs::write(path, text).map_err(|e| cannot_write(path, &e))
}

/// Reads a text file.
///
/// # Errors
/// The file cannot be read, or is no text.
pub fn read(path: &str) -> Result<String, Problem> {
    fs::read_to_string(path).map_err(|e| Problem::new(format!("cannot be read: {e}")).in_file(path))
}

fn cannot_write(path: &str, e: &io::Error) -> Problem {
    Problem::new(format!("cannot be written: {e}")).in_file(path)
}
