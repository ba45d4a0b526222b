//! One step's gradients and a data set's accuracy, on two threads.

use std::thread::{ScopedJoinHandle, scope};

use burn::module::Module;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor};
use heatvit_model::data::{CLASSES, Sample};

use crate::batch::Batch;
use crate::network::Network;

/// Parts of a batch. Fixed, because the sum of gradients depends on how the batch is split.
pub(crate) const SHARDS: usize = 2;
/// Images per forward pass when nothing is trained.
pub(crate) const EVALUATION_BATCH: usize = 36;

/// Mean loss of a batch, and its gradients. `shown` names the patches of each image.
pub(crate) fn gradients(
    network: &Network,
    samples: &[Sample],
    shown: &[Vec<usize>],
    smoothing: f64,
    device: &Device,
) -> (f32, GradientsParams) {
    let size = samples.len().div_ceil(SHARDS);
    let share = 1.0 / samples.len() as f32;
    let parts = scope(|scope| {
        let shards = samples.chunks(size).zip(shown.chunks(size));
        let work = shards.map(|(samples, shown)| {
            // A copy with leaves of its own: with shared ones the framework would lock one graph.
            let network = network.clone().fork(device);
            scope.spawn(move || {
                let batch = Batch::new(samples, shown, smoothing, device);
                let targets = batch.targets.clone();
                let likelihood = log_softmax(network.forward(batch), 1) * targets;
                let loss = likelihood.sum().mul_scalar(-share);
                let value: f32 = loss.clone().into_scalar();
                (value, GradientsParams::from_grads(loss.backward(), &network))
            })
        });
        join(work.collect())
    });
    let mut loss = 0.0;
    let mut sum = GradientsAccumulator::new();
    for (value, gradients) in parts {
        loss += value;
        sum.accumulate(network, gradients);
    }
    (loss, sum.grads())
}

/// Share of `samples` whose largest logit is that of their label.
pub(crate) fn accuracy(network: &Network, samples: &[Sample]) -> f64 {
    let network = network.valid();
    let hits: usize = scope(|scope| {
        let size = samples.len().div_ceil(SHARDS).max(1);
        let work = samples.chunks(size).map(|part| {
            let network = &network;
            scope.spawn(move || part.chunks(EVALUATION_BATCH).map(|chunk| hits(network, chunk)).sum::<usize>())
        });
        join(work.collect()).into_iter().sum()
    });
    hits as f64 / samples.len().max(1) as f64
}

fn hits(network: &Network, samples: &[Sample]) -> usize {
    let logits = logits(network, samples);
    let right = |(row, sample): &(&[f32], &Sample)| {
        let best = (1..CLASSES).fold(0, |best, class| if row[class] > row[best] { class } else { best });
        best == usize::from(sample.label)
    };
    logits.chunks_exact(CLASSES).zip(samples).filter(right).count()
}

/// Logits of whole images, image by image.
pub(crate) fn logits(network: &Network, samples: &[Sample]) -> Vec<f32> {
    let batch = Batch::whole(samples, &Device::flex());
    let logits: Tensor<2> = network.forward(batch);
    logits.into_data().iter::<f32>().collect()
}

/// Results in the order of the shards; a panic goes on in the caller.
pub(crate) fn join<T>(handles: Vec<ScopedJoinHandle<'_, T>>) -> Vec<T> {
    let result = |handle: ScopedJoinHandle<'_, T>| match handle.join() {
        Ok(value) => value,
        Err(panic) => std::panic::resume_unwind(panic),
    };
    handles.into_iter().map(result).collect()
}
