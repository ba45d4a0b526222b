//! One token selector as a module of the framework: scores of the candidates, in real numbers.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::Tensor;
use burn::tensor::activation::{gelu, sigmoid};
use heatvit_model::selector::HeadWeights;

use crate::NetworkShape;
use crate::init::Init;

/// Least weight of a head in the fused score, one unit of the integer model: the sum is never zero.
const LEAST_HEAD_WEIGHT: f64 = 1.0 / 8192.0;

/// The sigmoid in a selector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sigmoid {
    /// The function itself; only the comparison with the exact float engine wants it.
    Exact,
    /// The piecewise linear one of the accelerator, which is trained with.
    Plan,
}

impl Sigmoid {
    pub(crate) fn apply<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Exact => sigmoid(x),
            Self::Plan => plan(x),
        }
    }
}

/// PLAN: on each piece a line `slope |x| + offset`, mirrored for negative x. Its gradient is its slope.
fn plan<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let size = x.clone().detach().abs();
    let from = |bound: f64| size.clone().greater_equal_elem(bound).float();
    let (one, two, five) = (from(1.0), from(2.375), from(5.0));
    let slope = one.clone() * (1.0 / 8.0 - 1.0 / 4.0)
        + two.clone() * (1.0 / 32.0 - 1.0 / 8.0)
        + five.clone() * (-1.0 / 32.0)
        + 0.25;
    let offset = one * (5.0 / 8.0 - 1.0 / 2.0) + two * (27.0 / 32.0 - 5.0 / 8.0) + five * (1.0 - 27.0 / 32.0);
    let sign = x.clone().detach().sign();
    x * slope + sign * offset + 0.5
}

/// A product for each head, or one for all of them.
#[derive(Module, Debug)]
pub(crate) struct HeadLinear {
    /// `[heads or 1, inputs, outputs]`.
    pub(crate) weight: Param<Tensor<3>>,
    /// `[heads or 1, 1, outputs]`.
    pub(crate) bias: Param<Tensor<3>>,
}

impl HeadLinear {
    /// `x` is `[heads, rows, inputs]`.
    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let heads = x.dims()[0];
        let (mut weight, bias) = (self.weight.val(), self.bias.val());
        if weight.dims()[0] != heads {
            weight = weight.repeat_dim(0, heads);
        }
        x.matmul(weight) + bias
    }
}

/// The nets of a selector, named as in the weight file.
#[derive(Module, Debug)]
pub(crate) struct Selector {
    pub(crate) mlp1: HeadLinear,
    pub(crate) mlp2: Vec<HeadLinear>,
    pub(crate) mlp3: Vec<Linear>,
    /// The block that it sits before.
    pub(crate) block: usize,
    /// One set of weights for all heads.
    pub(crate) shared: bool,
    heads: usize,
}

impl Selector {
    /// Random initial weights.
    pub(crate) fn new(shape: &NetworkShape, block: usize, weights: HeadWeights, init: &mut Init<'_>) -> Self {
        let (heads, width) = (shape.heads, shape.embed / shape.heads);
        let copies = weights.sets(heads);
        let squeezed = (heads / 2).max(1);
        Self {
            mlp1: init.heads(copies, width, width / 2),
            mlp2: vec![
                init.heads(copies, width, width / 2),
                init.heads(copies, width / 2, width / 4),
                init.heads(copies, width / 4, 2),
            ],
            mlp3: vec![init.linear(heads, squeezed, 1.0), init.linear(squeezed, heads, 1.0)],
            block,
            shared: weights == HeadWeights::Shared,
            heads,
        }
    }

    /// Fused scores `[images, candidates]` of a normalised stream `[images, candidates, embed]`. `present` is 1
    /// for those that no earlier stage dropped, `[images, candidates]`.
    pub(crate) fn scores(&self, normed: Tensor<3>, present: Tensor<2>, sigmoid: Sigmoid) -> Tensor<2> {
        let [images, candidates, embed] = normed.dims();
        let (heads, rows, width) = (self.heads, images * candidates, embed / self.heads);
        let by_head = normed.reshape([rows, heads, width]);
        let weights = sigmoid.apply(self.head_weights(by_head.clone())).clamp_min(LEAST_HEAD_WEIGHT);

        let local = gelu(self.mlp1.forward(by_head.swap_dims(0, 1)));
        let global = mean_of_present(local.clone(), present).reshape([heads, rows, width / 2]);
        let mut features = Tensor::cat(vec![local, global], 2);
        for layer in &self.mlp2[..2] {
            features = gelu(layer.forward(features));
        }
        let pair = self.mlp2[2].forward(features);
        let keep = pair.clone().slice([0..heads, 0..rows, 0..1]);
        let drop = pair.slice([0..heads, 0..rows, 1..2]);
        let kept = sigmoid.apply((keep - drop).reshape([heads, rows]).swap_dims(0, 1));

        let score = (kept * weights.clone()).sum_dim(1) / weights.sum_dim(1);
        score.reshape([images, candidates])
    }

    /// Before the sigmoid, `[rows, heads]`; `x` is `[rows, heads, width]`.
    fn head_weights(&self, x: Tensor<3>) -> Tensor<2> {
        let [rows, heads, _] = x.dims();
        let means = x.mean_dim(2).reshape([rows, heads]);
        self.mlp3[1].forward(gelu(self.mlp3[0].forward(means)))
    }
}

/// For each image the mean over its present candidates, repeated for all of them.
fn mean_of_present(local: Tensor<3>, present: Tensor<2>) -> Tensor<4> {
    let [images, candidates] = present.dims();
    let [heads, _, width] = local.dims();
    let present = present.reshape([1, images, candidates, 1]);
    let count = present.clone().sum_dim(2).clamp_min(1.0);
    let sum = (local.reshape([heads, images, candidates, width]) * present).sum_dim(2);
    (sum / count).repeat_dim(2, candidates)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    #[test]
    fn plan_is_its_table() {
        let points = [0.0f32, 0.5, 1.0, 2.0, 2.35, 2.375, 4.0, 5.0, 9.0];
        let expected = [0.5f32, 0.625, 0.75, 0.875, 0.91875, 0.91796875, 0.96875, 1.0, 1.0];
        let both: Vec<f32> = points.iter().copied().chain(points.iter().map(|x| -x)).collect();
        let found = plan(Tensor::<1>::from_data(TensorData::new(both, [18]), &Device::flex()));
        let found: Vec<f32> = found.into_data().iter::<f32>().collect();
        for (index, expected) in expected.iter().enumerate() {
            assert!((found[index] - expected).abs() < 1e-6 && (found[9 + index] - (1.0 - expected)).abs() < 1e-6);
        }
    }
}
