//! `heatvit synth-weights`: stand-ins for trained weights.

use super::print;
use crate::cli::{EXIT_EQUAL, SynthArgs};
use crate::error::GenError;
use crate::files;
use crate::pipeline::{calibration_images, image_shape, load_config};
use crate::summary::{grouped, row};
use crate::tokens::{Stage, float_stages};
use heatvit_model::config::Config;
use heatvit_model::float::{Engine, FloatNetwork, fold, forward_wanted};
use heatvit_model::image::Pixels;
use heatvit_model::synth::{SynthError, picture, synthesize};
use heatvit_model::weights;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::io::Write;

/// Images that the weights are scaled on.
const SAMPLES: usize = 8;

/// Makes the weights and writes the file.
///
/// # Errors
/// Refused input.
pub fn synth_weights(arguments: &SynthArgs, out: &mut dyn Write) -> Result<u8, GenError> {
    let config = load_config(&arguments.config)?;
    let keep = schedule(arguments, &config)?;
    files::check_place(&arguments.out)?;
    let (samples, from) = samples(arguments, &config)?;
    let (dims, shape) = (config.model.dims(), image_shape(&config));
    let network = synthesize(&dims, &config.network_options(), &shape, &samples, &keep, arguments.seed);
    let mut network = network.map_err(|e| refused(&e))?;
    let kept = kept(&network, &samples);
    network.release_normalisation(&config.normalisation());
    let note = BTreeMap::from([("made by".to_owned(), format!("heatvit synth-weights, seed {}", arguments.seed))]);
    let bytes = weights::into_bytes(network, &note).map_err(|e| GenError::stage("network", e))?;
    files::write(&arguments.out, &bytes)?;
    let size = grouped(bytes.len() as u64);
    print(out, &row("weights", &format!("{} ({size} bytes)", arguments.out.display())))?;
    print(out, &row("scaled on", &from))?;
    if !keep.is_empty() {
        let shares = |all: &[f64]| all.iter().map(|s| format!("{:.1} %", 100.0 * s)).collect::<Vec<_>>().join(", ");
        print(out, &row("patches kept", &format!("{} (asked for {})", shares(&kept), shares(&keep))))?;
    }
    Ok(EXIT_EQUAL)
}

/// Mean share of all patches that is left behind each stage.
fn kept(network: &FloatNetwork, samples: &[Vec<f32>]) -> Vec<f64> {
    let (folded, wanted) = (fold(network), |name: &str| name.ends_with(".mask") || name.ends_with(".score"));
    let stages = samples.par_iter().map(|s| float_stages(&forward_wanted(&folded, Engine::Poly, s, &wanted)));
    let stages: Vec<Vec<Stage>> = stages.collect();
    let share = |stage: &Stage| stage.kept.iter().filter(|kept| **kept).count() as f64 / stage.kept.len() as f64;
    let mean = |i: usize| stages.iter().map(|image| share(&image[i])).sum::<f64>() / stages.len() as f64;
    (0..network.selectors.len()).map(mean).collect()
}

/// The shares of patches that are to be left: those of the command line, else those of the configuration.
fn schedule(arguments: &SynthArgs, config: &Config) -> Result<Vec<f64>, GenError> {
    let selectors = &config.selectors;
    match &arguments.keep {
        Some(_) if !selectors.enabled => Err(GenError::Argument {
            argument: "--keep".to_owned(),
            problem: format!("{} has no token selectors", arguments.config.display()),
            remedy: "add a table [selectors] with stages, such as stages = [3, 6, 9]".to_owned(),
        }),
        Some(keep) => Ok(keep.clone()),
        None if selectors.enabled => Ok(selectors.targets.clone()),
        None => Ok(Vec::new()),
    }
}

/// Sample images as patches, and where they come from.
fn samples(arguments: &SynthArgs, config: &Config) -> Result<(Vec<Vec<f32>>, String), GenError> {
    let (shape, request) = (image_shape(config), arguments.request(SAMPLES));
    let named = request.images.images.is_some() || config.data.is_some();
    let pixels: Vec<Pixels> = if named {
        calibration_images(&request, config)?.into_iter().map(|image| image.pixels).collect()
    } else {
        (0..SAMPLES as u64).map(|index| Pixels::Bytes(picture(&shape, arguments.seed, index))).collect()
    };
    let patches: Result<Vec<_>, _> = pixels.iter().map(|p| p.float_patches(&shape)).collect();
    let from = format!("{} {}", pixels.len(), if named { "images" } else { "seeded pictures" });
    Ok((patches.map_err(|e| GenError::stage("network", e))?, from))
}

/// The only request that a command line can get wrong is the schedule.
fn refused(error: &SynthError) -> GenError {
    let text = error.to_string();
    let (problem, remedy) = text.rsplit_once("; ").unwrap_or((&text, "choose another"));
    GenError::Argument { argument: "--keep".to_owned(), problem: problem.to_owned(), remedy: remedy.to_owned() }
}

#[cfg(test)]
mod tests {
    use crate::run_cli;

    const DIGITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../configs/digits.toml");
    const DEIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../configs/deit_tiny.toml");

    fn synth(options: &[&str]) -> (u8, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let exit = run_cli(["heatvit", "synth-weights"].iter().chain(options), &mut out, &mut err);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (exit, text(out), text(err))
    }

    #[test]
    fn the_file_is_taken_by_the_other_commands() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("w.safetensors");
        let file = file.to_str().unwrap();
        let (exit, out, err) = synth(&[DIGITS, "--out", file, "--keep", "0.6,0.4"]);
        assert_eq!((exit, err.as_str()), (0, ""));
        let (before, kept) = out.split_once("\npatches kept       ").unwrap();
        assert!(before.ends_with("\nscaled on          8 images"), "{out}");
        let measured = kept.strip_suffix(" (asked for 60.0 %, 40.0 %)\n").unwrap();
        let shares: Vec<f64> = measured.split(", ").map(|s| s.trim_end_matches(" %").parse().unwrap()).collect();
        assert!((shares[0] - 60.0).abs() < 1.0 && (shares[1] - 40.0).abs() < 1.0, "{out}");
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let exit = run_cli(["heatvit", "eval", DIGITS, "--weights", file, "--count", "5"], &mut out, &mut err);
        assert_eq!((exit, String::from_utf8(err).unwrap().as_str()), (0, ""));
    }

    #[test]
    fn schedules_that_cannot_be_met_are_refused() {
        let refused = |config, keep| {
            let (exit, out, err) = synth(&[config, "--out", "unwritten.safetensors", "--keep", keep]);
            assert_eq!((exit, out.as_str()), (2, ""));
            assert!(!std::path::Path::new("unwritten.safetensors").exists());
            err
        };
        assert_eq!(
            refused(DIGITS, "0.5"),
            "error: --keep: the keep schedule has 1 entries, the network has 2 selector stages; give one share for each\n"
        );
        assert_eq!(
            refused(DIGITS, "0.5,0.7"),
            "error: --keep: keep share 1 is 0.7; shares lie above 0 and at most at 1 and never rise, choose another\n"
        );
        let error = refused(DEIT, "0.7,0.49,0.343");
        assert!(
            error
                .ends_with("has no token selectors; add a table [selectors] with stages, such as stages = [3, 6, 9]\n")
        );
    }
}
