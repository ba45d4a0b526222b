//! Whole networks: living tensors, and of pruned runs counts, compaction and packages.

use super::selector::{decide, package, score};
use super::{Trace, candidate_scores, run};
use crate::quant::{Dims, Extreme, PackageRule, QuantNetwork, random, random_image, random_with_selectors, validate};

fn dims() -> Dims {
    Dims { tokens: 22, patch_inputs: 12, embed: 48, depth: 4, heads: 3, head_dim: 16, mlp_hidden: 80, classes: 5 }
}

fn counts(trace: &Trace) -> Vec<(usize, usize)> {
    trace.stages.iter().map(|s| (s.tokens, s.candidates_and_class)).collect()
}

fn with_thresholds(first: u32, second: u32) -> QuantNetwork {
    let mut network = random_with_selectors(&dims(), &[1, 3], 3, Extreme::None);
    network.selectors[0].threshold = first;
    network.selectors[1].threshold = second;
    network
}

#[test]
fn random_selectors_drop_about_half_and_differ_by_image() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..6 {
        let network = random_with_selectors(&dims(), &[0, 2, 3], seed, Extreme::None);
        validate(&network).unwrap();
        let mut kept = 0;
        for image in 0..10 {
            let trace = run(&network, &random_image(&dims(), image));
            kept += trace.stages[0].candidates_and_class - 1;
            seen.insert(counts(&trace));
        }
        assert!((70..=140).contains(&kept), "seed {seed}: {kept} of 210 stay");
    }
    assert!(seen.len() > 20, "{} outcomes", seen.len());
}

#[test]
fn all_and_none_dropped_at_each_stage() {
    let expected = [
        ((0, 0), [(22, 22), (22, 22)]),
        ((513, 0), [(2, 1), (2, 1)]),
        ((0, 513), [(22, 22), (2, 1)]),
        ((513, 513), [(2, 1), (2, 1)]),
    ];
    for ((first, second), counts_expected) in expected {
        let network = with_thresholds(first, second);
        let trace = run(&network, &random_image(&dims(), 1));
        assert_eq!(counts(&trace), counts_expected);
        let made = |b: usize| trace.get(&format!("selectors.{b}.package")).is_some();
        // With nothing but the class token left there is nothing to drop, and the package moves along.
        assert_eq!((made(1), made(3)), (first > 0, first == 0 && second > 0));
        for i in 0..4 {
            let rows = if i == 0 { 22 } else { counts_expected[usize::from(i == 3)].0 };
            assert_eq!(trace.get(&format!("blocks.{i}.residual")).unwrap().rows, rows);
            assert_eq!(trace.get(&format!("blocks.{i}.attn.scores.2")).unwrap().cols, rows);
        }
    }
}

#[test]
fn dropped_tokens_vanish_without_a_package() {
    let mut network = with_thresholds(513, 513);
    network.selectors.iter_mut().for_each(|s| s.package = PackageRule::None);
    let trace = run(&network, &random_image(&dims(), 1));
    assert_eq!(counts(&trace), [(1, 1), (1, 1)]);
    assert!(trace.tensors.iter().all(|t| !t.name.ends_with(".package")));
}

#[test]
fn nothing_dropped_is_the_dense_network() {
    let network = with_thresholds(0, 0);
    let image = random_image(&dims(), 5);
    let pruned = run(&network, &image);
    let dense = run(&QuantNetwork { selectors: Vec::new(), ..network }, &image);
    let shared: Vec<_> = pruned.tensors.iter().filter(|t| !t.name.starts_with("selectors.")).collect();
    assert_eq!(shared, dense.tensors.iter().collect::<Vec<_>>());
}

/// Masks, packages and tokens follow from the recorded logits alone, over two stages.
#[test]
fn the_stream_after_a_stage_follows_from_the_recorded_tensors() {
    let network = random_with_selectors(&dims(), &[1, 3], 8, Extreme::None);
    let d = dims();
    let mut merged = 0;
    for image in 0..20 {
        let trace = run(&network, &random_image(&d, image));
        let get = |name: String| &trace.get(&name).unwrap_or_else(|| panic!("{name}")).data;
        let mut weight = None;
        for s in &network.selectors {
            let b = s.block;
            let input = get(format!("blocks.{}.residual", b - 1));
            let logits =
                get(format!("selectors.{b}.keep")).chunks(3).zip(get(format!("selectors.{b}.weight")).chunks(3));
            let scores: Vec<u32> = logits.map(|(k, w)| score(k, w)).collect();
            assert_eq!(scores.len(), input.len() / d.embed - usize::from(weight.is_some()));
            let mask = decide(&scores, s.threshold);
            let mut expected: Vec<i32> = Vec::new();
            for (row, _) in input.chunks(d.embed).zip(&mask).filter(|(_, kept)| **kept) {
                expected.extend(row);
            }
            if let Some(made) = package(input, d.embed, &scores, &mask, weight) {
                merged += usize::from(weight.is_some());
                weight = Some(made.weight);
                expected.extend(made.row);
            } else if weight.is_some() {
                expected.extend(&input[scores.len() * d.embed..]);
            }
            assert_eq!(*get(format!("selectors.{b}.tokens")), expected);
        }
    }
    assert!(merged > 10, "{merged} packages were merged");
}

#[test]
fn candidate_scores_are_those_of_whole_runs() {
    let network = random_with_selectors(&dims(), &[1, 3], 8, Extreme::None);
    let images: Vec<_> = (0..6).map(|i| random_image(&dims(), i)).collect();
    for (stage, s) in network.selectors.iter().enumerate() {
        let scores = candidate_scores(&network, stage, &images);
        for (image, scores) in images.iter().zip(scores) {
            let trace = run(&network, image);
            let whole = &trace.get(&format!("selectors.{}.score", s.block)).unwrap().data[1..];
            assert!(whole.iter().map(|s| *s as u32).eq(scores));
        }
    }
    assert!(candidate_scores(&network, 2, &images).is_empty());
}

#[test]
fn random_networks_have_living_tensors() {
    let dims =
        Dims { tokens: 7, patch_inputs: 12, embed: 48, depth: 3, heads: 3, head_dim: 16, mlp_hidden: 80, classes: 5 };
    for seed in 0..5 {
        let network = random(&dims, seed, Extreme::None);
        validate(&network).unwrap();
        let trace = run(&network, &random_image(&dims, seed));
        for t in trace.tensors.iter().filter(|t| t.data.len() > 20) {
            let zero = t.data.iter().filter(|v| **v == 0).count();
            let full = t.data.iter().filter(|v| v.abs() == 127 || v.abs() == 32767).count();
            assert!(zero * 4 < t.data.len() * 3 || t.name.contains("exp"), "{} is mostly zero", t.name);
            assert!(full * 2 < t.data.len(), "{} is mostly saturated", t.name);
        }
    }
}

#[test]
fn equal_scores_average_the_values() {
    let dims =
        Dims { tokens: 5, patch_inputs: 4, embed: 32, depth: 1, heads: 2, head_dim: 16, mlp_hidden: 32, classes: 2 };
    let trace = run(&random(&dims, 1, Extreme::EqualScores), &random_image(&dims, 1));
    assert!(trace.get("blocks.0.attn.exp.0").unwrap().data.iter().all(|e| *e == 127));
    let o = trace.get("blocks.0.attn.o").unwrap();
    assert!(o.data.chunks(o.cols).all(|row| row == &o.data[..o.cols]), "every token sees the same mean");
}
