//! `heatvit quantize`: float weights to the file that the other commands share.

use super::{check_count, print};
use crate::cli::{EXIT_EQUAL, Images, QuantizeArgs};
use crate::data_set::Image;
use crate::error::GenError;
use crate::files;
use crate::pipeline::{
    Request, WeightFile, calibration_images, load_config, load_network, load_weights, patches, quantize_network,
};
use crate::progress;
use crate::summary::{CALIBRATED, calibrated, dense_instead, row};
use heatvit_model::config::{Config, MAX_CALIBRATION_IMAGES};
use heatvit_model::float::FloatNetwork;
use heatvit_model::quant::report::measure;
use heatvit_model::quant::{self, Quantized};
use std::io::Write;
use std::path::Path;

/// Quantizes and writes the file.
///
/// # Errors
/// Refused input.
pub fn quantize(arguments: &QuantizeArgs, out: &mut dyn Write) -> Result<u8, GenError> {
    let request = Request { calibration_images: arguments.count, ..arguments.source.request(&Images::default()) };
    let mut config = load_config(&request.config)?;
    files::check_place(&arguments.out)?;
    files::check_places([&arguments.report])?;
    let WeightFile { path, bytes, without_selectors } = load_weights(&request, &mut config)?;
    let network = load_network(&path, &bytes, &config)?;
    drop(bytes);
    // A bad picture among the measured ones leaves nothing behind.
    let measured = match arguments.report {
        Some(_) => measured(arguments, &request, &config)?,
        None => Vec::new(),
    };
    let images = calibration(arguments, &request, &config)?;
    let quantized = quantize_network(&config, &path, &network, &images)?;
    let file = quant::file::to_bytes(&quantized.network, &config.origin()).map_err(|e| GenError::stage("quant", e))?;
    files::write(&arguments.out, &file)?;
    let products = quantized.network.linears().len();
    print(out, &row("quantized", &format!("{} ({products} products)", arguments.out.display())))?;
    print(out, &row(CALIBRATED, &calibrated(images.len())))?;
    print(out, &dense_instead(without_selectors))?;
    if let Some(file) = &arguments.report {
        print(out, &report(&network, &quantized, &measured, file)?)?;
    }
    Ok(EXIT_EQUAL)
}

/// The images to calibrate on; as many as were asked for.
fn calibration(arguments: &QuantizeArgs, request: &Request, config: &Config) -> Result<Vec<Image>, GenError> {
    check_count(arguments.count, MAX_CALIBRATION_IMAGES)?;
    let images = calibration_images(request, config)?;
    check_count(arguments.count, images.len())?;
    Ok(images)
}

/// Images that a report measures at most.
const MEASURED: usize = 32;

/// Patches of the images that a report measures.
fn measured(arguments: &QuantizeArgs, request: &Request, config: &Config) -> Result<Vec<Vec<i8>>, GenError> {
    let mut request = request.clone();
    if let Some(path) = &arguments.measure {
        request.calibrate = Some(path.clone());
    }
    let images = calibration_images(&request, config)?;
    images.iter().take(MEASURED).map(|image| patches(config, image)).collect()
}

/// Measures the quantization, writes the report and returns its table.
fn report(network: &FloatNetwork, quantized: &Quantized, images: &[Vec<i8>], file: &Path) -> Result<String, GenError> {
    let bar = progress::bar("measured", images.len());
    let report = measure(network, quantized, images, || bar.inc(1));
    bar.finish_and_clear();
    let text = serde_json::to_string_pretty(&report).map_err(|e| GenError::stage("quant", e))?;
    files::write(file, format!("{text}\n").as_bytes())?;
    Ok(report.table())
}

#[cfg(test)]
mod tests {
    use crate::run_cli;

    const DIGITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../configs/digits.toml");

    fn quantize(options: &[&str]) -> (u8, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let exit = run_cli(["heatvit", "quantize", DIGITS].iter().chain(options), &mut out, &mut err);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (exit, text(out), text(err))
    }

    #[test]
    fn a_report_has_every_tensor_and_the_table_every_kind() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let (weights, report) = (place("d.q8"), place("d.json"));
        let (exit, out, err) = quantize(&["--count", "3", "--out", &weights, "--report", &report]);
        assert_eq!((exit, err.as_str()), (0, ""));
        let json: serde_json::Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
        assert_eq!(json["images"], 3);
        let tensors = json["tensors"].as_array().unwrap();
        let logits = tensors.iter().find(|t| t["name"] == "logits").unwrap();
        assert!(logits["operator_db"].as_f64().unwrap() > 30.0 && logits["clipped"].as_f64() == Some(0.0));
        for part in ["blocks.*.attn.exp ", "selectors.*.score ", "cosine of the logits ", "decisions, image "] {
            assert!(out.contains(part), "{part}: {out}");
        }
    }

    #[test]
    fn places_are_looked_at_before_the_work() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let refusal = "cannot write: no such file or folder; check the path";
        for (out, report) in [("d.q8", "missing/d.json"), ("missing/d.q8", "d.json")] {
            // Images that are not there would be refused later.
            let (exit, _, err) =
                quantize(&["--out", &place(out), "--report", &place(report), "--calibrate", &place("none")]);
            assert!(exit == 2 && err.contains("missing/") && err.contains(refusal), "{err}");
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn a_bad_picture_to_measure_on_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(place("bad.npy"), "no tensor").unwrap();
        let (weights, report, bad) = (place("d.q8"), place("d.json"), place("bad.npy"));
        let (exit, out, err) = quantize(&["--count", "1", "--out", &weights, "--report", &report, "--measure", &bad]);
        assert_eq!((exit, out.as_str()), (2, ""));
        assert!(err.contains("bad.npy: "), "{err}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn more_images_than_there_are_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("d.q8").to_str().unwrap().to_owned();
        let photos = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/photos");
        let with = |more: &[&str]| quantize(&[&["--out", &place, "--calibrate", photos], more].concat());
        let (exit, _, err) = with(&["--count", "9"]);
        assert!(exit == 2 && err.contains("--count 9: there are 8 images; ask for as many at most"), "{err}");
        let (exit, _, err) = quantize(&["--out", &place, "--count", "100001"]);
        assert!(exit == 2 && err.contains("--count 100001: there are 100000 images"), "{err}");
        let (exit, out, _) = with(&[]);
        assert!(exit == 0 && out.contains("\ncalibrated on      8 images\n"), "{out}");
    }

    #[test]
    fn measuring_needs_a_report() {
        let (exit, _, err) = quantize(&["--out", "unwritten.q8", "--measure", "x"]);
        assert_eq!(exit, 2);
        assert!(err.contains("--report <FILE>"), "{err}");
    }
}
