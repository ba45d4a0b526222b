//! What can be written on the command line, and the help that explains it.

use super::BenchCommand;
use crate::data_set::Choice;
use crate::pipeline::{Request, Stage};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ops::Range;
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
    /// Do everything: quantize, build, write the output folder, simulate, compare every tensor.
    ///
    /// Prints a table of images, mismatches, accuracy, work, cycles and speed. When a value differs, it names layer,
    /// tensor, token, channel and cycle of the first one, writes the waveform around it as OUT.mismatch.fst and
    /// ends with exit code 1.
    #[command(after_help = "Examples:
  heatvit run configs/digits.toml
  heatvit run configs/digits.toml --count 100 --json figures.json
  heatvit run configs/digits.toml --out build/digits
  heatvit run configs/digits.toml --report digits.html      which patches does it keep?")]
    Run(RunArgs),
    /// Write the output folder: Verilog, Vivado scripts, constraints, program and weights, manifest.
    ///
    /// Prints a line for each stage of the pipeline. --until stops after a stage; only the last one writes files.
    #[command(after_help = "Examples:
  heatvit gen configs/digits.toml --out build/digits
  heatvit gen configs/digits.toml --until schedule     how many operations, MACs and bytes?")]
    Gen(GenArgs),
    /// Simulate the design on images and compare every tensor, without an output folder.
    ///
    /// Prints the table of `heatvit run`.
    #[command(after_help = "Examples:
  heatvit sim configs/digits.toml --count 3
  heatvit sim configs/digits.toml --count 1 --trace first.fst     all signals of the first image, for gtkwave or surfer")]
    Sim(SimArgs),
    /// Evaluate a network on images, without any hardware.
    ///
    /// Prints a table of images, accuracy (of the first and of the first five classes, where the classes of the images
    /// are known) and work.
    #[command(after_help = "Examples:
  heatvit eval configs/digits.toml                          int8, the whole test set
  heatvit eval configs/digits.toml --engine float --count 100
  heatvit eval configs/deit_tiny.toml --weights deit_tiny.q8 --images val --labels val.txt --json out.json
  heatvit eval configs/deit_tiny.toml --weights deit_tiny.q8 --tensor images.npy --logits logits.npy")]
    Eval(EvalArgs),
    /// Quantize float weights to a file that every other command takes as --weights.
    #[command(after_help = "Examples:
  heatvit quantize configs/digits.toml --out digits.int8.safetensors
  heatvit quantize configs/deit_tiny.toml --weights deit_tiny.safetensors --calibrate photos --out deit_tiny.q8
  heatvit quantize configs/digits.toml --count 16 --out digits.q8 --report digits.quality.json    how good is it?
  heatvit run configs/digits.toml --weights digits.int8.safetensors")]
    Quantize(QuantizeArgs),
    /// Make weights for those who have no checkpoint: random ones with the statistics of trained ones.
    ///
    /// Writes float safetensors with timm's names, selectors included where the configuration has some; their biases
    /// are set so that the mean share of patches left behind each stage is the requested one. The recipe is in
    /// docs/quantization.md. Equal arguments give equal bytes.
    #[command(after_help = "Examples:
  heatvit synth-weights configs/deit_tiny.toml --out deit_tiny.safetensors
  heatvit synth-weights configs/deit_tiny_pruned.toml --keep 0.7,0.49,0.343 --seed 2 --out pruned.safetensors")]
    SynthWeights(SynthArgs),
    /// Count what the design takes of the device: DSPs, lookup tables, flip-flops and block RAMs of each module.
    ///
    /// Needs Yosys, which scripts/install-tools installs. With selectors it counts the same design without them, too,
    /// and prints the difference.
    #[command(after_help = "Example:
  heatvit resources configs/digits.toml --json resources.json")]
    Resources(ResourcesArgs),
    /// Train the network from scratch and write its weights.
    ///
    /// Trains on the configuration's data set with the settings of [train], then, with token selectors, trains them
    /// into the result with the settings of [fine_tune] and chooses their thresholds on the integer model. Equal
    /// settings give equal bytes on one machine. Writes one safetensors file for each network with timm's names and,
    /// beside the first, the curves as <name>.training.json.
    #[cfg(feature = "train")]
    Train(TrainArgs),
    /// Measure how fast parts of the tool are on this machine.
    #[command(subcommand)]
    #[command(after_help = "Example:
  heatvit bench golden configs/deit_tiny.toml")]
    Bench(BenchCommand),
    /// Show what the tool knows.
    #[command(subcommand)]
    Show(ShowCommand),
}

