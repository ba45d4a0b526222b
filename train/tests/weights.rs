//! Are the committed weights what their description says, in the framework and in the float reference?

use heatvit_model::data::{CANVAS, CLASSES, Digits, PATCH, PATCHES, Sample};
use heatvit_model::float::{Engine, NetworkOptions, forward, forward_all};
use heatvit_model::image::{ImageShape, float_patches};
use heatvit_model::quant::{Dims, QuantNetwork, quantize};
use heatvit_model::selector::{HeadWeights, PackageRule, SelectorOptions};
use heatvit_model::weights;
use heatvit_train::{
    FineTuneConfig, NetworkShape, SelectorSpec, Sigmoid, TrainConfig, integer_survey, logits, masked_forward,
};

const WEIGHTS: &[u8] = include_bytes!("../../weights/digits.safetensors");
const PRUNED: &[u8] = include_bytes!("../../weights/digits.pruned.safetensors");
const TRAINING: &str = include_str!("../../weights/digits.training.json");

fn shape() -> NetworkShape {
    NetworkShape { embed: 64, depth: 6, heads: 4, hidden: 128, eps: 1e-6 }
}

fn dims() -> Dims {
    Dims {
        tokens: PATCHES + 1,
        patch_inputs: PATCH * PATCH,
        embed: 64,
        depth: 6,
        heads: 4,
        head_dim: 16,
        mlp_hidden: 128,
        classes: CLASSES,
    }
}

fn spec() -> SelectorSpec {
    SelectorSpec {
        stages: vec![1, 3],
        targets: vec![0.55, 0.3],
        head_weights: HeadWeights::Separate,
        package: PackageRule::Merged,
    }
}

fn options(stages: Vec<usize>) -> NetworkOptions {
    let selectors = SelectorOptions { stages, ..SelectorOptions::default() };
    NetworkOptions { channels: 1, selectors, ..NetworkOptions::default() }
}

fn digits() -> Digits {
    Digits::from_bytes(include_bytes!("../../data/digits/digits.bin")).expect("the committed file is legal")
}

/// Each test digit once.
fn samples() -> Vec<Sample> {
    digits().test().take(360).collect()
}

fn inputs(samples: &[Sample]) -> Vec<Vec<f32>> {
    let image = ImageShape { height: CANVAS, width: CANVAS, channels: 1, patch: PATCH };
    samples.iter().map(|s| float_patches(&s.pixels, &image).expect("pictures of the data set fit")).collect()
}

fn accuracy<'a>(logits: impl Iterator<Item = &'a [f32]>, samples: &[Sample]) -> f64 {
    let best = |row: &[f32]| (1..CLASSES).fold(0, |best, class| if row[class] > row[best] { class } else { best });
    let hits = logits.zip(samples).filter(|(row, sample)| best(row) == usize::from(sample.label)).count();
    hits as f64 / samples.len() as f64
}

#[test]
fn framework_and_float_reference_give_the_same_logits() {
    let samples = samples();
    let ours = logits(&shape(), WEIGHTS, &samples).unwrap();

    let network = weights::from_bytes(WEIGHTS, &dims(), &options(vec![])).unwrap();
    let reference = forward_all(&network, Engine::Exact, &inputs(&samples));

    let pairs = ours.iter().zip(reference.iter().flatten());
    let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 1e-3, "logits differ by up to {worst}");
    assert_eq!(ours.len(), reference.len() * CLASSES);

    let expected = accuracy(ours.chunks_exact(CLASSES), &samples);
    assert!(expected >= 0.93, "{expected}");
    assert_eq!(accuracy(reference.iter().map(Vec::as_slice), &samples), expected);
}

#[test]
fn the_description_is_that_of_the_default_configuration() {
    let report: serde_json::Value = serde_json::from_str(TRAINING).unwrap();
    assert_eq!(report["network"], serde_json::to_value(shape()).unwrap());
    assert_eq!(report["train"], serde_json::to_value(TrainConfig::default()).unwrap());
    assert!(report["test_accuracy"].as_f64().unwrap() >= 0.93);

    let metadata = weights::metadata(WEIGHTS).unwrap();
    let text = |value: &serde_json::Value| value.as_str().map_or(value.to_string(), str::to_owned);
    for key in ["config_digest", "best_epoch", "validation_accuracy", "test_accuracy"] {
        assert_eq!(metadata[key], text(&report[key]), "{key}");
    }
}

/// Hiding tokens, as in training, and dropping them. A score within rounding of its threshold may fall either way.
#[test]
fn the_masked_network_is_the_pruned_one() {
    let samples = samples();
    let masked = masked_forward(&shape(), &spec(), PRUNED, Sigmoid::Exact, &samples).unwrap();
    let network = weights::from_bytes(PRUNED, &dims(), &options(spec().stages)).unwrap();
    let mut equal = 0;
    for (masked, input) in masked.iter().zip(inputs(&samples)) {
        let trace = forward(&network, Engine::Exact, &input);
        let left: Vec<usize> = trace.stages.iter().map(|s| s.candidates_and_class - 1).collect();
        let expected: Vec<usize> = masked.kept.iter().map(|k| k.iter().filter(|k| **k).count()).collect();
        let worst = trace.logits().iter().zip(&masked.logits).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        equal += usize::from(left == expected && worst < 1e-3);
    }
    assert!(equal >= 356, "only {equal} of 360 pictures agree");
}

/// The integer model as the tool makes it.
fn integers(file: &[u8], stages: Vec<usize>) -> QuantNetwork {
    let calibration: Vec<Sample> = digits().train_epoch(0x00ca_1b4a).take(128).collect();
    let network = weights::from_bytes(file, &dims(), &options(stages)).expect("a file of this network");
    quantize(&network, "digits", &inputs(&calibration)).expect("living ranges").network
}

#[test]
fn pruning_by_half_costs_no_accuracy_and_keeps_the_digit() {
    let samples: Vec<Sample> = digits().test().collect();
    let dense = integer_survey(&integers(WEIGHTS, vec![]), &samples).unwrap();
    let pruned = integer_survey(&integers(PRUNED, spec().stages), &samples).unwrap();
    let s = &pruned.survey;
    assert!(s.accuracy > dense.survey.accuracy - 0.01, "{pruned:?} {dense:?}");
    assert!(pruned.macs_mean < 0.55 * dense.macs_mean, "{pruned:?}");
    assert!(s.kept_deviation[1] > 3.0 && s.digit_kept > 1.5 * s.background_kept, "{pruned:?}");
    for (mean, target) in s.kept_mean.iter().zip(&spec().targets) {
        assert!((mean / PATCHES as f64 - target).abs() < 0.03, "{pruned:?}");
    }

    let report: serde_json::Value = serde_json::from_str(TRAINING).unwrap();
    let report = &report["pruned"];
    assert_eq!(report["test"], serde_json::to_value(&pruned).unwrap());
    assert_eq!(report["dense_test"], serde_json::to_value(&dense).unwrap());
    assert_eq!(report["selectors"], serde_json::to_value(spec()).unwrap());
    assert_eq!(report["fine_tune"], serde_json::to_value(FineTuneConfig::default()).unwrap());
    let metadata = weights::metadata(PRUNED).unwrap();
    assert_eq!(report["config_digest"], metadata["config_digest"]);
    assert_eq!(report["test"]["accuracy"].to_string(), metadata["test_accuracy"]);
}

#[test]
fn weights_of_another_shape_are_refused() {
    let other = NetworkShape { hidden: 256, ..shape() };
    assert!(
        logits(&other, WEIGHTS, &[]).unwrap_err().to_string().starts_with("the weights are not a safetensors file")
    );
}
