//! Selectors in integers: against the polynomial float engine, in the file, and what is refused.

use super::file::{Origin, from_bytes, to_bytes};
use super::spread::spread;
use super::*;
use crate::float::{Engine, FloatNetwork, NetworkOptions, forward_folded};
use crate::golden::selector::{global_mean, score};
use crate::golden::{Trace, product, run};
use crate::image::dequantize;
use crate::layernorm::layernorm;
use crate::poly::gelu::gelu;
use crate::poly::recip::recip_table;
use crate::poly::rsqrt::rsqrt_table;
use crate::selector::{HeadWeights, SelectorOptions};
use std::collections::BTreeMap;

fn dims() -> Dims {
    Dims { tokens: 37, patch_inputs: 16, embed: 64, depth: 5, heads: 4, head_dim: 16, mlp_hidden: 128, classes: 10 }
}

fn options(head_weights: HeadWeights) -> NetworkOptions {
    let selectors = SelectorOptions { stages: vec![2, 4], head_weights, package: PackageRule::Merged };
    NetworkOptions { channels: 1, selectors, ..NetworkOptions::default() }
}

fn quantized(head_weights: HeadWeights, seed: u64) -> (FloatNetwork, Quantized) {
    let network = FloatNetwork::random(&dims(), &options(head_weights), seed);
    let images: Vec<Vec<f32>> = (30..62).map(|i| dequantize(&random_image(&dims(), i))).collect();
    let quantized = quantize(&network, "test", &images).unwrap();
    (network, quantized)
}

/// Power and squared error by kind of tensor, over all stages that were looked at.
type Sums = BTreeMap<String, (f64, f64)>;

/// A stage on the reference's tensors, operator by operator.
struct Probe<'a> {
    reference: &'a Trace<f32>,
    q: &'a Quantized,
    sums: &'a mut Sums,
}

impl Probe<'_> {
    fn integers(&self, name: &str, bits: u32) -> Vec<i32> {
        self.q.integers(name, &self.reference.get(name).unwrap_or_else(|| panic!("{name}")).data, bits)
    }

    fn check(&mut self, name: &str, got: &[i32]) {
        let real = &self.reference.get(name).unwrap().data;
        assert_eq!(real.len(), got.len(), "{name}");
        let kind = name.rsplit('.').next().unwrap().to_owned();
        let (power, error) = self.sums.entry(kind).or_default();
        *power += real.iter().map(|r| f64::from(*r).powi(2)).sum::<f64>();
        *error += real.iter().zip(self.q.reals(name, got)).map(|(r, g)| (f64::from(*r) - g).powi(2)).sum::<f64>();
    }

    fn stage(&mut self, s: &Selector) {
        let at = |part: &str| format!("selectors.{}.{part}", s.block);
        let input = self.integers(&format!("blocks.{}.residual", s.block - 1), 16);
        let normed = self.integers(&at("norm"), 8);
        let params = &self.q.network.blocks[s.block].norm1;
        let rows = input.chunks(dims().embed).take(normed.len() / dims().embed);
        let norm: Vec<i32> = rows.flat_map(|row| layernorm(row, params, &rsqrt_table())).collect();
        self.check(&at("norm"), &norm);
        let activated = |x: &[i32], l: &Linear, p: &GeluParams| -> Vec<i32> {
            product::linear(x, l, 16).iter().map(|v| gelu(*v, p)).collect()
        };
        self.check(&at("local"), &activated(&normed, &s.local, &s.local_gelu));
        let local = self.integers(&at("local"), 8);
        let width = s.local.outputs;
        // Without candidates there is no mean, and the code 0 stands for nothing.
        if local.len() > width {
            self.check(&at("global"), &global_mean(&local, width, s.mean, &recip_table()));
        }
        let global = self.integers(&at("global"), 8);
        let both: Vec<i32> = local.chunks(width).flat_map(|row| row.iter().chain(&global)).copied().collect();
        self.check(&at("mix"), &activated(&both, &s.mix, &s.mix_gelu));
        let mix = self.integers(&at("mix"), 8);
        self.check(&at("squeeze"), &activated(&mix, &s.squeeze, &s.squeeze_gelu));
        self.check(&at("keep"), &product::linear(&self.integers(&at("squeeze"), 8), &s.keep, 16));
        self.check(&at("weigh"), &activated(&normed, &s.weigh, &s.weigh_gelu));
        self.check(&at("weight"), &product::linear(&self.integers(&at("weigh"), 8), &s.weight, 16));
        let (keep, weight) = (self.integers(&at("keep"), 16), self.integers(&at("weight"), 16));
        let scores: Vec<i32> = keep.chunks(4).zip(weight.chunks(4)).map(|(k, w)| score(k, w) as i32).collect();
        self.check(&at("score"), &scores);
    }
}

