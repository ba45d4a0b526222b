//! The measurement of one image.

use super::alone::mask_alone;
use super::decisions::{Decisions, compare, compare_runs};
use super::losses::losses;
use super::probe::{Output, operators};
use super::sums::{Sums, cosine};
use super::totals::{Measured, Seen};
use crate::float::{Engine, Folded, forward_folded};
use crate::golden::{Divide, Model, Tensor, Trace};
use crate::image::dequantize;
use crate::quant::{QuantNetwork, Quantized};
use std::collections::BTreeMap;

/// What an image is measured with.
pub(super) struct Measurement<'a> {
    pub folded: &'a Folded,
    pub quantized: &'a Quantized,
    /// The same, prepared to run.
    pub model: Model<'a>,
    /// Blocks and thresholds of the selectors.
    pub stages: Vec<(usize, f64)>,
    /// Whether the layers' losses are measured, too.
    pub layers: bool,
}

/// Largest integer of a tensor.
fn limit(name: &str, network: &QuantNetwork) -> f64 {
    let wide = ["embed", "residual", "logits", "keep", "weight", "package", "tokens"];
    let last = name.rsplit('.').next().unwrap_or(name);
    if wide.contains(&last) || name.contains(".attn.scores.") {
        32767.0
    } else if name.contains(".attn.rowsum.") {
        127.0 * network.dims.tokens as f64
    } else if last == "score" {
        512.0
    } else {
        127.0
    }
}

/// Whether a tensor follows from means over no candidate: their code 0 stands for nothing, and all that depends on them is
/// the score of the class token, which stays anyway.
fn is_void(name: &str, reference: &Trace<f32>) -> bool {
    let Some((selector, last)) = name.rsplit_once('.') else { return false };
    let mask = reference.get(&format!("{selector}.mask"));
    ["global", "mix", "squeeze", "keep", "score"].contains(&last) && mask.is_some_and(|mask| mask.data.len() == 1)
}

fn class_of(logits: &[f32]) -> usize {
    (1..logits.len()).fold(0, |best, i| if logits[i] > logits[best] { i } else { best })
}

impl Measurement<'_> {
    fn against(&self, name: &str, reference: &[f32], got: &[i32]) -> Sums {
        if reference.len() != got.len() {
            return Sums::default();
        }
        Sums::of(reference.iter().map(|r| f64::from(*r)).zip(self.quantized.reals(name, got)))
    }

    fn tensors(
        &self,
        reference: &Trace<f32>,
        exact: &Trace<f32>,
        got: &Trace,
        operators: &[Output],
    ) -> Vec<(String, Seen)> {
        let operators: BTreeMap<&str, &[i32]> = operators.iter().map(|o| (o.name.as_str(), &o.data[..])).collect();
        // Behind a stage that decided otherwise, rows belong to other tokens.
        let (mut same_integers, mut same_exact) = (true, true);
        let one = |t: &Tensor<f32>| {
            let void = is_void(&t.name, reference);
            let mut seen = Seen { elements: t.data.len(), ..Seen::default() };
            // What rounds to the largest integer is not clipped.
            let range = limit(&t.name, &self.quantized.network) + 0.5;
            let zero = f64::from(self.quantized.zero(&t.name));
            for (value, (unit, offset)) in t.data.iter().map(|v| f64::from(*v)).zip(self.quantized.units(&t.name)) {
                seen.largest = seen.largest.max(value.abs());
                seen.clipped += usize::from(((value - offset) / unit + zero).abs() > range);
            }
            if let Some(data) = operators.get(t.name.as_str()).filter(|_| !(void && t.name.ends_with("global"))) {
                seen.operator = self.against(&t.name, &t.data, data);
            }
            let mask = t.name.ends_with(".mask");
            if let Some(other) = got.get(&t.name) {
                let equal = t.data.iter().zip(&other.data).all(|(r, g)| (*r > 0.5) == (*g != 0));
                same_integers &= !mask || equal;
                if same_integers && !void || t.name == "logits" {
                    seen.accumulated = self.against(&t.name, &t.data, &other.data);
                }
            }
            if let Some(other) = exact.get(&t.name) {
                same_exact &= !mask || t.data == other.data;
                if (same_exact || t.name == "logits") && t.data.len() == other.data.len() {
                    let pairs = other.data.iter().zip(&t.data).map(|(e, p)| (f64::from(*e), f64::from(*p)));
                    seen.polynomial = Sums::of(pairs);
                }
            }
            (t.name.clone(), seen)
        };
        reference.tensors.iter().map(one).collect()
    }

    /// Decisions of every selector on the reference's stream.
    fn decisions(&self, reference: &Trace<f32>) -> Decisions {
        let mut all = Decisions::default();
        let mut stream = "embed".to_owned();
        for i in 0..self.quantized.network.blocks.len() {
            if let Some(stage) = self.quantized.network.selectors.iter().position(|s| s.block == i) {
                let at = |part: &str| format!("selectors.{i}.{part}");
                let real = |name: &str| reference.get(name).map_or(&[][..], |t| &t.data);
                let rows = real(&at("mask")).len() * self.quantized.network.dims.embed;
                let mask = mask_alone(&self.quantized.network, stage, &real(&stream)[..rows]);
                all.add(compare(real(&at("score")), self.stages[stage].1, real(&at("mask")), &mask));
            }
            stream = format!("blocks.{i}.residual");
        }
        all
    }

    /// Measures an image.
    pub(super) fn measure(&self, patches: &[i8]) -> Measured {
        let real = dequantize(patches);
        let exact = forward_folded(self.folded, Engine::Exact, &real);
        let reference = forward_folded(self.folded, Engine::Poly, &real);
        let got = self.model.run(patches, Divide::for_images(1));
        let operators = operators(self.quantized, &reference, patches);
        let tensors = self.tensors(&reference, &exact, &got, &operators);
        let layers = if self.layers { losses(self.folded, self.quantized, &reference, &operators) } else { Vec::new() };
        let step = self.quantized.network.logit_step;
        let logits: Vec<f32> = got.logits().iter().map(|v| (f64::from(*v) * step) as f32).collect();
        Measured {
            tensors,
            layers,
            cosine: cosine(&logits, reference.logits()),
            polynomial_cosine: cosine(reference.logits(), exact.logits()),
            same_class: class_of(&logits) == class_of(reference.logits()),
            operator: self.decisions(&reference),
            accumulated: compare_runs(&self.stages, &reference, &got),
        }
    }
}
