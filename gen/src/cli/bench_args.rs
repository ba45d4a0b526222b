//! What `heatvit bench` takes.

use super::args::count;
use clap::{Args, Subcommand};
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

/// A time to measure.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|s: &f64| (0.0..=3600.0).contains(s));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "a number of seconds from 0 to 3600 is needed".to_owned())
}
