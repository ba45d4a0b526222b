//! The network written down once more for the tests, with the definitions alone: no kernel, no memory that is used
//! twice, every tensor a vector.

use super::selector::{decide, global_mean, package, score};
use super::{StageCounts, Trace, product};
use crate::fixed::{Rescale, rescale, saturate};
use crate::layernorm::layernorm;
use crate::poly::exp::exp7;
use crate::poly::gelu::{GeluParams, gelu};
use crate::poly::recip::{recip, recip_table};
use crate::poly::rsqrt::rsqrt_table;
use crate::quant::{Block, Linear, NormParams, PackageRule, QuantNetwork, Selector};

/// A run.
struct Naive<'n> {
    network: &'n QuantNetwork,
    trace: Trace,
    /// The residual stream.
    x: Vec<i32>,
    /// Rows before the package.
    candidates_and_class: usize,
    /// Weight of the package.
    package: Option<u32>,
}

fn norm(x: &[i32], embed: usize, params: &NormParams) -> Vec<i32> {
    x.chunks(embed).flat_map(|row| layernorm(row, params, &rsqrt_table())).collect()
}

fn activated(input: &[i32], l: &Linear, params: &GeluParams) -> Vec<i32> {
    product::linear(input, l, 16).iter().map(|v| gelu(*v, params)).collect()
}

fn dot(pairs: impl Iterator<Item = (i32, i32)>) -> i32 {
    pairs.map(|(a, b)| a * b).sum()
}

