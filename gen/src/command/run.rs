//! `heatvit run`: the whole route, from the configuration to compared tensors.

use super::print;
use super::proof::{Places, prove};
use crate::cli::RunArgs;
use crate::error::GenError;
use crate::named_files::default_place;
use crate::package::check_place;
use crate::pipeline::{Stage, build};
use crate::report;
use crate::summary::row;
use std::io::Write;

/// Writes the output folder, simulates and compares.
///
/// # Errors
/// Refused input.
pub fn run(arguments: &RunArgs, out: &mut dyn Write) -> Result<u8, GenError> {
    let request = arguments.source.request(&arguments.images);
    let place = arguments.out.clone().unwrap_or_else(|| default_place(&request.config));
    let page = arguments.page.report.as_deref();
    check_place(&place, page)?;
    // A page inside the output folder can be tried when the folder is there, which is still before the simulation.
    let (inside, outside): (Vec<_>, Vec<_>) = arguments.page.report.iter().partition(|file| file.starts_with(&place));
    outside.into_iter().try_for_each(|file| report::place::check(file))?;
    let build = build(&request, Stage::Package)?;
    let package = build.package()?;
    package.write(&place, page)?;
    inside.into_iter().try_for_each(|file| report::place::check(file))?;
    print(out, &row("output", &format!("{} ({} files)", place.display(), package.files().count())))?;
    let places = Places { output: &place, waveform: None, page: Some(&arguments.page) };
    prove(&build, &request, &arguments.proof, places, out)
}
