use super::*;
use crate::float::forward;
use crate::golden::Trace;
use crate::image::{ImageShape, float_patches};
use crate::selector::HeadWeights;
use crate::weights;
use std::collections::BTreeMap;

const SHAPE: ImageShape = ImageShape { height: 64, width: 48, channels: 3, patch: 8 };

fn dims() -> Dims {
    Dims { tokens: 49, patch_inputs: 192, embed: 64, depth: 4, heads: 4, head_dim: 16, mlp_hidden: 128, classes: 20 }
}

fn images() -> Vec<Vec<f32>> {
    (0..4).map(|i| float_patches(&picture(&SHAPE, 9, i), &SHAPE).unwrap()).collect()
}

fn options(head_weights: HeadWeights) -> NetworkOptions {
    let selectors = SelectorOptions { stages: vec![1, 3], head_weights, ..SelectorOptions::default() };
    NetworkOptions { selectors, ..NetworkOptions::default() }
}

fn network(head_weights: HeadWeights, seed: u64) -> FloatNetwork {
    synthesize(&dims(), &options(head_weights), &SHAPE, &images(), &[0.7, 0.49], seed).unwrap()
}

fn traces(network: &FloatNetwork, engine: Engine) -> Vec<Trace<f32>> {
    images().iter().map(|image| forward(network, engine, image)).collect()
}

#[test]
fn the_keep_schedule_is_met_on_average() {
    for head_weights in [HeadWeights::Separate, HeadWeights::Shared] {
        let network = network(head_weights, 1);
        let traces = traces(&network, Engine::Poly);
        for (stage, wanted) in [(0, 0.7), (1, 0.49)] {
            let kept: usize = traces.iter().map(|t| t.stages[stage].candidates_and_class - 1).sum();
            let share = kept as f64 / (4.0 * 48.0);
            assert!((share - wanted).abs() < 0.02, "stage {stage}: {share}");
        }
    }
}

#[test]
fn heads_agree_and_scores_spread() {
    let network = network(HeadWeights::Separate, 2);
    let trace = &traces(&network, Engine::Exact)[0];
    let keep = trace.get("selectors.1.keep").unwrap();
    let column = |c: usize| keep.data.iter().skip(keep.cols + c).step_by(keep.cols).map(|v| f64::from(*v));
    let moment = |a: usize, b: usize| {
        let mean = |c| column(c).sum::<f64>() / (keep.rows - 1) as f64;
        let (left, right) = (mean(a), mean(b));
        column(a).zip(column(b)).map(|(x, y)| (x - left) * (y - right)).sum::<f64>() / (keep.rows - 1) as f64
    };
    let pairs = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)];
    let mean = pairs.iter().map(|(a, b)| moment(*a, *b) / (moment(*a, *a) * moment(*b, *b)).sqrt()).sum::<f64>() / 6.0;
    assert!(mean > 0.3, "mean correlation of heads {mean}");
}

#[test]
fn spreads_are_those_of_the_recipe() {
    let options = NetworkOptions::default();
    let network = synthesize(&dims(), &options, &SHAPE, &images(), &[], 3).unwrap();
    let traces = traces(&network, Engine::Exact);
    let width = |name: &str| {
        let all: Vec<f64> = traces.iter().flat_map(|t| &t.get(name).unwrap().data).map(|v| f64::from(*v)).collect();
        (all.iter().map(|v| v * v).sum::<f64>() / all.len() as f64).sqrt()
    };
    assert!((width("logits") / recipe::LOGIT_WIDTH - 1.0).abs() < 1e-3);
    let (first, last) = (width("embed"), width("blocks.3.residual"));
    assert!(last / first > 1.5 && last / first < 3.0, "{first} {last}");
    // Attention concentrates with depth.
    let largest = |block: usize| {
        let head = |h: usize| {
            let t = traces[0].get(&format!("blocks.{block}.attn.rowsum.{h}")).unwrap();
            t.data.iter().map(|s| 1.0 / f64::from(*s)).sum::<f64>() / t.data.len() as f64
        };
        (0..4).map(head).sum::<f64>() / 4.0
    };
    assert!(largest(3) > 1.5 * largest(0), "{} {}", largest(0), largest(3));
}

#[test]
fn equal_arguments_give_equal_bytes_and_a_loadable_file() {
    let bytes = |seed| weights::to_bytes(&network(HeadWeights::Separate, seed), &BTreeMap::new()).unwrap();
    assert_eq!(bytes(5), bytes(5));
    assert_ne!(bytes(5), bytes(6));
    let read = weights::from_bytes(&bytes(5), &dims(), &options(HeadWeights::Separate)).unwrap();
    assert_eq!(read, network(HeadWeights::Separate, 5));
}

#[test]
fn impossible_requests_are_refused() {
    let make = |images: &[Vec<f32>], keep: &[f64]| {
        synthesize(&dims(), &options(HeadWeights::Separate), &SHAPE, images, keep, 1).unwrap_err().to_string()
    };
    assert_eq!(make(&[], &[0.5, 0.4]), "no sample image; at least one is needed to scale the weights");
    assert_eq!(
        make(&[vec![0.0; 3]], &[0.5, 0.4]),
        "sample image 0 has 3 elements, tokens x patch inputs = 9408 are needed; cut it into patches of the configured network"
    );
    assert_eq!(
        make(&images(), &[0.5]),
        "the keep schedule has 1 entries, the network has 2 selector stages; give one share for each"
    );
    for (keep, index) in [([0.5, 0.6], 1), ([0.0, 0.0], 0), ([1.5, 0.1], 0), ([f64::NAN, 0.1], 0)] {
        assert!(make(&images(), &keep).starts_with(&format!("keep share {index} is ")));
    }
}
