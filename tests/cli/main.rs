//! The command as its users meet it: exit codes, reports, and what is said about bad input.

mod bad_input;
mod check;
mod endings;
mod help;
mod liveness;
mod pictures;
mod reports;
mod site;
mod traces;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// How a run of the command ended.
struct Ended {
    code: i32,
    out: String,
    err: String,
}

impl Ended {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}", self.out))
    }

    /// The exit code, and that every one of these texts is said on standard error, without a panic.
    #[track_caller]
    fn refuses(&self, texts: &[&str]) {
        assert_eq!(self.code, 2, "{}{}", self.out, self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
        texts.iter().for_each(|text| {
            assert!(self.err.contains(text), "expected `{text}` in: {}", self.err)
        });
    }
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oneleader"));
    command.args(args);
    command
}

fn oneleader(args: &[&str]) -> Ended {
    let output = command(args).output().expect("the command runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let code = output.status.code().expect("an exit code");
    Ended { code, out: text(output.stdout), err: text(output.stderr) }
}

/// A file of this test, in a directory of its own.
fn file(test: &str, name: &str, text: &str) -> PathBuf {
    let path = scratch(test).join(name);
    std::fs::write(&path, text).expect("a temporary file");
    path
}

fn scratch(test: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli").join(test);
    std::fs::create_dir_all(&directory).expect("a temporary directory");
    directory
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}
