//! The third phase: thresholds for the network that is built. Scores crowd around one half, and quantization shifts
//! them; a threshold that is chosen on the integer model leaves as many tokens as were asked for.

use std::thread::scope;

use heatvit_model::data::{CANVAS, PATCH, PATCHES, Sample};
use heatvit_model::golden::selector::SCORE_ONE;
use heatvit_model::golden::{Divide, Model, StageCounts, Trace};
use heatvit_model::image::{ImageShape, patches};
use heatvit_model::quant::QuantNetwork;
use serde::Serialize;

use crate::export::with_thresholds;
use crate::shards::{SHARDS, join};
use crate::survey::{Outlook, Survey};
use crate::{SelectorSpec, TrainError};

/// A survey of the integer model, with its work.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IntegerSurvey {
    /// Accuracy and tokens.
    #[serde(flatten)]
    pub survey: Survey,
    /// Mean multiply-accumulates of all matrix products of a picture, selectors included.
    pub macs_mean: f64,
}

/// Chooses the thresholds of `tuned`, a file of [`crate::fine_tune`], in 1/512: one stage after the other, so that on
/// `samples` each leaves its target on average. `quantize` turns a file into the integer network.
pub(crate) fn choose_thresholds<E: From<TrainError>>(
    tuned: &[u8],
    spec: &SelectorSpec,
    samples: &[Sample],
    quantize: &mut dyn FnMut(&[u8]) -> Result<QuantNetwork, E>,
) -> Result<Vec<u32>, E> {
    let mut thresholds = vec![SCORE_ONE / 2; spec.stages.len()];
    for (stage, (block, target)) in spec.stages.iter().zip(&spec.targets).enumerate() {
        let network = quantize(&with_thresholds(tuned, &spec.stages, &thresholds, None)?)?;
        let name = format!("selectors.{block}.score");
        let scores = each(&network, samples, |_, trace| {
            let scores = trace.get(&name).map_or(&[][..], |t| &t.data);
            // The class token is no candidate.
            scores.iter().skip(1).map(|s| *s as u32).collect::<Vec<u32>>()
        })?;
        thresholds[stage] = choose(&scores.concat(), target * (samples.len() * PATCHES) as f64);
    }
    Ok(thresholds)
}

/// The threshold that keeps nearest to `target` of the scores; of equals the one nearest to one half.
fn choose(scores: &[u32], target: f64) -> u32 {
    let mut reaching = vec![0usize; SCORE_ONE as usize + 2];
    scores.iter().for_each(|score| reaching[(*score).min(SCORE_ONE) as usize] += 1);
    for threshold in (0..=SCORE_ONE as usize).rev() {
        reaching[threshold] += reaching[threshold + 1];
    }
    let distance = |threshold: &u32| (reaching[*threshold as usize] as f64 - target).abs();
    let thresholds = (0..=SCORE_ONE).min_by(|a, b| {
        let order = distance(a).total_cmp(&distance(b));
        order.then(a.abs_diff(SCORE_ONE / 2).cmp(&b.abs_diff(SCORE_ONE / 2)))
    });
    thresholds.unwrap_or(SCORE_ONE / 2)
}

/// Runs the integer model, dense or pruned, on `samples`.
///
/// # Errors
/// A network for pictures of another shape.
pub fn integer_survey(network: &QuantNetwork, samples: &[Sample]) -> Result<IntegerSurvey, TrainError> {
    let results = each(network, samples, |network, trace| {
        let outlook =
            Outlook { logits: trace.logits().iter().map(|l| *l as f32).collect(), kept: kept(network, trace) };
        (outlook, macs(network, &trace.stages))
    })?;
    let (outlooks, macs): (Vec<_>, Vec<_>) = results.into_iter().unzip();
    let macs_mean = macs.iter().sum::<u64>() as f64 / macs.len().max(1) as f64;
    Ok(IntegerSurvey { survey: Survey::new(samples, &outlooks), macs_mean })
}

/// `of` for each sample's run, in their order, on two threads.
fn each<T: Send>(
    network: &QuantNetwork,
    samples: &[Sample],
    of: impl Fn(&QuantNetwork, &Trace) -> T + Sync,
) -> Result<Vec<T>, TrainError> {
    let model = Model::new(network);
    let image = ImageShape { height: CANVAS, width: CANVAS, channels: 1, patch: PATCH };
    let one = |sample: &Sample| {
        let patches = patches(&sample.pixels, &image).map_err(|e| TrainError::Picture(e.to_string()))?;
        Ok(of(network, &model.run(&patches, Divide::Images)))
    };
    scope(|scope| {
        let one = &one;
        let work = samples.chunks(samples.len().div_ceil(SHARDS).max(1));
        let work = work.map(|part| scope.spawn(move || part.iter().map(one).collect::<Result<Vec<T>, TrainError>>()));
        let parts = join(work.collect()).into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(parts.into_iter().flatten().collect())
    })
}

