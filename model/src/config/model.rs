//! `[model]`: the network's architecture.

use super::error::ConfigError;
use super::section::{Field, Section};
use crate::quant::Dims;
use serde::{Deserialize, Serialize};

/// Most tokens, with the class token: 16-bit row counters would carry more, the memories beside the array not.
pub const MAX_TOKENS: u64 = 512;

/// A published architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// DeiT-Tiny, 224x224, patch 16.
    DeitTiny,
    /// DeiT-Small.
    DeitSmall,
    /// DeiT-Base.
    DeitBase,
}

impl Preset {
    /// Embedding channels and heads.
    fn embed_heads(self) -> (u64, u64) {
        match self {
            Self::DeitTiny => (192, 3),
            Self::DeitSmall => (384, 6),
            Self::DeitBase => (768, 12),
        }
    }
}

/// `[model.gelu]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GeluConfig {
    /// Factor of the polynomial: 1 follows the exact function, 0.5 is for weights trained with it.
    pub delta1: f64,
}

/// `[model.softmax]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SoftmaxConfig {
    /// Factor of the softmax, folded into the output projection.
    pub delta2: f64,
}

/// The network's architecture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelConfig {
    /// Image height in pixels.
    pub height: usize,
    /// Image width in pixels.
    pub width: usize,
    /// Image channels.
    pub channels: usize,
    /// Side of a patch in pixels.
    pub patch: usize,
    /// Embedding channels D.
    pub embed: usize,
    /// Blocks.
    pub depth: usize,
    /// Attention heads.
    pub heads: usize,
    /// Channels of a head.
    pub head_dim: usize,
    /// Hidden channels of the MLP.
    pub mlp_hidden: usize,
    /// Classes.
    pub classes: usize,
    /// Whether queries, keys and values have a bias.
    pub qkv_bias: bool,
    /// Added to the variance in LayerNorm.
    pub eps: f64,
    /// GELU.
    pub gelu: GeluConfig,
    /// Softmax.
    pub softmax: SoftmaxConfig,
}

impl ModelConfig {
    /// Patches of an image plus the class token.
    pub fn tokens(&self) -> usize {
        (self.height / self.patch) * (self.width / self.patch) + 1
    }

    /// The dimensions that everything below the configuration works with.
    pub fn dims(&self) -> Dims {
        Dims {
            tokens: self.tokens(),
            patch_inputs: self.channels * self.patch * self.patch,
            embed: self.embed,
            depth: self.depth,
            heads: self.heads,
            head_dim: self.head_dim,
            mlp_hidden: self.mlp_hidden,
            classes: self.classes,
        }
    }
}

/// Values that apply where the file is silent.
struct Defaults {
    image: Option<u64>,
    channels: Option<u64>,
    patch: Option<u64>,
    embed: Option<u64>,
    depth: Option<u64>,
    heads: Option<u64>,
    classes: Option<u64>,
}

fn defaults(preset: Option<Preset>) -> Defaults {
    let embed_heads = preset.map(Preset::embed_heads);
    let fixed = |value| preset.map(|_| value);
    Defaults {
        image: fixed(224),
        channels: fixed(3),
        patch: fixed(16),
        embed: embed_heads.map(|(embed, _)| embed),
        depth: fixed(12),
        heads: embed_heads.map(|(_, heads)| heads),
        classes: fixed(1000),
    }
}

/// A whole number with a default from the preset; without a preset it is required.
fn size(
    section: &mut Section<'_>,
    key: &'static str,
    most: u64,
    default: Option<u64>,
) -> Result<Field<u64>, ConfigError> {
    let written = section.whole(key, 1..=most)?;
    let field = written.or_else(|| default.map(|value| section.default(key, value)));
    section.require(key, field, "write it or choose a `preset`")
}

fn image_sides(section: &mut Section<'_>, default: Option<u64>) -> Result<[Field<u64>; 2], ConfigError> {
    let both = section.whole("image", 1..=4096)?;
    let height = section.whole("height", 1..=4096)?;
    let width = section.whole("width", 1..=4096)?;
    match (both, height, width) {
        (Some(side), None, None) => Ok([side.clone(), side]),
        (None, None, None) => {
            let side = default.map(|value| section.default("image", value));
            let side = section.require("image", side, "write the side in pixels, or `height` and `width`")?;
            Ok([side.clone(), side])
        }
        (Some(side), _, _) => {
            Err(side.illegal("`height` and `width` are given, too", "keep either `image` or the other two"))
        }
        (None, height, width) => Ok([
            section.require("height", height, "write `height` and `width`, or `image`")?,
            section.require("width", width, "write `height` and `width`, or `image`")?,
        ]),
    }
}

