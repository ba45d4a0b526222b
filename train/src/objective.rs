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
        let slopes = ratio_slopes(&kept, self.targets, candidates);
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
        let rows = self
            .teacher
            .blocks
            .iter()
            .fold(self.teacher.embed(Batch::whole(samples, &device)), |stream, block| block.forward(stream, None));
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

/// The derivatives of the ratio's part of the loss by the number of candidates that each stage keeps. With them a
/// shard's part of a squared mean over the whole batch is a linear function of its own decisions.
fn ratio_slopes(kept: &[f64], targets: &[f64], candidates: f64) -> Vec<f64> {
    kept.iter().zip(targets).map(|(kept, target)| 2.0 * RATIO_WEIGHT * (kept - target) / candidates).collect()
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
fn distillation(
    likelihood: Tensor<2>,
    tokens: Tensor<3>,
    mask: Option<&Tensor<2>>,
    teacher: &Teacher,
) -> [Tensor<1>; 2] {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NetworkShape, SelectorSpec};
    use heatvit_model::data::Digits;
    use heatvit_model::selector::{HeadWeights, PackageRule};

    #[test]
    fn the_ratio_is_a_squared_distance_of_means() {
        // 2 (k/n - t)^2 with 4 of 10 kept and a target of 0.3; its derivative by k is 4 (0.4 - 0.3) / 10.
        let slopes = ratio_slopes(&[0.4, 0.2], &[0.3, 0.2], 10.0);
        assert!((slopes[0] - 0.04).abs() < 1e-12 && slopes[1] == 0.0, "{slopes:?}");
        let loss = |kept: f64| RATIO_WEIGHT * (kept / 10.0 - 0.3) * (kept / 10.0 - 0.3);
        assert!(((loss(4.01) - loss(3.99)) / 0.02 - slopes[0]).abs() < 1e-9);
    }

    fn tensor<const D: usize>(values: &[f32], shape: [usize; D]) -> Tensor<D> {
        Tensor::from_data(TensorData::new(values.to_vec(), shape), &Device::flex())
    }

    #[test]
    fn what_equals_the_teacher_costs_nothing() {
        let logits = tensor(&[1.0, 2.0, -1.0, 0.5], [2, 2]);
        let tokens = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0];
        let teacher = Teacher { logits: logits.clone(), tokens: tensor(&tokens, [2, 3, 2]) };
        let cost = |logits: Tensor<2>, tokens: &[f32], mask: Option<&Tensor<2>>| {
            let likelihood = log_softmax(logits, 1);
            distillation(likelihood, tensor(tokens, [2, 3, 2]), mask, &teacher).map(|part| scalar(&part))
        };
        assert_eq!(cost(logits.clone(), &tokens, None), [0.0, 0.0]);

        // The last token of the first picture is off by (3, 1): a mean square of 5. Dropped, it costs nothing; kept,
        // it is one of the two or three tokens of its picture.
        let mut moved = tokens;
        moved[4] += 3.0;
        moved[5] += 1.0;
        let masks = [[1.0, 0.0, 1.0, 1.0], [0.0, 1.0, 1.0, 1.0], [1.0; 4]].map(|mask| tensor(&mask, [2, 2]));
        let costs = masks.each_ref().map(|mask| cost(logits.clone(), &moved, Some(mask))[1]);
        assert!(costs[0] == 0.0 && (costs[1] - 2.5).abs() < 1e-6 && (costs[2] - 5.0 / 3.0).abs() < 1e-6, "{costs:?}");
        assert!(cost(tensor(&[2.0, 1.0, -1.0, 0.5], [2, 2]), &tokens, None)[0] > 0.1);
    }

    #[test]
    fn every_layer_of_every_selector_learns() {
        let digits = Digits::from_bytes(include_bytes!("../../data/digits/digits.bin")).unwrap();
        let samples: Vec<Sample> = digits.validation().take(4).collect();
        let shape = NetworkShape { embed: 16, depth: 3, heads: 2, hidden: 32, eps: 1e-6 };
        let spec = SelectorSpec {
            stages: vec![1, 2],
            targets: vec![0.6, 0.3],
            head_weights: HeadWeights::Separate,
            package: PackageRule::Merged,
        };
        let device = Device::flex().autodiff();
        let mut backbone = Network::new(&shape, 1, &device);
        // A trained head: the initial one is zero and lets no gradient through.
        backbone.head = crate::init::Init::new(2, &device).linear(16, 10, 1.0);
        let network = PrunedNetwork::new(backbone, &shape, &spec, 3, &device);
        let teacher = Network::new(&shape, 4, &Device::flex());
        let objective =
            Objective { teacher: &teacher, targets: &spec.targets, smoothing: 0.1, eps: 1e-6, device: &device };
        let noise = vec![vec![0.0; 4 * PATCHES]; 2];
        let (report, gradients) = objective.gradients(&network, &samples, &noise);
        assert!(report.kept[0] >= report.kept[1] && report.kept[0] <= 1.0, "{report:?}");
        for selector in &network.selectors {
            let heads = [&selector.mlp1].into_iter().chain(&selector.mlp2);
            let linears = selector.mlp3.iter().map(|l| gradients.selectors.get::<2>(l.weight.id));
            let sums = heads
                .map(|l| gradients.selectors.get::<3>(l.weight.id).map(|g| g.abs().sum()))
                .chain(linears.map(|g| g.map(|g| g.abs().sum())));
            let sums: Vec<f64> = sums.map(|sum| scalar(&sum.expect("it was part of the graph"))).collect();
            assert!(sums.iter().all(|sum| *sum > 1e-9), "before block {}: {sums:?}", selector.block);
        }
    }
}
