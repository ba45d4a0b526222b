//! `heatvit bench golden`: speed and memory of the integer model.

use crate::cli::{EXIT_EQUAL, GoldenBenchArgs};
use crate::command::print;
use crate::error::GenError;
use crate::files;
use crate::memory::peak;
use crate::pipeline::load_config;
use crate::threads::pool;
use heatvit_model::config::Config;
use heatvit_model::golden::Model;
use heatvit_model::quant::{Extreme, QuantNetwork, random, random_image, random_with_selectors};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::io::Write;
use std::time::{Duration, Instant};

/// Seed of the network; image `i` has the seed `i`.
const SEED: u64 = 1;

/// The figures.
#[derive(Debug, Serialize)]
struct Figures {
    /// The configuration's name.
    config: String,
    threads: usize,
    /// Vector instructions.
    instructions: &'static str,
    /// Images that were measured.
    images: usize,
    seconds: f64,
    images_per_second: f64,
    /// Largest resident memory of the process so far, where the system tells it.
    peak_memory_bytes: Option<u64>,
    /// SHA-256 over the logits of the first round.
    logits_sha256: String,
}

/// Measures and prints the table.
///
/// # Errors
/// Refused input.
pub fn golden(arguments: &GoldenBenchArgs, out: &mut dyn Write) -> Result<u8, GenError> {
    let config = load_config(&arguments.config)?;
    files::check_places([&arguments.json])?;
    let figures = pool(arguments.threads)?.install(|| measure(&config, arguments.images, arguments.seconds));
    if let Some(file) = &arguments.json {
        let json = serde_json::to_string_pretty(&figures).map_err(|e| GenError::stage("bench", e))?;
        files::write(file, (json + "\n").as_bytes())?;
    }
    print(out, &table(&figures))?;
    Ok(EXIT_EQUAL)
}

/// Random weights, with selectors where the configuration has them.
fn network(config: &Config) -> QuantNetwork {
    let (dims, stages) = (config.model.dims(), &config.selectors.stages);
    match config.selectors.enabled {
        true => random_with_selectors(&dims, stages, SEED, Extreme::None),
        false => random(&dims, SEED, Extreme::None),
    }
}

fn measure(config: &Config, round: usize, time: Duration) -> Figures {
    let network = network(config);
    let images: Vec<Vec<i8>> = (0..round).map(|i| random_image(&network.dims, i as u64)).collect();
    let model = Model::new(&network);
    let logits = model.run_all(&images);
    let mut hash = Sha256::new();
    logits.iter().flatten().for_each(|logit| hash.update(logit.to_le_bytes()));
    let (start, mut count) = (Instant::now(), 0);
    while count == 0 || start.elapsed() < time {
        count += model.run_all(&images).len();
    }
    let seconds = start.elapsed().as_secs_f64();
    Figures {
        config: config.name.clone(),
        threads: rayon::current_num_threads(),
        instructions: model.instructions(),
        images: count,
        seconds,
        images_per_second: count as f64 / seconds,
        peak_memory_bytes: peak(),
        logits_sha256: hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

fn table(f: &Figures) -> String {
    let memory = f.peak_memory_bytes.map_or_else(|| "unknown".to_owned(), |b| format!("{} MB", b / 1_000_000));
    format!(
        "network            {}, random weights\nthreads            {}, {}\nimages             {} in {:.2} s\n\
         images/s           {:.1}\npeak memory        {memory}\nlogits             sha256 {}\n",
        f.config, f.threads, f.instructions, f.images, f.seconds, f.images_per_second, f.logits_sha256
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digest depends on the network, not on the number of threads.
    #[test]
    fn any_number_of_threads_gives_the_same_logits() {
        let digits = concat!(env!("CARGO_MANIFEST_DIR"), "/../configs/digits.toml");
        let config = load_config(digits.as_ref()).unwrap();
        let digest = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| measure(&config, 5, Duration::ZERO)).logits_sha256
        };
        let one = digest(1);
        assert_eq!([2, 3, 7].map(digest), [one.clone(), one.clone(), one]);
    }
}
