//! Where the logits lose most: one layer in integers, all others in float.

use super::alone::alone;
use super::sums::Sums;
use crate::float::{Engine, Folded, Half, resume};
use crate::golden::{Trace, run};
use crate::quant::{QuantNetwork, Quantized};

/// The parts of a network that are put into integers one at a time.
struct Layers<'a> {
    folded: &'a Folded,
    network: &'a QuantNetwork,
    reference: &'a Trace<f32>,
    losses: Vec<(String, Sums)>,
}

impl Layers<'_> {
    fn real(&self, name: &str) -> &[f32] {
        self.reference.get(name).map_or(&[], |t| &t.data)
    }

    fn stream(&self, name: &str) -> Vec<i32> {
        let step = self.network.residual_step;
        let to_int = |v: &f32| (f64::from(*v) / step).round().clamp(-32767.0, 32767.0) as i32;
        self.real(name).iter().map(to_int).collect()
    }

    fn reals(&self, stream: &[i32]) -> Vec<f32> {
        stream.iter().map(|v| (f64::from(*v) * self.network.residual_step) as f32).collect()
    }

    fn put(&mut self, name: String, logits: &[f32]) {
        let pairs = self.real("logits").iter().zip(logits).map(|(r, g)| (f64::from(*r), f64::from(*g)));
        let sums = Sums::of(pairs);
        self.losses.push((name, sums));
    }

    fn resumed(&mut self, name: String, block: usize, half: Half, stream: &[i32]) {
        let logits = resume(self.folded, Engine::Poly, block, half, self.reals(stream));
        self.put(name, &logits);
    }

    fn block(&mut self, i: usize, input: &str) {
        let trace = run(&alone(self.network, i, &self.stream(input)), &vec![0; self.network.dims.tokens]);
        let attended = trace.get("blocks.0.attn.residual").map_or_else(Vec::new, |t| t.data.clone());
        self.resumed(format!("blocks.{i}.attn"), i, Half::Mlp, &attended);
        let mut mlp = alone(self.network, i, &self.stream(&format!("blocks.{i}.attn.residual")));
        mlp.blocks[0].proj.weight.fill(0);
        mlp.blocks[0].proj.bias.fill(0);
        let trace = run(&mlp, &vec![0; self.network.dims.tokens]);
        let mixed = trace.get("blocks.0.residual").map_or_else(Vec::new, |t| t.data.clone());
        self.resumed(format!("blocks.{i}.mlp"), i + 1, Half::Attention, &mixed);
    }
}

/// What the logits of an image lose by each layer alone, by its name, in execution order; dense networks only.
pub(super) fn losses(
    folded: &Folded,
    quantized: &Quantized,
    reference: &Trace<f32>,
    operators: &[super::probe::Output],
) -> Vec<(String, Sums)> {
    let network = &quantized.network;
    let mut layers = Layers { folded, network, reference, losses: Vec::new() };
    let output = |name: &str| operators.iter().find(|o| o.name == name).map_or(&[][..], |o| &o.data);
    layers.resumed("patch_embed".to_owned(), 0, Half::Attention, output("embed"));
    let mut stream = "embed".to_owned();
    for i in 0..network.blocks.len() {
        layers.block(i, &stream);
        stream = format!("blocks.{i}.residual");
    }
    let step = network.logit_step;
    let logits: Vec<f32> = output("logits").iter().map(|v| (f64::from(*v) * step) as f32).collect();
    layers.put("head".to_owned(), &logits);
    layers.losses
}
