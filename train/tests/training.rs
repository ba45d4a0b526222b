//! Does a short training do what a long one promises: learn, repeat itself, write what timm would read?

use std::collections::BTreeMap;

use heatvit_model::data::Digits;
use heatvit_train::{NetworkShape, Progress, TrainConfig, Trained, train};
use safetensors::SafeTensors;

fn digits() -> Digits {
    Digits::from_bytes(include_bytes!("../../data/digits/digits.bin")).expect("the committed file is legal")
}

fn shape() -> NetworkShape {
    NetworkShape { embed: 16, depth: 2, heads: 2, hidden: 32, eps: 1e-6 }
}

fn config(epochs: u32) -> TrainConfig {
    TrainConfig {
        epochs,
        batch: 32,
        learning_rate: 8e-3,
        warmup_epochs: 1,
        sparse_epochs: epochs - 1,
        sparse_patches: 40,
        ..TrainConfig::default()
    }
}

fn run(config: &TrainConfig) -> (Trained, Vec<Progress>) {
    let mut steps = Vec::new();
    let trained = train(&shape(), config, &digits(), &mut |p| steps.push(p.clone()));
    (trained.expect("a legal configuration"), steps)
}

#[test]
fn the_same_configuration_gives_the_same_bytes() {
    let (first, steps) = run(&config(2));
    let (second, _) = run(&config(2));
    assert_eq!(first.weights, second.weights);
    assert_eq!(first.report.to_json(), second.report.to_json());
    let (other, _) = run(&TrainConfig { seed: 2, ..config(2) });
    assert_ne!(first.weights, other.weights);

    assert_eq!(steps.iter().map(|p| p.epoch).collect::<Vec<_>>(), [1, 2]);
    assert!(steps[0].validation.is_none() && steps[1].validation.is_some());
    assert!(!steps[0].eta.is_zero() && steps[1].eta.is_zero());
}

#[test]
fn a_short_training_learns() {
    let (trained, steps) = run(&config(10));
    let (first, last) = (steps[0].loss, steps[9].loss);
    assert!(last < first - 0.2, "the loss went from {first} to {last}");
    assert!(trained.report.test_accuracy > 0.2, "{}", trained.report.test_accuracy);
}

#[test]
fn the_file_has_timms_names_and_shapes() {
    let (trained, _) = run(&config(1));
    let tensors = SafeTensors::deserialize(&trained.weights).unwrap();
    let found: BTreeMap<_, _> = tensors.iter().map(|(n, t)| (n.to_owned(), t.shape().to_vec())).collect();
    let mut expected = BTreeMap::new();
    let mut add = |name: &str, shape: &[usize]| expected.insert(name.to_owned(), shape.to_vec());
    add("cls_token", &[1, 1, 16]);
    add("pos_embed", &[1, 82, 16]);
    add("patch_embed.proj.weight", &[16, 1, 4, 4]);
    add("patch_embed.proj.bias", &[16]);
    for block in 0..2 {
        for (layer, outputs, inputs) in
            [("attn.qkv", 48, 16), ("attn.proj", 16, 16), ("mlp.fc1", 32, 16), ("mlp.fc2", 16, 32)]
        {
            add(&format!("blocks.{block}.{layer}.weight"), &[outputs, inputs]);
            add(&format!("blocks.{block}.{layer}.bias"), &[outputs]);
        }
        for norm in ["norm1", "norm2"] {
            add(&format!("blocks.{block}.{norm}.weight"), &[16]);
            add(&format!("blocks.{block}.{norm}.bias"), &[16]);
        }
    }
    for (name, shape) in
        [("norm.weight", vec![16]), ("norm.bias", vec![16]), ("head.weight", vec![10, 16]), ("head.bias", vec![10])]
    {
        add(name, &shape);
    }
    assert_eq!(found, expected);

    let (_, metadata) = SafeTensors::read_metadata(&trained.weights).unwrap();
    let metadata = &metadata.metadata().as_ref().unwrap()["heatvit"];
    let metadata: serde_json::Value = serde_json::from_str(metadata).unwrap();
    assert_eq!(metadata["config_digest"], trained.report.config_digest);
    assert_eq!(metadata["test_accuracy"], trained.report.test_accuracy.to_string());
}

#[test]
fn what_cannot_be_trained_is_refused() {
    let refusal = |shape: NetworkShape, config: TrainConfig| {
        train(&shape, &config, &digits(), &mut |_| ()).unwrap_err().to_string()
    };
    assert_eq!(
        refusal(NetworkShape { heads: 3, ..shape() }, config(1)),
        "model.heads = 3 cannot be trained: choose a divisor of model.embed"
    );
    assert_eq!(
        refusal(shape(), TrainConfig { batch: 1258, ..config(1) }),
        "train.batch = 1258 cannot be trained: choose 1..=1257, the training set has no more images"
    );
    assert_eq!(
        refusal(shape(), TrainConfig { epochs: 0, sparse_epochs: 0, ..config(1) }),
        "train.epochs = 0 cannot be trained: train for at least one epoch"
    );
    assert_eq!(
        refusal(shape(), TrainConfig { sparse_epochs: 1, sparse_patches: 20, ..config(1) }),
        "train.sparse_patches = 20 cannot be trained: choose at least 36, a large digit covers that many"
    );
    let diverged = TrainConfig { learning_rate: 1e30, warmup_epochs: 0, ..config(1) };
    assert!(refusal(shape(), diverged).contains("in epoch 1: lower train.learning_rate"));
}
