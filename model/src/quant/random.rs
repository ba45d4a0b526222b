//! Random quantized networks with sane activation ranges, for tests of any configuration.

use super::{Block, Dims, GeluParams, Linear, NormParams, PackageRule, QuantNetwork, RowScale, ScoreScale, Selector};
use crate::fixed::{mantissa_exponent, multipliers};
use crate::golden::candidate_scores;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A corner to be exercised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extreme {
    /// Nothing special.
    None,
    /// Weights only -127 and 127.
    FullScaleWeights,
    /// Query weights and biases zero: all scores equal.
    EqualScores,
}

struct Maker {
    rng: ChaCha8Rng,
    extreme: Extreme,
}

impl Maker {
    /// A product whose outputs have a standard deviation of about `target` steps.
    fn linear(&mut self, name: String, inputs: usize, outputs: usize, target: f64) -> Linear {
        self.masked(name, inputs, outputs, target, |_, _| true)
    }

    /// The same with zeros where `live(output, input)` is false.
    fn masked(
        &mut self,
        name: String,
        inputs: usize,
        outputs: usize,
        target: f64,
        live: impl Fn(usize, usize) -> bool,
    ) -> Linear {
        let full = self.extreme == Extreme::FullScaleWeights;
        let mut weight: Vec<i8> = (0..inputs * outputs)
            .map(|_| if full { [-127, 127][self.rng.random_range(0..2)] } else { self.rng.random_range(-127..=127) })
            .collect();
        let dead = |i: &usize| !live(i / inputs, i % inputs);
        (0..weight.len()).filter(dead).for_each(|i| weight[i] = 0);
        let living = (0..inputs).filter(|i| live(0, *i)).count();
        let deviation = 36.0 * if full { 127.0 } else { 73.0 } * (living as f64).sqrt();
        let factors: Vec<f64> = (0..outputs).map(|_| target / deviation * self.rng.random_range(0.5..1.5)).collect();
        let (mult, sel) = multipliers(&factors).expect("the factors are far below 2");
        let spread = (deviation / 2.0) as i32;
        let bias = (0..outputs).map(|_| self.rng.random_range(-spread..=spread)).collect();
        Linear { name, inputs, outputs, weight, bias, mult, sel }
    }

    /// Moves the biases of a product whose inputs have another code of zero than 0.
    fn behind(zero: i32, mut l: Linear) -> Linear {
        for (bias, row) in l.bias.iter_mut().zip(l.weight.chunks(l.inputs)) {
            *bias -= zero * row.iter().map(|w| i32::from(*w)).sum::<i32>();
        }
        l
    }

    fn norm(&mut self, embed: usize) -> NormParams {
        let clip = self.rng.random_range(3.0..5.0);
        let (gain, exponent) = mantissa_exponent(127.0 * embed as f64 / (clip * 64.0)).expect("a positive number");
        NormParams { gain, exponent, eps: self.rng.random_range(1..5000) }
    }

    fn block(&mut self, i: usize, d: &Dims) -> Block {
        let name = |part: &str| format!("blocks.{i}.{part}");
        let mut q = self.linear(name("attn.q"), d.embed, d.attention(), 30.0);
        if self.extreme == Extreme::EqualScores {
            q.weight.fill(0);
            q.bias.fill(0);
        }
        let score = 500.0 / (900.0 * (d.head_dim as f64).sqrt());
        let (mult, sel) = multipliers(&[score.min(1.9)]).expect("below 2");
        let (gain, exponent) = mantissa_exponent(self.rng.random_range(1.0..4.0)).expect("positive");
        let gelu = GeluParams::new(self.rng.random_range(0.01..0.06), if self.rng.random() { 1.0 } else { 0.5 });
        let gelu = gelu.expect("the step is in range");
        Block {
            norm1: self.norm(d.embed),
            q,
            k: self.linear(name("attn.k"), d.embed, d.attention(), 30.0),
            v: self.linear(name("attn.v"), d.embed, d.attention(), 40.0),
            scores: ScoreScale { mult: mult[0], sel },
            attend: RowScale { gain, exponent },
            proj: self.linear(name("attn.proj"), d.attention(), d.embed, 900.0),
            norm2: self.norm(d.embed),
            fc1: self.linear(name("mlp.fc1"), d.embed, d.mlp_hidden, 1500.0),
            gelu,
            fc2: Self::behind(gelu.zero, self.linear(name("mlp.fc2"), d.mlp_hidden, d.embed, 900.0)),
        }
    }
}

