//! What can be written on the command line, and the help that explains it.

use crate::pipeline::Request;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Turns a vision transformer into an FPGA accelerator and proves it bit by bit.
#[derive(Debug, Parser)]
#[command(
    name = "heatvit",
    version,
    about = "Turns a vision transformer into an FPGA accelerator and proves it bit by bit",
    after_help = "Examples:
  heatvit run configs/digits.toml              quantize, build, simulate 20 images, compare every tensor
  heatvit gen configs/digits.toml --out out/d  only write the Verilog, Vivado scripts and images
  heatvit eval configs/digits.toml             accuracy of the integer model on the whole test set
  heatvit show config configs/digits.toml      every setting with its value
  heatvit show errors                          how far the polynomial units are from the exact functions

Exit codes: 0 equal, 1 a value differs, 2 input or usage is refused.
A configuration is a TOML file; paths in it are relative to it."
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Evaluate a network on images, without any hardware.
    Eval(EvalArgs),
    /// Quantize float weights to a file that every other command takes as --weights.
    Quantize(QuantizeArgs),
    /// Train the network from scratch and write its weights.
    ///
    /// Trains on the configuration's data set with the settings of [train]; equal settings give equal bytes on one
    /// machine. Writes a safetensors file with timm's names and, beside it, the curve as <name>.training.json.
    #[cfg(feature = "train")]
    Train(TrainArgs),
    /// Show what the tool knows.
    #[command(subcommand)]
    Show(ShowCommand),
}

/// Options of `quantize`.
#[derive(Clone, Debug, Args)]
pub struct QuantizeArgs {
    /// Where from.
    #[command(flatten)]
    pub source: Source,
    /// File to write.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// Options of `train`.
#[cfg(feature = "train")]
#[derive(Clone, Debug, Args)]
pub struct TrainArgs {
    /// Configuration file (TOML).
    pub config: PathBuf,
    /// Weights file to write [default: the configuration's].
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// What can be shown.
#[derive(Debug, Subcommand)]
pub enum ShowCommand {
    /// Every setting of a configuration with its value, defaults included.
    Config {
        /// Configuration file (TOML).
        config: PathBuf,
    },
    /// The error of every polynomial unit against the exact function, as a table.
    Errors,
}

/// Arithmetic of an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineName {
    /// The golden integer model, equal to the hardware.
    Int8,
    /// Exact float arithmetic.
    Float,
    /// Float arithmetic with the polynomial units.
    FloatPoly,
}

/// What most commands take.
#[derive(Clone, Debug, Args)]
pub struct Source {
    /// Configuration file (TOML).
    pub config: PathBuf,
    /// Weights: float safetensors or a file made by `heatvit quantize` [default: the configuration's].
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// Data set [default: the configuration's].
    #[arg(long, value_name = "PATH")]
    pub images: Option<PathBuf>,
}

impl Source {
    /// The same for the pipeline.
    pub fn request(&self) -> Request {
        Request { config: self.config.clone(), weights: self.weights.clone(), images: self.images.clone() }
    }
}

/// Options of `eval`.
#[derive(Clone, Debug, Args)]
pub struct EvalArgs {
    /// Where from.
    #[command(flatten)]
    pub source: Source,
    /// Arithmetic.
    #[arg(long, value_enum, value_name = "ENGINE", default_value = "int8")]
    pub engine: EngineName,
    /// Number of images [default: the whole test set].
    #[arg(long, value_name = "N")]
    pub count: Option<usize>,
    /// Write the figures as JSON, too.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}
