//! `heatvit eval`: accuracy of an engine without any hardware.

use super::{check_count, print, tensor_files, write_json};
use crate::cli::{EXIT_EQUAL, EngineName, EvalArgs};
use crate::data_set::About;
use crate::error::GenError;
use crate::evaluate::{Answer, ImageSource as _, Part, accuracy, accuracy_top5, each, in_float};
use crate::files;
use crate::pipeline::{
    Request, WeightFile, float_patches, load_config, load_network, load_quantized, load_weights, open_images, patches,
};
use crate::summary::{Accuracy, EngineSpeed, GoldenSpeed, Macs, Summary};
use crate::tokens::{Stage, Tokens, stages};
use heatvit_hdl::Parameters;
use heatvit_hdl::schedule::Program;
use heatvit_model::config::Config;
use heatvit_model::float::{Engine, fold, forward_folded};
use heatvit_model::golden::{Divide, Model, StageCounts};
use heatvit_model::npy;
use heatvit_model::quant::QuantNetwork;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

/// Evaluates and prints the table.
///
/// # Errors
/// Refused input.
pub fn eval(arguments: &EvalArgs, out: &mut dyn Write) -> Result<u8, GenError> {
    let request = arguments.source.request(&arguments.images);
    let mut config = load_config(&request.config)?;
    files::check_places([&arguments.logits, &arguments.json])?;
    let set = open_images(&request, &config)?;
    check_count(arguments.count, set.len())?;
    let images = Part::new(&set, arguments.count);
    let weights = load_weights(&request, &mut config)?;
    let macs = (!config.selectors.enabled).then(|| Macs::dense(&config.model.dims()));
    let class_folders = set.class_folders().filter(|folders| *folders < config.model.classes);
    let without_selectors = weights.without_selectors;
    let mut summary = Summary { macs, class_folders, without_selectors, ..Summary::default() };
    let wanted = Wanted { logits: arguments.logits.is_some(), tensors: arguments.tensors.as_deref() };
    let answers = match arguments.engine {
        EngineName::Int8 => int8(&request, &config, weights, images, wanted, &mut summary)?,
        EngineName::Float => float(&config, weights, images, Engine::Exact, wanted, &mut summary)?,
        EngineName::FloatPoly => float(&config, weights, images, Engine::Poly, wanted, &mut summary)?,
    };
    summary.images = answers.len();
    let of = |share| match arguments.engine {
        EngineName::Int8 => Accuracy { int8: share, ..Accuracy::default() },
        EngineName::Float => Accuracy { float: share, ..Accuracy::default() },
        EngineName::FloatPoly => Accuracy { float_poly: share, ..Accuracy::default() },
    };
    summary.accuracy = of(accuracy(answers.iter().map(|a| (a.about.label, a.class))));
    summary.accuracy_top5 = of(accuracy_top5(&answers, config.model.classes));
    if let Some(file) = &arguments.logits {
        let logits: Vec<f32> = answers.iter().flat_map(|a| &a.logits).copied().collect();
        files::write(file, &npy::to_bytes(&[answers.len(), config.model.classes], &logits))?;
    }
    write_json(arguments.json.as_deref(), &summary)?;
    print(out, &summary.table())?;
    Ok(EXIT_EQUAL)
}

/// What is wanted besides the classes.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    logits: bool,
    /// Folder for the tensors of the first image.
    tensors: Option<&'a Path>,
}

/// Answers and tokens of the golden model.
fn int8(
    request: &Request,
    config: &Config,
    weights: WeightFile,
    images: Part<'_>,
    wanted: Wanted<'_>,
    summary: &mut Summary,
) -> Result<Vec<Answer>, GenError> {
    let (network, calibrated) = load_quantized(request, config, weights)?;
    summary.calibration_images = calibrated;
    let (model, divide) = (Model::new(&network), Divide::for_images(images.count()));
    if let Some(folder) = wanted.tensors {
        let trace = model.run(&patches(config, &*images.get(0)?)?, divide);
        tensor_files::write(folder, &trace, |integer| integer as f32)?;
    }
    let real = |logit: i32| (f64::from(logit) * network.logit_step) as f32;
    let start = Instant::now();
    let results = each("int8", &images, |_, image| {
        let trace = model.decide(&patches(config, image)?, divide);
        let answer = Answer::new(&image.about, trace.logits(), wanted.logits.then_some(real));
        Ok((answer, stages(&trace), trace.stages))
    })?;
    let speed = EngineSpeed::since(start, results.len());
    summary.golden = Some(GoldenSpeed { speed, instructions: model.instructions() });
    let mut answers = Vec::with_capacity(results.len());
    let (mut kept, mut counts): (Vec<Vec<Stage>>, Vec<Vec<StageCounts>>) = (Vec::new(), Vec::new());
    for (answer, stages, rows) in results {
        answers.push(answer);
        kept.push(stages);
        counts.push(rows);
    }
    let about: Vec<About> = answers.iter().map(|a| a.about.clone()).collect();
    summary.tokens = Tokens::of(&about, &kept, network.dims.tokens);
    if summary.tokens.is_some() {
        summary.macs = pruned_macs(&network, config, &counts);
    }
    Ok(answers)
}

/// Work of a network with selectors; `None` where the configured array cannot run it.
fn pruned_macs(network: &QuantNetwork, config: &Config, counts: &[Vec<StageCounts>]) -> Option<Macs> {
    let parameters = Parameters::for_network(network, config.accelerator.rows, config.accelerator.columns);
    let program = Program::compile(network, &parameters).ok()?;
    let mean = |of: &dyn Fn(&[StageCounts]) -> u64| {
        counts.iter().map(|c| of(c) as f64).sum::<f64>() / counts.len().max(1) as f64
    };
    let (all, selectors) = (mean(&|c| program.macs(c)), mean(&|c| program.selector_macs(c)));
    Some(Macs::pruned(Macs::dense(&network.dims).dense, all, selectors))
}

