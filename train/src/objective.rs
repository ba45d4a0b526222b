//! What the pruned network is trained for, and the gradient of one step.

use std::thread::scope;

use burn::module::Module;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::activation::{log_softmax, softmax};
use burn::tensor::{Device, Tensor, TensorData};
use heatvit_model::data::{PATCHES, Sample};

use crate::batch::Batch;
use crate::network::Network;
use crate::pruned::{Decide, Outcome, PrunedNetwork, matrix};
use crate::selector::Sigmoid;
use crate::shards::{SHARDS, join};

/// Weight of the squared distance of a stage's kept share from its target.
const RATIO_WEIGHT: f64 = 2.0;
/// Weight of the divergence from the teacher's classes.
const LOGIT_WEIGHT: f64 = 0.5;
/// Weight of the distance from the teacher's tokens.
const TOKEN_WEIGHT: f64 = 0.5;

/// What stays the same in all steps.
pub(crate) struct Objective<'a> {
    /// The dense network, without gradients.
    pub(crate) teacher: &'a Network,
    /// Share of all candidates that each stage leaves, on average over a batch.
    pub(crate) targets: &'a [f64],
    pub(crate) smoothing: f64,
    pub(crate) eps: f64,
    pub(crate) device: &'a Device,
}

/// Mean over a batch.
#[derive(Clone, Debug)]
pub(crate) struct StepReport {
    /// Without the ratio's part.
    pub(crate) loss: f32,
    /// Share of all candidates that is left after each stage.
    pub(crate) kept: Vec<f64>,
}

/// Gradients of backbone and selectors, which have optimizers of their own.
pub(crate) struct StepGradients {
    pub(crate) network: GradientsParams,
    pub(crate) selectors: GradientsParams,
}

/// A shard between its forward and its backward pass.
struct Half {
    network: PrunedNetwork,
    loss: Tensor<1>,
    /// Candidates kept, by stage.
    kept: Vec<Tensor<1>>,
}

impl Objective<'_> {
    /// One step. `noise[stage]` has a value for each candidate of each sample.
    pub(crate) fn gradients(
        &self,
        network: &PrunedNetwork,
        samples: &[Sample],
        noise: &[Vec<f32>],
    ) -> (StepReport, StepGradients) {
        let size = samples.len().div_ceil(SHARDS);
        let halves = scope(|scope| {
            let shards = samples.chunks(size).enumerate().map(|(index, shard)| {
                let from = index * size * PATCHES;
                let noise: Vec<_> = noise.iter().map(|n| &n[from..from + shard.len() * PATCHES]).collect();
                let network = network.clone().fork(self.device);
                scope.spawn(move || self.forward(network, shard, &noise, samples.len()))
            });
            join(shards.collect())
        });
        let candidates = (samples.len() * PATCHES) as f64;
        let sum = |stage: usize| halves.iter().map(|half| scalar(&half.kept[stage])).sum::<f64>();
        let kept: Vec<f64> = (0..self.targets.len()).map(|stage| sum(stage) / candidates).collect();
        let loss = halves.iter().map(|half| scalar(&half.loss) as f32).sum();
        // The derivative of a batch's squared distance, for the part of the mean that is a shard's own.
        let slopes = kept.iter().zip(self.targets).map(|(kept, target)| 2.0 * RATIO_WEIGHT * (kept - target) / candidates);
        let slopes: Vec<f64> = slopes.collect();
        let parts = scope(|scope| {
            let slopes = &slopes;
            let work = halves.into_iter().map(|half| scope.spawn(move || half.backward(slopes)));
            join(work.collect())
        });
        let (mut backbone, mut selectors) = (GradientsAccumulator::new(), GradientsAccumulator::new());
        for part in parts {
            backbone.accumulate(&network.network, part.network);
            selectors.accumulate(&network.selectors, part.selectors);
        }
        (StepReport { loss, kept }, StepGradients { network: backbone.grads(), selectors: selectors.grads() })
    }

    fn forward(&self, network: PrunedNetwork, samples: &[Sample], noise: &[&[f32]], images: usize) -> Half {
        let device = Device::flex();
        let rows = self.teacher.blocks.iter().fold(
            self.teacher.embed(Batch::whole(samples, &device)),
            |stream, block| block.forward(stream, None),
        );
        let (logits, tokens) = self.teacher.finish(rows);
        let teacher = Teacher { logits: here(logits, self.device), tokens: here(tokens, self.device) };
        let shown = vec![(0..PATCHES).collect(); samples.len()];
        let batch = Batch::new(samples, &shown, self.smoothing, self.device);
        let targets = batch.targets.clone();
        let noise = noise.iter().map(|n| matrix(n.to_vec(), samples.len(), PATCHES, self.device)).collect();
        let outcome = network.forward(batch, &Decide::Gumbel(noise), Sigmoid::Plan, self.eps);
        let kept = outcome.masks.iter().map(|mask| mask.clone().sum()).collect();
        let loss = loss(outcome, &teacher, targets).mul_scalar(1.0 / images as f64);
        Half { network, loss, kept }
    }
}

impl Half {
    fn backward(self, slopes: &[f64]) -> StepGradients {
        let ratio = self.kept.into_iter().zip(slopes).map(|(kept, slope)| kept.mul_scalar(*slope));
        let loss = ratio.fold(self.loss, |sum, part| sum + part);
        let mut gradients = loss.backward();
        StepGradients {
            network: GradientsParams::from_module(&mut gradients, &self.network.network),
            selectors: GradientsParams::from_module(&mut gradients, &self.network.selectors),
        }
    }
}

/// What the dense network says about the same pictures.
struct Teacher {
    logits: Tensor<2>,
    tokens: Tensor<3>,
}

/// Sum over images of cross entropy and distillation.
fn loss(outcome: Outcome, teacher: &Teacher, targets: Tensor<2>) -> Tensor<1> {
    let likelihood = log_softmax(outcome.logits, 1);
    let entropy = (likelihood.clone() * targets).sum().neg();
    let [logits, tokens] = distillation(likelihood, outcome.tokens, outcome.masks.last(), teacher);
    entropy + logits.mul_scalar(LOGIT_WEIGHT) + tokens.mul_scalar(TOKEN_WEIGHT)
}

/// Sums over images of the divergence of the classes, and of the mean square distance of the tokens that are
/// left at the end, class token included.
fn distillation(likelihood: Tensor<2>, tokens: Tensor<3>, mask: Option<&Tensor<2>>, teacher: &Teacher) -> [Tensor<1>; 2] {
    let certain = log_softmax(teacher.logits.clone(), 1);
    let divergence = (softmax(teacher.logits.clone(), 1) * (certain - likelihood)).sum();
    let [images, rows, _] = tokens.dims();
    let class = Tensor::<2>::ones([images, 1], &tokens.device());
    let mask = match mask {
        Some(mask) => Tensor::cat(vec![class, mask.clone().detach()], 1),
        None => class.repeat_dim(1, rows),
    };
    let distance = (tokens - teacher.tokens.clone()).powi_scalar(2).mean_dim(2).reshape([images, rows]);
    let mean = (distance * mask.clone()).sum_dim(1) / mask.sum_dim(1);
    [divergence, mean.sum()]
}

/// A copy on another device.
fn here<const D: usize>(tensor: Tensor<D>, device: &Device) -> Tensor<D> {
    let shape = tensor.dims();
    let values: Vec<f32> = tensor.into_data().iter::<f32>().collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn scalar(tensor: &Tensor<1>) -> f64 {
    let value: f32 = tensor.clone().into_scalar();
    f64::from(value)
}
