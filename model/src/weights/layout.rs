//! Names and shapes of a network's tensors.

use super::WeightError;
use crate::float::{FloatBlock, FloatLinear, FloatNetwork, FloatNorm, FloatSelector, HeadLinear, NetworkOptions};
use crate::quant::Dims;
use crate::selector::HeadWeights;

/// Start of the names of all selector tensors.
pub(super) const SELECTORS: &str = "selectors.";

/// A tensor of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// timm's name.
    pub name: String,
    /// Shape.
    pub shape: Vec<usize>,
}

/// Visits every tensor of the file: its slot and where it belongs.
pub(super) trait Visitor {
    /// One tensor.
    fn tensor(&mut self, slot: Slot, data: &mut Vec<f32>) -> Result<(), WeightError>;
}

fn linear(v: &mut impl Visitor, name: &str, l: &mut FloatLinear, bias: bool) -> Result<(), WeightError> {
    v.tensor(Slot { name: format!("{name}.weight"), shape: vec![l.outputs, l.inputs] }, &mut l.weight)?;
    if bias {
        v.tensor(Slot { name: format!("{name}.bias"), shape: vec![l.outputs] }, &mut l.bias)?;
    } else {
        l.bias = vec![0.0; l.outputs];
    }
    Ok(())
}

fn norm(v: &mut impl Visitor, name: &str, n: &mut FloatNorm, channels: usize) -> Result<(), WeightError> {
    v.tensor(Slot { name: format!("{name}.weight"), shape: vec![channels] }, &mut n.gain)?;
    v.tensor(Slot { name: format!("{name}.bias"), shape: vec![channels] }, &mut n.bias)
}

/// Layers of heads have a leading dimension for the heads, or none when those share.
fn head_linear(v: &mut impl Visitor, name: &str, l: &mut HeadLinear, heads: Option<usize>) -> Result<(), WeightError> {
    let shape = |rest: &[usize]| heads.iter().chain(rest).copied().collect();
    v.tensor(Slot { name: format!("{name}.weight"), shape: shape(&[l.outputs, l.inputs]) }, &mut l.weight)?;
    v.tensor(Slot { name: format!("{name}.bias"), shape: shape(&[l.outputs]) }, &mut l.bias)
}

fn selector(v: &mut impl Visitor, s: &mut FloatSelector, heads: Option<usize>) -> Result<(), WeightError> {
    let at = |part: &str| format!("{SELECTORS}{}.{part}", s.block);
    head_linear(v, &at("mlp1"), &mut s.mlp1, heads)?;
    for (i, l) in s.mlp2.iter_mut().enumerate() {
        head_linear(v, &at(&format!("mlp2.{i}")), l, heads)?;
    }
    for (i, l) in s.mlp3.iter_mut().enumerate() {
        linear(v, &at(&format!("mlp3.{i}")), l, true)?;
    }
    let mut threshold = vec![s.threshold];
    v.tensor(Slot { name: at("threshold"), shape: vec![1] }, &mut threshold)?;
    s.threshold = threshold.first().copied().unwrap_or(s.threshold);
    if (0.0..=1.0).contains(&s.threshold) {
        Ok(())
    } else {
        Err(WeightError::Threshold { tensor: at("threshold"), value: s.threshold.to_string() })
    }
}

/// Walks all tensors in the order of the forward pass.
pub(super) fn visit(network: &mut FloatNetwork, v: &mut impl Visitor) -> Result<(), WeightError> {
    let Dims { tokens, embed, patch_inputs, .. } = network.dims;
    let channels = network.options.channels;
    let side = patch_side(patch_inputs, channels)?;
    v.tensor(Slot { name: "cls_token".to_owned(), shape: vec![1, 1, embed] }, &mut network.cls_token)?;
    v.tensor(Slot { name: "pos_embed".to_owned(), shape: vec![1, tokens, embed] }, &mut network.pos_embed)?;
    let patch = &mut network.patch_embed;
    let shape = vec![embed, channels, side, side];
    v.tensor(Slot { name: "patch_embed.proj.weight".to_owned(), shape }, &mut patch.weight)?;
    v.tensor(Slot { name: "patch_embed.proj.bias".to_owned(), shape: vec![embed] }, &mut patch.bias)?;
    for (i, b) in network.blocks.iter_mut().enumerate() {
        let at = |part: &str| format!("blocks.{i}.{part}");
        norm(v, &at("norm1"), &mut b.norm1, embed)?;
        linear(v, &at("attn.qkv"), &mut b.qkv, network.options.qkv_bias)?;
        linear(v, &at("attn.proj"), &mut b.proj, true)?;
        norm(v, &at("norm2"), &mut b.norm2, embed)?;
        linear(v, &at("mlp.fc1"), &mut b.fc1, true)?;
        linear(v, &at("mlp.fc2"), &mut b.fc2, true)?;
    }
    norm(v, "norm", &mut network.norm, embed)?;
    linear(v, "head", &mut network.head, true)?;
    let sets = match network.options.selectors.head_weights {
        HeadWeights::Separate => Some(network.dims.heads),
        HeadWeights::Shared => None,
    };
    network.selectors.iter_mut().try_for_each(|s| selector(v, s, sets))
}

fn patch_side(patch_inputs: usize, channels: usize) -> Result<usize, WeightError> {
    let side = patch_inputs.checked_div(channels).unwrap_or(0).isqrt();
    if side > 0 && side * side * channels == patch_inputs {
        Ok(side)
    } else {
        Err(WeightError::Patch { patch_inputs, channels })
    }
}

/// A network whose tensors are still empty.
pub(super) fn skeleton(dims: &Dims, options: &NetworkOptions) -> FloatNetwork {
    let product = |inputs, outputs| FloatLinear { inputs, outputs, weight: Vec::new(), bias: Vec::new() };
    let norm = || FloatNorm { gain: Vec::new(), bias: Vec::new() };
    let block = |_| FloatBlock {
        norm1: norm(),
        qkv: product(dims.embed, 3 * dims.attention()),
        proj: product(dims.attention(), dims.embed),
        norm2: norm(),
        fc1: product(dims.embed, dims.mlp_hidden),
        fc2: product(dims.mlp_hidden, dims.embed),
    };
    FloatNetwork {
        dims: dims.clone(),
        options: options.clone(),
        cls_token: Vec::new(),
        pos_embed: Vec::new(),
        patch_embed: product(dims.patch_inputs, dims.embed),
        blocks: (0..dims.depth).map(block).collect(),
        norm: norm(),
        head: product(dims.embed, dims.classes),
        selectors: options.selectors.stages.iter().map(|b| FloatSelector::empty(*b, dims)).collect(),
    }
}
