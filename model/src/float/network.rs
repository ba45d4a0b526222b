//! A plain vision transformer as it was trained.

use super::selector::FloatSelector;
use crate::image::Normalisation;
use crate::quant::Dims;
use crate::selector::SelectorOptions;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What the dimensions do not say.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkOptions {
    /// Channels of the image: 1 or 3.
    pub channels: usize,
    /// Whether queries, keys and values have a bias.
    pub qkv_bias: bool,
    /// Added to the variance by LayerNorm.
    pub eps: f64,
    /// Slope of the polynomial GELU: 1 for the usual function, less only for weights trained with it.
    pub delta1: f64,
    /// Factor of the polynomial softmax. `attn.proj` is divided by it, so it never changes the function.
    pub delta2: f64,
    /// Token selectors.
    pub selectors: SelectorOptions,
}

impl Default for NetworkOptions {
    fn default() -> Self {
        Self { channels: 3, qkv_bias: true, eps: 1e-6, delta1: 1.0, delta2: 1.0, selectors: SelectorOptions::default() }
    }
}

/// A product with bias.
#[derive(Clone, Debug, PartialEq)]
pub struct FloatLinear {
    /// Reduction length.
    pub inputs: usize,
    /// Output channels.
    pub outputs: usize,
    /// `[outputs][inputs]`.
    pub weight: Vec<f32>,
    /// Per output.
    pub bias: Vec<f32>,
}

/// Gain and bias of a LayerNorm.
#[derive(Clone, Debug, PartialEq)]
pub struct FloatNorm {
    /// Per channel.
    pub gain: Vec<f32>,
    /// Per channel.
    pub bias: Vec<f32>,
}

/// A transformer block.
#[derive(Clone, Debug, PartialEq)]
pub struct FloatBlock {
    /// Norm before attention.
    pub norm1: FloatNorm,
    /// Queries, keys, values one after the other, each head by head.
    pub qkv: FloatLinear,
    /// Output projection.
    pub proj: FloatLinear,
    /// Norm before the MLP.
    pub norm2: FloatNorm,
    /// First MLP product.
    pub fc1: FloatLinear,
    /// Second MLP product.
    pub fc2: FloatLinear,
}

/// A network in `f32`, as its weight file holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct FloatNetwork {
    /// Dimensions.
    pub dims: Dims,
    /// The rest of the architecture.
    pub options: NetworkOptions,
    /// Class token, `[embed]`.
    pub cls_token: Vec<f32>,
    /// Position embedding, `[tokens][embed]`.
    pub pos_embed: Vec<f32>,
    /// Patch embedding; inputs in the order channel, row, column.
    pub patch_embed: FloatLinear,
    /// Blocks.
    pub blocks: Vec<FloatBlock>,
    /// Final norm.
    pub norm: FloatNorm,
    /// Classifier.
    pub head: FloatLinear,
    /// Token selectors, one per stage of the options.
    pub selectors: Vec<FloatSelector>,
}

impl FloatLinear {
    fn random(rng: &mut ChaCha8Rng, inputs: usize, outputs: usize, gain: f32) -> Self {
        let limit = gain * (3.0 / inputs as f32).sqrt();
        let weight = (0..inputs * outputs).map(|_| rng.random_range(-limit..limit)).collect();
        let bias = (0..outputs).map(|_| rng.random_range(-0.2..0.2f32)).collect();
        Self { inputs, outputs, weight, bias }
    }
}

impl FloatNorm {
    fn random(rng: &mut ChaCha8Rng, channels: usize) -> Self {
        Self {
            gain: (0..channels).map(|_| rng.random_range(0.5..1.5f32)).collect(),
            bias: (0..channels).map(|_| rng.random_range(-0.3..0.3f32)).collect(),
        }
    }
}

impl FloatNetwork {
    /// A network with random weights whose activations stay in the ranges of a trained one.
    pub fn random(dims: &Dims, options: &NetworkOptions, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (d, rng) = (dims, &mut rng);
        let mut uniform = |n: usize, limit: f32| (0..n).map(|_| rng.random_range(-limit..limit)).collect::<Vec<f32>>();
        let cls_token = uniform(d.embed, 0.5);
        let pos_embed = uniform(d.tokens * d.embed, 0.5);
        let block = |rng: &mut ChaCha8Rng| {
            let mut qkv = FloatLinear::random(rng, d.embed, 3 * d.attention(), 1.0);
            if !options.qkv_bias {
                qkv.bias.fill(0.0);
            }
            FloatBlock {
                norm1: FloatNorm::random(rng, d.embed),
                qkv,
                proj: FloatLinear::random(rng, d.attention(), d.embed, 0.7),
                norm2: FloatNorm::random(rng, d.embed),
                fc1: FloatLinear::random(rng, d.embed, d.mlp_hidden, 1.0),
                fc2: FloatLinear::random(rng, d.mlp_hidden, d.embed, 0.7),
            }
        };
        let patch_embed = FloatLinear::random(rng, d.patch_inputs, d.embed, 1.0);
        let blocks = (0..d.depth).map(|_| block(rng)).collect();
        let norm = FloatNorm::random(rng, d.embed);
        let head = FloatLinear::random(rng, d.embed, d.classes, 1.0);
        let (dims, options, selectors) = (d.clone(), options.clone(), Vec::new());
        let mut network = Self { dims, options, cls_token, pos_embed, patch_embed, blocks, norm, head, selectors };
        network.add_random_selectors(seed);
        network
    }

    /// Makes a network trained on normalised pixels take pixels as [`crate::image`] delivers them, `2p - 1`, by
    /// folding the difference into the patch embedding.
    pub fn absorb_normalisation(&mut self, normalisation: &Normalisation) {
        let patch = &mut self.patch_embed;
        let area = patch.inputs / self.options.channels;
        for (row, bias) in patch.weight.chunks_mut(patch.inputs).zip(&mut patch.bias) {
            let mut shift = 0.0;
            for (weights, (factor, addend)) in row.chunks_mut(area).zip(normalisation.from_pixels()) {
                shift += weights.iter().map(|w| f64::from(*w)).sum::<f64>() * addend;
                weights.iter_mut().for_each(|w| *w = (f64::from(*w) * factor) as f32);
            }
            *bias = (f64::from(*bias) + shift) as f32;
        }
    }

    /// The inverse of [`Self::absorb_normalisation`], up to rounding.
    pub fn release_normalisation(&mut self, normalisation: &Normalisation) {
        let patch = &mut self.patch_embed;
        let area = patch.inputs / self.options.channels;
        for (row, bias) in patch.weight.chunks_mut(patch.inputs).zip(&mut patch.bias) {
            let mut shift = 0.0;
            for (weights, (factor, addend)) in row.chunks_mut(area).zip(normalisation.from_pixels()) {
                weights.iter_mut().for_each(|w| *w = (f64::from(*w) / factor) as f32);
                shift += weights.iter().map(|w| f64::from(*w)).sum::<f64>() * addend;
            }
            *bias = (f64::from(*bias) - shift) as f32;
        }
    }
}
