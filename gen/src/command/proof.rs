//! What `run` and `sim` share: simulate, compare, tell.

use super::{print, write_json};
use crate::cli::Proof;
use crate::error::GenError;
use crate::evaluate::float_accuracy;
use crate::pipeline::{Build, Request, open_images};
use crate::prove::{Trial, all_patches, run, summarize, trace};
use crate::summary::row;
use crate::verify::window;
use crate::{files, progress};
use heatvit_model::float::Engine;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Where a command writes when it is not told: `out/<config stem>`.
pub fn default_place(config: &Path) -> PathBuf {
    Path::new("out").join(config.file_stem().unwrap_or_default())
}

/// Simulates the images, writes the figures and, about the first difference, report and waveform.
/// `place` is the output folder, beside which that waveform goes; `traced` the waveform of the first image.
///
/// # Errors
/// Refused input.
pub fn prove(
    build: &Build,
    request: &Request,
    proof: &Proof,
    (place, traced): (&Path, Option<&Path>),
    out: &mut dyn Write,
) -> Result<u8, GenError> {
    let config = build.config()?;
    let images = open_images(request, config)?.test(Some(proof.count));
    let patches = all_patches(config, &images)?;
    let trial = run(build, build.design()?, &patches)?;
    let mut summary = summarize(build, &images, &trial)?;
    if let Some(float) = build.float() {
        summary.accuracy.float = float_accuracy(float, config, &images, Engine::Exact)?;
    }
    write_json(proof.json.as_deref(), &summary)?;
    print(out, &summary.table())?;
    if let (Some(file), Some(first)) = (traced, trial.outcomes.first()) {
        waveform(build, &patches[0], 0..first.cycles + TAIL, file, out)?;
    }
    if let Some(index) = trial.differing() {
        tell(build, &trial, index, &patches[index], place, out)?;
    }
    Ok(trial.exit())
}

/// Cycles after the interrupt that a waveform of a whole image shows; register accesses before the start are part of it.
const TAIL: u64 = 200;

fn tell(
    build: &Build,
    trial: &Trial,
    index: usize,
    patches: &[i8],
    place: &Path,
    out: &mut dyn Write,
) -> Result<(), GenError> {
    print(out, &format!("\n{}", trial.report()))?;
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    let file = place.with_file_name(format!("{name}.mismatch.fst"));
    files::create_parent(&file)?;
    waveform(build, patches, window(&trial.outcomes[index]), &file, out)
}

fn waveform(
    build: &Build,
    patches: &[i8],
    cycles: std::ops::Range<u64>,
    file: &Path,
    out: &mut dyn Write,
) -> Result<(), GenError> {
    let bar = progress::bar("waveform", 1);
    trace(build, patches, cycles.clone(), file)?;
    bar.finish_and_clear();
    print(out, &row("waveform", &format!("{} (cycles {} to {})", file.display(), cycles.start, cycles.end)))
}
