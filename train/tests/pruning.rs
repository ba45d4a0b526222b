//! Does training with selectors do what the engines do that run its result, does it repeat itself, and does it learn
//! what it is asked for?

use std::collections::BTreeMap;
use std::sync::OnceLock;

use heatvit_model::data::{CANVAS, CLASSES, Digits, PATCH, PATCHES, Sample};
use heatvit_model::float::{Engine, FloatNetwork, NetworkOptions, forward};
use heatvit_model::image::{ImageShape, float_patches};
use heatvit_model::quant::{Dims, QuantNetwork, quantize};
use heatvit_model::selector::{HeadWeights, PackageRule, SelectorOptions};
use heatvit_model::weights;
use heatvit_train::{
    FineTuneConfig, FineTuned, Form, NetworkShape, Pruned, SelectorSpec, Sigmoid, TrainConfig, TrainError, fine_tune,
    masked_forward, prune, train,
};
use safetensors::SafeTensors;

fn digits() -> Digits {
    Digits::from_bytes(include_bytes!("../../data/digits/digits.bin")).expect("the committed file is legal")
}

fn shape() -> NetworkShape {
    NetworkShape { embed: 16, depth: 3, heads: 2, hidden: 32, eps: 1e-6 }
}

/// A dense network of one epoch, for all tests.
fn dense() -> &'static [u8] {
    static DENSE: OnceLock<Vec<u8>> = OnceLock::new();
    DENSE.get_or_init(|| {
        let config =
            TrainConfig { epochs: 1, warmup_epochs: 0, sparse_epochs: 1, sparse_patches: 36, ..TrainConfig::default() };
        train(&shape(), &config, &digits(), &mut |_| ()).expect("a legal configuration").weights
    })
}

fn config(epochs: u32) -> FineTuneConfig {
    FineTuneConfig { epochs, warmup_epochs: 0, noise_epochs: epochs / 2, ..FineTuneConfig::default() }
}

fn spec() -> SelectorSpec {
    SelectorSpec {
        stages: vec![1, 2],
        targets: vec![0.6, 0.3],
        head_weights: HeadWeights::Separate,
        package: PackageRule::Merged,
    }
}

fn tuned(config: &FineTuneConfig, spec: &SelectorSpec) -> FineTuned {
    fine_tune(&shape(), config, spec, dense(), &digits(), &mut |_| ()).expect("a legal configuration")
}

fn dims() -> Dims {
    let tokens = PATCHES + 1;
    Dims { tokens, patch_inputs: 16, embed: 16, depth: 3, heads: 2, head_dim: 8, mlp_hidden: 32, classes: CLASSES }
}

fn network(file: &[u8], stages: &[usize], spec: &SelectorSpec) -> FloatNetwork {
    let selectors = SelectorOptions { stages: stages.to_vec(), head_weights: spec.head_weights, package: spec.package };
    let options = NetworkOptions { channels: 1, selectors, ..NetworkOptions::default() };
    weights::from_bytes(file, &dims(), &options).expect("a file of this network")
}

fn inputs(samples: &[Sample]) -> Vec<Vec<f32>> {
    let image = ImageShape { height: CANVAS, width: CANVAS, channels: 1, patch: PATCH };
    samples.iter().map(|s| float_patches(&s.pixels, &image).expect("pictures of the data set fit")).collect()
}

/// Patches that the trace of a pruned run leaves after each stage.
fn kept(trace: &heatvit_model::golden::Trace<f32>, stages: &[usize]) -> Vec<[bool; PATCHES]> {
    let mut left: Vec<usize> = (0..PATCHES).collect();
    let follow = |stage: &usize| {
        let mask = &trace.get(&format!("selectors.{stage}.mask")).expect("a mask is recorded").data;
        assert_eq!(mask.len(), left.len() + 1);
        left = left.iter().zip(&mask[1..]).filter(|(_, kept)| **kept == 1.0).map(|(patch, _)| *patch).collect();
        std::array::from_fn(|patch| left.contains(&patch))
    };
    stages.iter().map(follow).collect()
}

/// The file with its selectors' thresholds set to what `samples` score on average, so that each stage drops some.
fn split(file: &[u8], spec: &SelectorSpec, samples: &[Sample]) -> Vec<u8> {
    let mut float = network(file, &spec.stages, spec);
    for (index, stage) in spec.stages.iter().enumerate() {
        let name = format!("selectors.{stage}.score");
        let mut scores = Vec::new();
        for input in inputs(samples) {
            let trace = forward(&float, Engine::Exact, &input);
            scores.extend_from_slice(&trace.get(&name).expect("scores are recorded").data[1..]);
        }
        float.selectors[index].threshold = scores.iter().sum::<f32>() / scores.len() as f32;
    }
    weights::to_bytes(&float, &BTreeMap::new()).expect("a legal network")
}

/// The key to all of it: hiding tokens in training is dropping them in inference.
#[test]
fn the_masked_network_is_the_pruned_one() {
    let samples: Vec<Sample> = digits().test().take(24).collect();
    for head_weights in [HeadWeights::Separate, HeadWeights::Shared] {
        for package in [PackageRule::Merged, PackageRule::None] {
            let spec = SelectorSpec { head_weights, package, ..spec() };
            let file = split(&tuned(&config(1), &spec).weights, &spec, &samples);
            let masked = masked_forward(&shape(), &spec, &file, Sigmoid::Exact, &samples).unwrap();
            let float = network(&file, &spec.stages, &spec);
            for (input, masked) in inputs(&samples).iter().zip(&masked) {
                let trace = forward(&float, Engine::Exact, input);
                assert_eq!(kept(&trace, &spec.stages), masked.kept, "{spec:?}");
                let worst = trace.logits().iter().zip(&masked.logits).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(worst < 1e-4, "logits differ by {worst} with {spec:?}");
            }
            let counts = |stage: usize| masked.iter().map(move |m| m.kept[stage].iter().filter(|k| **k).count());
            assert!(counts(0).all(|n| n < PATCHES) && counts(1).zip(counts(0)).all(|(b, a)| b < a), "both stages drop");
            assert!(counts(1).sum::<usize>() > 0);
        }
    }
}