impl Naive<'_> {
    fn record(&mut self, name: String, cols: usize, data: &[i32]) {
        self.trace.record(name, cols, data);
    }

    /// Attention of a head, `[rows][head_dim]`.
    fn head(&mut self, i: usize, b: &Block, h: usize, qkv: [&[i32]; 3]) -> Vec<Vec<i32>> {
        let d = &self.network.dims;
        let of_head = |t: &[i32]| -> Vec<Vec<i32>> {
            t.chunks(d.attention()).map(|row| row[h * d.head_dim..][..d.head_dim].to_vec()).collect()
        };
        let [q, k, v] = qkv.map(of_head);
        let scale = Rescale { mult: b.scores.mult, sel: b.scores.sel };
        let (mut scores, mut exps, mut sums, mut output) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for query in &q {
            let products = k.iter().map(|key| dot(query.iter().copied().zip(key.iter().copied())));
            let row: Vec<i32> = products.map(|sum| saturate(rescale(sum, scale), 16) as i32).collect();
            let maximum = row.iter().copied().max().unwrap();
            let exp: Vec<i32> = row.iter().map(|s| exp7((maximum - s) as u32)).collect();
            let sum: i32 = exp.iter().sum();
            let factor = recip(sum as u32, b.attend.gain, b.attend.exponent, &recip_table());
            let channel = |c: usize| dot(exp.iter().copied().zip(v.iter().map(|value| value[c])));
            output.push((0..d.head_dim).map(|c| saturate(rescale(channel(c), factor), 8) as i32).collect());
            sums.push(sum);
            scores.extend(row);
            exps.extend(exp);
        }
        self.record(format!("blocks.{i}.attn.scores.{h}"), q.len(), &scores);
        self.record(format!("blocks.{i}.attn.exp.{h}"), q.len(), &exps);
        self.record(format!("blocks.{i}.attn.rowsum.{h}"), 1, &sums);
        output
    }

    fn block(&mut self, i: usize, b: &Block) {
        let d = &self.network.dims;
        let normed = norm(&self.x, d.embed, &b.norm1);
        self.record(format!("blocks.{i}.norm1"), d.embed, &normed);
        let [q, k, v] = [&b.q, &b.k, &b.v].map(|l| product::linear(&normed, l, 8));
        for (name, tensor) in [("q", &q), ("k", &k), ("v", &v)] {
            self.record(format!("blocks.{i}.attn.{name}"), d.attention(), tensor);
        }
        let heads: Vec<Vec<Vec<i32>>> = (0..d.heads).map(|h| self.head(i, b, h, [&q, &k, &v])).collect();
        let rows = self.x.len() / d.embed;
        let o: Vec<i32> = (0..rows).flat_map(|row| heads.iter().flat_map(move |head| head[row].clone())).collect();
        self.record(format!("blocks.{i}.attn.o"), d.attention(), &o);
        product::linear_residual(&mut self.x, &o, &b.proj);
        self.record(format!("blocks.{i}.attn.residual"), d.embed, &self.x.clone());
        let normed = norm(&self.x, d.embed, &b.norm2);
        self.record(format!("blocks.{i}.norm2"), d.embed, &normed);
        let hidden = activated(&normed, &b.fc1, &b.gelu);
        self.record(format!("blocks.{i}.mlp.fc1"), d.mlp_hidden, &hidden);
        product::linear_residual(&mut self.x, &hidden, &b.fc2);
        self.record(format!("blocks.{i}.residual"), d.embed, &self.x.clone());
    }

    fn scores(&mut self, s: &Selector, normed: &[i32]) -> Vec<u32> {
        let (heads, width) = (self.network.dims.heads, s.local.outputs);
        let local = activated(normed, &s.local, &s.local_gelu);
        let global = global_mean(&local, width, s.mean, &recip_table());
        let both: Vec<i32> = local.chunks(width).flat_map(|row| row.iter().chain(&global)).copied().collect();
        let mix = activated(&both, &s.mix, &s.mix_gelu);
        let squeeze = activated(&mix, &s.squeeze, &s.squeeze_gelu);
        let keep = product::linear(&squeeze, &s.keep, 16);
        let weigh = activated(normed, &s.weigh, &s.weigh_gelu);
        let weight = product::linear(&weigh, &s.weight, 16);
        let scores: Vec<u32> = keep.chunks(heads).zip(weight.chunks(heads)).map(|(k, w)| score(k, w)).collect();
        let signed: Vec<i32> = scores.iter().map(|s| *s as i32).collect();
        let tensors = [
            ("norm", s.local.inputs, normed),
            ("local", width, &local),
            ("global", width, &global),
            ("mix", width, &mix),
            ("squeeze", s.squeeze.outputs, &squeeze),
            ("keep", heads, &keep),
            ("weigh", s.weigh.outputs, &weigh),
            ("weight", heads, &weight),
            ("score", 1, &signed),
        ];
        for (name, cols, data) in tensors {
            self.record(format!("selectors.{}.{name}", s.block), cols, data);
        }
        scores
    }

    fn stage(&mut self, s: &Selector, params: &NormParams) {
        let (embed, b) = (self.network.dims.embed, s.block);
        let scores = self.scores(s, &norm(&self.x[..self.candidates_and_class * embed], embed, params));
        let mask = decide(&scores, s.threshold);
        self.record(format!("selectors.{b}.mask"), 1, &mask.iter().map(|kept| i32::from(*kept)).collect::<Vec<_>>());
        let made = package(&self.x, embed, &scores, &mask, self.package).filter(|_| s.package == PackageRule::Merged);
        let incoming = self.x.split_off(self.candidates_and_class * embed);
        let rows = self.x.chunks(embed).zip(&mask).filter(|(_, kept)| **kept);
        self.x = rows.flat_map(|(row, _)| row.to_vec()).collect();
        self.candidates_and_class = self.x.len() / embed;
        if let Some(made) = made {
            self.record(format!("selectors.{b}.package"), embed, &made.row);
            self.x.extend(made.row);
            self.package = Some(made.weight);
        } else {
            self.x.extend(incoming);
        }
        self.record(format!("selectors.{b}.tokens"), embed, &self.x.clone());
        let tokens = self.x.len() / embed;
        self.trace.stages.push(StageCounts { tokens, candidates_and_class: self.candidates_and_class });
    }
}

/// Every tensor of an image.
pub(super) fn run(network: &QuantNetwork, patches: &[i8]) -> Trace {
    let d = &network.dims;
    let x = network.pos.iter().map(|p| i32::from(*p)).collect();
    let mut run = Naive { network, trace: Trace::default(), x, candidates_and_class: d.tokens, package: None };
    let patches: Vec<i32> = patches.iter().map(|p| i32::from(*p)).collect();
    product::linear_residual(&mut run.x, &patches, &network.embed);
    run.record("embed".to_owned(), d.embed, &run.x.clone());
    for (i, b) in network.blocks.iter().enumerate() {
        if let Some(selector) = network.selectors.iter().find(|s| s.block == i) {
            run.stage(selector, &b.norm1);
        }
        run.block(i, b);
    }
    let class = norm(&run.x[..d.embed], d.embed, &network.norm);
    run.record("norm".to_owned(), d.embed, &class);
    run.record("logits".to_owned(), d.classes, &product::linear(&class, &network.head, 16));
    run.trace
}
