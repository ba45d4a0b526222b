//! The forward pass.

use super::product::{dot, linear, linear_residual, narrow};
use super::stage::{Tokens, stage};
use super::trace::Trace;
use crate::fixed::{Rescale, rescale, saturate};
use crate::layernorm::{NormParams, layernorm};
use crate::poly::exp::exp7;
use crate::poly::gelu::gelu;
use crate::poly::recip::{recip, recip_table};
use crate::poly::rsqrt::rsqrt_table;
use crate::quant::{Block, Dims, QuantNetwork};
use rayon::prelude::*;

pub(super) struct Tables {
    pub(super) rsqrt: [(u32, u32); 96],
    pub(super) recip: [(u32, u32); 128],
}

pub(super) fn norm_rows(x: &[i32], embed: usize, params: &NormParams, tables: &Tables) -> Vec<i32> {
    x.chunks(embed).flat_map(|row| layernorm(row, params, &tables.rsqrt)).collect()
}

/// Columns `from..from + width` of every row.
fn columns(data: &[i32], cols: usize, from: usize, width: usize) -> Vec<i16> {
    data.chunks(cols).flat_map(|row| narrow(&row[from..from + width])).collect()
}

/// Attention of one head; returns `[rows][head_dim]`.
fn head(trace: &mut Trace, prefix: &str, h: usize, b: &Block, d: &Dims, qkv: [&[i32]; 3], tables: &Tables) -> Vec<i32> {
    let [q, k, v] = qkv.map(|t| columns(t, d.attention(), h * d.head_dim, d.head_dim));
    let rows = q.len() / d.head_dim;
    let scale = Rescale { mult: b.scores.mult, sel: b.scores.sel };
    let mut scores = Vec::with_capacity(rows * rows);
    for row in q.chunks(d.head_dim) {
        scores.extend(k.chunks(d.head_dim).map(|key| saturate(rescale(dot(row, key), scale), 16) as i32));
    }
    // One row per channel, so that A V is a product of rows like all others.
    let values: Vec<i16> = (0..d.head_dim).flat_map(|c| v.iter().skip(c).step_by(d.head_dim)).copied().collect();
    let mut exps = Vec::with_capacity(scores.len());
    let mut sums = Vec::with_capacity(rows);
    let mut output = Vec::with_capacity(rows * d.head_dim);
    for row in scores.chunks(rows) {
        let maximum = row.iter().copied().max().unwrap_or(0);
        let exp: Vec<i32> = row.iter().map(|s| exp7((maximum - s) as u32)).collect();
        let sum: i32 = exp.iter().sum();
        let factor = recip(sum as u32, b.attend.gain, b.attend.exponent, &tables.recip);
        let weights = narrow(&exp);
        output.extend(values.chunks_exact(rows).map(|v| saturate(rescale(dot(&weights, v), factor), 8) as i32));
        sums.push(sum);
        exps.extend(exp);
    }
    trace.record(format!("{prefix}.attn.scores.{h}"), rows, &scores);
    trace.record(format!("{prefix}.attn.exp.{h}"), rows, &exps);
    trace.record(format!("{prefix}.attn.rowsum.{h}"), 1, &sums);
    output
}

fn block(trace: &mut Trace, i: usize, b: &Block, d: &Dims, x: &mut [i32], tables: &Tables) {
    let prefix = format!("blocks.{i}");
    let rows = x.len() / d.embed;
    let normed = norm_rows(x, d.embed, &b.norm1, tables);
    trace.record(format!("{prefix}.norm1"), d.embed, &normed);
    let [q, k, v] = [&b.q, &b.k, &b.v].map(|l| linear(&normed, l, 8));
    for (name, tensor) in [("q", &q), ("k", &k), ("v", &v)] {
        trace.record(format!("{prefix}.attn.{name}"), d.attention(), tensor);
    }
    let heads: Vec<Vec<i32>> = (0..d.heads).map(|h| head(trace, &prefix, h, b, d, [&q, &k, &v], tables)).collect();
    let o: Vec<i32> = (0..rows)
        .flat_map(|t| heads.iter().flat_map(move |h| h[t * d.head_dim..(t + 1) * d.head_dim].iter().copied()))
        .collect();
    trace.record(format!("{prefix}.attn.o"), d.attention(), &o);
    linear_residual(x, &o, &b.proj);
    trace.record(format!("{prefix}.attn.residual"), d.embed, x);
    let normed = norm_rows(x, d.embed, &b.norm2, tables);
    trace.record(format!("{prefix}.norm2"), d.embed, &normed);
    let hidden: Vec<i32> = linear(&normed, &b.fc1, 16).iter().map(|v| gelu(*v, &b.gelu)).collect();
    trace.record(format!("{prefix}.mlp.fc1"), d.mlp_hidden, &hidden);
    linear_residual(x, &hidden, &b.fc2);
    trace.record(format!("{prefix}.residual"), d.embed, x);
}

