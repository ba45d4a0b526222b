//! Selector stages against the definition, written down a second time: loops over heads on the weights as they
//! are in the file. Nothing here knows of folding.

use super::*;
use crate::golden::Trace;
use crate::quant::Dims;
use crate::selector::{HeadWeights, PackageRule, SelectorOptions};
use std::collections::BTreeMap;

fn dims() -> Dims {
    Dims { tokens: 23, patch_inputs: 9, embed: 24, depth: 4, heads: 3, head_dim: 8, mlp_hidden: 28, classes: 5 }
}

fn options(head_weights: HeadWeights, package: PackageRule) -> NetworkOptions {
    let selectors = SelectorOptions { stages: vec![1, 3], head_weights, package };
    NetworkOptions { channels: 1, selectors, ..NetworkOptions::default() }
}

fn patches(seed: usize) -> Vec<f32> {
    let d = dims();
    let value = |i: usize| if i < d.patch_inputs { 0.0 } else { ((i + 977 * seed) as f32 * 1.7).sin() };
    (0..d.tokens * d.patch_inputs).map(value).collect()
}

/// Output `o` of head `h` of a layer stored as `[heads][outputs][inputs]` or `[outputs][inputs]`.
fn layer(l: &HeadLinear, shared: bool, h: usize, o: usize, input: &[f64]) -> f64 {
    let (i, n) = (l.inputs, l.outputs);
    let set = if shared { 0 } else { h };
    let mut sum = f64::from(l.bias[set * n + o]);
    for (c, x) in input.iter().enumerate() {
        sum += f64::from(l.weight[set * n * i + o * i + c]) * x;
    }
    sum
}

fn gelu(x: f64) -> f64 {
    0.5 * x * (1.0 + libm::erf(x / 2f64.sqrt()))
}

/// Scores of the rows by the definition.
fn scores(s: &FloatSelector, shared: bool, x: &[Vec<f64>]) -> Vec<f64> {
    let (heads, dim) = (3, 8);
    let normed: Vec<Vec<f64>> = x
        .iter()
        .map(|row| {
            let mean = row.iter().sum::<f64>() / row.len() as f64;
            let variance = row.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / row.len() as f64;
            row.iter().map(|v| (v - mean) / (variance + 1e-6).sqrt()).collect()
        })
        .collect();
    let part = |r: usize, h: usize| normed[r][h * dim..(h + 1) * dim].to_vec();
    // Keep probabilities, head by head.
    let mut t: Vec<Vec<f64>> = Vec::new();
    for h in 0..heads {
        let local: Vec<Vec<f64>> =
            (0..x.len()).map(|r| (0..4).map(|o| gelu(layer(&s.mlp1, shared, h, o, &part(r, h)))).collect()).collect();
        let mut global = vec![0.0; 4];
        for row in &local[1..] {
            for (g, v) in global.iter_mut().zip(row) {
                *g += v / (x.len() - 1) as f64;
            }
        }
        let mut probabilities = Vec::new();
        for own in &local {
            let input: Vec<f64> = own.iter().chain(&global).copied().collect();
            let a: Vec<f64> = (0..4).map(|o| gelu(layer(&s.mlp2[0], shared, h, o, &input))).collect();
            let b: Vec<f64> = (0..2).map(|o| gelu(layer(&s.mlp2[1], shared, h, o, &a))).collect();
            let [keep, drop] = [0, 1].map(|o| layer(&s.mlp2[2], shared, h, o, &b));
            probabilities.push(keep.exp() / (keep.exp() + drop.exp()));
        }
        t.push(probabilities);
    }
    (0..x.len())
        .map(|r| {
            let means: Vec<f64> = (0..heads).map(|h| part(r, h).iter().sum::<f64>() / dim as f64).collect();
            let product = |l: &FloatLinear, o: usize, x: &[f64]| {
                (0..x.len()).map(|i| f64::from(l.weight[o * x.len() + i]) * x[i]).sum::<f64>() + f64::from(l.bias[o])
            };
            let hidden = [gelu(product(&s.mlp3[0], 0, &means))];
            let a: Vec<f64> = (0..heads).map(|h| 1.0 / (1.0 + (-product(&s.mlp3[1], h, &hidden)).exp())).collect();
            (0..heads).map(|h| t[h][r] * a[h]).sum::<f64>() / a.iter().sum::<f64>()
        })
        .collect()
}

fn rows(trace: &Trace<f32>, name: &str) -> Vec<Vec<f64>> {
    let t = trace.get(name).unwrap_or_else(|| panic!("{name}"));
    t.data.chunks(t.cols).map(|r| r.iter().map(|v| f64::from(*v)).collect()).collect()
}

fn close(a: &[Vec<f64>], b: &[Vec<f64>], what: &str) {
    assert_eq!(a.len(), b.len(), "{what}");
    for (x, y) in a.iter().flatten().zip(b.iter().flatten()) {
        assert!((x - y).abs() < 2e-5, "{what}: {x} {y}");
    }
}

