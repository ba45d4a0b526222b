//! Every operator of the integer model on its own: its inputs are the tensors of the float reference, rounded to their
//! steps, so that errors of earlier operators do not reach it.

use crate::fixed::{Rescale, rescale, saturate};
use crate::golden::Trace;
use crate::golden::product::{dot, linear, linear_residual, narrow};
use crate::golden::selector::{global_mean, package, score};
use crate::layernorm::layernorm;
use crate::poly::exp::exp7;
use crate::poly::gelu::{GeluParams, gelu};
use crate::poly::recip::{recip, recip_table};
use crate::poly::rsqrt::rsqrt_table;
use crate::quant::{Block, Linear, NormParams, QuantNetwork, Quantized, Selector};

/// Output of an operator.
pub(super) struct Output {
    pub name: String,
    pub data: Vec<i32>,
}

/// The reference of one image and the network whose operators are run on it.
pub(super) struct Probe<'a> {
    network: &'a QuantNetwork,
    quantized: &'a Quantized,
    reference: &'a Trace<f32>,
    rsqrt: [(u32, u32); 96],
    recip: [(u32, u32); 128],
    outputs: Vec<Output>,
}

/// All operators of a network on a reference of [`crate::float::Engine::Poly`]. `patches` is the image itself.
pub(super) fn operators(quantized: &Quantized, reference: &Trace<f32>, patches: &[i8]) -> Vec<Output> {
    let network = &quantized.network;
    let (rsqrt, recip) = (rsqrt_table(), recip_table());
    let mut probe = Probe { network, quantized, reference, rsqrt, recip, outputs: Vec::new() };
    probe.run(patches);
    probe.outputs
}

fn activated(input: &[i32], l: &Linear, params: &GeluParams) -> Vec<i32> {
    linear(input, l, 16).iter().map(|v| gelu(*v, params)).collect()
}

