//! `heatvit run`: the whole route, from the configuration to compared tensors.

use super::print;
use super::proof::{default_place, prove};
use crate::cli::RunArgs;
use crate::error::GenError;
use crate::package::check_place;
use crate::pipeline::{Stage, build};
use crate::summary::row;
use std::io::Write;

/// Writes the output folder, simulates and compares.
///
/// # Errors
/// Refused input.
pub fn run(arguments: &RunArgs, out: &mut dyn Write) -> Result<u8, GenError> {
    let request = arguments.source.request();
    let place = arguments.out.clone().unwrap_or_else(|| default_place(&request.config));
    check_place(&place)?;
    let build = build(&request, Stage::Package)?;
    let package = build.package()?;
    package.write(&place)?;
    print(out, &row("output", &format!("{} ({} files)", place.display(), package.files().count())))?;
    prove(&build, &request, &arguments.proof, (&place, None), out)
}
