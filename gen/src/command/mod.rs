//! The commands, one file each.

mod bench;
mod eval;
mod generate;
mod proof;
mod quantize;
mod resources;
mod run;
mod show;
mod sim;
mod synth_weights;
mod tensor_files;
#[cfg(feature = "train")]
mod train;

use crate::cli::Command;
use crate::error::GenError;
use crate::files;
use crate::named_files::NamedFiles;
use crate::summary::Summary;
use std::io::Write;
use std::path::Path;

/// Carries out a command; the exit code says whether values differ.
///
/// # Errors
/// Refused input, or an output in the place of an input.
pub fn execute(command: &Command, out: &mut dyn Write) -> Result<u8, GenError> {
    NamedFiles::of(command).check()?;
    match command {
        Command::Run(arguments) => run::run(arguments, out),
        Command::Gen(arguments) => generate::generate(arguments, out),
        Command::Sim(arguments) => sim::sim(arguments, out),
        Command::Eval(arguments) => eval::eval(arguments, out),
        Command::Quantize(arguments) => quantize::quantize(arguments, out),
        Command::SynthWeights(arguments) => synth_weights::synth_weights(arguments, out),
        Command::Resources(arguments) => resources::resources(arguments, out),
        #[cfg(feature = "train")]
        Command::Train(arguments) => train::train(arguments, out),
        Command::Bench(what) => bench::bench(what, out),
        Command::Show(what) => show::show(what, out),
    }
}

/// Writes a result to stdout.
///
/// # Errors
/// When stdout is closed.
pub fn print(out: &mut dyn Write, text: &str) -> Result<(), GenError> {
    out.write_all(text.as_bytes()).map_err(|e| GenError::File {
        path: "stdout".to_owned(),
        problem: format!("cannot write: {e}"),
        remedy: "keep the reader of the output open".to_owned(),
    })
}

/// Refuses a `--count` beyond the images that there are.
///
/// # Errors
/// Both numbers.
fn check_count(asked: Option<usize>, images: usize) -> Result<(), GenError> {
    match asked.filter(|count| *count > images) {
        None => Ok(()),
        Some(count) => Err(GenError::Argument {
            argument: format!("--count {count}"),
            problem: format!("there are {images} images"),
            remedy: "ask for as many at most, or leave it out".to_owned(),
        }),
    }
}

/// Writes the JSON file that was asked for.
///
/// # Errors
/// An unwritable file.
pub fn write_json(file: Option<&Path>, summary: &Summary) -> Result<(), GenError> {
    file.map_or(Ok(()), |file| files::write(file, summary.to_json().as_bytes()))
}
