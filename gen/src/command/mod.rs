//! The commands, one file each.

mod show;
#[cfg(feature = "train")]
mod train;

use crate::cli::Command;
use crate::error::GenError;
use std::io::Write;

/// Carries out a command; the exit code says whether values differ.
///
/// # Errors
/// Refused input.
pub fn execute(command: &Command, out: &mut dyn Write) -> Result<u8, GenError> {
    match command {
        #[cfg(feature = "train")]
        Command::Train(arguments) => train::train(arguments, out),
        Command::Show(what) => show::show(what, out),
    }
}

/// Writes a result to stdout.
///
/// # Errors
/// When stdout is closed.
pub fn print(out: &mut dyn Write, text: &str) -> Result<(), GenError> {
    out.write_all(text.as_bytes()).map_err(|e| GenError::File {
        path: "stdout".to_owned(),
        problem: format!("cannot write: {e}"),
        remedy: "keep the reader of the output open".to_owned(),
    })
}
