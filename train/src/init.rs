//! Initial weights, from a generator of our own so that the framework's global one stays untouched.

use burn::module::Param;
use burn::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};
use heatvit_model::data::{CLASSES, GRID, PATCHES};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::NetworkShape;
use crate::batch::PATCH_INPUTS;
use crate::selector::HeadLinear;

/// Draws the parameters of one network in order.
pub(crate) struct Init<'a> {
    random: ChaCha8Rng,
    device: &'a Device,
}

impl<'a> Init<'a> {
    pub(crate) fn new(seed: u64, device: &'a Device) -> Self {
        Self { random: ChaCha8Rng::seed_from_u64(seed), device }
    }

    /// Weights uniform in `±gain sqrt(6 / (inputs + outputs))` (Glorot), no bias.
    pub(crate) fn linear(&mut self, inputs: usize, outputs: usize, gain: f32) -> Linear {
        let bound = gain * (6.0 / (inputs + outputs) as f32).sqrt();
        let weight = self.uniform(inputs * outputs, bound);
        self.linear_of(weight, vec![0.0; outputs])
    }

    /// A product for each of `copies` heads, like [`Self::linear`].
    pub(crate) fn heads(&mut self, copies: usize, inputs: usize, outputs: usize) -> HeadLinear {
        let bound = (6.0 / (inputs + outputs) as f32).sqrt();
        let weight = self.uniform(copies * inputs * outputs, bound);
        let bias = vec![0.0; copies * outputs];
        HeadLinear {
            weight: Param::from_data(TensorData::new(weight, [copies, inputs, outputs]), self.device),
            bias: Param::from_data(TensorData::new(bias, [copies, 1, outputs]), self.device),
        }
    }

    /// The embedding's bias makes a black patch (all inputs -1) start at zero: most patches are black.
    pub(crate) fn patch_embed(&mut self, embed: usize) -> Linear {
        let bound = (6.0 / (PATCH_INPUTS + embed) as f32).sqrt();
        let weight = self.uniform(PATCH_INPUTS * embed, bound);
        let mut bias = vec![0.0; embed];
        for row in weight.chunks_exact(embed) {
            bias.iter_mut().zip(row).for_each(|(b, w)| *b += w);
        }
        self.linear_of(weight, bias)
    }

    /// The head starts at zero: all classes equally likely.
    pub(crate) fn head(&mut self, embed: usize) -> Linear {
        self.linear_of(vec![0.0; embed * CLASSES], vec![0.0; CLASSES])
    }

    pub(crate) fn norm(&self, shape: &NetworkShape) -> LayerNorm {
        LayerNormConfig::new(shape.embed).with_epsilon(shape.eps).init(self.device)
    }

    pub(crate) fn small(&mut self, embed: usize) -> Param<Tensor<2>> {
        let values = self.uniform(embed, 0.02);
        self.param(values, 1, embed)
    }

    /// Sines and cosines of row and column, which spare the network learning what lies beside what; they
    /// are trained like everything else. Row 0, the class token's, is zero.
    pub(crate) fn positions(&mut self, embed: usize) -> Param<Tensor<2>> {
        let mut values = vec![0.0; embed];
        let waves = embed / 4;
        for place in 0..PATCHES {
            for axis in [place / GRID, place % GRID] {
                for wave in 0..waves {
                    let rate = 20_f32.powf(-(wave as f32) / waves as f32);
                    let angle = axis as f32 * rate;
                    values.extend([0.5 * angle.sin(), 0.5 * angle.cos()]);
                }
            }
            values.resize((place + 2) * embed, 0.0);
        }
        self.param(values, PATCHES + 1, embed)
    }

    fn uniform(&mut self, count: usize, bound: f32) -> Vec<f32> {
        (0..count).map(|_| self.random.random_range(-bound..bound)).collect()
    }

    fn param(&self, values: Vec<f32>, rows: usize, columns: usize) -> Param<Tensor<2>> {
        Param::from_data(TensorData::new(values, [rows, columns]), self.device)
    }

    /// `weight` is `[inputs, outputs]`, row by row.
    fn linear_of(&self, weight: Vec<f32>, bias: Vec<f32>) -> Linear {
        let outputs = bias.len();
        let inputs = weight.len() / outputs;
        let mut linear = LinearConfig::new(inputs, outputs).init(self.device);
        linear.weight = self.param(weight, inputs, outputs);
        linear.bias = Some(Param::from_data(TensorData::new(bias, [outputs]), self.device));
        linear
    }
}
