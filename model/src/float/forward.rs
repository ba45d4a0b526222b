//! The forward pass in real numbers, recording the same tensors as the golden model.

use super::product::{linear, product};
use super::prune::Tokens;
use super::units::{exp_exact, exp_poly, gelu_exact, normalise};
use super::{FloatNetwork, Folded, FoldedBlock, fold};
use crate::golden::Trace;
use crate::poly::gelu::gelu_real;
use crate::selector::PairSoftmax;
use rayon::prelude::*;

/// Which non-linear functions a forward pass uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// exp and erf.
    Exact,
    /// The polynomials of the accelerator, in real numbers.
    Poly,
}

impl Engine {
    fn exp(self, x: f64) -> f64 {
        match self {
            Engine::Exact => exp_exact(x),
            Engine::Poly => exp_poly(x),
        }
    }

    /// The sigmoid of a selector.
    pub(super) fn sigmoid(self, x: f64) -> f64 {
        match self {
            Engine::Exact => PairSoftmax::Exact.keep(x),
            Engine::Poly => PairSoftmax::default().keep(x),
        }
    }

    pub(super) fn gelu(self, x: f64, delta1: f64) -> f64 {
        match self {
            Engine::Exact => gelu_exact(x),
            Engine::Poly => gelu_real(x, delta1),
        }
    }
}

fn add(x: &mut [f32], branch: &[f32]) {
    x.iter_mut().zip(branch).for_each(|(x, b)| *x += b);
}

pub(super) fn norm_rows(x: &[f32], embed: usize, eps: f64) -> Vec<f32> {
    x.chunks(embed).flat_map(|row| normalise(row, eps)).collect()
}

/// Columns `from..from + width` of every row.
fn columns(data: &[f32], cols: usize, from: usize, width: usize) -> Vec<f32> {
    data.chunks(cols).flat_map(|row| &row[from..from + width]).copied().collect()
}

pub(super) struct Pass<'a> {
    pub(super) network: &'a Folded,
    pub(super) engine: Engine,
    pub(super) wanted: &'a dyn Fn(&str) -> bool,
    pub(super) trace: Trace<f32>,
}

