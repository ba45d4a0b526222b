//! `heatvit bench`: how fast parts of the tool are, one file each.

mod golden;
mod sim;

use crate::cli::BenchCommand;
use crate::error::GenError;
use std::io::Write;

/// Measures something.
///
/// # Errors
/// Refused input.
pub fn bench(what: &BenchCommand, out: &mut dyn Write) -> Result<u8, GenError> {
    match what {
        BenchCommand::Golden(arguments) => golden::golden(arguments, out),
        BenchCommand::Sim(arguments) => sim::sim(arguments, out),
    }
}
