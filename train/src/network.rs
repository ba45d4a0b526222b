//! The vision transformer as a module of the framework.

use burn::module::{Module, Param};
use burn::nn::{LayerNorm, Linear};
use burn::tensor::activation::{gelu, softmax};
use burn::tensor::{Device, Tensor};

use crate::NetworkShape;
use crate::batch::Batch;
use crate::init::Init;

/// Field names are timm's, so that the file is written by walking over the module.
#[derive(Module, Debug)]
pub(crate) struct Network {
    pub(crate) cls_token: Param<Tensor<2>>,
    pub(crate) pos_embed: Param<Tensor<2>>,
    pub(crate) patch_embed: Linear,
    pub(crate) blocks: Vec<Block>,
    pub(crate) norm: LayerNorm,
    pub(crate) head: Linear,
}

/// One pre-norm block.
#[derive(Module, Debug)]
pub(crate) struct Block {
    pub(crate) norm1: LayerNorm,
    pub(crate) qkv: Linear,
    pub(crate) proj: Linear,
    pub(crate) norm2: LayerNorm,
    pub(crate) fc1: Linear,
    pub(crate) fc2: Linear,
    heads: usize,
}

impl Network {
    /// Random initial weights.
    pub(crate) fn new(shape: &NetworkShape, seed: u64, device: &Device) -> Self {
        let mut init = Init::new(seed, device);
        let blocks = (0..shape.depth).map(|_| Block::new(shape, &mut init));
        let blocks = blocks.collect();
        Self {
            cls_token: init.small(shape.embed),
            pos_embed: init.positions(shape.embed),
            patch_embed: init.patch_embed(shape.embed),
            blocks,
            norm: init.norm(shape),
            head: init.head(shape.embed),
        }
    }

    /// Logits, `[images, classes]`.
    pub(crate) fn forward(&self, batch: Batch) -> Tensor<2> {
        let mut stream = self.embed(batch);
        for block in &self.blocks {
            stream = block.forward(stream, None);
        }
        let [images, _, embed] = stream.dims();
        let class = stream.slice([0..images, 0..1, 0..embed]);
        let class = self.norm.forward(class.reshape([images, embed]));
        self.head.forward(class)
    }

    /// The stream before the first block, `[images, 1 + patches, embed]`; the class token comes first.
    pub(crate) fn embed(&self, batch: Batch) -> Tensor<3> {
        let [images, count, inputs] = batch.patches.dims();
        let patches = batch.patches.reshape([images * count, inputs]);
        let embedded = self.patch_embed.forward(patches);
        let embed = embedded.dims()[1];
        // Row 0 of the position table belongs to the class token.
        let positions = self.pos_embed.val();
        let of_patches = positions.clone().select(0, batch.places.add_scalar(1));
        let patches = (embedded + of_patches).reshape([images, count, embed]);
        let class = self.cls_token.val() + positions.slice([0..1, 0..embed]);
        let class = class.reshape([1, 1, embed]).repeat_dim(0, images);
        Tensor::cat(vec![class, patches], 1)
    }

    /// Logits and all final tokens, normalised, `[images, tokens, embed]`.
    pub(crate) fn finish(&self, stream: Tensor<3>) -> (Tensor<2>, Tensor<3>) {
        let [images, tokens, embed] = stream.dims();
        let normed = self.norm.forward(stream.reshape([images * tokens, embed]));
        let normed = normed.reshape([images, tokens, embed]);
        let class = normed.clone().slice([0..images, 0..1, 0..embed]);
        (self.head.forward(class.reshape([images, embed])), normed)
    }
}

impl Block {
    fn new(shape: &NetworkShape, init: &mut Init<'_>) -> Self {
        let (embed, hidden) = (shape.embed, shape.hidden);
        let branch = 1.0 / (2.0 * shape.depth as f32).sqrt();
        Self {
            norm1: init.norm(shape),
            qkv: init.linear(embed, 3 * embed, 1.0),
            proj: init.linear(embed, embed, branch),
            norm2: init.norm(shape),
            fc1: init.linear(embed, hidden, 1.0),
            fc2: init.linear(hidden, embed, branch),
            heads: shape.heads,
        }
    }

    /// `visible` is what [`visibility`] makes; without it every token sees every token.
    pub(crate) fn forward(&self, stream: Tensor<3>, visible: Option<&Tensor<4>>) -> Tensor<3> {
        let [images, tokens, embed] = stream.dims();
        let rows = [images * tokens, embed];
        let stream = stream.reshape(rows);
        let normalised = self.norm1.forward(stream.clone());
        let mixed = self.attention(self.qkv.forward(normalised), [images, tokens], visible);
        let stream = stream + self.proj.forward(mixed);
        let normalised = self.norm2.forward(stream.clone());
        let hidden = gelu(self.fc1.forward(normalised));
        (stream + self.fc2.forward(hidden)).reshape([images, tokens, embed])
    }

    fn attention(&self, qkv: Tensor<2>, [images, tokens]: [usize; 2], visible: Option<&Tensor<4>>) -> Tensor<2> {
        let embed = qkv.dims()[1] / 3;
        let width = embed / self.heads;
        let qkv = qkv.reshape([images, tokens, 3 * self.heads, width]);
        let qkv = qkv.swap_dims(1, 2);
        let part = |index: usize| {
            let heads = index * self.heads..(index + 1) * self.heads;
            qkv.clone().slice([0..images, heads, 0..tokens, 0..width])
        };
        let query = part(0).mul_scalar(1.0 / (width as f64).sqrt());
        let scores = query.matmul(part(1).swap_dims(2, 3));
        let weights = match visible {
            None => softmax(scores, 3),
            Some(visible) => masked_softmax(scores, visible),
        };
        let mixed = weights.matmul(part(2));
        mixed.swap_dims(1, 2).reshape([images * tokens, embed])
    }
}

/// A softmax over the keys that are there: `visible` times exp, so that a key that is hidden still receives
/// the gradient of what showing it would change.
fn masked_softmax(scores: Tensor<4>, visible: &Tensor<4>) -> Tensor<4> {
    let highest = scores.clone().detach().max_dim(3);
    let weights = (scores - highest).exp() * visible.clone();
    let sum = weights.clone().sum_dim(3);
    weights / sum
}

/// Which token sees which, `[images, 1, tokens, tokens]`: those with `mask` 1 (`[images, tokens]`), and each
/// itself, so that a dropped token's row of the softmax is not empty.
pub(crate) fn visibility(mask: Tensor<2>) -> Tensor<4> {
    let [images, tokens] = mask.dims();
    let own = Tensor::<2>::eye(tokens, &mask.device()).reshape([1, 1, tokens, tokens]);
    let mask = mask.reshape([images, 1, 1, tokens]);
    mask.clone() + (mask.neg() + 1.0) * own
}
