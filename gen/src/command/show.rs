//! `heatvit show`.

use super::print;
use crate::cli::{EXIT_EQUAL, ShowCommand};
use crate::error::GenError;
use crate::pipeline::load_config;
use heatvit_model::poly::report::{markdown, report};
use std::io::Write;

/// Shows something.
///
/// # Errors
/// Refused input.
pub fn show(what: &ShowCommand, out: &mut dyn Write) -> Result<u8, GenError> {
    match what {
        ShowCommand::Config { config } => {
            let config = load_config(config)?;
            let text = config.to_toml().map_err(|e| GenError::stage("config", e))?;
            print(out, &text)?;
        }
        ShowCommand::Errors => print(out, &markdown(&report()))?,
    }
    Ok(EXIT_EQUAL)
}
