//! The second phase: selectors are put into the dense network, and all of it is trained further.

use std::time::{Duration, Instant};

use burn::optim::ModuleOptimizer;
use burn::tensor::Device;
use heatvit_model::data::{Digits, PATCHES, Sample};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use crate::config::{check_fine_tuning, scheduled};
use crate::export::pruned_to_safetensors;
use crate::import::{pruned_for_training, teacher};
use crate::network::Network;
use crate::objective::{Objective, StepReport};
use crate::optimizer::{optimizer, selector_optimizer};
use crate::pruned::PrunedNetwork;
use crate::survey::{Survey, survey};
use crate::{FineTuneConfig, NetworkShape, SelectorSpec, TrainError};

/// Epochs between two looks at the validation set; the last epoch is always looked at.
const VALIDATE_EVERY: u32 = 5;
/// Fine-tuning has drawings of its own: its epochs' seeds start here.
const FIRST_EPOCH: u64 = 1 << 19;

/// One point of the curve.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FineTuneEpoch {
    /// Counted from 1.
    pub epoch: u32,
    /// Mean loss of training without the ratio's part.
    pub loss: f32,
    /// Mean share of all candidates that each stage left in training, noise included.
    pub kept: Vec<f64>,
    /// The validation set without noise, where measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<Survey>,
}

/// State of a running fine-tuning, given to the caller after each epoch.
#[derive(Clone, Debug)]
pub struct FineTuneProgress {
    /// The epoch that is done.
    pub point: FineTuneEpoch,
    /// Epochs to do.
    pub epochs: u32,
    /// Training speed of the epoch.
    pub images_per_second: f64,
    /// Time left at that speed.
    pub eta: Duration,
}

/// A network with trained selectors, whose thresholds are still one half.
#[derive(Clone, Debug)]
pub struct FineTuned {
    /// The safetensors file.
    pub weights: Vec<u8>,
    /// The curve.
    pub epochs: Vec<FineTuneEpoch>,
}

/// Puts selectors into the network of `dense`, a file that [`crate::train`] wrote for the same shape, and
/// trains both; `dense` is the teacher.
///
/// # Errors
/// A configuration that cannot be trained, a file of another shape, or a loss that diverges.
pub fn fine_tune(
    shape: &NetworkShape,
    config: &FineTuneConfig,
    spec: &SelectorSpec,
    dense: &[u8],
    digits: &Digits,
    progress: &mut dyn FnMut(&FineTuneProgress),
) -> Result<FineTuned, TrainError> {
    check_fine_tuning(shape, config, spec, digits.training_raws().len())?;
    let mut run = Run::new(shape, config, spec, dense, digits)?;
    let validation: Vec<Sample> = digits.validation().collect();
    let halves = vec![0.5; spec.stages.len()];
    let mut epochs = Vec::new();
    for epoch in 1..=config.epochs {
        let started = Instant::now();
        let StepReport { loss, kept } = run.epoch(digits, epoch);
        if !loss.is_finite() {
            return Err(TrainError::Diverged { table: "fine_tune", epoch, loss });
        }
        let seconds = started.elapsed().as_secs_f64();
        let due = epoch.is_multiple_of(VALIDATE_EVERY) || epoch == config.epochs;
        let measured = due.then(|| survey(&run.network, &halves, shape.eps, &validation));
        let point = FineTuneEpoch { epoch, loss, kept, validation: measured };
        epochs.push(point.clone());
        progress(&FineTuneProgress {
            point,
            epochs: config.epochs,
            images_per_second: (run.steps_per_epoch * config.batch as usize) as f64 / seconds,
            eta: Duration::from_secs_f64(seconds * f64::from(config.epochs - epoch)),
        });
    }
    Ok(FineTuned { weights: pruned_to_safetensors(&run.network)?, epochs })
}

/// What changes from step to step.
struct Run<'a> {
    shape: &'a NetworkShape,
    config: &'a FineTuneConfig,
    spec: &'a SelectorSpec,
    device: Device,
    teacher: Network,
    network: PrunedNetwork,
    backbone_optimizer: ModuleOptimizer,
    selector_optimizer: ModuleOptimizer,
    step: usize,
    steps_per_epoch: usize,
}

impl<'a> Run<'a> {
    fn new(
        shape: &'a NetworkShape,
        config: &'a FineTuneConfig,
        spec: &'a SelectorSpec,
        dense: &[u8],
        digits: &Digits,
    ) -> Result<Self, TrainError> {
        let device = Device::flex().autodiff();
        let network = pruned_for_training(shape, spec, config.seed, dense, &device)?;
        Ok(Self {
            shape,
            config,
            spec,
            teacher: teacher(shape, dense)?,
            backbone_optimizer: optimizer(&network.network, config.weight_decay),
            selector_optimizer: selector_optimizer(config.weight_decay),
            device,
            network,
            step: 0,
            steps_per_epoch: digits.training_raws().len() / config.batch as usize,
        })
    }

    /// One epoch; returns the means over its steps.
    fn epoch(&mut self, digits: &Digits, epoch: u32) -> StepReport {
        let config = self.config;
        let seed = config.seed.wrapping_mul(1 << 20).wrapping_add(FIRST_EPOCH + u64::from(epoch));
        let samples: Vec<Sample> = digits.train_epoch(seed).collect();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let strength = noise_strength(config, epoch);
        let steps = config.epochs as usize * self.steps_per_epoch;
        let warmup = config.warmup_epochs as usize * self.steps_per_epoch;
        let mut mean = StepReport { loss: 0.0, kept: vec![0.0; self.spec.stages.len()] };
        for samples in samples.chunks_exact(config.batch as usize) {
            let noise: Vec<Vec<f32>> =
                mean.kept.iter().map(|_| logistic(samples.len() * PATCHES, strength, &mut random)).collect();
            let objective = Objective {
                teacher: &self.teacher,
                targets: &self.spec.targets,
                smoothing: config.label_smoothing,
                eps: self.shape.eps,
                device: &self.device,
            };
            let (report, gradients) = objective.gradients(&self.network, samples, &noise);
            mean.loss += report.loss / self.steps_per_epoch as f32;
            mean.kept.iter_mut().zip(&report.kept).for_each(|(m, k)| *m += k / self.steps_per_epoch as f64);
            let rate = |peak| scheduled(peak, self.step, steps, warmup);
            let PrunedNetwork { network, selectors, package } = self.network.clone();
            let network = self.backbone_optimizer.step(rate(config.learning_rate), network, gradients.network);
            let rate = rate(config.selector_learning_rate);
            let selectors = self.selector_optimizer.step(rate, selectors, gradients.selectors);
            self.network = PrunedNetwork { network, selectors, package };
            self.step += 1;
        }
        mean
    }
}

/// Falls from 1 to 0 in the first `noise_epochs`; the epochs after them train what inference will do.
fn noise_strength(config: &FineTuneConfig, epoch: u32) -> f32 {
    if epoch > config.noise_epochs { 0.0 } else { 1.0 - (epoch - 1) as f32 / config.noise_epochs as f32 }
}

/// Differences of two Gumbel variables, times `strength`.
fn logistic(count: usize, strength: f32, random: &mut ChaCha8Rng) -> Vec<f32> {
    let draw = |_| {
        let u: f32 = random.random_range(1e-6..1.0 - 1e-6);
        strength * (u / (1.0 - u)).ln()
    };
    (0..count).map(draw).collect()
}
