//! Does the float engine compute what timm computes? `oracle/float.json` holds logits and every block's output of timm's
//! DeiT-Tiny, -Small and -Base on seeded weights and a photograph; `scripts/oracle/run float record` records it again,
//! and `scripts/check-float` compares whole tensors by the tool.

mod seeded;

use heatvit_model::config::Config;
use heatvit_model::float::{Engine, fold, forward_wanted};
use heatvit_model::image::{ImageShape, float_patches};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Record {
    photo: String,
    models: BTreeMap<String, BTreeMap<String, Tensor>>,
}

/// Some elements of a tensor.
#[derive(Deserialize)]
struct Tensor {
    size: usize,
    /// Largest magnitude of all.
    max: f64,
    /// Distance of the elements.
    step: usize,
    values: Vec<f64>,
}

/// The largest relative difference between heatvit's tensors and those of the record.
fn largest_difference(preset: &str) -> f64 {
    let record: Record = serde_json::from_str(include_str!("oracle/float.json")).expect("the record is committed");
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let read = |path: String| std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let text = String::from_utf8(read(format!("{root}/configs/{preset}.toml"))).expect("a configuration is text");
    let config = Config::parse(preset, &text).expect("the configuration is legal");
    let mut network = seeded::network(&config);
    network.absorb_normalisation(&config.normalisation());
    let pixels = config.preprocess().image(&read(format!("{root}/data/photos/{}", record.photo)));
    let m = &config.model;
    let shape = ImageShape { height: m.height, width: m.width, channels: m.channels, patch: m.patch };
    let patches = float_patches(&pixels.expect("the photograph is sound"), &shape).expect("it has the network's size");
    let wanted = |name: &str| name == "logits" || name.ends_with(".residual") && !name.contains("attn");
    let folded = fold(&network);
    drop(network);
    let trace = forward_wanted(&folded, Engine::Exact, &patches, &wanted);
    let expected = &record.models[preset];
    assert_eq!((trace.tensors.len(), expected.len()), (config.model.depth + 1, config.model.depth + 1));
    let mut largest = 0.0f64;
    for found in &trace.tensors {
        let tensor = &expected[&found.name];
        assert_eq!(found.data.len(), tensor.size, "{}", found.name);
        let some: Vec<f64> = found.data.iter().step_by(tensor.step).map(|v| f64::from(*v)).collect();
        assert_eq!(some.len(), tensor.values.len());
        let pairs = some.iter().zip(&tensor.values);
        let difference = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) / tensor.max;
        assert!(difference <= 1e-4, "{preset} {}: {difference}", found.name);
        largest = largest.max(difference);
    }
    largest
}

#[test]
fn deit_equals_timm() {
    for preset in ["deit_tiny", "deit_small", "deit_base"] {
        println!("{preset}: largest relative difference {:.2e}", largest_difference(preset));
    }
}
