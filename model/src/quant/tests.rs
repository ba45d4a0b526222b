//! The quantizer against the float engines, operator by operator and as a whole.

use super::spread::spread;
use super::*;
use crate::fixed::{Rescale, rescale, saturate};
use crate::float::{Engine, FloatNetwork, NetworkOptions, forward_folded};
use crate::golden::{Trace, product, run};
use crate::image::{INPUT_STEP, dequantize};
use crate::layernorm::layernorm;
use crate::poly::exp::exp7;
use crate::poly::gelu::gelu;
use crate::poly::recip::{recip, recip_table};
use crate::poly::rsqrt::rsqrt_table;

fn dims() -> Dims {
    Dims { tokens: 17, patch_inputs: 16, embed: 64, depth: 3, heads: 4, head_dim: 16, mlp_hidden: 128, classes: 10 }
}

fn options() -> NetworkOptions {
    NetworkOptions { channels: 1, ..NetworkOptions::default() }
}

fn images(count: u64) -> Vec<Vec<i8>> {
    (0..count).map(|seed| random_image(&dims(), seed)).collect()
}

fn sqnr_db(reference: &[f32], got: &[f32]) -> f64 {
    let power: f64 = reference.iter().map(|r| f64::from(*r).powi(2)).sum();
    let error: f64 = reference.iter().zip(got).map(|(r, g)| f64::from(r - g).powi(2)).sum();
    10.0 * (power / error.max(f64::MIN_POSITIVE)).log10()
}

fn quantized(options: &NetworkOptions, seed: u64) -> (FloatNetwork, Quantized) {
    let network = FloatNetwork::random(&dims(), options, seed);
    let calibration: Vec<Vec<f32>> = images(8).iter().map(|p| dequantize(p)).collect();
    let quantized = quantize(&network, "test", &calibration).unwrap();
    (network, quantized)
}

/// Operators fed with the reference's inputs.
struct Probe<'a> {
    reference: &'a Trace<f32>,
    quantized: &'a Quantized,
}

impl Probe<'_> {
    fn real(&self, name: &str) -> &[f32] {
        &self.reference.get(name).unwrap_or_else(|| panic!("{name}")).data
    }

    /// A reference tensor in its own steps.
    fn integers(&self, name: &str, bits: u32) -> Vec<i32> {
        self.quantized.integers(name, self.real(name), bits)
    }

    fn check(&self, name: &str, got: &[i32], least_db: f64) {
        let real: Vec<f32> = self.quantized.reals(name, got).map(|v| v as f32).collect();
        let db = sqnr_db(self.real(name), &real);
        assert!(db >= least_db, "{name}: {db:.1} dB");
    }

    fn norm(&self, output: &str, input: &str, params: &NormParams) {
        let rows = self.integers(input, 16);
        let embed = dims().embed;
        let got: Vec<i32> = rows.chunks(embed).flat_map(|r| layernorm(r, params, &rsqrt_table())).collect();
        self.check(output, &got[..self.real(output).len()], 30.0);
    }

    fn head(&self, prefix: &str, h: usize, b: &Block) -> Vec<i32> {
        let d = dims();
        let part = |name: &str| -> Vec<i32> {
            let all = self.integers(&format!("{prefix}.attn.{name}"), 8);
            all.chunks(d.attention()).flat_map(|r| r[h * d.head_dim..(h + 1) * d.head_dim].to_vec()).collect()
        };
        let [q, k, v] = ["q", "k", "v"].map(part);
        let scale = Rescale { mult: b.scores.mult, sel: b.scores.sel };
        let dot = |a: &[i32], b: &[i32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<i32>();
        let scores: Vec<i32> = q
            .chunks(d.head_dim)
            .flat_map(|q| k.chunks(d.head_dim).map(move |k| saturate(rescale(dot(q, k), scale), 16) as i32))
            .collect();
        self.check(&format!("{prefix}.attn.scores.{h}"), &scores, 30.0);
        let scores = self.integers(&format!("{prefix}.attn.scores.{h}"), 16);
        let exp_row = |row: &[i32]| -> Vec<i32> {
            let maximum = row.iter().max().unwrap();
            row.iter().map(|s| exp7((maximum - s) as u32)).collect()
        };
        let exps: Vec<i32> = scores.chunks(d.tokens).flat_map(exp_row).collect();
        self.check(&format!("{prefix}.attn.exp.{h}"), &exps, 30.0);
        let exps = self.integers(&format!("{prefix}.attn.exp.{h}"), 8);
        let attend = |row: &[i32]| -> Vec<i32> {
            let sum: i32 = row.iter().sum();
            let factor = recip(sum as u32, b.attend.gain, b.attend.exponent, &recip_table());
            let column = |c: usize| row.iter().enumerate().map(|(t, e)| e * v[t * d.head_dim + c]).sum::<i32>();
            (0..d.head_dim).map(|c| saturate(rescale(column(c), factor), 8) as i32).collect()
        };
        exps.chunks(d.tokens).flat_map(attend).collect()
    }

    fn block(&self, i: usize, b: &Block, input: &str) {
        let d = dims();
        let prefix = format!("blocks.{i}");
        let at = |part: &str| format!("{prefix}.{part}");
        self.norm(&at("norm1"), input, &b.norm1);
        let normed = self.integers(&at("norm1"), 8);
        for (name, l) in [("attn.q", &b.q), ("attn.k", &b.k), ("attn.v", &b.v)] {
            self.check(&at(name), &product::linear(&normed, l, 8), 30.0);
        }
        let heads: Vec<Vec<i32>> = (0..d.heads).map(|h| self.head(&prefix, h, b)).collect();
        let o: Vec<i32> = (0..d.tokens)
            .flat_map(|t| heads.iter().flat_map(move |h| h[t * d.head_dim..(t + 1) * d.head_dim].to_vec()))
            .collect();
        self.check(&at("attn.o"), &o, 30.0);
        let mut x = self.integers(input, 16);
        product::linear_residual(&mut x, &self.integers(&at("attn.o"), 8), &b.proj);
        self.check(&at("attn.residual"), &x, 30.0);
        self.norm(&at("norm2"), &at("attn.residual"), &b.norm2);
        let hidden = product::linear(&self.integers(&at("norm2"), 8), &b.fc1, 16);
        let hidden: Vec<i32> = hidden.iter().map(|v| gelu(*v, &b.gelu)).collect();
        self.check(&at("mlp.fc1"), &hidden, 30.0);
        let mut x = self.integers(&at("attn.residual"), 16);
        product::linear_residual(&mut x, &self.integers(&at("mlp.fc1"), 8), &b.fc2);
        self.check(&at("residual"), &x, 30.0);
    }
}