/// Options of `run`.
#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// Where from.
    #[command(flatten)]
    pub source: Source,
    /// Which images.
    #[command(flatten)]
    pub images: Images,
    /// Folder to write; an existing one is replaced only if nothing in it was changed [default: out/ and the stem of CONFIG].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// What to simulate.
    #[command(flatten)]
    pub proof: Proof,
    /// Pictures of it.
    #[command(flatten)]
    pub page: Page,
}

/// The page about a run.
#[derive(Clone, Debug, Args)]
pub struct Page {
    /// Write a page (HTML, one file) with the figures and, image by image, the patches that the selectors keep.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Number of images that the page shows; its figures are over all images.
    #[arg(long, value_name = "N", default_value = "12", requires = "report", value_parser = count)]
    pub report_images: usize,
}

/// Options of `gen`.
#[derive(Clone, Debug, Args)]
pub struct GenArgs {
    /// Where from.
    #[command(flatten)]
    pub source: Source,
    /// Which images.
    #[command(flatten)]
    pub images: Images,
    /// Folder to write; an existing one is replaced only if nothing in it was changed [default: out/ and the stem of CONFIG].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Stop after this stage.
    #[arg(long, value_enum, value_name = "STAGE", default_value = "package")]
    pub until: Stage,
}

/// Options of `sim`.
#[derive(Clone, Debug, Args)]
pub struct SimArgs {
    /// Where from.
    #[command(flatten)]
    pub source: Source,
    /// Which images.
    #[command(flatten)]
    pub images: Images,
    /// Write a waveform (FST) of the first image: all signals and all words of memories.
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// Cycles that the waveform shows [default: all; a whole image of the digits takes half a gigabyte].
    #[arg(long, value_name = "FROM..TO", requires = "trace", value_parser = cycles)]
    pub trace_cycles: Option<Range<u64>>,
    /// What to simulate.
    #[command(flatten)]
    pub proof: Proof,
}

/// What is simulated, and where the figures go.
#[derive(Clone, Debug, Args)]
pub struct Proof {
    /// Number of images [default: 20, or all where there are fewer].
    #[arg(long, value_name = "N", value_parser = count)]
    pub count: Option<usize>,
    /// Images that are simulated at the same time; the results do not depend on it [default: one per core].
    #[arg(long, value_name = "N", value_parser = count)]
    pub threads: Option<usize>,
    /// Write the figures as JSON, too.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// A number of images.
pub(super) fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least one is needed".to_owned()),
        Ok(count) => Ok(count),
        Err(_) => Err("a whole number is needed".to_owned()),
    }
}

/// A range of cycles.
fn cycles(text: &str) -> Result<Range<u64>, String> {
    let range = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    range.filter(|range| !range.is_empty()).ok_or_else(|| "two cycles are needed, such as 1000..2000".to_owned())
}

/// Options of `quantize`.
#[derive(Clone, Debug, Args)]
pub struct QuantizeArgs {
    /// Where from.
    #[command(flatten)]
    pub source: Source,
    /// Number of images to calibrate on [default: the configuration's].
    #[arg(long, value_name = "N", value_parser = count)]
    pub count: Option<usize>,
    /// File to write.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Measure the result and write a report (JSON): ranges, clipping and noise of every tensor; prints a table, too.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Images to measure on [default: those of the calibration].
    #[arg(long, value_name = "PATH", requires = "report")]
    pub measure: Option<PathBuf>,
}

