//! The forward pass: the order of operations, once, for every observer, processor and number of threads.

use super::attention::{Columns, Head};
use super::executor::Executor;
use super::finish::{Activate, Residual, Saturate};
use super::model::Model;
use super::multiply::{Product, Target, multiply};
use super::normalise::normalise;
use super::observer::Observer;
use super::rows::Rows;
use super::units::{INT8_MAX, INT16_MAX};
use crate::poly::gelu::GeluParams;
use crate::quant::{Block, NormParams};
use std::fmt::Arguments;

/// The residual stream and what its rows are.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    /// `[rows][embed]`: class token, candidates, package.
    pub x: Vec<i16>,
    /// Rows before the package.
    pub candidates_and_class: usize,
    /// Weight of the package, the last row, if there is one.
    pub package: Option<u32>,
}

/// Memory of a run; what it holds between operations is named as in docs/tensors.md.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    pub(super) tokens: Tokens,
    pub(super) normed: Rows,
    qkv: [Rows; 3],
    head: Head,
    output: Rows,
    hidden: Rows,
    pub(super) selector: super::stage::Features,
}

/// A run of an image.
pub(super) struct Forward<'a, 'n, O> {
    pub(super) model: &'a Model<'n>,
    pub(super) how: Executor,
    pub(super) observer: &'a mut O,
    pub(super) buffers: &'a mut Buffers,
}

/// A product with 8 or 16 bits.
pub(super) fn linear(how: Executor, input: &Rows, product: &Product, limit: u32, output: &mut Rows) {
    let target = Target::all(output, input.len(), product.weights.outputs());
    multiply(how, input, &product.weights, target, &Saturate { scales: &product.scales, limit });
}

/// A product through GELU.
pub(super) fn activated(how: Executor, input: &Rows, product: &Product, gelu: &GeluParams, output: &mut Rows) {
    let target = Target::all(output, input.len(), product.weights.outputs());
    multiply(how, input, &product.weights, target, &Activate { scales: &product.scales, gelu });
}

/// A product that is added to the residual stream.
fn residual(how: Executor, input: &Rows, product: &Product, x: &mut [i16]) {
    let target = Target { elements: x, stride: product.weights.outputs(), from: 0 };
    multiply(how, input, &product.weights, target, &Residual { scales: &product.scales });
}

/// Shows values row after row.
pub(super) fn show<T: Copy + Into<i32>>(observer: &mut impl Observer, name: Arguments<'_>, cols: usize, data: &[T]) {
    observer.tensor(name, cols, &mut data.iter().map(|v| (*v).into()));
}

/// Shows rows.
pub(super) fn show_rows(observer: &mut impl Observer, name: Arguments<'_>, rows: &Rows) {
    observer.tensor(name, rows.cols(), &mut rows.iter().flatten().map(|v| i32::from(*v)));
}

impl<O: Observer> Forward<'_, '_, O> {
    /// Runs the network on `[tokens][patch_inputs]`.
    pub(super) fn run(mut self, patches: &[i8]) {
        let model = self.model;
        let d = &model.network.dims;
        self.embed(patches);
        for (i, block) in model.network.blocks.iter().enumerate() {
            let selectors = model.network.selectors.iter().zip(&model.selectors);
            if let Some((selector, products)) = selectors.into_iter().find(|(s, _)| s.block == i) {
                self.stage(selector, products, &block.norm1);
            }
            self.attention(i, block);
            self.mlp(i, block);
        }
        let class = &self.buffers.tokens.x[..d.embed];
        normalise(self.how, class, d.embed, &model.network.norm, &model.tables.rsqrt, &mut self.buffers.normed);
        show_rows(self.observer, format_args!("norm"), &self.buffers.normed);
        linear(self.how, &self.buffers.normed, &model.head, INT16_MAX, &mut self.buffers.output);
        show_rows(self.observer, format_args!("logits"), &self.buffers.output);
    }

    fn embed(&mut self, patches: &[i8]) {
        let (model, d) = (self.model, &self.model.network.dims);
        let Buffers { tokens, normed, .. } = &mut *self.buffers;
        tokens.x.clone_from(&model.network.pos);
        (tokens.candidates_and_class, tokens.package) = (d.tokens, None);
        normed.fill(d.patch_inputs, patches.chunks_exact(d.patch_inputs));
        residual(self.how, normed, &model.embed, &mut tokens.x);
        show(self.observer, format_args!("embed"), d.embed, &tokens.x);
    }

    /// Normalises the first `rows` rows of the stream.
    pub(super) fn norm(&mut self, rows: usize, params: &NormParams) {
        let embed = self.model.network.dims.embed;
        let Buffers { tokens, normed, .. } = &mut *self.buffers;
        normalise(self.how, &tokens.x[..rows * embed], embed, params, &self.model.tables.rsqrt, normed);
    }

    fn attention(&mut self, i: usize, b: &Block) {
        let (model, d, how) = (self.model, &self.model.network.dims, self.how);
        let products = &model.blocks[i];
        self.norm(self.buffers.tokens.x.len() / d.embed, &b.norm1);
        let Buffers { tokens, normed, qkv, head, output, .. } = &mut *self.buffers;
        show_rows(self.observer, format_args!("blocks.{i}.norm1"), normed);
        for ((product, rows), name) in products.qkv.iter().zip(&mut *qkv).zip(["q", "k", "v"]) {
            linear(how, normed, product, INT8_MAX, rows);
            show_rows(self.observer, format_args!("blocks.{i}.attn.{name}"), rows);
        }
        output.reshape(normed.len(), d.attention());
        for h in 0..d.heads {
            let columns = Columns { from: h * d.head_dim, width: d.head_dim };
            head.run(how, b, columns, qkv.each_ref(), output, &model.tables.recip);
            show(self.observer, format_args!("blocks.{i}.attn.scores.{h}"), normed.len(), &head.scores);
            show_rows(self.observer, format_args!("blocks.{i}.attn.exp.{h}"), &head.exps);
            show(self.observer, format_args!("blocks.{i}.attn.rowsum.{h}"), 1, &head.sums);
        }
        show_rows(self.observer, format_args!("blocks.{i}.attn.o"), output);
        residual(how, output, &products.proj, &mut tokens.x);
        show(self.observer, format_args!("blocks.{i}.attn.residual"), d.embed, &tokens.x);
    }

    fn mlp(&mut self, i: usize, b: &Block) {
        let (d, how) = (&self.model.network.dims, self.how);
        let products = &self.model.blocks[i];
        self.norm(self.buffers.tokens.x.len() / d.embed, &b.norm2);
        let Buffers { tokens, normed, hidden, .. } = &mut *self.buffers;
        show_rows(self.observer, format_args!("blocks.{i}.norm2"), normed);
        activated(how, normed, &products.fc1, &b.gelu, hidden);
        show_rows(self.observer, format_args!("blocks.{i}.mlp.fc1"), hidden);
        residual(how, hidden, &products.fc2, &mut tokens.x);
        show(self.observer, format_args!("blocks.{i}.residual"), d.embed, &tokens.x);
    }
}
