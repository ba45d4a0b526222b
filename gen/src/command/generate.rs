//! `heatvit gen`: the pipeline, up to the output folder or any stage before.

use super::print;
use crate::cli::{EXIT_EQUAL, GenArgs};
use crate::error::GenError;
use crate::named_files::default_place;
use crate::package::check_place;
use crate::pipeline::{Stage, build};
use crate::summary::row;
use std::io::Write;

/// Runs the stages, says a line about each and writes the folder.
///
/// # Errors
/// Refused input.
pub fn generate(arguments: &GenArgs, out: &mut dyn Write) -> Result<u8, GenError> {
    let request = arguments.source.request(&arguments.images);
    let place = arguments.out.clone().unwrap_or_else(|| default_place(&request.config));
    let writes = arguments.until == Stage::Package;
    if writes {
        check_place(&place, None)?;
    }
    let build = build(&request, arguments.until)?;
    for (stage, line) in &build.log {
        print(out, &row(stage.name(), line))?;
    }
    if writes {
        build.package()?.write(&place, None)?;
        print(out, &row("output", &place.display().to_string()))?;
    }
    Ok(EXIT_EQUAL)
}