/// Over all rows: a single stage may have few of them, and all of those in the flat part of GELU.
#[test]
fn every_operator_of_a_selector_reaches_30_db() {
    let mut sums = Sums::new();
    for (head_weights, seed) in [(HeadWeights::Separate, 1), (HeadWeights::Separate, 2), (HeadWeights::Shared, 3)] {
        let (network, q) = quantized(head_weights, seed);
        for image in 20..23 {
            let reference = forward_folded(&spread(&network), Engine::Poly, &dequantize(&random_image(&dims(), image)));
            let mut probe = Probe { reference: &reference, q: &q, sums: &mut sums };
            q.network.selectors.iter().for_each(|s| probe.stage(s));
        }
    }
    let kinds: Vec<&str> = sums.keys().map(String::as_str).collect();
    assert_eq!(kinds, ["global", "keep", "local", "mix", "norm", "score", "squeeze", "weigh", "weight"]);
    for (kind, (power, error)) in sums {
        let db = 10.0 * (power / error).log10();
        assert!(db >= 30.0, "{kind}: {db:.1} dB");
    }
}

/// Decisions of whole integer networks, as long as the rows before the stage are the same ones.
#[test]
fn integers_and_polynomials_agree_about_nearly_all_rows() {
    let (mut same, mut total, mut dropped) = (0, 0, 0);
    for seed in 0..6 {
        let (network, q) = quantized(if seed % 2 == 0 { HeadWeights::Separate } else { HeadWeights::Shared }, seed);
        let folded = spread(&network);
        for image in 10..30 {
            let image = random_image(&dims(), image);
            let reference = forward_folded(&folded, Engine::Poly, &dequantize(&image));
            let trace = run(&q.network, &image);
            let mask = |b: usize| trace.get(&format!("selectors.{b}.mask")).unwrap();
            let wanted = |b: usize| &reference.get(&format!("selectors.{b}.mask")).unwrap().data;
            for b in [2, 4] {
                let pairs = mask(b).data.iter().zip(wanted(b)).skip(1);
                let equal = pairs.filter(|(a, b)| **a == **b as i32).count();
                dropped += wanted(b).iter().filter(|m| **m == 0.0).count();
                same += equal;
                total += wanted(b).len() - 1;
                if equal != wanted(b).len() - 1 {
                    break;
                }
            }
            assert!(trace.tensors.iter().all(|t| q.steps.contains_key(&t.name)), "every tensor has a step");
        }
    }
    println!("{same} of {total} decisions agree, {dropped} dropped");
    assert!(same * 100 >= total * 98, "{same} of {total} decisions agree");
    assert!((total / 5..total * 4 / 5).contains(&dropped), "{dropped} of {total} dropped");
}

fn file_dims() -> Dims {
    Dims { tokens: 6, patch_inputs: 4, embed: 16, depth: 3, heads: 2, head_dim: 8, mlp_hidden: 20, classes: 3 }
}

fn network() -> QuantNetwork {
    random_with_selectors(&file_dims(), &[0, 2], 11, Extreme::None)
}

