//! `heatvit resources`: what the configured design takes of the device, and what its selectors add.

use super::print;
use crate::cli::{EXIT_EQUAL, ResourcesArgs};
use crate::error::GenError;
use crate::pipeline::{load_config, parameters};
use crate::resources::{DesignUsage, Report, Synthesis, find, measure};
use crate::{files, progress};
use heatvit_hdl::{TOP, accelerator};
use std::io::Write;

/// Synthesizes and prints the table.
///
/// # Errors
/// Refused input, or no Yosys.
pub fn resources(arguments: &ResourcesArgs, out: &mut dyn Write) -> Result<u8, GenError> {
    let config = load_config(&arguments.config)?;
    files::check_places([&arguments.json])?;
    let mut synthesis = Synthesis::new(find(arguments.yosys.as_deref())?);
    let selectors = config.selectors.enabled;
    let bar = progress::bar("synthesizing", 1 + usize::from(selectors));
    let mut of = |selectors: bool| -> Result<DesignUsage, GenError> {
        let usage = measure(&mut synthesis, &accelerator(&parameters(&config, selectors)), TOP);
        bar.inc(1);
        usage
    };
    let design = of(selectors)?;
    let without = if selectors { Some(of(false)?) } else { None };
    bar.finish_and_clear();
    let report = Report::new(&config.name, design, without);
    if let Some(file) = &arguments.json {
        files::write(file, report.to_json().as_bytes())?;
    }
    print(out, &report.table())?;
    Ok(EXIT_EQUAL)
}