/// Answers and tokens in float arithmetic.
fn float(
    config: &Config,
    weights: WeightFile,
    images: Part<'_>,
    engine: Engine,
    wanted: Wanted<'_>,
    summary: &mut Summary,
) -> Result<Vec<Answer>, GenError> {
    let network = load_network(&weights.path, &weights.bytes, config)?;
    drop(weights);
    let folded = fold(&network);
    drop(network);
    if let Some(folder) = wanted.tensors {
        let trace = forward_folded(&folded, engine, &float_patches(config, &*images.get(0)?)?);
        tensor_files::write(folder, &trace, |value| value)?;
    }
    let start = Instant::now();
    let results = in_float(&folded, config, engine, &images, wanted.logits)?;
    let speed = Some(EngineSpeed::since(start, results.len()));
    match engine {
        Engine::Exact => summary.float = speed,
        Engine::Poly => summary.float_poly = speed,
    }
    let (answers, kept): (Vec<Answer>, Vec<Vec<Stage>>) = results.into_iter().unzip();
    let about: Vec<About> = answers.iter().map(|a| a.about.clone()).collect();
    summary.tokens = Tokens::of(&about, &kept, folded.dims.tokens);
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use crate::run_cli;

    const DIGITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../configs/digits.toml");

    fn refusal(options: &[&str]) -> String {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let exit = run_cli(["heatvit", "eval", DIGITS].iter().chain(options), &mut out, &mut err);
        assert_eq!((exit, out.len()), (2, 0));
        String::from_utf8(err).unwrap_or_default()
    }

    #[test]
    fn more_images_than_there_are_and_places_that_are_not_are_refused() {
        let expected = "--count 1081: there are 1080 images; ask for as many at most, or leave it out";
        assert!(refusal(&["--count", "1081"]).contains(expected));
        for option in ["--logits", "--json"] {
            let err = refusal(&[option, "missing/folder/file"]);
            assert!(err.contains("missing/folder/file: cannot write: no such file or folder"), "{err}");
        }
    }

    #[test]
    fn the_integer_model_tells_its_tokens_and_writes_its_logits() {
        let folder = tempfile::tempdir().unwrap();
        let [logits, tensors] = ["logits.npy", "tensors"].map(|name| folder.path().join(name));
        let options = ["--count", "2", "--logits", logits.to_str().unwrap(), "--tensors", tensors.to_str().unwrap()];
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let exit = run_cli(["heatvit", "eval", DIGITS].iter().chain(&options), &mut out, &mut err);
        let (out, err) = (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap());
        assert_eq!((exit, err.as_str()), (0, ""));
        for row in [
            "images             2\n",
            "\nin the first 5     int8 ",
            "\ntokens             82 -> ",
            " saved of 21,370,496 dense",
        ] {
            assert!(out.contains(row), "{row} is not in {out}");
        }
        let read = |file: &std::path::Path| std::fs::read(file).unwrap();
        let (all, first) = (read(&logits), read(&tensors.join("logits.npy")));
        let array = |bytes| heatvit_model::npy::Array::from_bytes(bytes).unwrap();
        let (all, first) = (array(&all), array(&first));
        assert_eq!((all.shape.as_slice(), first.shape.as_slice()), (&[2, 10][..], &[1, 10][..]));
        // Real values and integers of the same image: one step of the logits apart.
        let steps: Vec<f32> = all.values(0..10).iter().zip(first.values(0..10)).map(|(a, b)| a / b).collect();
        assert!(steps.iter().all(|s| (s / steps[0] - 1.0).abs() < 1e-5), "{steps:?}");
    }

    fn table(options: &[&str]) -> String {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let exit = run_cli(["heatvit", "eval", DIGITS, "--count", "2"].iter().chain(options), &mut out, &mut err);
        assert_eq!((exit, String::from_utf8_lossy(&err).as_ref()), (0, ""));
        String::from_utf8(out).unwrap_or_default()
    }

    #[test]
    fn weights_without_the_configured_selectors_run_dense() {
        let folder = tempfile::tempdir().unwrap();
        let q8 = folder.path().join("dense.q8").to_str().unwrap().to_owned();
        let dense = concat!(env!("CARGO_MANIFEST_DIR"), "/../weights/digits.safetensors");
        let quantize = ["heatvit", "quantize", DIGITS, "--weights", dense, "--count", "1", "--out", &q8];
        assert_eq!(run_cli(quantize, &mut Vec::new(), &mut Vec::new()), 0);
        let row = "selectors          none in the weights, the network runs dense\n";
        for options in [&["--weights", &q8][..], &["--weights", dense, "--engine", "float"]] {
            let out = table(options);
            assert!(out.contains(row) && !out.contains("tokens"), "{out}");
            assert!(out.contains("MACs per image     21,370,496\n"), "{out}");
        }
    }

    #[test]
    fn float_engines_tell_their_tokens() {
        let [integers, float] = ["int8", "float"].map(|engine| table(&["--engine", engine]));
        let tokens = |out: &str| out.lines().find(|line| line.starts_with("tokens")).map(str::to_owned);
        assert!(tokens(&float).is_some_and(|line| line.starts_with("tokens             82 -> ")), "{float}");
        assert!(tokens(&integers).is_some());
        let poly = table(&["--engine", "float-poly"]);
        assert!(poly.contains("\naccuracy           float-poly ") && poly.contains("\nfloat-poly engine "), "{poly}");
        assert!(
            float.contains("\nfloat engine ") && integers.contains("\ncalibrated on      128 images\n"),
            "{integers}"
        );
    }
}
