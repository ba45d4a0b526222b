//! A token selector as it was trained: three small networks per stage.

use super::network::{FloatLinear, FloatNetwork};
use crate::quant::Dims;
use crate::selector::SelectorOptions;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A product that every head has, with weights of its own or with the same ones.
#[derive(Clone, Debug, PartialEq)]
pub struct HeadLinear {
    /// Reduction length.
    pub inputs: usize,
    /// Output channels.
    pub outputs: usize,
    /// `[sets][outputs][inputs]`: one set per head, or one for all.
    pub weight: Vec<f32>,
    /// `[sets][outputs]`.
    pub bias: Vec<f32>,
}

impl HeadLinear {
    /// Weights and bias of a head.
    pub fn head(&self, h: usize) -> (&[f32], &[f32]) {
        let h = if self.bias.len() > self.outputs { h } else { 0 };
        let size = self.inputs * self.outputs;
        (&self.weight[h * size..(h + 1) * size], &self.bias[h * self.outputs..(h + 1) * self.outputs])
    }
}

/// A selector. Its input is the stream before `block`, normalised without gain and bias, `d` channels per head.
#[derive(Clone, Debug, PartialEq)]
pub struct FloatSelector {
    /// The block that it sits before.
    pub block: usize,
    /// `d -> d/2`, GELU: local features.
    pub mlp1: HeadLinear,
    /// On local and mean features, `d -> d/2`, GELU, `-> d/4`, GELU, `-> 2`: keep logit, drop logit.
    pub mlp2: [HeadLinear; 3],
    /// On the heads' channel means, `H -> max(H/2, 1)`, GELU, `-> H`, sigmoid: weights of the heads.
    pub mlp3: [FloatLinear; 2],
    /// A token stays from this score on.
    pub threshold: f32,
}

impl FloatSelector {
    /// A selector without weights yet.
    pub fn empty(block: usize, d: &Dims) -> Self {
        let (dim, half, quarter) = (d.head_dim, d.head_dim / 2, d.head_dim / 4);
        let head = |inputs, outputs| HeadLinear { inputs, outputs, weight: Vec::new(), bias: Vec::new() };
        let plain = |inputs, outputs| FloatLinear { inputs, outputs, weight: Vec::new(), bias: Vec::new() };
        Self {
            block,
            mlp1: head(dim, half),
            mlp2: [head(dim, half), head(half, quarter), head(quarter, 2)],
            mlp3: [plain(d.heads, d.weigh_hidden()), plain(d.weigh_hidden(), d.heads)],
            threshold: 0.5,
        }
    }

    /// Random weights whose scores lie on both sides of the threshold.
    fn random(rng: &mut ChaCha8Rng, block: usize, d: &Dims, options: &SelectorOptions) -> Self {
        let mut s = Self::empty(block, d);
        let mut fill =
            |weight: &mut Vec<f32>, bias: &mut Vec<f32>, sets: usize, inputs: usize, outputs: usize, gain| {
                let limit: f32 = gain * (3.0 / inputs.max(1) as f32).sqrt();
                *weight = (0..sets * inputs * outputs).map(|_| rng.random_range(-limit..limit)).collect();
                *bias = (0..sets * outputs).map(|_| rng.random_range(-0.3..0.3f32)).collect();
            };
        let sets = options.head_weights.sets(d.heads);
        let [first, second, third] = &mut s.mlp2;
        for (l, gain) in [(&mut s.mlp1, 1.0), (first, 1.5), (second, 1.5), (third, 3.0)] {
            fill(&mut l.weight, &mut l.bias, sets, l.inputs, l.outputs, gain);
        }
        let [first, second] = &mut s.mlp3;
        // Channel means are small.
        for (l, gain) in [(first, 4.0), (second, 2.0)] {
            fill(&mut l.weight, &mut l.bias, 1, l.inputs, l.outputs, gain);
        }
        s
    }
}

impl FloatNetwork {
    /// Gives the network random selectors where its options name stages.
    pub(super) fn add_random_selectors(&mut self, seed: u64) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x5e1e_c705);
        let (d, options) = (&self.dims, &self.options.selectors);
        self.selectors = options.stages.iter().map(|b| FloatSelector::random(&mut rng, *b, d, options)).collect();
    }
}
