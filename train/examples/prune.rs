//! Trains selectors into the committed dense network: `cargo run --release -p heatvit-train --example prune`.
//!
//! The second half of `heatvit train configs/digits.toml`, with the same values, for those who change only that half.
//! Writes `weights/digits.pruned.safetensors` below the current folder and prints its part of the report. With the argument
//! `thresholds` nothing is trained: the committed network gets the thresholds that fit today's quantizer.

use std::error::Error;
use std::fs;

use heatvit_model::data::{CANVAS, CLASSES, Digits, PATCH, PATCHES};
use heatvit_model::float::NetworkOptions;
use heatvit_model::image::{ImageShape, float_patches};
use heatvit_model::quant::{Dims, QuantNetwork, quantize};
use heatvit_model::selector::{HeadWeights, PackageRule, SelectorOptions};
use heatvit_model::weights;
use heatvit_train::{FineTuneConfig, FineTuned, Form, NetworkShape, SelectorSpec, prune, settle};

/// Seed of the epoch whose drawings calibrate the quantizer, and their number: those of the tool.
const CALIBRATION: (u64, usize) = (0x00ca_1b4a, 128);

/// The committed network with selectors.
const PRUNED: &str = "weights/digits.pruned.safetensors";

fn main() -> Result<(), Box<dyn Error>> {
    let digits = Digits::from_bytes(&fs::read("data/digits/digits.bin")?)?;
    let shape = NetworkShape { embed: 64, depth: 6, heads: 4, hidden: 128, eps: 1e-6 };
    let spec = SelectorSpec {
        stages: vec![1, 3],
        targets: vec![0.55, 0.3],
        head_weights: HeadWeights::Separate,
        package: PackageRule::Merged,
    };
    let image = ImageShape { height: CANVAS, width: CANVAS, channels: 1, patch: PATCH };
    let calibration = digits.train_epoch(CALIBRATION.0).take(CALIBRATION.1);
    let calibration = calibration.map(|s| float_patches(&s.pixels, &image)).collect::<Result<Vec<_>, _>>()?;
    let mut integers = |form, bytes: &[u8]| -> Result<QuantNetwork, Box<dyn Error>> {
        let selectors = match form {
            Form::Dense => SelectorOptions::default(),
            Form::Pruned => {
                SelectorOptions { stages: spec.stages.clone(), head_weights: spec.head_weights, package: spec.package }
            }
        };
        let options = NetworkOptions { channels: 1, selectors, ..NetworkOptions::default() };
        Ok(quantize(&weights::from_bytes(bytes, &dims(), &options)?, "digits", &calibration)?.network)
    };
    let dense = fs::read("weights/digits.safetensors")?;
    let config = FineTuneConfig::default();
    let pruned = if std::env::args().nth(1).as_deref() == Some("thresholds") {
        let tuned = FineTuned { weights: fs::read(PRUNED)?, epochs: Vec::new() };
        settle(&shape, &config, &spec, &dense, tuned, &digits, &mut integers)?
    } else {
        prune(&shape, &config, &spec, &dense, &digits, &mut integers, &mut |p| {
            let seconds = p.eta.as_secs();
            eprintln!(
                "epoch {}/{}: loss {:.4}, kept {:.3?}, {seconds} s left",
                p.point.epoch, p.epochs, p.point.loss, p.point.kept
            );
        })?
    };
    fs::write(PRUNED, &pruned.weights)?;
    println!("{}", serde_json::to_string_pretty(&pruned.report)?);
    Ok(())
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