/// The patches that are left after each stage. A stage's mask has a row for the class token and for each candidate
/// that the stage before left.
fn kept(network: &QuantNetwork, trace: &Trace) -> Vec<[bool; PATCHES]> {
    let mut left: Vec<usize> = (0..PATCHES).collect();
    let mut stages = Vec::with_capacity(network.selectors.len());
    for selector in &network.selectors {
        let mask = trace.get(&format!("selectors.{}.mask", selector.block)).map_or(&[][..], |t| &t.data);
        let candidates = left.iter().zip(mask.iter().skip(1));
        left = candidates.filter(|(_, kept)| **kept != 0).map(|(patch, _)| *patch).collect();
        let mut kept = [false; PATCHES];
        left.iter().for_each(|patch| kept[*patch] = true);
        stages.push(kept);
    }
    stages
}

/// Multiply-accumulates of a picture: rows x inputs x outputs of every product, the zeros of block-diagonal weights
/// included, as the accelerator computes them.
fn macs(network: &QuantNetwork, stages: &[StageCounts]) -> u64 {
    let d = &network.dims;
    let products = |list: &[&heatvit_model::quant::Linear]| list.iter().map(|l| l.inputs * l.outputs).sum::<usize>();
    let mut rows = StageCounts { tokens: d.tokens, candidates_and_class: d.tokens };
    let mut sum = rows.tokens * products(&[&network.embed]) + products(&[&network.head]);
    let mut stages = network.selectors.iter().zip(stages).peekable();
    for (index, b) in network.blocks.iter().enumerate() {
        if let Some((s, left)) = stages.next_if(|(s, _)| s.block == index) {
            let nets = [&s.local, &s.mix, &s.squeeze, &s.keep, &s.weigh, &s.weight];
            sum += rows.candidates_and_class * products(&nets);
            rows = *left;
        }
        sum += rows.tokens * products(&[&b.q, &b.k, &b.v, &b.proj, &b.fc1, &b.fc2]);
        sum += 2 * rows.tokens * rows.tokens * d.attention();
    }
    sum as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use heatvit_model::data::Digits;
    use heatvit_model::quant::{Dims, Extreme, random, random_with_selectors};

    #[test]
    fn a_threshold_keeps_what_is_asked_for() {
        let scores = [10, 10, 200, 300, 400, 500, 512];
        assert_eq!([7.0, 5.0, 3.0, 1.0, 0.0].map(|target| choose(&scores, target)), [10, 200, 301, 501, 501]);
        assert_eq!(choose(&[], 0.0), 256);
        assert_eq!(choose(&scores, 4.4), 256, "of 201 to 300 the middle one");
    }

    fn dims() -> Dims {
        let (tokens, embed, heads) = (PATCHES + 1, 32, 2);
        Dims { tokens, patch_inputs: 16, embed, depth: 3, heads, head_dim: 16, mlp_hidden: 64, classes: 10 }
    }

    #[test]
    fn work_is_counted_from_the_sizes() {
        let dense = random(&dims(), 1, Extreme::None);
        let block = 82 * (4 * 32 * 32 + 2 * 32 * 64) + 2 * 82 * 82 * 32;
        assert_eq!(macs(&dense, &[]), 82 * 16 * 32 + 3 * block + 320);

        let pruned = random_with_selectors(&dims(), &[1], 1, Extreme::None);
        let stage = StageCounts { tokens: 12, candidates_and_class: 11 };
        let selector = 82 * (32 * 16 + 32 * 16 + 16 * 8 + 8 * 2 + 32 + 2);
        let short = 12 * (4 * 32 * 32 + 2 * 32 * 64) + 2 * 12 * 12 * 32;
        assert_eq!(macs(&pruned, &[stage]), 82 * 16 * 32 + block + selector + 2 * short + 320);
    }

    #[test]
    fn patches_are_followed_through_the_stages() {
        let mut network = random_with_selectors(&dims(), &[1, 2], 3, Extreme::None);
        let digits = Digits::from_bytes(include_bytes!("../../data/digits/digits.bin")).unwrap();
        let samples: Vec<Sample> = digits.test().take(4).collect();
        for stage in 0..2 {
            let name = format!("selectors.{}.score", stage + 1);
            let scores = each(&network, &samples, |_, trace| {
                trace.get(&name).unwrap().data.iter().skip(1).map(|s| *s as u32).collect::<Vec<_>>()
            });
            let scores = scores.unwrap().concat();
            network.selectors[stage].threshold = choose(&scores, 0.5 * scores.len() as f64);
        }
        let counts = each(&network, &samples, |network, trace| {
            let kept: Vec<usize> =
                kept(network, trace).iter().map(|kept| kept.iter().filter(|k| **k).count()).collect();
            let stages = trace.stages.iter().map(|s| s.candidates_and_class - 1).collect::<Vec<_>>();
            (kept, stages)
        });
        for (kept, stages) in counts.unwrap() {
            assert_eq!(kept, stages);
            assert!(kept[0] < PATCHES && kept[1] < kept[0], "{kept:?}");
        }
    }
}
