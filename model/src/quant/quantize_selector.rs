//! Steps and integers of a token selector.

use super::histogram::Method;
use super::product::{Steps, quantize_linear};
use super::quantize::{QuantizeError, Quantizer, constant};
use super::rounding::Inputs;
use super::{RowScale, Selector};
use crate::fixed::mantissa_exponent;
use crate::float::{FloatLinear, FoldedSelector};
use crate::golden::selector::SCORE_ONE;
use crate::poly::plan::INPUT_STEPS;

/// Local features and their means are one operand with one step; the ratio of their steps is in the weights, and
/// beyond this one the weights of the means would have too few bits.
const MEAN_RATIO: f64 = 2.0;

/// The product behind local and global features, with the step of the global ones made that of the local ones.
fn with_one_step(mix: &FloatLinear, ratio: f64) -> FloatLinear {
    let mut out = mix.clone();
    for row in out.weight.chunks_mut(mix.inputs) {
        row[mix.inputs / 2..].iter_mut().for_each(|w| *w = (f64::from(*w) / ratio) as f32);
    }
    out
}

impl Quantizer<'_> {
    /// Steps that the arithmetic fixes.
    fn note_fixed(&mut self, prefix: &str) {
        let logit = 1.0 / f64::from(INPUT_STEPS);
        for (name, step) in [("keep", logit), ("weight", logit), ("score", 1.0 / f64::from(SCORE_ONE)), ("mask", 1.0)] {
            self.note(format!("{prefix}.{name}"), step, Method::Fixed);
        }
        for name in ["package", "tokens"] {
            self.note(format!("{prefix}.{name}"), self.residual_step, Method::MinMax);
        }
    }

    /// A selector; the block that it sits before is quantized already.
    pub(super) fn selector(&mut self, s: &FoldedSelector) -> Result<Selector, QuantizeError> {
        let prefix = format!("selectors.{}", s.block);
        let at = |part: &str| format!("{prefix}.{part}");
        let norm = format!("blocks.{}.norm1", s.block);
        let Some(input) = self.steps.get(&norm).copied() else {
            return Err(constant(at("block"), s.block as f64));
        };
        self.note(at("norm"), input.step, input.method);
        self.note_fixed(&prefix);
        let (local, local_gelu) = self.activation(at("local"), &s.local, input.step)?;
        let global = self.step(at("global"), local / MEAN_RATIO);
        let ratio = local / global;
        let (gain, exponent) = mantissa_exponent(ratio).ok_or_else(|| constant(at("mean"), ratio))?;
        let (mix, mix_gelu) = self.activation(at("mix"), &with_one_step(&s.mix, ratio), local)?;
        let (squeeze, squeeze_gelu) = self.activation(at("squeeze"), &s.squeeze, mix)?;
        let (weigh, weigh_gelu) = self.activation(at("weigh"), &s.weigh, input.step)?;
        let logit = 1.0 / f64::from(INPUT_STEPS);
        // Local and global features are one operand of mix; what is known of both is not put together.
        let [normed, mixed, squeezed, weighed] =
            ["norm", "mix", "squeeze", "weigh"].map(|name| self.ranges.input(&at(name)));
        let product = |name: &str, l, from: &Option<Inputs>, input, output| {
            quantize_linear(l, at(name), &Steps { input, output }, from.as_ref())
        };
        Ok(Selector {
            block: s.block,
            local: product("local", &s.local, &normed, input.step, local_gelu.input_step(local))?,
            local_gelu,
            mean: RowScale { gain, exponent },
            mix: product("mix", &with_one_step(&s.mix, ratio), &None, local, mix_gelu.input_step(mix))?,
            mix_gelu,
            squeeze: product("squeeze", &s.squeeze, &mixed, mix, squeeze_gelu.input_step(squeeze))?,
            squeeze_gelu,
            keep: product("keep", &s.keep, &squeezed, squeeze, logit)?,
            weigh: product("weigh", &s.weigh, &normed, input.step, weigh_gelu.input_step(weigh))?,
            weigh_gelu,
            weight: product("weight", &s.weight, &weighed, weigh, logit)?,
            threshold: (f64::from(SCORE_ONE) * f64::from(s.threshold)).round() as u32,
            package: s.package,
        })
    }
}