fn hidden(section: &mut Section<'_>, embed: u64) -> Result<u64, ConfigError> {
    let written = section.whole("mlp_hidden", 1..=4096)?;
    let ratio = section.real("mlp_ratio", 0.01..=16.0)?;
    let ratio = match (written, ratio) {
        (Some(written), None) => return Ok(written.value),
        (Some(written), Some(_)) => {
            return Err(written.illegal("`mlp_ratio` is given, too", "keep one of the two"));
        }
        (None, ratio) => ratio.unwrap_or_else(|| section.default("mlp_ratio", 4.0)),
    };
    let hidden = ratio.value * embed as f64;
    if hidden.fract() != 0.0 || !(1.0..=4096.0).contains(&hidden) {
        let rule = format!("mlp_ratio x embed ({embed}) is a whole number of hidden channels in 1..4096, not {hidden}");
        return Err(ratio.illegal(rule, "choose another ratio"));
    }
    Ok(hidden as u64)
}

fn head_dim(section: &mut Section<'_>, embed: u64, heads: &Field<u64>) -> Result<u64, ConfigError> {
    match section.whole("head_dim", 1..=128)? {
        Some(written) => Ok(written.value),
        None if !embed.is_multiple_of(heads.value) => {
            let rule = format!("it divides model.embed ({embed}) unless `head_dim` is given");
            Err(heads.illegal(rule, "write `head_dim` or another number of heads"))
        }
        None if embed / heads.value > 128 => {
            let rule = format!("a head has at most 128 channels, not {}", embed / heads.value);
            Err(heads.illegal(rule, "use more heads"))
        }
        None => Ok(embed / heads.value),
    }
}

fn check_tokens(sides: &[Field<u64>; 2], patch: &Field<u64>) -> Result<(), ConfigError> {
    for side in sides {
        if !side.value.is_multiple_of(patch.value) {
            let rule = format!("the patch size ({}) divides it", patch.value);
            return Err(side.illegal(rule, "choose a multiple"));
        }
    }
    let tokens = (sides[0].value / patch.value) * (sides[1].value / patch.value) + 1;
    if tokens > MAX_TOKENS {
        let rule = format!("the image gives {tokens} tokens, at most {MAX_TOKENS} are supported");
        return Err(patch.illegal(rule, "use larger patches or a smaller image"));
    }
    Ok(())
}

pub(super) fn model(mut section: Section<'_>) -> Result<ModelConfig, ConfigError> {
    let names = [("deit_tiny", Preset::DeitTiny), ("deit_small", Preset::DeitSmall), ("deit_base", Preset::DeitBase)];
    let preset = section.word("preset", &names)?.map(|f| f.value);
    let d = defaults(preset);
    let sides = image_sides(&mut section, d.image)?;
    let channels = size(&mut section, "channels", 4, d.channels)?.value;
    let patch = size(&mut section, "patch", 64, d.patch)?;
    check_tokens(&sides, &patch)?;
    let embed = size(&mut section, "embed", 1024, d.embed)?.value;
    let depth = size(&mut section, "depth", 64, d.depth)?.value;
    let heads = size(&mut section, "heads", 32, d.heads)?;
    let head_dim = head_dim(&mut section, embed, &heads)?;
    let mlp_hidden = hidden(&mut section, embed)?;
    let classes = size(&mut section, "classes", 4096, d.classes)?.value;
    let qkv_bias = section.flag("qkv_bias")?.is_none_or(|f| f.value);
    let eps = section.real("eps", 1e-12..=1e-1)?.map_or(1e-6, |f| f.value);
    let mut gelu = section.child("gelu")?;
    let delta1 = gelu.real("delta1", 0.01..=1.0)?.map_or(1.0, |f| f.value);
    gelu.finish()?;
    let mut softmax = section.child("softmax")?;
    let delta2 = softmax.real("delta2", 0.01..=1.0)?.map_or(1.0, |f| f.value);
    softmax.finish()?;
    section.finish()?;
    Ok(ModelConfig {
        height: sides[0].value as usize,
        width: sides[1].value as usize,
        channels: channels as usize,
        patch: patch.value as usize,
        embed: embed as usize,
        depth: depth as usize,
        heads: heads.value as usize,
        head_dim: head_dim as usize,
        mlp_hidden: mlp_hidden as usize,
        classes: classes as usize,
        qkv_bias,
        eps,
        gelu: GeluConfig { delta1 },
        softmax: SoftmaxConfig { delta2 },
    })
}
