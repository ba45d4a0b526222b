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

/// One picture's result: the class, and after each stage the candidates that are left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// The class with the largest logit, the first of equals.
    pub class: usize,
    /// For each stage and patch.
    pub kept: Vec<[bool; PATCHES]>,
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
            accuracy: pairs().filter(|(s, o)| usize::from(s.label) == o.class).count() as f64 / images,
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
            scope.spawn(move || outlooks(network, thresholds, eps, part))
        });
        join(work.collect())
    });
    Survey::new(samples, &outlooks.concat())
}

fn outlooks(network: &PrunedNetwork, thresholds: &[f64], eps: f64, samples: &[Sample]) -> Vec<Outlook> {
    let decide = Decide::Threshold(thresholds.to_vec());
    let mut all = Vec::with_capacity(samples.len());
    for chunk in samples.chunks(EVALUATION_BATCH) {
        let batch = Batch::whole(chunk, &Device::flex());
        let outcome = network.forward(batch, &decide, Sigmoid::Plan, eps);
        let logits: Vec<f32> = outcome.logits.into_data().iter::<f32>().collect();
        let masks = outcome.masks.into_iter().map(|mask| mask.into_data().iter::<f32>().collect::<Vec<_>>());
        let masks: Vec<_> = masks.collect();
        all.extend(logits.chunks_exact(CLASSES).enumerate().map(|(image, row)| Outlook {
            class: (1..CLASSES).fold(0, |best, class| if row[class] > row[best] { class } else { best }),
            kept: masks.iter().map(|mask| std::array::from_fn(|p| mask[image * PATCHES + p] > 0.5)).collect(),
        }));
    }
    all
}