/// Checks all stages of a run; returns how many packages were merged into another.
fn follow(network: &FloatNetwork, shared: bool, packages: bool, trace: &Trace<f32>) -> usize {
    let (mut carried, mut merged): (Option<f64>, usize) = (None, 0);
    for (stage, s) in network.selectors.iter().enumerate() {
        let b = s.block;
        let mut x = rows(trace, &format!("blocks.{}.residual", b - 1));
        let incoming = carried.map(|w| (x.pop().unwrap(), w));
        let scores = scores(s, shared, &x);
        let as_rows: Vec<Vec<f64>> = scores.iter().map(|s| vec![*s]).collect();
        close(&rows(trace, &format!("selectors.{b}.score")), &as_rows, "score");
        let stays = |i: usize| i == 0 || scores[i] >= f64::from(s.threshold);
        let mut expected: Vec<Vec<f64>> = (0..x.len()).filter(|i| stays(*i)).map(|i| x[i].clone()).collect();
        let kept = expected.len();
        let mut dropped: Vec<(&[f64], f64)> =
            (0..x.len()).filter(|i| !stays(*i)).map(|i| (&x[i][..], scores[i])).collect();
        if !packages {
            assert!(incoming.is_none());
        } else if dropped.is_empty() {
            expected.extend(incoming.map(|(row, _)| row));
        } else {
            merged += usize::from(incoming.is_some());
            dropped.extend(incoming.as_ref().map(|(row, w)| (&row[..], *w)));
            let total: f64 = dropped.iter().map(|(_, w)| w).sum();
            expected.push((0..24).map(|c| dropped.iter().map(|(row, w)| row[c] * w).sum::<f64>() / total).collect());
            carried = Some(total);
        }
        close(&rows(trace, &format!("selectors.{b}.tokens")), &expected, "tokens");
        let counts = trace.stages[stage];
        assert_eq!((counts.tokens, counts.candidates_and_class), (expected.len(), kept));
    }
    merged
}

#[test]
fn stages_follow_the_definition() {
    let mut merged = 0;
    for (head_weights, package) in [
        (HeadWeights::Separate, PackageRule::Merged),
        (HeadWeights::Shared, PackageRule::Merged),
        (HeadWeights::Separate, PackageRule::None),
    ] {
        for seed in 0..4 {
            let network = FloatNetwork::random(&dims(), &options(head_weights, package), seed);
            for image in 0..3 {
                let trace = forward(&network, Engine::Exact, &patches(image));
                let packages = package == PackageRule::Merged;
                merged += follow(&network, head_weights == HeadWeights::Shared, packages, &trace);
            }
        }
    }
    assert!(merged > 5, "{merged} packages were merged");
}

/// From any place on, with the decisions before it, the logits are those of the whole run.
#[test]
fn a_run_can_be_resumed_anywhere() {
    for package in [PackageRule::Merged, PackageRule::None] {
        let network = fold(&FloatNetwork::random(&dims(), &options(HeadWeights::Separate, package), 2));
        let trace = forward_folded(&network, Engine::Poly, &patches(0));
        let tensor = |name: &str| trace.get(name).unwrap().data.clone();
        let mut decided = BTreeMap::new();
        let equal = |place, x, decided: &BTreeMap<usize, Decision>| {
            let logits = resume(&network, Engine::Poly, place, x, decided);
            let pairs = logits.iter().zip(trace.logits());
            assert!(pairs.clone().all(|(a, b)| (a - b).abs() < 1e-5), "{place:?}: {pairs:?}");
        };
        let mut stream = "embed".to_owned();
        for i in 0..network.blocks.len() {
            equal((i, Half::Attention), tensor(&stream), &decided);
            decided.extend(Decision::of(&trace, i).map(|decision| (i, decision)));
            equal((i, Half::Attention), tensor(&stream), &decided);
            equal((i, Half::Mlp), tensor(&format!("blocks.{i}.attn.residual")), &decided);
            stream = format!("blocks.{i}.residual");
        }
        assert_eq!(decided.len(), 2);
        assert!(decided.values().any(|d| d.mask.contains(&false)));
    }
}

#[test]
fn random_selectors_decide_both_ways() {
    let (mut kept, mut all) = (0, 0);
    for seed in 0..10 {
        let network = FloatNetwork::random(&dims(), &options(HeadWeights::Separate, PackageRule::Merged), seed);
        let trace = forward(&network, Engine::Exact, &patches(1));
        kept += trace.stages[0].candidates_and_class - 1;
        all += 22;
    }
    assert!((all / 5..all * 4 / 5).contains(&kept), "{kept} of {all}");
}

#[test]
fn all_dropped_none_dropped_and_zero_scores() {
    let mut network = FloatNetwork::random(&dims(), &options(HeadWeights::Separate, PackageRule::Merged), 5);
    for (thresholds, expected) in [([0.0, 0.0], [23, 23]), ([1.0, 0.0], [2, 2]), ([0.0, 1.0], [23, 2])] {
        network.selectors.iter_mut().zip(thresholds).for_each(|(s, t)| s.threshold = t);
        for engine in [Engine::Exact, Engine::Poly] {
            let trace = forward(&network, engine, &patches(2));
            assert_eq!(trace.stages.iter().map(|s| s.tokens).collect::<Vec<_>>(), expected);
        }
    }
    // Drop logits so large that PLAN is 0 everywhere: the package is the plain mean.
    network.selectors[0].threshold = 0.5;
    network.selectors[0].mlp2[2].bias.iter_mut().skip(1).step_by(2).for_each(|b| *b = 1000.0);
    let trace = forward(&network, Engine::Poly, &patches(2));
    assert!(rows(&trace, "selectors.1.score").iter().flatten().all(|s| *s == 0.0));
    let x = rows(&trace, "blocks.0.residual");
    let mean = (0..24).map(|c| x[1..].iter().map(|r| r[c]).sum::<f64>() / 22.0).collect();
    close(&rows(&trace, "selectors.1.package"), &[mean], "package");
}

#[test]
fn ties_stay() {
    let mut network = FloatNetwork::random(&dims(), &options(HeadWeights::Shared, PackageRule::Merged), 5);
    for s in &mut network.selectors {
        s.mlp2[2].weight.fill(0.0);
        s.mlp2[2].bias.fill(0.7);
    }
    let trace = forward(&network, Engine::Exact, &patches(2));
    assert_eq!(trace.stages.iter().map(|s| s.tokens).collect::<Vec<_>>(), [23, 23]);
}
