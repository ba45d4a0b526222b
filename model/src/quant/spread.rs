//! The residual stream with its outliers spread over the channels.
//!
//! Few channels of a trained network's stream are many times as wide as the others, mostly by a constant, and an int8 step
//! of a normalised row has to reach them. Nothing but products reads and writes the stream, so it can be any rotation of
//! itself: what writes is rotated, what reads is rotated back. LayerNorm commutes with a rotation that keeps the sum of the
//! channels, and so do the means of rows of which package tokens are made. A circular all-pass filter is such a
//! rotation for any number of channels; its response is a chirp, no element of which exceeds 2.05 / sqrt(channels), or 1.5 /
//! sqrt(channels) where these are a multiple of 16.

use crate::float::{FloatLinear, FloatNetwork, Folded, fold, linear};
use rayon::prelude::*;
use std::f64::consts::PI;

/// Response of the filter: every frequency `f` is delayed by `2 f`, a constant not at all.
fn response(channels: usize) -> Vec<f64> {
    let n = channels as f64;
    let wave = |k: usize, f: usize| 2.0 * libm::cos(2.0 * PI * ((f * (k + f)) % channels) as f64 / n);
    let half = |k: usize| match channels % 2 {
        0 if k.is_multiple_of(2) => 1.0,
        0 => -1.0,
        _ => 0.0,
    };
    (0..channels).map(|k| (1.0 + (1..channels.div_ceil(2)).map(|f| wave(k, f)).sum::<f64>() + half(k)) / n).collect()
}

/// The filter as a product of every `channels` channels.
fn filter(channels: usize) -> FloatLinear {
    let response = response(channels);
    let row = |i: usize| (0..channels).map(move |j| (j + channels - i) % channels);
    let weight = (0..channels).flat_map(row).map(|k| response[k] as f32).collect();
    FloatLinear { inputs: channels, outputs: channels, weight, bias: vec![0.0; channels] }
}

/// `[rows][cols]` to `[cols][rows]`.
fn transposed(values: &[f32], cols: usize) -> Vec<f32> {
    (0..cols).flat_map(|c| values.iter().skip(c).step_by(cols).copied()).collect()
}

/// A product that reads the stream.
fn reads(l: &mut FloatLinear, filter: &FloatLinear) {
    l.weight = linear(&l.weight, filter);
}

/// A product that writes to the stream.
fn writes(l: &mut FloatLinear, filter: &FloatLinear) {
    l.bias = linear(&l.bias, filter);
    l.weight = transposed(&linear(&transposed(&l.weight, l.inputs), filter), l.outputs);
}

/// The products of a network whose stream is spread. Selectors look at the channels of each head alone, so these stay
/// together where there are any.
pub(super) fn spread(network: &FloatNetwork) -> Folded {
    let mut folded = fold(network);
    let filter = filter(if folded.selectors.is_empty() { folded.dims.embed } else { folded.dims.head_dim });
    folded.pos = linear(&folded.pos, &filter);
    writes(&mut folded.embed, &filter);
    folded.blocks.par_iter_mut().for_each(|block| {
        [&mut block.q, &mut block.k, &mut block.v, &mut block.fc1].into_iter().for_each(|l| reads(l, &filter));
        [&mut block.proj, &mut block.fc2].into_iter().for_each(|l| writes(l, &filter));
    });
    for s in &mut folded.selectors {
        [&mut s.local, &mut s.weigh].into_iter().for_each(|l| reads(l, &filter));
    }
    reads(&mut folded.head, &filter);
    folded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::float::{Engine, NetworkOptions, forward_folded};
    use crate::quant::Dims;
    use crate::selector::SelectorOptions;

    #[test]
    fn the_filter_is_a_rotation_that_keeps_sums_and_has_no_large_element() {
        for n in [1, 2, 3, 4, 10, 15, 16, 48, 64, 65, 192] {
            let filter = filter(n);
            let row = |i: usize| &filter.weight[i * n..(i + 1) * n];
            for i in 0..n {
                let dot = |j: usize| row(i).iter().zip(row(j)).map(|(a, b)| f64::from(a * b)).sum::<f64>();
                assert!((0..n).all(|j| (dot(j) - f64::from(u8::from(i == j))).abs() < 1e-5), "{n} {i}");
                assert!((row(i).iter().sum::<f32>() - 1.0).abs() < 1e-5, "{n} {i}");
            }
            let most = if n % 16 == 0 { 1.5 } else { 2.05 };
            assert!(filter.weight.iter().all(|v| v.abs() <= most / (n as f32).sqrt()), "{n}");
        }
    }

    #[test]
    fn a_spread_network_is_the_same_function_without_outliers() {
        let dims =
            Dims { tokens: 5, patch_inputs: 4, embed: 24, depth: 2, heads: 3, head_dim: 8, mlp_hidden: 10, classes: 3 };
        for stages in [vec![], vec![1]] {
            let selectors = SelectorOptions { stages, ..SelectorOptions::default() };
            let options = NetworkOptions { channels: 1, selectors, ..NetworkOptions::default() };
            let mut network = FloatNetwork::random(&dims, &options, 4);
            network.pos_embed.iter_mut().skip(3).step_by(dims.embed).for_each(|p| *p += 20.0);
            let patches: Vec<f32> = (0..20).map(|i| (i as f32 * 0.7).sin()).collect();
            let [before, after] =
                [fold(&network), spread(&network)].map(|n| forward_folded(&n, Engine::Poly, &patches));
            for (a, b) in before.tensors.iter().zip(&after.tensors) {
                let (power, largest) = (squares(&a.data), |t: &[f32]| t.iter().fold(0.0f32, |m, v| m.max(v.abs())));
                assert!((squares(&b.data) - power).abs() < 1e-4 * power, "{}", a.name);
                assert!(!a.name.ends_with("norm1") || largest(&b.data) < 0.8 * largest(&a.data), "{}", a.name);
            }
            let worst = before.logits().iter().zip(after.logits()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 1e-4, "{worst}");
        }
    }

    fn squares(values: &[f32]) -> f64 {
        values.iter().map(|v| f64::from(*v).powi(2)).sum()
    }
}
