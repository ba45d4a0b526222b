//! Selectors: drawn, then their keep logits fitted so that heads agree and a requested share of patches is left.

use super::agree::{common, estimate};
use super::noise::Noise;
use super::recipe::{HEAD_WEIGHT_WIDTH, KEEP_WIDTH, SELECTOR_ACTIVE, SELECTOR_BIAS, SELECTOR_WIDTH};
use crate::float::{Engine, FloatNetwork, FloatSelector, fold, forward_wanted};
use crate::poly::plan::{ONE, plan_real};
use crate::quant::Dims;
use crate::selector::{HeadWeights, Ties};
use rayon::prelude::*;

/// Draws weights; the keep logits come later.
pub(super) fn draw(noise: &mut Noise, block: usize, d: &Dims, head_weights: HeadWeights) -> FloatSelector {
    let mut s = FloatSelector::empty(block, d);
    let sets = head_weights.sets(d.heads);
    let [first, second, logits] = &mut s.mlp2;
    for (l, input) in [(&mut s.mlp1, 1.0), (first, SELECTOR_ACTIVE), (second, SELECTOR_ACTIVE), (logits, 1.0)] {
        let width = SELECTOR_WIDTH / (input * libm::sqrt(l.inputs.max(1) as f64));
        l.weight = (0..sets * l.inputs * l.outputs).map(|_| noise.logistic(width) as f32).collect();
        l.bias = (0..sets * l.outputs).map(|_| noise.normal(SELECTOR_BIAS) as f32).collect();
    }
    let [hidden, weights] = &mut s.mlp3;
    // The mean over the channels of a head is narrow.
    let narrow = libm::sqrt(d.head_dim as f64);
    for (l, width) in [(hidden, SELECTOR_WIDTH * narrow), (weights, HEAD_WEIGHT_WIDTH / SELECTOR_ACTIVE)] {
        let width = width / libm::sqrt(l.inputs as f64);
        l.weight = (0..l.inputs * l.outputs).map(|_| noise.logistic(width) as f32).collect();
        l.bias = (0..l.outputs).map(|_| noise.normal(HEAD_WEIGHT_WIDTH) as f32).collect();
    }
    s
}

/// What the last selector of the network sees of an image: rows of candidates.
struct View {
    /// `[candidates][heads x d/4]`: hidden units that the keep logits are made of.
    hidden: Vec<f32>,
    /// `[candidates][heads]`: weights of the heads.
    weights: Vec<f64>,
}

fn views(network: &FloatNetwork, images: &[Vec<f32>]) -> Vec<View> {
    let Some(last) = network.selectors.last() else { return Vec::new() };
    let mut front = fold(network);
    // The block behind the selector cannot change what it sees, but the pass runs a selector only before one.
    front.blocks.truncate(last.block + 1);
    let prefix = format!("selectors.{}", last.block);
    let view = |image: &Vec<f32>| {
        let trace = forward_wanted(&front, Engine::Poly, image, &|name| name.starts_with(&prefix));
        let candidates = |part: &str| -> Vec<f32> {
            let tensor = trace.get(&format!("{prefix}.{part}"));
            tensor.map_or_else(Vec::new, |t| t.data[t.cols..].to_vec())
        };
        let weight = |logit: &f32| plan_real(f64::from(*logit)).max(1.0 / f64::from(ONE));
        View { hidden: candidates("squeeze"), weights: candidates("weight").iter().map(weight).collect() }
    };
    images.par_iter().map(view).collect()
}

/// Gives every set of weights its keep logits: `(keep, drop)` rows that differ by the estimate.
fn set_logits(s: &mut FloatSelector, estimates: &[Vec<f64>]) {
    let l = &mut s.mlp2[2];
    for (set, estimate) in estimates.iter().enumerate() {
        let rows = &mut l.weight[set * 2 * l.inputs..(set + 1) * 2 * l.inputs];
        let (keep, drop) = rows.split_at_mut(l.inputs);
        for ((k, d), e) in keep.iter_mut().zip(drop).zip(estimate) {
            // What both rows have in common was drawn and cancels.
            *k = *d + *e as f32;
        }
        l.bias[2 * set] = l.bias[2 * set + 1] + estimate.last().map_or(0.0, |b| *b as f32);
    }
}

/// Scores of the candidates of an image, with `shift` added to all keep logits.
fn scores(view: &View, s: &FloatSelector, heads: usize, shift: f64) -> Vec<f64> {
    let width = s.mlp2[2].inputs;
    let row = |(hidden, weights): (&[f32], &[f64])| {
        let keep = |h: usize| {
            let (weight, bias) = s.mlp2[2].head(h);
            let own = &hidden[h * width..(h + 1) * width];
            let difference = own.iter().enumerate().map(|(i, x)| f64::from((weight[i] - weight[width + i]) * x));
            plan_real(difference.sum::<f64>() + f64::from(bias[0] - bias[1]) + shift)
        };
        (0..heads).map(|h| keep(h) * weights[h]).sum::<f64>() / weights.iter().sum::<f64>()
    };
    view.hidden.chunks(heads * width).zip(view.weights.chunks(heads)).map(row).collect()
}

/// The shift of the keep logits that leaves `wanted` candidates of all images.
fn shift_for(views: &[View], s: &FloatSelector, heads: usize, wanted: f64) -> f64 {
    let left = |shift: f64| {
        let kept = |view: &View| {
            let all = scores(view, s, heads, shift);
            all.iter().filter(|score| Ties::default().keeps(**score, f64::from(s.threshold))).count()
        };
        views.iter().map(kept).sum::<usize>() as f64
    };
    // PLAN is constant beyond 5: that far out more shift changes nothing.
    let (mut low, mut high) = (-100.0, 100.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if left(middle) < wanted { low = middle } else { high = middle }
    }
    high
}

/// Fits the last selector of the network: heads that agree, and `share` of all patches left behind it.
pub(super) fn fit(network: &mut FloatNetwork, images: &[Vec<f32>], share: f64) {
    let views = views(network, images);
    let (heads, patches) = (network.dims.heads, network.dims.tokens - 1);
    let Some(s) = network.selectors.last_mut() else { return };
    let width = s.mlp2[2].inputs;
    let hidden: Vec<&[f32]> = views.iter().flat_map(|v| v.hidden.chunks(heads * width)).collect();
    let common = common(&hidden);
    let own = |h: usize| hidden.iter().map(move |row| &row[h * width..(h + 1) * width]);
    let repeated = |times: usize| std::iter::repeat_n(&common, times).flatten().copied().collect::<Vec<f64>>();
    let sets = s.mlp2[2].bias.len() / 2;
    let mut estimates: Vec<Vec<f64>> = match sets {
        1 => vec![estimate(&(0..heads).flat_map(own).collect::<Vec<_>>(), &repeated(heads))],
        _ => (0..sets).map(|h| estimate(&own(h).collect::<Vec<_>>(), &common)).collect(),
    };
    estimates.iter_mut().flatten().for_each(|e| *e *= KEEP_WIDTH);
    set_logits(s, &estimates);
    let shift = shift_for(&views, s, heads, share * (patches * images.len()) as f64);
    s.mlp2[2].bias.iter_mut().step_by(2).for_each(|b| *b += shift as f32);
}
