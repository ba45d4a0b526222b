//! Rewrites a selector into products over all heads at once: zero off the blocks of the heads, shared weights
//! repeated, the logits subtracted, the channel means inside the weights.

use super::{FloatLinear, FloatSelector, HeadLinear};
use crate::quant::Dims;
use crate::selector::{PackageRule, SelectorOptions};

/// The same function as the [`FloatSelector`] that it was made from. The roles of the products are those of
/// [`crate::quant::Selector`].
#[derive(Clone, Debug, PartialEq)]
pub struct FoldedSelector {
    /// The block that it sits before.
    pub block: usize,
    /// `D -> D/2`.
    pub local: FloatLinear,
    /// `D -> D/2`, on all local features, then all global ones.
    pub mix: FloatLinear,
    /// `D/2 -> D/4`.
    pub squeeze: FloatLinear,
    /// `D/4 -> H`: keep logit less drop logit.
    pub keep: FloatLinear,
    /// `D -> max(H/2, 1)`.
    pub weigh: FloatLinear,
    /// `max(H/2, 1) -> H`.
    pub weight: FloatLinear,
    /// A token stays from this score on.
    pub threshold: f32,
    /// What becomes of dropped tokens.
    pub package: PackageRule,
}

/// One product of all heads: input `i` of head `h` is column `column(h, i)`.
fn spread(l: &HeadLinear, heads: usize, inputs: usize, column: impl Fn(usize, usize) -> usize) -> FloatLinear {
    let outputs = heads * l.outputs;
    let mut all = FloatLinear { inputs, outputs, weight: vec![0.0; inputs * outputs], bias: Vec::new() };
    for h in 0..heads {
        let (weight, bias) = l.head(h);
        for (o, row) in weight.chunks(l.inputs).enumerate() {
            let to = (h * l.outputs + o) * inputs;
            row.iter().enumerate().for_each(|(i, w)| all.weight[to + column(h, i)] = *w);
        }
        all.bias.extend(bias);
    }
    all
}

/// Output 0 less output 1 of every head.
fn difference(l: &HeadLinear) -> HeadLinear {
    let pairs = l.weight.chunks(2 * l.inputs).map(|pair| pair.split_at(l.inputs));
    HeadLinear {
        inputs: l.inputs,
        outputs: 1,
        weight: pairs.flat_map(|(keep, drop)| keep.iter().zip(drop).map(|(k, d)| k - d)).collect(),
        bias: l.bias.chunks(2).map(|pair| pair[0] - pair[1]).collect(),
    }
}

/// Reads every channel where the layer reads the mean of a head's channels.
fn on_channels(l: &FloatLinear, channels: usize) -> FloatLinear {
    let each = |w: &f32| std::iter::repeat_n(*w / channels as f32, channels);
    FloatLinear {
        inputs: l.inputs * channels,
        outputs: l.outputs,
        weight: l.weight.iter().flat_map(each).collect(),
        bias: l.bias.clone(),
    }
}

pub(super) fn fold_selector(s: &FloatSelector, dims: &Dims, options: &SelectorOptions) -> FoldedSelector {
    let (heads, dim) = (dims.heads, dims.head_dim);
    let (half, quarter) = (dim / 2, dim / 4);
    let [mix, squeeze, logits] = &s.mlp2;
    let two_halves = |h, i| if i < half { h * half + i } else { (heads + h) * half + i - half };
    FoldedSelector {
        block: s.block,
        local: spread(&s.mlp1, heads, heads * dim, |h, i| h * dim + i),
        mix: spread(mix, heads, 2 * heads * half, two_halves),
        squeeze: spread(squeeze, heads, heads * half, |h, i| h * half + i),
        keep: spread(&difference(logits), heads, heads * quarter, |h, i| h * quarter + i),
        weigh: on_channels(&s.mlp3[0], dim),
        weight: s.mlp3[1].clone(),
        threshold: s.threshold,
        package: options.package,
    }
}
