//! The training loop.

use std::time::{Duration, Instant};

use burn::tensor::Device;
use heatvit_model::data::{Digits, PATCHES, Sample};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use crate::config::{check, learning_rate};
use crate::export::to_safetensors;
use crate::network::Network;
use crate::optimizer::optimizer;
use crate::report::{EpochReport, Report};
use crate::shards::{accuracy, gradients};
use crate::{NetworkShape, TrainConfig, TrainError};

/// Epochs between two looks at the validation set; the last epoch is always looked at.
const VALIDATE_EVERY: u32 = 5;

/// State of a running training, given to the caller after each epoch.
#[derive(Clone, Debug)]
pub struct Progress {
    /// Epochs done.
    pub epoch: u32,
    /// Epochs to do.
    pub epochs: u32,
    /// Mean training loss of the epoch.
    pub loss: f32,
    /// Accuracy on the validation set (0..1), where it was measured.
    pub validation: Option<f64>,
    /// Training speed of the epoch.
    pub images_per_second: f64,
    /// Time left: patches still to process at the speed of this epoch.
    pub eta: Duration,
}

/// A trained network.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The safetensors file; its metadata has one key, `heatvit`, with JSON.
    pub weights: Vec<u8>,
    /// What happened, for the file beside it.
    pub report: Report,
}

/// Texts only, which is what readers of the metadata expect.
#[derive(Serialize)]
struct Metadata<'a> {
    config_digest: &'a str,
    best_epoch: String,
    validation_accuracy: String,
    test_accuracy: String,
}

/// Trains a network on `digits`; the checkpoint with the best validation accuracy is kept (the later one
/// of equals) and measured once on the test set.
pub fn train(
    shape: &NetworkShape,
    config: &TrainConfig,
    digits: &Digits,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Trained, TrainError> {
    check(shape, config, digits.training_raws().len())?;
    let mut run = Run::new(shape, config, digits);
    let validation: Vec<Sample> = digits.validation().collect();
    let mut best: Option<(u32, f64, Network)> = None;
    let mut epochs = Vec::new();
    for epoch in 1..=config.epochs {
        let started = Instant::now();
        let loss = run.epoch(digits, epoch);
        if !loss.is_finite() {
            return Err(TrainError::Diverged { table: "train", epoch, loss });
        }
        let seconds = started.elapsed().as_secs_f64();
        let due = epoch.is_multiple_of(VALIDATE_EVERY) || epoch == config.epochs;
        let measured = due.then(|| accuracy(&run.network, &validation));
        if let Some(accuracy) = measured
            && best.as_ref().is_none_or(|(_, highest, _)| accuracy >= *highest)
        {
            best = Some((epoch, accuracy, run.network.clone()));
        }
        epochs.push(EpochReport { epoch, loss, validation: measured });
        progress(&run.progress(epoch, loss, measured, seconds));
    }
    let (best_epoch, validation_accuracy, network) = best.ok_or_else(|| no_epochs(config))?;
    let test: Vec<Sample> = digits.test().collect();
    let report = Report {
        network: shape.clone(),
        train: config.clone(),
        config_digest: Report::digest(&(shape, config)),
        best_epoch,
        validation_accuracy,
        test_accuracy: accuracy(&network, &test),
        epochs,
        pruned: None,
    };
    let weights = to_safetensors(&network, metadata(&report))?;
    Ok(Trained { weights, report })
}

fn no_epochs(config: &TrainConfig) -> TrainError {
    TrainError::Config {
        key: "train.epochs",
        value: config.epochs.to_string(),
        remedy: "train for at least one epoch".to_owned(),
    }
}

fn metadata(report: &Report) -> String {
    let metadata = Metadata {
        config_digest: &report.config_digest,
        best_epoch: report.best_epoch.to_string(),
        validation_accuracy: report.validation_accuracy.to_string(),
        test_accuracy: report.test_accuracy.to_string(),
    };
    serde_json::to_string(&metadata).expect("plain strings always encode")
}

/// What changes from step to step.
struct Run<'a> {
    config: &'a TrainConfig,
    device: Device,
    network: Network,
    optimizer: burn::optim::ModuleOptimizer,
    step: usize,
    steps_per_epoch: usize,
}

impl<'a> Run<'a> {
    fn new(shape: &NetworkShape, config: &'a TrainConfig, digits: &Digits) -> Self {
        let device = Device::flex().autodiff();
        let network = Network::new(shape, config.seed, &device);
        Self {
            config,
            optimizer: optimizer(&network, config.weight_decay),
            device,
            network,
            step: 0,
            steps_per_epoch: digits.training_raws().len() / config.batch as usize,
        }
    }

    /// One epoch; images that do not fill a batch wait for another one. Returns the mean loss.
    fn epoch(&mut self, digits: &Digits, epoch: u32) -> f32 {
        let seed = self.config.seed.wrapping_mul(1 << 20).wrapping_add(u64::from(epoch));
        let samples: Vec<Sample> = digits.train_epoch(seed).collect();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut total = 0.0;
        let steps = self.config.epochs as usize * self.steps_per_epoch;
        for samples in samples.chunks_exact(self.config.batch as usize) {
            let shown: Vec<_> = samples.iter().map(|sample| self.shown(sample, epoch, &mut random)).collect();
            let smoothing = self.config.label_smoothing;
            let (loss, gradients) = gradients(&self.network, samples, &shown, smoothing, &self.device);
            total += loss;
            let rate = learning_rate(self.config, self.step, steps, self.steps_per_epoch);
            self.network = self.optimizer.step(rate, self.network.clone(), gradients);
            self.step += 1;
        }
        total / self.steps_per_epoch as f32
    }

    /// The patches of a sample that the network sees: in the first epochs only those of the digit and
    /// some of the background, which makes these epochs more than twice as fast.
    fn shown(&self, sample: &Sample, epoch: u32, random: &mut ChaCha8Rng) -> Vec<usize> {
        let mut order: Vec<usize> = (0..PATCHES).collect();
        if self.patches(epoch) < PATCHES {
            order.shuffle(random);
            order.sort_by_key(|&patch| sample.coverage[patch] == 0);
            order.truncate(self.patches(epoch));
        }
        order
    }

    fn patches(&self, epoch: u32) -> usize {
        if epoch <= self.config.sparse_epochs { PATCHES.min(self.config.sparse_patches as usize) } else { PATCHES }
    }

    fn progress(&self, epoch: u32, loss: f32, validation: Option<f64>, seconds: f64) -> Progress {
        let left: usize = (epoch + 1..=self.config.epochs).map(|e| self.patches(e)).sum();
        let images = self.steps_per_epoch * self.config.batch as usize;
        Progress {
            epoch,
            epochs: self.config.epochs,
            loss,
            validation,
            images_per_second: images as f64 / seconds,
            eta: Duration::from_secs_f64(seconds * left as f64 / self.patches(epoch) as f64),
        }
    }
}
