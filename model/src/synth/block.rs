//! A block grows behind those before it: drawn, run on the sample images, scaled until its spreads are the recipe's.

use super::draw::{Channels, linear, qkv, scale};
use super::noise::Noise;
use super::recipe::{
    ATTENTION_SHARE, BRANCH_BIAS, GROWTH, HEAD_FACTOR, HIDDEN_BIAS, HIDDEN_WIDTH, LOGIT_WIDTH, SCORE_WIDTH,
    SCORE_WIDTH_MOST, WIDE_UNIT, WIDE_UNITS,
};
use crate::float::{Engine, FloatBlock, FloatLinear, FloatNetwork, FloatNorm, fold, forward_folded, normalise};
use crate::golden::Trace;
use crate::quant::Dims;
use crate::statistics::mean;
use rayon::prelude::*;

/// Where a block stands.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub index: usize,
    pub depth: usize,
}

impl Place {
    /// Width of an ordinary residual channel before the block and behind it.
    fn widths(self) -> (f64, f64) {
        (1.0 + GROWTH * self.index as f64, 1.0 + GROWTH * (self.index + 1) as f64)
    }

    /// Variance that the block adds to an ordinary channel.
    fn added(self) -> f64 {
        let (before, behind) = self.widths();
        behind * behind - before * before
    }

    /// Width of the scores of a typical head.
    fn score_width(self) -> f64 {
        let depth = self.index as f64 / (self.depth.max(2) - 1) as f64;
        SCORE_WIDTH.0 + (SCORE_WIDTH.1 - SCORE_WIDTH.0) * depth
    }
}

/// A network of one block whose input is given as its position embedding.
fn alone(network: &FloatNetwork, block: &FloatBlock) -> FloatNetwork {
    let d = &network.dims;
    let empty = |inputs: usize, outputs: usize| FloatLinear {
        inputs,
        outputs,
        weight: vec![0.0; inputs * outputs],
        bias: vec![0.0; outputs],
    };
    FloatNetwork {
        dims: Dims { depth: 1, patch_inputs: 1, classes: 1, ..d.clone() },
        options: network.options.clone(),
        cls_token: vec![0.0; d.embed],
        pos_embed: vec![0.0; d.tokens * d.embed],
        patch_embed: empty(1, d.embed),
        blocks: vec![block.clone()],
        norm: network.norm.clone(),
        head: empty(d.embed, 1),
        selectors: Vec::new(),
    }
}

/// Runs a block on the rows of every image.
fn run<T: Send>(
    network: &FloatNetwork,
    block: &FloatBlock,
    rows: &[Vec<f32>],
    take: impl Fn(&[f32], &Trace<f32>) -> T + Sync,
) -> Vec<T> {
    let folded = fold(&alone(network, block));
    let one = |x: &Vec<f32>| {
        let mut folded = folded.clone();
        folded.pos.clone_from(x);
        take(x, &forward_folded(&folded, Engine::Exact, &vec![0.0; network.dims.tokens]))
    };
    rows.par_iter().map(one).collect()
}

fn tensor<'a>(trace: &'a Trace<f32>, name: &str) -> &'a [f32] {
    trace.get(name).map_or(&[], |t| &t.data)
}

/// Variance within a row, mean over the rows.
fn row_variance(scores: &[f32], cols: usize) -> f64 {
    let rows = scores.chunks(cols).map(|row| {
        let mean = row.iter().map(|s| f64::from(*s)).sum::<f64>() / cols as f64;
        row.iter().map(|s| (f64::from(*s) - mean).powi(2)).sum::<f64>() / cols as f64
    });
    rows.sum::<f64>() / (scores.len() / cols).max(1) as f64
}

fn mean_square(values: &[f32]) -> f64 {
    mean(values.iter().map(|v| f64::from(*v).powi(2)))
}

/// Brings the scores of every head to their width; queries and keys get the same share of it.
fn scale_scores(network: &FloatNetwork, block: &mut FloatBlock, rows: &[Vec<f32>], place: Place, noise: &mut Noise) {
    let d = &network.dims;
    let head_columns = |data: &[f32], h: usize| -> Vec<f32> {
        data.chunks(d.attention()).flat_map(|r| &r[h * d.head_dim..(h + 1) * d.head_dim]).copied().collect()
    };
    let measured = run(network, block, rows, |_, trace| {
        let of = |h: usize| {
            let [q, k] = ["q", "k"].map(|part| tensor(trace, &format!("blocks.0.attn.{part}")));
            let scores = tensor(trace, &format!("blocks.0.attn.scores.{h}"));
            [row_variance(scores, d.tokens), mean_square(&head_columns(q, h)), mean_square(&head_columns(k, h))]
        };
        (0..d.heads).map(of).collect::<Vec<_>>()
    });
    for h in 0..d.heads {
        let [scores, queries, keys] = [0, 1, 2].map(|i| libm::sqrt(mean(measured.iter().map(|m| m[h][i]))));
        let target = (place.score_width() * noise.factor(HEAD_FACTOR)).min(SCORE_WIDTH_MOST);
        let both = target / scores.max(1e-6);
        let balance = libm::sqrt(keys / queries.max(1e-6));
        for (part, factor) in [(0, libm::sqrt(both) * balance), (1, libm::sqrt(both) / balance)] {
            let first = part * d.attention() + h * d.head_dim;
            scale(&mut block.qkv.weight[first * d.embed..(first + d.head_dim) * d.embed], factor);
            scale(&mut block.qkv.bias[first..first + d.head_dim], factor);
        }
    }
}

