//! Weights that everybody can make again: `scripts/oracle/seeded.py` makes the same and says how.

use heatvit_model::config::Config;
use heatvit_model::float::{FloatBlock, FloatLinear, FloatNetwork, FloatNorm};

fn fnv1a(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Output `i` of SplitMix64 with this seed, from 0.
fn split_mix(seed: u64, i: u64) -> u64 {
    let z = seed.wrapping_add((i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn tensor(name: &str, count: usize, centre: f64, spread: f64) -> Vec<f32> {
    let seed = fnv1a(name);
    let uniform = |i| (split_mix(seed, i) >> 40) as f64 / f64::from(1 << 23) - 1.0;
    (0..count as u64).map(|i| (centre + spread * uniform(i)) as f32).collect()
}

fn linear(name: &str, inputs: usize, outputs: usize, gain: f64) -> FloatLinear {
    let spread = gain * (3.0 / inputs as f64).sqrt();
    FloatLinear {
        inputs,
        outputs,
        weight: tensor(&format!("{name}.weight"), inputs * outputs, 0.0, spread),
        bias: tensor(&format!("{name}.bias"), outputs, 0.0, 0.2),
    }
}

fn norm(name: &str, channels: usize) -> FloatNorm {
    FloatNorm {
        gain: tensor(&format!("{name}.weight"), channels, 1.0, 0.5),
        bias: tensor(&format!("{name}.bias"), channels, 0.0, 0.3),
    }
}

/// The seeded network of a configuration, as a checkpoint has it.
pub fn network(config: &Config) -> FloatNetwork {
    let d = config.model.dims();
    let block = |i: usize| {
        let at = |part: &str| format!("blocks.{i}.{part}");
        FloatBlock {
            norm1: norm(&at("norm1"), d.embed),
            qkv: linear(&at("attn.qkv"), d.embed, 3 * d.attention(), 1.0),
            proj: linear(&at("attn.proj"), d.attention(), d.embed, 0.7),
            norm2: norm(&at("norm2"), d.embed),
            fc1: linear(&at("mlp.fc1"), d.embed, d.mlp_hidden, 1.0),
            fc2: linear(&at("mlp.fc2"), d.mlp_hidden, d.embed, 0.7),
        }
    };
    FloatNetwork {
        options: config.network_options(),
        cls_token: tensor("cls_token", d.embed, 0.0, 0.5),
        pos_embed: tensor("pos_embed", d.tokens * d.embed, 0.0, 0.5),
        patch_embed: linear("patch_embed.proj", d.patch_inputs, d.embed, 1.0),
        blocks: (0..d.depth).map(block).collect(),
        norm: norm("norm", d.embed),
        head: linear("head", d.embed, d.classes, 1.0),
        selectors: Vec::new(),
        dims: d,
    }
}
