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
        let mut stream = Tensor::cat(vec![class, patches], 1);
        for block in &self.blocks {
            stream = block.forward(stream);
        }
        let class = stream.slice([0..images, 0..1, 0..embed]);
        let class = self.norm.forward(class.reshape([images, embed]));
        self.head.forward(class)
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

    fn forward(&self, stream: Tensor<3>) -> Tensor<3> {
        let [images, tokens, embed] = stream.dims();
        let rows = [images * tokens, embed];
        let stream = stream.reshape(rows);
        let normalised = self.norm1.forward(stream.clone());
        let mixed = self.attention(self.qkv.forward(normalised), images, tokens);
        let stream = stream + self.proj.forward(mixed);
        let normalised = self.norm2.forward(stream.clone());
        let hidden = gelu(self.fc1.forward(normalised));
        (stream + self.fc2.forward(hidden)).reshape([images, tokens, embed])
    }

    fn attention(&self, qkv: Tensor<2>, images: usize, tokens: usize) -> Tensor<2> {
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
        let mixed = softmax(scores, 3).matmul(part(2));
        mixed.swap_dims(1, 2).reshape([images * tokens, embed])
    }
}
