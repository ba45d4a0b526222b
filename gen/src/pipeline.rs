//! The route from a configuration to an output folder: a list of named stages.

use crate::error::GenError;
use crate::files;
use clap::ValueEnum;
use heatvit_model::config::Config;
use std::path::Path;

/// A stage; each makes one artefact from those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Stage {
    /// The configuration, completed and checked.
    Config,
    /// The float network, from the weights file.
    Network,
    /// The quantized network.
    Quant,
    /// The program: operations in order, and the stream of weights.
    Schedule,
    /// The accelerator's design, verified.
    Rtl,
    /// Its Verilog.
    Verilog,
    /// The output folder.
    Package,
}

/// Reads a configuration file.
///
/// # Errors
/// An unreadable or illegal file.
pub fn load_config(path: &Path) -> Result<Config, GenError> {
    Ok(Config::parse(&path.display().to_string(), &files::read_text(path)?)?)
}