#[test]
fn every_operator_reaches_30_db() {
    for (seed, delta1, delta2) in [(1, 1.0, 1.0), (2, 0.5, 0.5)] {
        let options = NetworkOptions { delta1, delta2, ..options() };
        let (network, q) = quantized(&options, seed);
        let image = &images(1)[0];
        let reference = forward_folded(&spread(&network), Engine::Poly, &dequantize(image));
        let probe = Probe { reference: &reference, quantized: &q };
        let mut x: Vec<i32> = q.network.pos.iter().map(|p| i32::from(*p)).collect();
        product::linear_residual(&mut x, &image.iter().map(|p| i32::from(*p)).collect::<Vec<_>>(), &q.network.embed);
        probe.check("embed", &x, 30.0);
        let mut input = "embed".to_owned();
        for (i, b) in q.network.blocks.iter().enumerate() {
            probe.block(i, b, &input);
            input = format!("blocks.{i}.residual");
        }
        probe.norm("norm", &input, &q.network.norm);
        probe.check("logits", &product::linear(&probe.integers("norm", 8), &q.network.head, 16), 30.0);
    }
}

#[test]
fn whole_networks_follow_the_float_model() {
    let (mut agree, mut total) = (0, 0);
    for seed in 0..4 {
        let (network, q) = quantized(&options(), seed);
        let folded = spread(&network);
        for image in images(40).iter().skip(8) {
            let reference = forward_folded(&folded, Engine::Poly, &dequantize(image));
            let trace = run(&q.network, image);
            let names: Vec<&str> = trace.tensors.iter().map(|t| t.name.as_str()).collect();
            assert_eq!(names, reference.tensors.iter().map(|t| t.name.as_str()).collect::<Vec<_>>());
            assert!(names.iter().all(|n| q.steps.contains_key(*n)), "every tensor has a step");
            let real: Vec<f32> = trace.logits().iter().map(|l| (f64::from(*l) * q.network.logit_step) as f32).collect();
            assert!(sqnr_db(reference.logits(), &real) > 15.0);
            let best = |v: &[f32]| (0..v.len()).max_by(|a, b| v[*a].total_cmp(&v[*b]));
            total += 1;
            agree += usize::from(best(reference.logits()) == best(&real));
        }
    }
    assert!(agree * 100 >= total * 95, "{agree} of {total} images keep their class");
}

