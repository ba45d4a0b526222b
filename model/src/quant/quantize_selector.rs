//! Steps and integers of a token selector.

use super::histogram::Method;
use super::product::{Input, Steps, quantize_linear};
use super::quantize::{QuantizeError, Quantizer, constant};
use super::rounding::Inputs;
use super::{RowScale, Selector};
use crate::fixed::mantissa_exponent;
use crate::float::FoldedSelector;
use crate::golden::selector::SCORE_ONE;
use crate::poly::plan::INPUT_STEPS;

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
        self.steps.insert(at("norm"), input);
        let input = Input::symmetric(input.step);
        self.note_fixed(&prefix);
        let (local, local_gelu) = self.activation(at("local"), &s.local, input)?;
        // Local features and their means are one operand with the same codes.
        if let Some(codes) = self.steps.get(&at("local")).copied() {
            self.steps.insert(at("global"), codes);
        }
        let (gain, exponent) = mantissa_exponent(1.0).ok_or_else(|| constant(at("mean"), 1.0))?;
        let (mix, mix_gelu) = self.activation(at("mix"), &s.mix, local)?;
        let (squeeze, squeeze_gelu) = self.activation(at("squeeze"), &s.squeeze, mix)?;
        let (weigh, weigh_gelu) = self.activation(at("weigh"), &s.weigh, input)?;
        let logit = 1.0 / f64::from(INPUT_STEPS);
        // Local and global features are one operand of mix; what is known of both is not put together.
        let [normed, mixed, squeezed, weighed] = ["norm", "mix", "squeeze", "weigh"].map(|name| self.input(&at(name)));
        let product = |name: &str, l, from: &Option<Inputs>, input, output| {
            quantize_linear(l, at(name), &Steps { input, output }, from.as_ref())
        };
        Ok(Selector {
            block: s.block,
            local: product("local", &s.local, &normed, input, local_gelu.input_step(local.step))?,
            local_gelu,
            mean: RowScale { gain, exponent },
            mix: product("mix", &s.mix, &None, local, mix_gelu.input_step(mix.step))?,
            mix_gelu,
            squeeze: product("squeeze", &s.squeeze, &mixed, mix, squeeze_gelu.input_step(squeeze.step))?,
            squeeze_gelu,
            keep: product("keep", &s.keep, &squeezed, squeeze, logit)?,
            weigh: product("weigh", &s.weigh, &normed, input, weigh_gelu.input_step(weigh.step))?,
            weigh_gelu,
            weight: product("weight", &s.weight, &weighed, weigh, logit)?,
            threshold: (f64::from(SCORE_ONE) * f64::from(s.threshold)).round() as u32,
            package: s.package,
        })
    }
}
