//! Are the committed weights what their description says, in the framework and in the float reference?

use heatvit_model::data::{CANVAS, CLASSES, Digits, PATCH, PATCHES, Sample};
use heatvit_model::float::{Engine, NetworkOptions, forward_all};
use heatvit_model::image::{ImageShape, float_patches};
use heatvit_model::quant::Dims;
use heatvit_model::weights;
use heatvit_train::{NetworkShape, TrainConfig, logits};

const WEIGHTS: &[u8] = include_bytes!("../../weights/digits.safetensors");
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

/// Each test digit once.
fn samples() -> Vec<Sample> {
    let digits =
        Digits::from_bytes(include_bytes!("../../data/digits/digits.bin")).expect("the committed file is legal");
    digits.test().take(360).collect()
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

    let options = NetworkOptions { channels: 1, ..NetworkOptions::default() };
    let network = weights::from_bytes(WEIGHTS, &dims(), &options).unwrap();
    let image = ImageShape { height: CANVAS, width: CANVAS, channels: 1, patch: PATCH };
    let images: Vec<_> = samples.iter().map(|s| float_patches(&s.pixels, &image).unwrap()).collect();
    let reference = forward_all(&network, Engine::Exact, &images);

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

#[test]
fn weights_of_another_shape_are_refused() {
    let other = NetworkShape { hidden: 256, ..shape() };
    assert!(
        logits(&other, WEIGHTS, &[]).unwrap_err().to_string().starts_with("the weights are not a safetensors file")
    );
}
