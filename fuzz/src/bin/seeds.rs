//! Writes sound files, from which the fuzzer starts, into `corpus/<target>/` beside `Cargo.toml`.

use heatvit_fuzz::{dims, options};
use heatvit_model::float::FloatNetwork;
use heatvit_model::quant::file::Origin;
use heatvit_model::quant::{Extreme, QuantNetwork, file, random, random_with_selectors};
use heatvit_model::{npy, weights};
// Built with the flags of the targets, this program needs the functions that count coverage.
use libfuzzer_sys as _;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

fn write(target: &str, name: &str, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    std::fs::create_dir_all(&folder)?;
    Ok(std::fs::write(folder.join(name), bytes)?)
}

/// Copies the files of a folder of the repository that end so.
fn copy(target: &str, folder: &str, ending: &str) -> Result<(), Box<dyn Error>> {
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(ending) {
            write(target, &name, &std::fs::read(&path)?)?;
        }
    }
    Ok(())
}

/// A quantized file.
fn quantized(network: &QuantNetwork) -> Result<Vec<u8>, Box<dyn Error>> {
    let (mean, deviation) = (vec![0.5], vec![0.25]);
    let origin = Origin { height: 2, width: 4, channels: 1, patch: 2, mean, deviation, eps: 1e-6, delta1: 1.0 };
    Ok(file::to_bytes(network, &origin)?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let network = FloatNetwork::random(&dims(), &options(), 1);
    write("weights", "float", &weights::to_bytes(&network, &BTreeMap::new())?)?;
    write("quantized", "dense", &quantized(&random(&dims(), 1, Extreme::None))?)?;
    let selectors = random_with_selectors(&dims(), &[0], 1, Extreme::None);
    write("quantized", "selectors", &quantized(&selectors)?)?;
    write("npy", "array", &npy::to_bytes(&[2, 3], &[1.0; 6]))?;
    write("npy", "vector", &npy::to_bytes(&[5], &[1.0; 5]))?;
    copy("config", "configs", ".toml")?;
    copy("config", "tests/bad/config", ".toml")?;
    for ending in [".png", ".jpg"] {
        copy("picture", "data/photos", ending)?;
    }
    Ok(())
}