/// Power of a branch, `after - before`, in units of the channels' scales.
fn branch_power(before: &[f32], after: &[f32], channels: &Channels) -> f64 {
    let relative = |row: (&[f32], &[f32])| {
        let pairs = row.0.iter().zip(row.1).zip(&channels.scale);
        pairs.map(|((b, a), s)| (f64::from(a - b) / s).powi(2)).sum::<f64>()
    };
    let embed = channels.scale.len();
    before.chunks(embed).zip(after.chunks(embed)).map(relative).sum::<f64>() / before.len().max(1) as f64
}

/// Scales a branch to its variance and gives it a bias; outlier channels get their share of the constant.
fn settle(l: &mut FloatLinear, power: f64, variance: f64, constant: f64, channels: &Channels, noise: &mut Noise) {
    scale(&mut l.weight, libm::sqrt(variance / power.max(1e-12)));
    for ((bias, width), fixed) in l.bias.iter_mut().zip(&channels.scale).zip(&channels.constant) {
        *bias = (noise.normal(BRANCH_BIAS * libm::sqrt(variance) * width) + constant * fixed) as f32;
    }
}

/// A product to the residual stream: rows follow the channels' scales.
fn to_stream(noise: &mut Noise, inputs: usize, channels: &Channels) -> FloatLinear {
    let mut l = linear(noise, inputs, channels.scale.len());
    l.weight.chunks_mut(inputs).zip(&channels.scale).for_each(|(row, s)| scale(row, *s));
    l
}

/// The first product of the MLP.
fn hidden(noise: &mut Noise, d: &Dims, norm: &FloatNorm) -> FloatLinear {
    let mut l = linear(noise, d.embed, d.mlp_hidden);
    let power = norm.gain.iter().map(|g| f64::from(g * g)).sum::<f64>() / d.embed as f64;
    let wide = noise.marked((d.mlp_hidden as f64 * WIDE_UNITS).round() as usize, d.mlp_hidden);
    for ((row, bias), wide) in l.weight.chunks_mut(d.embed).zip(&mut l.bias).zip(wide) {
        // The rows have a factor of their own already.
        let width = HIDDEN_WIDTH / libm::sqrt(power) * if wide { WIDE_UNIT } else { 1.0 };
        scale(row, width);
        *bias = (HIDDEN_BIAS.0 + noise.normal(HIDDEN_BIAS.1)) as f32;
    }
    l
}

/// A block behind those of the network; `rows` is the stream before it and becomes the stream behind it.
pub(super) fn grow(
    network: &FloatNetwork,
    channels: &Channels,
    place: Place,
    rows: &mut Vec<Vec<f32>>,
    noise: &mut Noise,
) -> FloatBlock {
    let d = &network.dims;
    let (norm1, norm2) = (channels.norm(noise), channels.norm(noise));
    let mut block = FloatBlock {
        qkv: qkv(noise, d, &norm1.gain, network.options.qkv_bias),
        proj: to_stream(noise, d.attention(), channels),
        fc1: hidden(noise, d, &norm2),
        fc2: to_stream(noise, d.mlp_hidden, channels),
        norm1,
        norm2,
    };
    scale_scores(network, &mut block, rows, place, noise);
    let attended = run(network, &block, rows, |x, t| branch_power(x, tensor(t, "blocks.0.attn.residual"), channels));
    let share = GROWTH / 2.0;
    settle(&mut block.proj, mean(attended.into_iter()), ATTENTION_SHARE * place.added(), share, channels, noise);
    let mixed = run(network, &block, rows, |_, t| {
        branch_power(tensor(t, "blocks.0.attn.residual"), tensor(t, "blocks.0.residual"), channels)
    });
    settle(&mut block.fc2, mean(mixed.into_iter()), (1.0 - ATTENTION_SHARE) * place.added(), share, channels, noise);
    *rows = run(network, &block, rows, |_, t| tensor(t, "blocks.0.residual").to_vec());
    block
}

/// Brings the logits to their width.
pub(super) fn scale_head(network: &mut FloatNetwork, rows: &[Vec<f32>]) {
    let embed = network.dims.embed;
    let folded = fold(network);
    let power = mean(rows.iter().map(|x| {
        let class = normalise(&x[..embed], network.options.eps);
        mean(folded.head.weight.chunks(embed).zip(&folded.head.bias).map(|(row, bias)| {
            let value = row.iter().zip(&class).map(|(w, c)| f64::from(w * c)).sum::<f64>() + f64::from(*bias);
            value * value
        }))
    }));
    scale(&mut network.head.weight, LOGIT_WIDTH / libm::sqrt(power.max(1e-12)));
}