#[test]
fn selectors_survive_the_quantized_file() {
    let mut network = network();
    network.selectors[1].threshold = 513;
    let (mean, deviation) = (vec![0.5], vec![0.5]);
    let origin = Origin { height: 10, width: 2, channels: 1, patch: 2, mean, deviation, eps: 1e-6, delta1: 1.0 };
    for package in [PackageRule::Merged, PackageRule::None] {
        network.selectors.iter_mut().for_each(|s| s.package = package);
        let bytes = to_bytes(&network, &origin).unwrap();
        assert_eq!(from_bytes(&bytes).unwrap().network, network);
        assert_eq!(bytes, to_bytes(&network, &origin).unwrap());
    }
    let names: Vec<&str> = network.linears().iter().map(|l| l.name.as_str()).collect();
    assert_eq!(
        names[names.len() - 13..names.len() - 6].join(" "),
        "head selectors.0.local selectors.0.mix \
        selectors.0.squeeze selectors.0.keep selectors.0.weigh selectors.0.weight"
    );
    assert_eq!(names.last(), Some(&"selectors.2.weight"));
}

fn refusal(edit: impl Fn(&mut QuantNetwork)) -> String {
    let mut network = network();
    edit(&mut network);
    validate(&network).unwrap_err().to_string()
}

#[test]
fn illegal_selectors_are_refused() {
    assert_eq!(validate(&network()), Ok(()));
    let end = "correct it or remove the selectors";
    assert_eq!(
        refusal(|n| n.selectors[1].threshold = 514),
        "`selectors.2.threshold` is 514, the largest legal value is 513; quantize the network again"
    );
    assert_eq!(
        refusal(|n| n.selectors[1].block = 3),
        "`selectors[1].block` is 3, the largest legal value is 2; quantize the network again"
    );
    let rise = format!("`selectors.0` does not suit token selectors: blocks of selectors rise, one each; {end}");
    assert_eq!(refusal(|n| n.selectors.swap(0, 1)), rise);
    assert_eq!(refusal(|n| n.selectors[1].block = 0), rise);
    assert_eq!(
        refusal(|n| n.selectors[1].package = PackageRule::None),
        format!("`selectors.2.package` does not suit token selectors: all stages treat dropped tokens alike; {end}")
    );
    assert_eq!(
        refusal(|n| n.selectors[0].mix.weight.truncate(100)),
        "tensor `selectors.0.mix.weight` has 100 elements, 128 are needed; quantize the network again"
    );
    assert_eq!(
        refusal(|n| n.selectors[0].keep.bias[1] = 1 << 26).split(',').next().unwrap(),
        "output 1 of `selectors.0.keep` can reach 67129343"
            .replace("67129343", &(127 * weights(&network().selectors[0].keep, 1) + (1 << 26)).to_string())
    );
    assert!(refusal(|n| n.selectors[0].local.weight[0] = -128).contains("`selectors.0.local.weight` holds the weight"));
    assert!(refusal(|n| n.selectors[0].mean.exponent = 64).contains("|selectors.0.mean.exponent|"));
    assert!(refusal(|n| n.selectors[0].weigh_gelu.shift = 16).contains("selectors.0.weigh_gelu.shift"));
    assert!(refusal(|n| n.selectors[0].mix_gelu.zero = -128).contains("`|selectors.0.mix_gelu.zero|` is 128"));
    assert!(refusal(|n| n.selectors = vec![n.selectors[0].clone(); 9]).contains("selectors (stages)"));
    let odd = Dims { embed: 12, heads: 2, head_dim: 6, ..file_dims() };
    let mut network = random(&odd, 1, Extreme::None);
    network.selectors = self::network().selectors;
    assert!(validate(&network).unwrap_err().to_string().contains("it is a multiple of 4"));
    let apart = Dims { heads: 3, ..file_dims() };
    let mut network = random(&apart, 1, Extreme::None);
    network.selectors = self::network().selectors;
    assert!(validate(&network).unwrap_err().to_string().contains("it is heads x head_dim"));
}

fn weights(l: &Linear, output: usize) -> i64 {
    l.weight[output * l.inputs..(output + 1) * l.inputs].iter().map(|w| i64::from(w.unsigned_abs())).sum()
}
