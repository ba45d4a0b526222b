//! The quantized network: everything the golden model and the accelerator need, integers only.

mod behind;
mod calibrate;
mod center;
pub mod file;
mod histogram;
mod moments;
mod narrow;
mod product;
mod progress;
mod quantize;
mod quantize_selector;
mod random;
pub mod report;
mod rounding;
mod samples;
mod spread;
mod stretch;
mod validate;

pub use crate::layernorm::NormParams;
pub use crate::poly::gelu::GeluParams;
pub use crate::selector::PackageRule;
pub use file::is_quantized;
pub use histogram::Method;
pub use narrow::{Column, Columns};
pub use progress::{Phase, Progress};
pub use quantize::{QuantizeError, Quantized, TensorStep, quantize, quantize_telling};
pub use random::{Extreme, random, random_image, random_with_selectors};
pub use validate::{QuantError, validate};

use serde::{Deserialize, Serialize};

/// Dimensions of a plain vision transformer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dims {
    /// Tokens, with the class token.
    pub tokens: usize,
    /// Inputs of a patch.
    pub patch_inputs: usize,
    /// Embedding channels D.
    pub embed: usize,
    /// Blocks.
    pub depth: usize,
    /// Attention heads.
    pub heads: usize,
    /// Channels of a head.
    pub head_dim: usize,
    /// Hidden channels of the MLP.
    pub mlp_hidden: usize,
    /// Classes.
    pub classes: usize,
}

impl Dims {
    /// Channels of all heads.
    pub fn attention(&self) -> usize {
        self.heads * self.head_dim
    }

    /// Hidden units of the selectors' MLP3.
    pub fn weigh_hidden(&self) -> usize {
        (self.heads / 2).max(1)
    }
}

/// A quantized matrix product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linear {
    /// Name, timm-like.
    pub name: String,
    /// Reduction length.
    pub inputs: usize,
    /// Output channels.
    pub outputs: usize,
    /// `[outputs][inputs]`, -127..=127.
    pub weight: Vec<i8>,
    /// Per output, accumulator units.
    pub bias: Vec<i32>,
    /// Per output, 17 bits.
    pub mult: Vec<u32>,
    /// Shift selector of the tensor.
    pub sel: u32,
}

/// Constant of the row-scaled product A V: `step of V / step of O = gain * 2^exponent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowScale {
    /// 17-bit mantissa.
    pub gain: u32,
    /// Exponent.
    pub exponent: i32,
}

/// Scale of the attention scores, to units of ln2/256, with the 1/sqrt(d) inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreScale {
    /// 17-bit multiplier.
    pub mult: u32,
    /// Shift selector.
    pub sel: u32,
}

/// A transformer block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Norm before attention.
    pub norm1: NormParams,
    /// Queries.
    pub q: Linear,
    /// Keys.
    pub k: Linear,
    /// Values.
    pub v: Linear,
    /// Scores.
    pub scores: ScoreScale,
    /// A V.
    pub attend: RowScale,
    /// Output projection, to the residual stream.
    pub proj: Linear,
    /// Norm before the MLP.
    pub norm2: NormParams,
    /// First MLP product.
    pub fc1: Linear,
    /// Its activation.
    pub gelu: GeluParams,
    /// Second MLP product, to the residual stream.
    pub fc2: Linear,
}

/// A token selector: decides before a block which tokens the rest of the network sees. The products of all heads
/// are one product each, zero off the blocks of the heads. Its input is the stream as `norm1` of that block reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// The block that it sits before.
    pub block: usize,
    /// MLP1: `D -> D/2`, heads one after the other.
    pub local: Linear,
    /// Its activation.
    pub local_gelu: GeluParams,
    /// Mean of the local features over the candidates: `step of local / step of global`.
    pub mean: RowScale,
    /// First layer of MLP2, on all local features, then all global ones: `D -> D/2`.
    pub mix: Linear,
    /// Its activation.
    pub mix_gelu: GeluParams,
    /// Second layer of MLP2: `D/2 -> D/4`.
    pub squeeze: Linear,
    /// Its activation.
    pub squeeze_gelu: GeluParams,
    /// Third layer of MLP2: keep logit less drop logit of every head, in 1/256.
    pub keep: Linear,
    /// First layer of MLP3, on the channel means of the heads: `D -> max(H/2, 1)`.
    pub weigh: Linear,
    /// Its activation.
    pub weigh_gelu: GeluParams,
    /// Second layer of MLP3: logit of every head's weight, in 1/256.
    pub weight: Linear,
    /// A token stays from this score on, in 1/512; 0 keeps all, 513 none.
    pub threshold: u32,
    /// What becomes of dropped tokens.
    pub package: PackageRule,
}

impl Selector {
    /// Its products, in execution order.
    pub fn linears(&self) -> [&Linear; 6] {
        [&self.local, &self.mix, &self.squeeze, &self.keep, &self.weigh, &self.weight]
    }
}

/// A quantized network.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantNetwork {
    /// The user's name for it.
    pub name: String,
    /// Dimensions.
    pub dims: Dims,
    /// Patch embedding (bias zero; it is part of `pos`).
    pub embed: Linear,
    /// `[tokens][embed]`: class token and position embedding, patch bias included; residual units.
    pub pos: Vec<i16>,
    /// Blocks.
    pub blocks: Vec<Block>,
    /// Token selectors by rising block; empty for a dense network.
    pub selectors: Vec<Selector>,
    /// Final norm.
    pub norm: NormParams,
    /// Classifier.
    pub head: Linear,
    /// Real value of one step of the residual stream.
    pub residual_step: f64,
    /// Real value of one step of the logits.
    pub logit_step: f64,
}

impl QuantNetwork {
    /// Every product with stored weights: the dense network in execution order, then the selectors'.
    pub fn linears(&self) -> Vec<&Linear> {
        let mut all = vec![&self.embed];
        for block in &self.blocks {
            all.extend([&block.q, &block.k, &block.v, &block.proj, &block.fc1, &block.fc2]);
        }
        all.push(&self.head);
        all.extend(self.selectors.iter().flat_map(Selector::linears));
        all
    }
}

#[cfg(test)]
mod selector_tests;
#[cfg(test)]
mod tests;
