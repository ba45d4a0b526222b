//! What a pruned network does to a set of pictures.

use std::thread::scope;

use burn::module::Module;
use burn::tensor::Device;
use heatvit_model::data::{CLASSES, PATCHES, Sample};
use serde::Serialize;

use crate::batch::Batch;
use crate::pruned::{Decide, PrunedNetwork};
use crate::selector::Sigmoid;
use crate::shards::{EVALUATION_BATCH, SHARDS, join};
use crate::{NetworkShape, SelectorSpec, TrainError, import};

/// Accuracy, and which tokens are left.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Survey {
    /// Share of pictures whose class is found (0..1).
    pub accuracy: f64,
    /// Mean number of candidates left after each stage.
    pub kept_mean: Vec<f64>,
    /// Its standard deviation over the pictures.
    pub kept_deviation: Vec<f64>,
    /// Share of the patches with ink of the digit that are left after the last stage.
    pub digit_kept: f64,
    /// The same of all other patches, clutter included.
    pub background_kept: f64,
}

/// One picture's result.
#[derive(Clone, Debug, PartialEq)]
pub struct Outlook {
    /// One per class, in steps of whatever engine computed them.
    pub logits: Vec<f32>,
    /// The patches that are left, for each stage.
    pub kept: Vec<[bool; PATCHES]>,
}

impl Outlook {
    /// The class with the largest logit, the first of equals.
    fn class(&self) -> usize {
        let row = &self.logits;
        (1..row.len()).fold(0, |best, class| if row[class] > row[best] { class } else { best })
    }
}

impl Survey {
    /// Counts over pictures and what became of them.
    pub fn new(samples: &[Sample], outlooks: &[Outlook]) -> Self {
        let images = samples.len().max(1) as f64;
        let pairs = || samples.iter().zip(outlooks);
        let stages = outlooks.first().map_or(0, |o| o.kept.len());
        let mean_of = |of: &dyn Fn(f64) -> f64, stage: usize| {
            let count = |o: &Outlook| o.kept[stage].iter().filter(|kept| **kept).count() as f64;
            outlooks.iter().map(|o| of(count(o))).sum::<f64>() / images
        };
        let kept_mean: Vec<f64> = (0..stages).map(|stage| mean_of(&|n| n, stage)).collect();
        let deviation = |(stage, mean): (usize, &f64)| mean_of(&|n| (n - mean) * (n - mean), stage).sqrt();
        let share = |digit: bool| {
            let (mut left, mut all) = (0usize, 0usize);
            for (sample, outlook) in pairs() {
                for patch in (0..PATCHES).filter(|p| (sample.coverage[*p] > 0) == digit) {
                    all += 1;
                    left += usize::from(outlook.kept.last().is_none_or(|kept| kept[patch]));
                }
            }
            left as f64 / all.max(1) as f64
        };
        Self {
            accuracy: pairs().filter(|(s, o)| usize::from(s.label) == o.class()).count() as f64 / images,
            kept_deviation: kept_mean.iter().enumerate().map(deviation).collect(),
            kept_mean,
            digit_kept: share(true),
            background_kept: share(false),
        }
    }
}

/// Runs the masked network without noise.
pub(crate) fn survey(network: &PrunedNetwork, thresholds: &[f64], eps: f64, samples: &[Sample]) -> Survey {
    let network = network.valid();
    let size = samples.len().div_ceil(SHARDS).max(1);
    let outlooks = scope(|scope| {
        let work = samples.chunks(size).map(|part| {
            let network = &network;
            scope.spawn(move || outlooks(network, thresholds, Sigmoid::Plan, eps, part))
        });
        join(work.collect())
    });
    Survey::new(samples, &outlooks.concat())
}

/// What training makes of a file that [`crate::fine_tune`] wrote, with its thresholds: nothing is removed, dropped
/// tokens are hidden. It is there to be compared with engines that remove them.
///
/// # Errors
/// A file of another shape.
pub fn masked_forward(
    shape: &NetworkShape,
    spec: &SelectorSpec,
    weights: &[u8],
    sigmoid: Sigmoid,
    samples: &[Sample],
) -> Result<Vec<Outlook>, TrainError> {
    let network = import::pruned(shape, spec, weights)?;
    Ok(outlooks(&network, &import::thresholds(spec, weights)?, sigmoid, shape.eps, samples))
}

fn outlooks(
    network: &PrunedNetwork,
    thresholds: &[f64],
    sigmoid: Sigmoid,
    eps: f64,
    samples: &[Sample],
) -> Vec<Outlook> {
    let decide = Decide::Threshold(thresholds.to_vec());
    let mut all = Vec::with_capacity(samples.len());
    for chunk in samples.chunks(EVALUATION_BATCH) {
        let batch = Batch::whole(chunk, &Device::flex());
        let outcome = network.forward(batch, &decide, sigmoid, eps);
        let logits: Vec<f32> = outcome.logits.into_data().iter::<f32>().collect();
        let masks = outcome.masks.into_iter().map(|mask| mask.into_data().iter::<f32>().collect::<Vec<_>>());
        let masks: Vec<_> = masks.collect();
        all.extend(logits.chunks_exact(CLASSES).enumerate().map(|(image, row)| Outlook {
            logits: row.to_vec(),
            kept: masks.iter().map(|mask| std::array::from_fn(|p| mask[image * PATCHES + p] > 0.5)).collect(),
        }));
    }
    all
}