fn integers(form: Form, bytes: &[u8]) -> Result<QuantNetwork, TrainError> {
    let spec = spec();
    let stages = if form == Form::Dense { &[][..] } else { &spec.stages };
    let calibration: Vec<Sample> = digits().train_epoch(77).take(16).collect();
    let network = network(bytes, stages, &spec);
    Ok(quantize(&network, "tiny", &inputs(&calibration)).expect("living ranges").network)
}

fn pruned() -> (Pruned, usize) {
    let mut steps = 0;
    let mut count = |_: &_| steps += 1;
    let pruned = prune(&shape(), &config(2), &spec(), dense(), &digits(), &mut integers, &mut count);
    (pruned.expect("a legal configuration"), steps)
}

#[test]
fn the_same_configuration_gives_the_same_bytes() {
    let (first, steps) = pruned();
    let (second, _) = pruned();
    assert_eq!(first.weights, second.weights);
    assert_eq!(first.report, second.report);
    assert_eq!(steps, 2);
    assert_ne!(tuned(&FineTuneConfig { seed: 2, ..config(2) }, &spec()).weights, tuned(&config(2), &spec()).weights);

    // Thresholds: in the file as in the report, and with them the integer model leaves what was asked for.
    let tensors = SafeTensors::deserialize(&first.weights).unwrap();
    for ((stage, threshold), (mean, target)) in spec()
        .stages
        .iter()
        .zip(&first.report.thresholds)
        .zip(first.report.validation.survey.kept_mean.iter().zip(&spec().targets))
    {
        let stored = tensors.tensor(&format!("selectors.{stage}.threshold")).unwrap();
        assert_eq!(f32::from_le_bytes(stored.data().try_into().unwrap()), *threshold as f32 / 512.0);
        // After two epochs scores lie so close that one threshold to the next is several percent.
        assert!((mean / PATCHES as f64 - target).abs() < 0.1, "{mean} of {PATCHES} are kept, not {target}");
    }
    let network = integers(Form::Pruned, &first.weights).unwrap();
    let stored: Vec<u32> = network.selectors.iter().map(|s| s.threshold).collect();
    assert_eq!(stored, first.report.thresholds);
    let (dense, pruned) = (&first.report.dense_test, &first.report.test);
    assert!(pruned.macs_mean < 0.8 * dense.macs_mean && dense.survey.kept_mean.is_empty());
    let metadata = weights::metadata(&first.weights).unwrap();
    assert_eq!(metadata["config_digest"], first.report.config_digest);
    assert_eq!(metadata["test_accuracy"], pruned.survey.accuracy.to_string());
}

#[test]
fn the_kept_share_goes_to_its_target() {
    let wide = SelectorSpec { targets: vec![0.9, 0.85], ..spec() };
    let narrow = SelectorSpec { targets: vec![0.3, 0.1], ..spec() };
    let last = |spec: &SelectorSpec| tuned(&config(4), spec).epochs.last().unwrap().kept.clone();
    let (wide, narrow) = (last(&wide), last(&narrow));
    assert!(wide[0] > narrow[0] + 0.2 && wide[1] > narrow[1] + 0.2, "{wide:?} {narrow:?}");
}

#[test]
fn what_cannot_be_trained_is_refused() {
    let refusal = |shape: NetworkShape, config: FineTuneConfig, spec: SelectorSpec| {
        fine_tune(&shape, &config, &spec, dense(), &digits(), &mut |_| ()).unwrap_err().to_string()
    };
    assert_eq!(
        refusal(NetworkShape { heads: 8, ..shape() }, config(1), spec()),
        "model.heads = 8 cannot be trained: choose heads of a multiple of 4 channels"
    );
    assert_eq!(
        refusal(shape(), FineTuneConfig { batch: 0, ..config(1) }, spec()),
        "fine_tune.batch = 0 cannot be trained: choose 1..=1257, the training set has no more images"
    );
    assert_eq!(
        refusal(shape(), config(0), spec()),
        "fine_tune.epochs = 0 cannot be trained: train for at least one epoch"
    );
    assert_eq!(
        refusal(shape(), config(1), SelectorSpec { stages: vec![2, 3], ..spec() }),
        "selectors.stages = [2, 3] cannot be trained: choose ascending blocks below 3"
    );
    assert_eq!(
        refusal(shape(), config(1), SelectorSpec { targets: vec![0.3, 0.6], ..spec() }),
        "selectors.targets = [0.3, 0.6] cannot be trained: give each stage a share above 0, none larger than the one before"
    );
    let diverged = FineTuneConfig { learning_rate: 1e30, ..config(1) };
    assert!(refusal(shape(), diverged, spec()).contains("in epoch 1: lower fine_tune.learning_rate"));
    let other = NetworkShape { hidden: 64, ..shape() };
    assert!(refusal(other, config(1), spec()).starts_with("the weights are not a safetensors file"));
}