#[test]
fn delta2_of_one_half_gives_the_same_integers() {
    let (_, one) = quantized(&options(), 9);
    let (_, half) = quantized(&NetworkOptions { delta2: 0.5, ..options() }, 9);
    assert_eq!(one.network, half.network);
}

#[test]
fn quantization_is_deterministic() {
    assert_eq!(quantized(&options(), 5).1, quantized(&options(), 5).1);
}

#[test]
fn large_queries_and_keys_give_way_to_the_score_multiplier() {
    let mut network = FloatNetwork::random(&dims(), &options(), 1);
    network.blocks[0].qkv.weight.iter_mut().for_each(|w| *w *= 40.0);
    let q = quantize(&network, "test", &[dequantize(&images(1)[0])]).unwrap();
    let factor = Rescale { mult: q.network.blocks[0].scores.mult, sel: q.network.blocks[0].scores.sel }.factor();
    assert!((1.9..2.0).contains(&factor), "{factor}");
}

#[test]
fn impossible_inputs_are_refused() {
    let network = FloatNetwork::random(&dims(), &options(), 1);
    assert_eq!(
        quantize(&network, "n", &[]).unwrap_err().to_string(),
        "no calibration image; the ranges of the activations come from at least one"
    );
    assert_eq!(
        quantize(&network, "n", &[vec![0.0; 3]]).unwrap_err().to_string(),
        "calibration image 0 has 3 elements, tokens x patch inputs = 272 are needed; cut it into patches of the configured network"
    );
    let mut overflowing = network.clone();
    overflowing.blocks[1].fc2.weight.fill(f32::MAX);
    assert_eq!(
        quantize(&overflowing, "n", &[dequantize(&images(1)[0])]).unwrap_err().to_string(),
        "tensor `blocks.1.residual` is not finite on a calibration image; train the network again"
    );
}

/// The head of a network that is about to be fine-tuned is zero, and so is the whole of one that is broken.
#[test]
fn zeros_are_quantized_to_zeros() {
    let mut network = FloatNetwork::random(&dims(), &options(), 1);
    network.head.weight.fill(0.0);
    network.head.bias.fill(0.0);
    let logits = |network: &FloatNetwork| {
        let q = quantize(network, "n", &[dequantize(&images(1)[0])]).unwrap();
        run(&q.network, &images(1)[0]).logits().to_vec()
    };
    assert_eq!(logits(&network), vec![0; dims().classes]);
    for b in &mut network.blocks {
        for l in [&mut b.qkv, &mut b.proj, &mut b.fc1, &mut b.fc2] {
            l.weight.fill(0.0);
            l.bias.fill(0.0);
        }
    }
    network.patch_embed.weight.fill(0.0);
    network.pos_embed.fill(0.0);
    assert_eq!(logits(&network), vec![0; dims().classes]);
}

#[test]
fn progress_is_told_phase_by_phase() {
    let network = FloatNetwork::random(&dims(), &options(), 1);
    let mut told = Vec::new();
    quantize_telling(&network, "n", &[dequantize(&images(1)[0])], &mut |p| told.push(p)).unwrap();
    let starts: Vec<Phase> = told.iter().filter(|p| p.done == 0).map(|p| p.phase).collect();
    assert_eq!(starts, [Phase::Sampling, Phase::Narrowing, Phase::Calibrating, Phase::Rounding]);
    let depth = dims().depth;
    assert_eq!(told.last(), Some(&Progress { phase: Phase::Rounding, done: depth, total: depth }));
}

#[test]
fn the_embedding_is_exact_to_its_accumulators() {
    let (network, q) = quantized(&options(), 3);
    let image = &images(1)[0];
    let trace = run(&q.network, image);
    let l = &q.network.embed;
    let embed = trace.get("embed").unwrap();
    for (t, row) in image.chunks(l.inputs).enumerate() {
        for n in 0..l.outputs {
            let acc: i64 = (0..l.inputs).map(|i| i64::from(row[i]) * i64::from(l.weight[n * l.inputs + i])).sum();
            // An independent statement of the rescaling: the exact rational, rounded half away from zero.
            let exact = i128::from(acc) * i128::from(l.mult[n]);
            let half = 1i128 << (15 + 4 * l.sel);
            let branch = exact.signum() * ((exact.abs() + half) / (half * 2));
            let expected = (i128::from(q.network.pos[t * l.outputs + n]) + branch).clamp(-32767, 32767);
            assert_eq!(i128::from(embed.data[t * l.outputs + n]), expected);
        }
    }
    assert_eq!(network.patch_embed.inputs, l.inputs);
    assert_eq!(INPUT_STEP, 1.0 / 127.0);
}