/// Options of `synth-weights`.
#[derive(Clone, Debug, Args)]
pub struct SynthArgs {
    /// Configuration file (TOML).
    pub config: PathBuf,
    /// File to write.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Seed of all draws.
    #[arg(long, value_name = "N", default_value = "1")]
    pub seed: u64,
    /// Share of all patches that is left behind each selector stage [default: the configuration's targets].
    #[arg(long, value_name = "SHARES", value_delimiter = ',')]
    pub keep: Option<Vec<f64>>,
    /// Images to scale on [default: the configuration's, else seeded pictures].
    #[arg(long, value_name = "PATH")]
    pub images: Option<PathBuf>,
}

impl SynthArgs {
    /// The same for the pipeline; `samples` images are wanted.
    pub fn request(&self, samples: usize) -> Request {
        let images = Choice { images: self.images.clone(), ..Choice::default() };
        Request { images, calibration_images: Some(samples), ..Request::new(self.config.clone()) }
    }
}

/// Options of `resources`.
#[derive(Clone, Debug, Args)]
pub struct ResourcesArgs {
    /// Configuration file (TOML).
    pub config: PathBuf,
    /// Write the figures as JSON, too.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// The program to use [default: yosys on PATH, else the one of scripts/install-tools].
    #[arg(long, value_name = "PROGRAM")]
    pub yosys: Option<PathBuf>,
}

/// Options of `train`.
#[cfg(feature = "train")]
#[derive(Clone, Debug, Args)]
pub struct TrainArgs {
    /// Configuration file (TOML).
    pub config: PathBuf,
    /// Weights file to write [default: the configuration's]; with selectors the second is <name>.pruned.safetensors.
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
    /// Images to calibrate float weights on: a folder of JPEG and PNG files, or normalised images as FILE.npy
    /// [default: training images of the data set, else some of its images].
    #[arg(long, value_name = "PATH")]
    pub calibrate: Option<PathBuf>,
}

impl Source {
    /// The same for the pipeline, with images.
    pub fn request(&self, images: &Images) -> Request {
        let choice =
            Choice { images: images.images.clone(), labels: images.labels.clone(), tensor: images.tensor.clone() };
        Request {
            config: self.config.clone(),
            weights: self.weights.clone(),
            images: choice,
            calibrate: self.calibrate.clone(),
            calibration_images: None,
        }
    }
}

/// The images that a command works on.
#[derive(Clone, Debug, Default, Args)]
pub struct Images {
    /// Images [default: the configuration's]: a folder of JPEG and PNG files, flat or with a folder for each class
    /// (the first by name is class 0), or a file of digits.
    #[arg(long, value_name = "PATH")]
    pub images: Option<PathBuf>,
    /// Classes of the images: lines of a path relative to the folder, a blank, and a class from 0.
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
    /// Normalised images, float32 [n, channels, height, width] as written by numpy.save.
    #[arg(long, value_name = "FILE", conflicts_with = "images")]
    pub tensor: Option<PathBuf>,
}

/// Options of `eval`.
#[derive(Clone, Debug, Args)]
pub struct EvalArgs {
    /// Where from.
    #[command(flatten)]
    pub source: Source,
    /// Which images.
    #[command(flatten)]
    pub images: Images,
    /// Arithmetic.
    #[arg(long, value_enum, value_name = "ENGINE", default_value = "int8")]
    pub engine: EngineName,
    /// Number of images [default: the whole test set].
    #[arg(long, value_name = "N", value_parser = count)]
    pub count: Option<usize>,
    /// Write the logits, float32 [images, classes], as numpy.load reads them.
    #[arg(long, value_name = "FILE")]
    pub logits: Option<PathBuf>,
    /// Write every tensor of the first image into a folder, float32 [rows, columns] in files of the tensors' names
    /// (docs/tensors.md); those of int8 are integers.
    #[arg(long, value_name = "DIR")]
    pub tensors: Option<PathBuf>,
    /// Write the figures as JSON, too.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}
