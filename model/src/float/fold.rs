//! Rewrites a network into the products that the accelerator runs: LayerNorm without gain and bias,
//! queries, keys and values apart, delta2 taken out of the projection.

use super::fold_selector::{FoldedSelector, fold_selector};
use super::{FloatBlock, FloatLinear, FloatNetwork, FloatNorm, NetworkOptions};
use crate::quant::Dims;

/// A block of products on bare normalised inputs.
#[derive(Clone, Debug, PartialEq)]
pub struct FoldedBlock {
    /// Queries.
    pub q: FloatLinear,
    /// Keys.
    pub k: FloatLinear,
    /// Values.
    pub v: FloatLinear,
    /// Output projection, divided by delta2.
    pub proj: FloatLinear,
    /// First MLP product.
    pub fc1: FloatLinear,
    /// Second MLP product.
    pub fc2: FloatLinear,
}

/// The same function as the [`FloatNetwork`] that it was made from.
#[derive(Clone, Debug, PartialEq)]
pub struct Folded {
    /// Dimensions.
    pub dims: Dims,
    /// The rest of the architecture.
    pub options: NetworkOptions,
    /// Patch embedding without bias.
    pub embed: FloatLinear,
    /// `[tokens][embed]`: position embedding plus class token (row 0) or patch bias (other rows).
    pub pos: Vec<f32>,
    /// Blocks.
    pub blocks: Vec<FoldedBlock>,
    /// Classifier.
    pub head: FloatLinear,
    /// Token selectors.
    pub selectors: Vec<FoldedSelector>,
}

/// `W (g x + b) + c = (W g) x + (W b + c)`.
fn behind_norm(l: &FloatLinear, norm: &FloatNorm) -> FloatLinear {
    let mut out = l.clone();
    for (row, bias) in out.weight.chunks_mut(l.inputs).zip(&mut out.bias) {
        let shift: f64 = row.iter().zip(&norm.bias).map(|(w, b)| f64::from(*w) * f64::from(*b)).sum();
        *bias = (f64::from(*bias) + shift) as f32;
        row.iter_mut().zip(&norm.gain).for_each(|(w, g)| *w *= g);
    }
    out
}

/// Outputs `from..from + count` of a product.
fn outputs(l: &FloatLinear, from: usize, count: usize) -> FloatLinear {
    FloatLinear {
        inputs: l.inputs,
        outputs: count,
        weight: l.weight[from * l.inputs..(from + count) * l.inputs].to_vec(),
        bias: l.bias[from..from + count].to_vec(),
    }
}

fn fold_block(b: &FloatBlock, dims: &Dims, options: &NetworkOptions) -> FoldedBlock {
    let qkv = behind_norm(&b.qkv, &b.norm1);
    let width = dims.attention();
    let mut proj = b.proj.clone();
    proj.weight.iter_mut().for_each(|w| *w = (f64::from(*w) / options.delta2) as f32);
    FoldedBlock {
        q: outputs(&qkv, 0, width),
        k: outputs(&qkv, width, width),
        v: outputs(&qkv, 2 * width, width),
        proj,
        fc1: behind_norm(&b.fc1, &b.norm2),
        fc2: b.fc2.clone(),
    }
}

/// Folds a network.
pub fn fold(network: &FloatNetwork) -> Folded {
    let dims = &network.dims;
    let mut embed = network.patch_embed.clone();
    embed.bias.fill(0.0);
    let mut pos = network.pos_embed.clone();
    for (t, row) in pos.chunks_mut(dims.embed).enumerate() {
        let addend = if t == 0 { &network.cls_token } else { &network.patch_embed.bias };
        row.iter_mut().zip(addend).for_each(|(p, a)| *p += a);
    }
    Folded {
        dims: dims.clone(),
        options: network.options.clone(),
        embed,
        pos,
        blocks: network.blocks.iter().map(|b| fold_block(b, dims, &network.options)).collect(),
        head: behind_norm(&network.head, &network.norm),
        selectors: network.selectors.iter().map(|s| fold_selector(s, dims, &network.options.selectors)).collect(),
    }
}