impl Pass<'_> {
    /// Keeps a tensor, if it is wanted.
    pub(super) fn record(&mut self, name: String, cols: usize, data: &[f32]) {
        if (self.wanted)(&name) {
            self.trace.record(name, cols, data);
        }
    }

    /// Attention of one head; returns `[rows][head_dim]`.
    fn head(&mut self, prefix: &str, h: usize, qkv: [&[f32]; 3]) -> Vec<f32> {
        let (engine, delta2) = (self.engine, self.network.options.delta2);
        let head_dim = self.network.dims.head_dim;
        let [q, k, v] = qkv.map(|t| columns(t, self.network.dims.attention(), h * head_dim, head_dim));
        let tokens = q.len() / head_dim;
        let scale = 1.0 / libm::sqrt(head_dim as f64);
        let mut scores = product(&q, &k, head_dim);
        scores.iter_mut().for_each(|s| *s = (f64::from(*s) * scale) as f32);
        let (mut exps, mut sums) = (Vec::with_capacity(scores.len()), Vec::with_capacity(tokens));
        let mut output = Vec::with_capacity(tokens * head_dim);
        for row in scores.chunks(tokens) {
            let maximum = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let exp: Vec<f32> = row.iter().map(|s| engine.exp(f64::from(s - maximum)) as f32).collect();
            let sum: f32 = exp.iter().sum();
            let mut weighted = vec![0.0f32; head_dim];
            for (e, values) in exp.iter().zip(v.chunks(head_dim)) {
                weighted.iter_mut().zip(values).for_each(|(w, v)| *w += e * v);
            }
            output.extend(weighted.iter().map(|w| (delta2 * f64::from(w / sum)) as f32));
            sums.push(sum);
            exps.extend(exp);
        }
        self.record(format!("{prefix}.attn.scores.{h}"), tokens, &scores);
        self.record(format!("{prefix}.attn.exp.{h}"), tokens, &exps);
        self.record(format!("{prefix}.attn.rowsum.{h}"), 1, &sums);
        output
    }

    fn block(&mut self, i: usize, b: &FoldedBlock, x: &mut [f32]) {
        self.attention(i, b, x);
        self.mlp(i, b, x);
    }

    pub(super) fn attention(&mut self, i: usize, b: &FoldedBlock, x: &mut [f32]) {
        let (d, options) = (&self.network.dims, &self.network.options);
        let prefix = format!("blocks.{i}");
        let normed = norm_rows(x, d.embed, options.eps);
        self.record(format!("{prefix}.norm1"), d.embed, &normed);
        let [q, k, v] = [&b.q, &b.k, &b.v].map(|l| linear(&normed, l));
        for (name, tensor) in [("q", &q), ("k", &k), ("v", &v)] {
            self.record(format!("{prefix}.attn.{name}"), d.attention(), tensor);
        }
        let heads: Vec<Vec<f32>> = (0..d.heads).map(|h| self.head(&prefix, h, [&q, &k, &v])).collect();
        let o: Vec<f32> = (0..x.len() / d.embed)
            .flat_map(|t| heads.iter().flat_map(move |h| &h[t * d.head_dim..(t + 1) * d.head_dim]).copied())
            .collect();
        self.record(format!("{prefix}.attn.o"), d.attention(), &o);
        add(x, &linear(&o, &b.proj));
        self.record(format!("{prefix}.attn.residual"), d.embed, x);
    }

    pub(super) fn mlp(&mut self, i: usize, b: &FoldedBlock, x: &mut [f32]) {
        let (d, options) = (&self.network.dims, &self.network.options);
        let prefix = format!("blocks.{i}");
        let normed = norm_rows(x, d.embed, options.eps);
        self.record(format!("{prefix}.norm2"), d.embed, &normed);
        let mut hidden = linear(&normed, &b.fc1);
        hidden.iter_mut().for_each(|v| *v = self.engine.gelu(f64::from(*v), options.delta1) as f32);
        self.record(format!("{prefix}.mlp.fc1"), d.mlp_hidden, &hidden);
        add(x, &linear(&hidden, &b.fc2));
        self.record(format!("{prefix}.residual"), d.embed, x);
    }

    /// Final norm and head on the class token; returns the trace.
    pub(super) fn classify(mut self, x: &[f32]) -> Trace<f32> {
        let network = self.network;
        let d = &network.dims;
        let class = normalise(&x[..d.embed], network.options.eps);
        self.record("norm".to_owned(), d.embed, &class);
        self.record("logits".to_owned(), d.classes, &linear(&class, &network.head));
        self.trace
    }
}

/// Runs an image through a folded network. `patches` is `[tokens][patch_inputs]`, row 0 zero.
pub fn forward_folded(network: &Folded, engine: Engine, patches: &[f32]) -> Trace<f32> {
    forward_wanted(network, engine, patches, &|_| true)
}

/// As [`forward_folded`], with a trace of those tensors whose names are wanted: all of them are many times the network's
/// largest.
pub fn forward_wanted(network: &Folded, engine: Engine, patches: &[f32], wanted: &dyn Fn(&str) -> bool) -> Trace<f32> {
    let d = &network.dims;
    let mut pass = Pass { network, engine, wanted, trace: Trace::default() };
    let mut x = network.pos.clone();
    add(&mut x, &linear(patches, &network.embed));
    pass.record("embed".to_owned(), d.embed, &x);
    let mut tokens = Tokens { x, candidates_and_class: d.tokens, package: None };
    for (i, b) in network.blocks.iter().enumerate() {
        if let Some(selector) = network.selectors.iter().find(|s| s.block == i) {
            pass.stage(selector, &mut tokens);
        }
        pass.block(i, b, &mut tokens.x);
    }
    pass.classify(&tokens.x)
}

/// Runs one image. For many images fold once and use [`forward_folded`].
pub fn forward(network: &FloatNetwork, engine: Engine, patches: &[f32]) -> Trace<f32> {
    forward_folded(&fold(network), engine, patches)
}

/// Logits of many images, in their order; images run in parallel.
pub fn forward_all(network: &FloatNetwork, engine: Engine, images: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let folded = fold(network);
    let logits = |patches: &Vec<f32>| forward_wanted(&folded, engine, patches, &|name| name == "logits");
    images.par_iter().map(|patches| logits(patches).logits().to_vec()).collect()
}
