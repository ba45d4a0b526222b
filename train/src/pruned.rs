//! The network with selectors, as it is trained: nothing is removed, dropped tokens are hidden from the
//! others, so that every decision has a gradient.

use burn::module::Module;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor, TensorData};
use heatvit_model::selector::PackageRule;

use crate::batch::Batch;
use crate::config::{NetworkShape, SelectorSpec};
use crate::init::Init;
use crate::network::{Network, visibility};
use crate::selector::{Selector, Sigmoid};

/// Keeps the logarithms of scores 0 and 1 finite, and their gradient alive: 1/512 is the integer model's step.
const SCORE_EDGE: f64 = 1.0 / 512.0;
/// Least weight of a dropped token, one unit of the integer model.
const LEAST_PACKAGE_WEIGHT: f64 = 1.0 / 512.0;

/// How a score becomes a decision.
#[derive(Clone, Debug)]
pub(crate) enum Decide {
    /// Hard Gumbel-softmax of (score, 1 - score) with straight-through gradient. Each stage has the difference
    /// of its two Gumbel variables, `[images, candidates]`; zeros decide at one half.
    Gumbel(Vec<Tensor<2>>),
    /// Kept where the score reaches the stage's threshold.
    Threshold(Vec<f64>),
}

impl Decide {
    fn decide(&self, stage: usize, score: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Threshold(bounds) => score.greater_equal_elem(bounds[stage]).float(),
            Self::Gumbel(noise) => {
                let inside = score * (1.0 - 2.0 * SCORE_EDGE) + SCORE_EDGE;
                let odds = inside.clone().log() - (inside.neg() + 1.0).log() + noise[stage].clone();
                let soft = sigmoid(odds.clone());
                let hard = odds.detach().greater_equal_elem(0.0).float();
                hard + (soft.clone() - soft.detach())
            }
        }
    }
}

/// What a forward pass gives.
pub(crate) struct Outcome {
    /// `[images, classes]`.
    pub(crate) logits: Tensor<2>,
    /// Final tokens, normalised, `[images, 1 + candidates, embed]`: class token and candidates, also the dropped.
    pub(crate) tokens: Tensor<3>,
    /// After each stage, 1 for the candidates that are left, `[images, candidates]`.
    pub(crate) masks: Vec<Tensor<2>>,
}

/// A vision transformer with selectors.
#[derive(Module, Debug)]
pub(crate) struct PrunedNetwork {
    pub(crate) network: Network,
    /// By block.
    pub(crate) selectors: Vec<Selector>,
    /// Whether dropped tokens are merged into one.
    pub(crate) package: bool,
}

/// The stream with its candidates' mask and the package token so far.
struct Stream {
    /// Class token, candidates, and behind the first stage the package.
    rows: Tensor<3>,
    mask: Tensor<2>,
    /// Sum of the weights merged into the package, `[images, 1]`.
    merged: Tensor<2>,
    visible: Option<Tensor<4>>,
}

impl PrunedNetwork {
    /// `network` with random selectors before `blocks`.
    pub(crate) fn new(network: Network, shape: &NetworkShape, spec: &SelectorSpec, seed: u64, device: &Device) -> Self {
        let mut init = Init::new(seed, device);
        let selector = |block: &usize| Selector::new(shape, *block, spec.head_weights, &mut init);
        let selectors = spec.stages.iter().map(selector).collect();
        Self { network, selectors, package: spec.package == PackageRule::Merged }
    }

    pub(crate) fn forward(&self, batch: Batch, decide: &Decide, sigmoid: Sigmoid, eps: f64) -> Outcome {
        let rows = self.network.embed(batch);
        let [images, tokens, embed] = rows.dims();
        let candidates = tokens - 1;
        let device = rows.device();
        let mut stream = Stream {
            rows,
            mask: Tensor::ones([images, candidates], &device),
            merged: Tensor::zeros([images, 1], &device),
            visible: None,
        };
        let mut masks = Vec::new();
        for (index, block) in self.network.blocks.iter().enumerate() {
            if let Some(stage) = self.selectors.iter().position(|selector| selector.block == index) {
                stream = self.stage(stage, stream, decide, sigmoid, eps);
                masks.push(stream.mask.clone());
            }
            stream.rows = block.forward(stream.rows, stream.visible.as_ref());
        }
        let rows = stream.rows.slice([0..images, 0..tokens, 0..embed]);
        let (logits, tokens) = self.network.finish(rows);
        Outcome { logits, tokens, masks }
    }

    fn stage(&self, stage: usize, stream: Stream, decide: &Decide, sigmoid: Sigmoid, eps: f64) -> Stream {
        let [images, _, embed] = stream.rows.dims();
        let candidates = stream.mask.dims()[1];
        let device = stream.rows.device();
        let x = stream.rows.clone().slice([0..images, 1..candidates + 1, 0..embed]);
        let score = self.selectors[stage].scores(normalise(x.clone(), eps), stream.mask.clone(), sigmoid);
        let kept = decide.decide(stage, score.clone());
        let mask = stream.mask.clone() * kept.clone();
        let class = Tensor::ones([images, 1], &device);
        let mut shown = vec![class, mask.clone()];
        let mut rows = stream.rows;
        let mut merged = stream.merged;
        if self.package {
            let weight = stream.mask * (kept.neg() + 1.0) * score.clamp_min(LEAST_PACKAGE_WEIGHT);
            let mut sum = weight.clone().reshape([images, 1, candidates]).matmul(x);
            if rows.dims()[1] > candidates + 1 {
                let package = rows.clone().slice([0..images, candidates + 1..candidates + 2, 0..embed]);
                sum = sum + package * merged.clone().reshape([images, 1, 1]);
            }
            merged = merged + weight.sum_dim(1);
            // With nothing dropped so far the sum is zero and the token is hidden.
            let package = sum / merged.clone().reshape([images, 1, 1]).clamp_min(0.5 * LEAST_PACKAGE_WEIGHT);
            let tokens = rows.slice([0..images, 0..candidates + 1, 0..embed]);
            rows = Tensor::cat(vec![tokens, package], 1);
            shown.push(mask.clone().detach().sum_dim(1).lower_elem(candidates as f64 - 0.5).float());
        }
        Stream { rows, mask, merged, visible: Some(visibility(Tensor::cat(shown, 1))) }
    }
}

/// LayerNorm without gain and bias.
fn normalise(x: Tensor<3>, eps: f64) -> Tensor<3> {
    let centred = x.clone() - x.mean_dim(2);
    let variance = centred.clone().powi_scalar(2).mean_dim(2);
    centred / (variance + eps).sqrt()
}

/// Values as a tensor of `[rows, columns]`.
pub(crate) fn matrix(values: Vec<f32>, rows: usize, columns: usize, device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values, [rows, columns]), device)
}
