//! What is written for learners says what the program does: its pictures are what their commands
//! draw, and its commands can be run.

mod commands;
mod pages;
mod pictures;

use std::path::{Path, PathBuf};
use std::process::Command;

/// The top folder of the project.
fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// How a run of the command ended.
struct Ended {
    code: i32,
    out: String,
    err: String,
}

/// Runs `oneleader` in a folder.
fn oneleader(folder: &Path, args: &[&str]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oneleader"));
    let output = command.args(args).current_dir(folder).output().expect("the command runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    let code = output.status.code().expect("an exit code");
    Ended { code, out: text(output.stdout), err: text(output.stderr) }
}

/// An empty folder of this test.
fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("teaching").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    folder
}