/// Runs an image through the network. `patches` is `[tokens][patch_inputs]`, row 0 zero.
pub fn run(network: &QuantNetwork, patches: &[i8]) -> Trace {
    let d = &network.dims;
    let tables = Tables { rsqrt: rsqrt_table(), recip: recip_table() };
    let mut trace = Trace::default();
    let mut x: Vec<i32> = network.pos.iter().map(|p| i32::from(*p)).collect();
    let patches: Vec<i32> = patches.iter().map(|p| i32::from(*p)).collect();
    linear_residual(&mut x, &patches, &network.embed);
    trace.record("embed".to_owned(), d.embed, &x);
    let mut tokens = Tokens { x, candidates_and_class: d.tokens, package: None };
    for (i, b) in network.blocks.iter().enumerate() {
        if let Some(selector) = network.selectors.iter().find(|s| s.block == i) {
            stage(&mut trace, selector, &b.norm1, d, &mut tokens, &tables);
        }
        block(&mut trace, i, b, d, &mut tokens.x, &tables);
    }
    let class = layernorm(&tokens.x[..d.embed], &network.norm, &tables.rsqrt);
    trace.record("norm".to_owned(), d.embed, &class);
    let logits = linear(&class, &network.head, 16);
    trace.record("logits".to_owned(), d.classes, &logits);
    trace
}

/// Logits of many images, in their order; images run in parallel.
pub fn run_all(network: &QuantNetwork, images: &[Vec<i8>]) -> Vec<Vec<i32>> {
    images.par_iter().map(|patches| run(network, patches).logits().to_vec()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quant::{Extreme, random, random_image, validate};

    #[test]
    fn random_networks_have_living_tensors() {
        let dims = Dims {
            tokens: 7,
            patch_inputs: 12,
            embed: 48,
            depth: 3,
            heads: 3,
            head_dim: 16,
            mlp_hidden: 80,
            classes: 5,
        };
        for seed in 0..5 {
            let network = random(&dims, seed, Extreme::None);
            validate(&network).unwrap();
            let trace = run(&network, &random_image(&dims, seed));
            for t in trace.tensors.iter().filter(|t| t.data.len() > 20) {
                let zero = t.data.iter().filter(|v| **v == 0).count();
                let full = t.data.iter().filter(|v| v.abs() == 127 || v.abs() == 32767).count();
                assert!(zero * 4 < t.data.len() * 3 || t.name.contains("exp"), "{} is mostly zero", t.name);
                assert!(full * 2 < t.data.len(), "{} is mostly saturated", t.name);
            }
        }
    }

    #[test]
    fn equal_scores_average_the_values() {
        let dims = Dims {
            tokens: 5,
            patch_inputs: 4,
            embed: 32,
            depth: 1,
            heads: 2,
            head_dim: 16,
            mlp_hidden: 32,
            classes: 2,
        };
        let trace = run(&random(&dims, 1, Extreme::EqualScores), &random_image(&dims, 1));
        assert!(trace.get("blocks.0.attn.exp.0").unwrap().data.iter().all(|e| *e == 127));
        let o = trace.get("blocks.0.attn.o").unwrap();
        assert!(o.data.chunks(o.cols).all(|row| row == &o.data[..o.cols]), "every token sees the same mean");
    }
}
