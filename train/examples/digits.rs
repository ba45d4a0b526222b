//! Trains the committed network: `cargo run --release -p heatvit-train --example digits`.
//!
//! Writes `weights/digits.safetensors` and `weights/digits.training.json` below the current folder; the
//! tool's `heatvit train configs/digits.toml` calls the same function with the same values.

use std::error::Error;
use std::fs;

use heatvit_model::data::Digits;
use heatvit_train::{NetworkShape, TrainConfig, train};

fn main() -> Result<(), Box<dyn Error>> {
    let digits = Digits::from_bytes(&fs::read("data/digits/digits.bin")?)?;
    let shape = NetworkShape { embed: 64, depth: 6, heads: 4, hidden: 128, eps: 1e-6 };
    let trained = train(&shape, &TrainConfig::default(), &digits, &mut |p| {
        let validation = p.validation.map_or(String::new(), |v| format!(", validation {:.2} %", 100.0 * v));
        eprintln!(
            "epoch {}/{}: loss {:.4}{validation}, {:.0} images/s, {} s left",
            p.epoch,
            p.epochs,
            p.loss,
            p.images_per_second,
            p.eta.as_secs()
        );
    })?;
    fs::create_dir_all("weights")?;
    fs::write("weights/digits.safetensors", &trained.weights)?;
    fs::write("weights/digits.training.json", trained.report.to_json())?;
    let report = &trained.report;
    println!(
        "epoch {}: validation {:.2} %, test {:.2} %",
        report.best_epoch,
        100.0 * report.validation_accuracy,
        100.0 * report.test_accuracy
    );
    Ok(())
}