impl Probe<'_> {
    fn real(&self, name: &str) -> &[f32] {
        self.reference.get(name).map_or(&[], |t| &t.data)
    }

    /// A tensor of the reference in its own steps.
    fn integers(&self, name: &str, bits: u32) -> Vec<i32> {
        self.quantized.integers(name, self.real(name), bits)
    }

    fn put(&mut self, name: String, data: Vec<i32>) {
        self.outputs.push(Output { name, data });
    }

    fn norm(&mut self, output: String, input: &str, params: &NormParams) {
        let embed = self.network.dims.embed;
        let rows = self.integers(input, 16);
        // The final norm and the selectors read fewer rows than there are.
        let read = self.real(&output).len();
        let normed = rows[..read].chunks(embed).flat_map(|row| layernorm(row, params, &self.rsqrt)).collect();
        self.put(output, normed);
    }

    /// Scores, exp, row sums and A V of a head; returns the last.
    fn head(&mut self, prefix: &str, h: usize, b: &Block, qkv: &[Vec<i32>; 3]) -> Vec<i32> {
        let d = &self.network.dims;
        let (width, dim) = (d.attention(), d.head_dim);
        let [q, k, v] = qkv
            .each_ref()
            .map(|t| -> Vec<i16> { t.chunks(width).flat_map(|row| narrow(&row[h * dim..(h + 1) * dim])).collect() });
        let tokens = q.len() / dim;
        let scale = Rescale { mult: b.scores.mult, sel: b.scores.sel };
        let score = |(q, k): (&[i16], &[i16])| saturate(rescale(dot(q, k), scale), 16) as i32;
        let pairs = q.chunks(dim).flat_map(|q| k.chunks(dim).map(move |k| (q, k)));
        self.put(format!("{prefix}.scores.{h}"), pairs.map(score).collect());
        let exps = self
            .integers(&format!("{prefix}.scores.{h}"), 16)
            .chunks(tokens)
            .flat_map(|row| {
                let maximum = row.iter().copied().max().unwrap_or(0);
                row.iter().map(move |s| exp7((maximum - s) as u32)).collect::<Vec<_>>()
            })
            .collect();
        self.put(format!("{prefix}.exp.{h}"), exps);
        let exps = self.integers(&format!("{prefix}.exp.{h}"), 8);
        let columns: Vec<Vec<i16>> = (0..dim).map(|c| v.iter().skip(c).step_by(dim).copied().collect()).collect();
        let sums: Vec<i32> = exps.chunks(tokens).map(|row| row.iter().sum()).collect();
        let attended = exps.chunks(tokens).zip(&sums).flat_map(|(row, sum)| {
            let factor = recip(*sum as u32, b.attend.gain, b.attend.exponent, &self.recip);
            let row = narrow(row);
            columns.iter().map(move |c| saturate(rescale(dot(&row, c), factor), 8) as i32).collect::<Vec<_>>()
        });
        let attended = attended.collect();
        self.put(format!("{prefix}.rowsum.{h}"), sums);
        attended
    }

    fn attention(&mut self, prefix: &str, b: &Block) {
        let d = &self.network.dims;
        let qkv = ["q", "k", "v"].map(|part| self.integers(&format!("{prefix}.{part}"), 8));
        let heads: Vec<Vec<i32>> = (0..d.heads).map(|h| self.head(prefix, h, b, &qkv)).collect();
        let dim = d.head_dim;
        let rows = heads.first().map_or(0, |h| h.len() / dim);
        let row = |t: usize| heads.iter().flat_map(move |h| &h[t * dim..(t + 1) * dim]).copied();
        self.put(format!("{prefix}.o"), (0..rows).flat_map(row).collect());
    }

    fn block(&mut self, i: usize, b: &Block, input: &str) {
        let at = |part: &str| format!("blocks.{i}.{part}");
        self.norm(at("norm1"), input, &b.norm1);
        let normed = self.integers(&at("norm1"), 8);
        for (name, l) in [("attn.q", &b.q), ("attn.k", &b.k), ("attn.v", &b.v)] {
            self.put(at(name), linear(&normed, l, 8));
        }
        self.attention(&at("attn"), b);
        let mut x = self.integers(input, 16);
        linear_residual(&mut x, &self.integers(&at("attn.o"), 8), &b.proj);
        self.put(at("attn.residual"), x);
        self.norm(at("norm2"), &at("attn.residual"), &b.norm2);
        self.put(at("mlp.fc1"), activated(&self.integers(&at("norm2"), 8), &b.fc1, &b.gelu));
        let mut x = self.integers(&at("attn.residual"), 16);
        linear_residual(&mut x, &self.integers(&at("mlp.fc1"), 8), &b.fc2);
        self.put(at("residual"), x);
    }

    /// The operators of a selector; `incoming` is the weight of the package before it and becomes that behind it.
    fn selector(&mut self, s: &Selector, norm: &NormParams, input: &str, incoming: &mut Option<u32>) {
        let at = |part: &str| format!("selectors.{}.{part}", s.block);
        let heads = self.network.dims.heads;
        self.norm(at("norm"), input, norm);
        let normed = self.integers(&at("norm"), 8);
        self.put(at("local"), activated(&normed, &s.local, &s.local_gelu));
        let (local, width) = (self.integers(&at("local"), 8), s.local.outputs);
        self.put(at("global"), global_mean(&local, width, s.mean, &self.recip));
        let global = self.integers(&at("global"), 8);
        let both: Vec<i32> = local.chunks(width).flat_map(|row| row.iter().chain(&global)).copied().collect();
        self.put(at("mix"), activated(&both, &s.mix, &s.mix_gelu));
        self.put(at("squeeze"), activated(&self.integers(&at("mix"), 8), &s.squeeze, &s.squeeze_gelu));
        self.put(at("keep"), linear(&self.integers(&at("squeeze"), 8), &s.keep, 16));
        self.put(at("weigh"), activated(&normed, &s.weigh, &s.weigh_gelu));
        self.put(at("weight"), linear(&self.integers(&at("weigh"), 8), &s.weight, 16));
        let (keep, weight) = (self.integers(&at("keep"), 16), self.integers(&at("weight"), 16));
        let scores: Vec<u32> = keep.chunks(heads).zip(weight.chunks(heads)).map(|(k, w)| score(k, w)).collect();
        self.put(at("score"), scores.iter().map(|s| *s as i32).collect());
        let mask: Vec<bool> = self.real(&at("mask")).iter().map(|kept| *kept > 0.5).collect();
        let scores: Vec<u32> = self.integers(&at("score"), 16).iter().map(|s| *s as u32).collect();
        let x = self.integers(input, 16);
        let made = package(&x, self.network.dims.embed, &scores, &mask, *incoming);
        if let Some(made) = made.filter(|_| !self.real(&at("package")).is_empty()) {
            *incoming = Some(made.weight);
            self.put(at("package"), made.row);
        }
    }

    fn run(&mut self, patches: &[i8]) {
        let network = self.network;
        let mut x: Vec<i32> = network.pos.iter().map(|p| i32::from(*p)).collect();
        linear_residual(&mut x, &patches.iter().map(|p| i32::from(*p)).collect::<Vec<_>>(), &network.embed);
        self.put("embed".to_owned(), x);
        let (mut stream, mut package) = ("embed".to_owned(), None);
        for (i, b) in network.blocks.iter().enumerate() {
            if let Some(s) = network.selectors.iter().find(|s| s.block == i) {
                self.selector(s, &b.norm1, &stream, &mut package);
                stream = format!("selectors.{i}.tokens");
            }
            self.block(i, b, &stream);
            stream = format!("blocks.{i}.residual");
        }
        self.norm("norm".to_owned(), &stream, &network.norm);
        self.put("logits".to_owned(), linear(&self.integers("norm", 8), &network.head, 16));
    }
}
