//! Where the logits lose most: one layer in integers, all others in float.

use super::alone::{alone, mask_alone};
use super::sums::Sums;
use crate::float::{Decision, Engine, Folded, Half, resume};
use crate::golden::{Trace, run};
use crate::quant::quantize::residual_code;
use crate::quant::{QuantNetwork, Quantized};
use std::collections::BTreeMap;

/// The parts of a network that are put into integers one at a time.
struct Layers<'a> {
    folded: &'a Folded,
    network: &'a QuantNetwork,
    reference: &'a Trace<f32>,
    /// Decisions of the selectors that were passed so far.
    decided: BTreeMap<usize, Decision>,
    losses: Vec<(String, Sums)>,
}

impl Layers<'_> {
    fn real(&self, name: &str) -> &[f32] {
        self.reference.get(name).map_or(&[], |t| &t.data)
    }

    fn stream(&self, name: &str) -> Vec<i16> {
        self.real(name).iter().map(|v| residual_code(*v, self.network.residual_step)).collect()
    }

    fn reals(&self, stream: &[i32]) -> Vec<f32> {
        stream.iter().map(|v| (f64::from(*v) * self.network.residual_step) as f32).collect()
    }

    fn put(&mut self, name: String, logits: &[f32]) {
        let pairs = self.real("logits").iter().zip(logits).map(|(r, g)| (f64::from(*r), f64::from(*g)));
        let sums = Sums::of(pairs);
        self.losses.push((name, sums));
    }

    /// The logits behind a stream; selectors that were not passed decide by what they see.
    fn resumed(&mut self, name: String, place: (usize, Half), stream: Vec<f32>) {
        let logits = resume(self.folded, Engine::Poly, place, stream, &self.decided);
        self.put(name, &logits);
    }

    /// A selector: its decisions in integers, about the stream `input`. Leaves those of the reference behind.
    fn selector(&mut self, stage: usize, block: usize, input: &str) {
        let Some(reference) = Decision::of(self.reference, block) else { return };
        let stream = self.real(input).to_vec();
        let rows = reference.mask.len() * self.network.dims.embed;
        let mask = mask_alone(self.network, stage, &stream[..rows]).iter().map(|kept| *kept != 0).collect();
        self.decided.insert(block, Decision { mask, ..reference.clone() });
        self.resumed(format!("selectors.{block}"), (block, Half::Attention), stream);
        self.decided.insert(block, reference);
    }

    fn block(&mut self, i: usize, input: &str) {
        let stream = self.stream(input);
        let patches = vec![0; stream.len() / self.network.dims.embed];
        let trace = run(&alone(self.network, i, &stream), &patches);
        let attended = trace.get("blocks.0.attn.residual").map_or_else(Vec::new, |t| self.reals(&t.data));
        self.resumed(format!("blocks.{i}.attn"), (i, Half::Mlp), attended);
        let mut mlp = alone(self.network, i, &self.stream(&format!("blocks.{i}.attn.residual")));
        mlp.blocks[0].proj.weight.fill(0);
        mlp.blocks[0].proj.bias.fill(0);
        let trace = run(&mlp, &patches);
        let mixed = trace.get("blocks.0.residual").map_or_else(Vec::new, |t| self.reals(&t.data));
        self.resumed(format!("blocks.{i}.mlp"), (i + 1, Half::Attention), mixed);
    }
}

/// What the logits of an image lose by each layer alone, by its name, in execution order.
pub(super) fn losses(
    folded: &Folded,
    quantized: &Quantized,
    reference: &Trace<f32>,
    operators: &[super::probe::Output],
) -> Vec<(String, Sums)> {
    let network = &quantized.network;
    let mut layers = Layers { folded, network, reference, decided: BTreeMap::new(), losses: Vec::new() };
    let output = |name: &str| operators.iter().find(|o| o.name == name).map_or(&[][..], |o| &o.data);
    let embedded = layers.reals(output("embed"));
    layers.resumed("patch_embed".to_owned(), (0, Half::Attention), embedded);
    let mut stream = "embed".to_owned();
    for i in 0..network.blocks.len() {
        if let Some(stage) = network.selectors.iter().position(|s| s.block == i) {
            layers.selector(stage, i, &stream);
            stream = format!("selectors.{i}.tokens");
        }
        layers.block(i, &stream);
        stream = format!("blocks.{i}.residual");
    }
    let step = network.logit_step;
    let logits: Vec<f32> = output("logits").iter().map(|v| (f64::from(*v) * step) as f32).collect();
    layers.put("head".to_owned(), &logits);
    layers.losses
}
