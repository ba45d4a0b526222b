//! `heatvit sim`: simulates and compares, writes no output folder.

use super::proof::{Places, prove};
use crate::cli::SimArgs;
use crate::error::GenError;
use crate::files;
use crate::named_files::default_place;
use crate::pipeline::{Stage, build};
use std::io::Write;

/// Simulates and compares.
///
/// # Errors
/// Refused input.
pub fn sim(arguments: &SimArgs, out: &mut dyn Write) -> Result<u8, GenError> {
    let request = arguments.source.request(&arguments.images);
    files::check_places([&arguments.proof.json, &arguments.trace])?;
    let build = build(&request, Stage::Rtl)?;
    let place = default_place(&request.config);
    let waveform = arguments.trace.as_deref().map(|file| (file, arguments.trace_cycles.clone()));
    let places = Places { output: &place, waveform, page: None };
    prove(&build, &request, &arguments.proof, places, out)
}