impl Maker {
    fn gelu(&mut self) -> GeluParams {
        GeluParams::new(self.rng.random_range(0.01..0.06), 1.0).expect("the step is in range")
    }

    /// A selector whose products are zero off the blocks of the heads; `dims` as [`super::validate`] wants them.
    fn selector(&mut self, block: usize, d: &Dims) -> Selector {
        let name = |part: &str| format!("selectors.{block}.{part}");
        let (dim, half, quarter) = (d.head_dim, d.head_dim / 2, d.head_dim / 4);
        let (locals, hidden) = (d.heads * half, d.weigh_hidden());
        // Means have nearly the codes of what they are of.
        let (gain, exponent) = mantissa_exponent(self.rng.random_range(0.9..1.04)).expect("positive");
        let [local_gelu, mix_gelu, squeeze_gelu, weigh_gelu] = [(); 4].map(|()| self.gelu());
        let mix = self.masked(name("mix"), 2 * locals, locals, 1500.0, |o, i| o / half == i % locals / half);
        let squeeze = self.masked(name("squeeze"), locals, d.heads * quarter, 1500.0, |o, i| o / quarter == i / half);
        let keep = self.masked(name("keep"), d.heads * quarter, d.heads, 400.0, |o, i| o == i / quarter);
        Selector {
            block,
            local: self.masked(name("local"), d.embed, locals, 1500.0, |o, i| o / half == i / dim),
            local_gelu,
            mean: RowScale { gain, exponent },
            mix: Self::behind(local_gelu.zero, mix),
            mix_gelu,
            squeeze: Self::behind(mix_gelu.zero, squeeze),
            squeeze_gelu,
            keep: Self::behind(squeeze_gelu.zero, keep),
            weigh: self.linear(name("weigh"), d.embed, hidden, 1500.0),
            weigh_gelu,
            weight: Self::behind(weigh_gelu.zero, self.linear(name("weight"), hidden, d.heads, 400.0)),
            threshold: 256,
            package: PackageRule::Merged,
        }
    }
}

/// Random images whose scores set the thresholds.
const THRESHOLD_IMAGES: u64 = 8;

/// A network with selectors before the given blocks. Each threshold is the median score of a few random images,
/// so about half of the candidates stay at every stage; the rest of the network is [`random`]'s.
pub fn random_with_selectors(dims: &Dims, blocks: &[usize], seed: u64, extreme: Extreme) -> QuantNetwork {
    let mut network = random(dims, seed, extreme);
    let mut maker = Maker { rng: ChaCha8Rng::seed_from_u64(seed ^ 0x5e1e_c705), extreme };
    network.selectors = blocks.iter().map(|b| maker.selector(*b, dims)).collect();
    let images: Vec<Vec<i8>> = (0..THRESHOLD_IMAGES).map(|i| random_image(dims, seed + i)).collect();
    for stage in 0..blocks.len() {
        let mut candidates = candidate_scores(&network, stage, &images).concat();
        candidates.sort_unstable();
        if let Some(median) = candidates.get(candidates.len() / 2) {
            network.selectors[stage].threshold = *median;
        }
    }
    network
}

/// A network of the given dimensions from a seed.
pub fn random(dims: &Dims, seed: u64, extreme: Extreme) -> QuantNetwork {
    let mut maker = Maker { rng: ChaCha8Rng::seed_from_u64(seed), extreme };
    let mut embed = maker.linear("patch_embed.proj".to_owned(), dims.patch_inputs, dims.embed, 1000.0);
    embed.bias.fill(0);
    let pos = (0..dims.tokens * dims.embed).map(|_| maker.rng.random_range(-3000..=3000)).collect();
    let blocks = (0..dims.depth).map(|i| maker.block(i, dims)).collect();
    QuantNetwork {
        name: format!("random-{seed}"),
        dims: dims.clone(),
        embed,
        pos,
        blocks,
        selectors: Vec::new(),
        norm: maker.norm(dims.embed),
        head: maker.linear("head".to_owned(), dims.embed, dims.classes, 5000.0),
        residual_step: 1.0 / 1024.0,
        logit_step: 1.0 / 1024.0,
    }
}

/// Random patches for a network: `[tokens][patch_inputs]`, row 0 zero.
pub fn random_image(dims: &Dims, seed: u64) -> Vec<i8> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x1ea9_e5ee);
    let mut patches = vec![0; dims.patch_inputs];
    patches.extend((dims.patch_inputs..dims.tokens * dims.patch_inputs).map(|_| rng.random_range(-127..=127i8)));
    patches
}
