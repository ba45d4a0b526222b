//! Stand-ins for trained weights: random ones with the statistics that make trained vision transformers hard to
//! quantize. The recipe with its reasons is in docs/quantization.md, its figures in `recipe.rs`.

mod agree;
mod block;
mod draw;
mod embedding;
mod noise;
mod pictures;
mod recipe;
mod selector;

pub use pictures::picture;

use crate::float::{Engine, FloatLinear, FloatNetwork, NetworkOptions, fold, forward_wanted};
use crate::image::ImageShape;
use crate::quant::Dims;
use crate::selector::SelectorOptions;
use noise::Noise;
use rayon::prelude::*;

/// Why no weights are made.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum SynthError {
    /// Nothing to scale on.
    #[error("no sample image; at least one is needed to scale the weights")]
    NoImage,
    /// The sample images are not those of the network.
    #[error(
        "sample image {image} has {found} elements, tokens x patch inputs = {expected} are needed; cut it into patches of the configured network"
    )]
    ImageSize {
        /// Which.
        image: usize,
        /// Elements found.
        found: usize,
        /// Elements needed.
        expected: usize,
    },
    /// The schedule does not have one entry per stage.
    #[error("the keep schedule has {found} entries, the network has {stages} selector stages; give one share for each")]
    Stages {
        /// Entries.
        found: usize,
        /// Stages.
        stages: usize,
    },
    /// A share that cannot be met.
    #[error("keep share {index} is {value}; shares lie above 0 and at most at 1 and never rise, choose another")]
    Share {
        /// Which.
        index: usize,
        /// As given.
        value: String,
    },
}

/// Parts of a network draw from streams of their own, so that a deeper network starts like a shallower one.
#[derive(Clone, Copy)]
enum Part {
    Channels,
    Embedding,
    Head,
    Block(usize),
    Selector(usize),
}

impl Part {
    fn noise(self, seed: u64) -> Noise {
        let stream = match self {
            Self::Channels => 0,
            Self::Embedding => 1,
            Self::Head => 2,
            Self::Block(i) => 1000 + i as u64,
            Self::Selector(i) => 2000 + i as u64,
        };
        Noise::new(seed, stream)
    }
}

fn check(dims: &Dims, stages: usize, images: &[Vec<f32>], keep: &[f64]) -> Result<(), SynthError> {
    let expected = dims.tokens * dims.patch_inputs;
    if images.is_empty() {
        return Err(SynthError::NoImage);
    }
    if let Some((image, patches)) = images.iter().enumerate().find(|(_, p)| p.len() != expected) {
        return Err(SynthError::ImageSize { image, found: patches.len(), expected });
    }
    if keep.len() != stages {
        return Err(SynthError::Stages { found: keep.len(), stages });
    }
    let legal = |i: usize| keep[i] > 0.0 && keep[i] <= if i == 0 { 1.0 } else { keep[i - 1] };
    match (0..keep.len()).find(|i| !legal(*i)) {
        Some(index) => Err(SynthError::Share { index, value: keep[index].to_string() }),
        None => Ok(()),
    }
}

/// Weights for a network of the given architecture.
///
/// `images` are sample images as patches in real numbers ([`crate::image::float_patches`]); the spreads of the recipe
/// and the `keep` schedule are met over them. `keep` has the share of all patches that is left behind each selector
/// stage of the options.
///
/// # Errors
/// No image, images of another network, or an impossible schedule.
pub fn synthesize(
    dims: &Dims,
    options: &NetworkOptions,
    shape: &ImageShape,
    images: &[Vec<f32>],
    keep: &[f64],
    seed: u64,
) -> Result<FloatNetwork, SynthError> {
    check(dims, options.selectors.stages.len(), images, keep)?;
    let channels = draw::Channels::draw(&mut Part::Channels.noise(seed), dims.embed);
    let mut network = backbone(dims, options, &channels, shape, images, seed);
    network.options = options.clone();
    for (stage, (block, share)) in options.selectors.stages.iter().zip(keep).enumerate() {
        let noise = &mut Part::Selector(stage).noise(seed);
        let selector = selector::draw(noise, *block, dims, options.selectors.head_weights);
        network.selectors.push(selector);
        selector::fit(&mut network, images, *share);
    }
    Ok(network)
}

/// The dense network.
fn backbone(
    dims: &Dims,
    options: &NetworkOptions,
    channels: &draw::Channels,
    shape: &ImageShape,
    images: &[Vec<f32>],
    seed: u64,
) -> FloatNetwork {
    let options = NetworkOptions { selectors: SelectorOptions::default(), ..options.clone() };
    let noise = &mut Part::Head.noise(seed);
    let norm = channels.norm(noise);
    let head = draw::linear(noise, dims.embed, dims.classes);
    let patch_embed =
        FloatLinear { inputs: dims.patch_inputs, outputs: dims.embed, weight: Vec::new(), bias: Vec::new() };
    let mut network = FloatNetwork {
        dims: dims.clone(),
        options,
        cls_token: Vec::new(),
        pos_embed: Vec::new(),
        patch_embed,
        blocks: Vec::new(),
        norm,
        head,
        selectors: Vec::new(),
    };
    embedding::embedding(&mut network, channels, shape, images, &mut Part::Embedding.noise(seed));
    let mut rows = embedded(&network, images);
    for i in 0..dims.depth {
        let progress = block::Place { index: i, depth: dims.depth };
        network.blocks.push(block::grow(&network, channels, progress, &mut rows, &mut Part::Block(i).noise(seed)));
    }
    block::scale_head(&mut network, &rows);
    network
}

/// The residual stream behind the embedding.
fn embedded(network: &FloatNetwork, images: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let folded = fold(network);
    let rows = |image: &Vec<f32>| {
        let trace = forward_wanted(&folded, Engine::Exact, image, &|name| name == "embed");
        trace.get("embed").map(|t| t.data.clone()).unwrap_or_default()
    };
    images.par_iter().map(rows).collect()
}

#[cfg(test)]
mod tests;
