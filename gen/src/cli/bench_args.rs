//! What `heatvit bench` takes.

use super::args::count;
use crate::bench::NAMES;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand, value_parser};
use std::path::PathBuf;
use std::time::Duration;

/// What can be measured.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Images per second of the integer model, on random weights of the configuration's dimensions and selectors.
    ///
    /// Prints threads, images/s, peak memory and a digest of the logits, which are the same on every machine and for
    /// any number of threads. scripts/bench-golden sets it against ONNX Runtime.
    Golden(GoldenBenchArgs),
    /// The simulator against Verilator, on the same designs and inputs.
    ///
    /// Needs Verilator, which scripts/install-tools installs, and a C++ compiler. Builds each design on both sides, lets
    /// them run in turn, one thread each, compares a hash of all outputs in every cycle, and prints the cycles per second
    /// of processor time and their ratio (the median of the pairs of runs). Exit code 1 when an output differs.
    #[command(after_help = "Examples:
  heatvit bench sim --json speed.json
  heatvit bench sim --design control --design digits")]
    Sim(SimBenchArgs),
}

/// Options of `bench golden`.
#[derive(Clone, Debug, Args)]
pub struct GoldenBenchArgs {
    /// Configuration file (TOML).
    pub config: PathBuf,
    /// Seconds to measure after a first round.
    #[arg(long, value_name = "S", default_value = "3", value_parser = seconds)]
    pub seconds: Duration,
    /// Number of threads [default: one per core].
    #[arg(long, value_name = "N", value_parser = count)]
    pub threads: Option<usize>,
    /// Images of a round; fewer than threads share the threads.
    #[arg(long, value_name = "N", default_value = "16", value_parser = count)]
    pub images: usize,
    /// Write the figures as JSON, too.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// Options of `bench sim`.
#[derive(Clone, Debug, Args)]
pub struct SimBenchArgs {
    /// Write the figures as JSON, too.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Measure this design; can be repeated [default: all].
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(NAMES))]
    pub design: Vec<String>,
    /// Cycles of a run [default: at least all recorded ones, and half a second of the faster side].
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..=1_000_000_000))]
    pub cycles: Option<u64>,
    /// Pairs of runs.
    #[arg(long, value_name = "N", default_value = "5", value_parser = value_parser!(u64).range(1..=1000))]
    pub pairs: u64,
    /// The program to use [default: the one of scripts/install-tools, else verilator on PATH].
    #[arg(long, value_name = "PROGRAM")]
    pub verilator: Option<PathBuf>,
}

/// A time to measure.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|s: &f64| (0.0..=3600.0).contains(s));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "a number of seconds from 0 to 3600 is needed".to_owned())
}
