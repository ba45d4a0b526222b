//! What `run` and `sim` share: simulate, compare, tell.

use super::{check_count, print, write_json};
use crate::cli::{Page, Proof};
use crate::error::GenError;
use crate::evaluate::{accuracy, in_float};
use crate::pipeline::{Build, Request, open_images};
use crate::prove::{Trial, all_patches, run, summarize, trace};
use crate::report::gather::gather;
use crate::summary::row;
use crate::threads::pool;
use crate::verify::window;
use crate::{files, report};
use heatvit_model::float::{Engine, fold};
use std::io::Write;
use std::ops::Range;
use std::path::Path;

/// Files that a command writes besides the JSON file.
#[derive(Clone, Debug)]
pub struct Places<'a> {
    /// The output folder, beside which the waveform of a difference goes.
    pub output: &'a Path,
    /// Waveform of the first image, and its cycles unless all are wanted.
    pub waveform: Option<(&'a Path, Option<Range<u64>>)>,
    /// The page.
    pub page: Option<&'a Page>,
}

/// Simulates the images, writes the figures and, about the first difference, report and waveform.
///
/// # Errors
/// Refused input.
pub fn prove(
    build: &Build,
    request: &Request,
    proof: &Proof,
    places: Places<'_>,
    out: &mut dyn Write,
) -> Result<u8, GenError> {
    let asked = [proof.json.as_deref(), places.waveform.as_ref().map(|(file, _)| *file)];
    asked.into_iter().flatten().try_for_each(files::check_place)?;
    let config = build.config()?;
    let set = open_images(request, config)?;
    check_count(proof.count, set.len())?;
    let images = set.test(Some(proof.count.unwrap_or(COUNT)))?;
    let patches = all_patches(config, &images)?;
    let design = build.design()?;
    let trial = pool(proof.threads)?.install(|| run(build, design, &patches))?;
    let mut summary = summarize(build, &images, &trial)?;
    if let Some(float) = build.float() {
        let answers = in_float(&fold(float), config, Engine::Exact, images.as_slice(), false)?;
        summary.accuracy.float = accuracy(answers.iter().map(|(a, _)| (a.about.label, a.class)));
    }
    write_json(proof.json.as_deref(), &summary)?;
    print(out, &summary.table())?;
    if let Some(Page { report: Some(file), report_images }) = places.page {
        let page = gather(build, request, (&images, &trial.outcomes), &summary, *report_images)?;
        report::place::write(file, &report::render(&page))?;
        print(out, &row("report", &format!("{} ({} images)", file.display(), page.cards.len())))?;
    }
    if let (Some((file, cycles)), Some(first)) = (places.waveform, trial.outcomes.first()) {
        waveform(build, &patches[0], cycles.unwrap_or(0..first.cycles + TAIL), file, out)?;
    }
    if let Some(index) = trial.differing() {
        tell(build, &trial, index, &patches[index], places.output, out)?;
    }
    Ok(trial.exit())
}

/// Images that are simulated unless the command line says otherwise.
const COUNT: usize = 20;

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
    cycles: Range<u64>,
    file: &Path,
    out: &mut dyn Write,
) -> Result<(), GenError> {
    trace(build, patches, cycles.clone(), file)?;
    print(out, &row("waveform", &format!("{} (cycles {} to {})", file.display(), cycles.start, cycles.end)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::EXIT_MISMATCH;
    use crate::pipeline::{Stage, build};
    use heatvit_rtl::Expr;
    use std::path::PathBuf;

    #[test]
    fn a_difference_ends_in_report_waveform_and_exit_code_1() {
        let config = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../configs/digits.toml"));
        let request = Request::new(config);
        let mut build = build(&request, Stage::Rtl).unwrap();
        build.edit_design(|design| {
            let id = design.find("row_scale").unwrap();
            let module = design.module_mut(id);
            let sum = module.find("sum").unwrap();
            let register = module.registers.iter_mut().find(|r| r.signal == sum).unwrap();
            register.next = (&register.next ^ Expr::lit(1, register.next.width())).trunc(register.next.width());
        });
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("new/digits");
        let places = Places { output: &place, waveform: None, page: None };
        let mut out = Vec::new();
        let exit =
            prove(&build, &request, &Proof { count: Some(1), json: None, threads: None }, places, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(exit, EXIT_MISMATCH);
        assert!(text.contains("  tensor    blocks.0.attn.rowsum.0\n"), "{text}");
        assert!(text.lines().last().unwrap().contains("digits.mismatch.fst (cycles "), "{text}");
        assert!(std::fs::metadata(folder.path().join("new/digits.mismatch.fst")).unwrap().len() > 1000);
    }
}
