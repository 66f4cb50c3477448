//! `oneleader completions` and `oneleader man`: what shells and `man` know of the commands.

use std::fs;
use std::path::Path;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Cli;
use crate::cli::{Ending, Exit, output};
use crate::scenario::Problem;

/// Print what a shell needs to complete commands and flags
#[derive(Args)]
#[command(after_help = "\
Example:
  oneleader completions bash > ~/.local/share/bash-completion/completions/oneleader")]
pub(super) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self) -> Ending {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "oneleader", &mut text);
        output::show(&String::from_utf8_lossy(&text));
        Ok(Exit::Good)
    }
}

/// Write manual pages, one a command, into a folder
#[derive(Args)]
#[command(after_help = "\
Example:
  oneleader man ~/.local/share/man/man1 && man oneleader-check")]
pub(super) struct Man {
    /// The folder. It is made if it is not there; pages of these names are replaced
    #[arg(value_name = "DIR")]
    folder: String,
}

impl Man {
    pub(super) fn run(&self) -> Ending {
        let wrong = |e| Problem::new(format!("cannot be written: {e}")).in_file(&self.folder);
        fs::create_dir_all(&self.folder).map_err(wrong)?;
        clap_mangen::generate_to(Cli::command(), Path::new(&self.folder)).map_err(wrong)?;
        Ok(Exit::Good)
    }
}
