//! One matrix product in integers.

use super::Linear;
use super::quantize::{FACTOR_MAX, QuantizeError, constant};
use crate::fixed::{ACC_BITS, MULT_MAX, multipliers};
use crate::float::FloatLinear;

/// Weight steps of a product differ by at most this factor: a channel far below the largest would otherwise
/// get a multiplier of few bits, because all channels share one shift.
const STEP_RATIO: f64 = 256.0;
/// Largest bias, a quarter of the accumulator's range.
const BIAS_MAX: f64 = (1u64 << (ACC_BITS - 3)) as f64;

/// Rows whose weights would need a rescaling factor of 2 or more are clipped instead, by this factor at most: a few
/// weights of a few rows lose less than a coarser step of all outputs would cost.
pub(super) const ROW_CLIP_MOST: f64 = 1.5;

/// Real values of one step at both ends of a product.
pub(super) struct Steps {
    /// Of the input.
    pub input: f64,
    /// Of the output.
    pub output: f64,
}

impl Steps {
    /// Smallest output step for which every rescaling factor stays below 2 without clipping.
    pub(super) fn least_output(l: &FloatLinear, input: f64) -> f64 {
        weight_steps(l, input).into_iter().fold(0.0, f64::max) * input / FACTOR_MAX
    }
}

/// Real value of one step of every output channel's weights; 0 for a product of zeros.
fn weight_steps(l: &FloatLinear, input: f64) -> Vec<f64> {
    let largest = |row: &[f32]| f64::from(row.iter().fold(0.0f32, |m, w| m.max(w.abs())));
    let steps: Vec<f64> = l.weight.chunks(l.inputs).map(|row| largest(row) / 127.0).collect();
    let floor = steps.iter().copied().fold(0.0, f64::max) / STEP_RATIO;
    let with_bias = |(step, bias): (f64, &f32)| step.max(floor).max(f64::from(bias.abs()) / (input * BIAS_MAX));
    steps.into_iter().zip(&l.bias).map(with_bias).collect()
}

/// Quantizes a product: weights per output channel, bias in accumulator units, multipliers with one shift.
pub(super) fn quantize_linear(l: &FloatLinear, name: String, steps: &Steps) -> Result<Linear, QuantizeError> {
    let mut weight_steps = weight_steps(l, steps.input);
    // A product of zeros needs some step; its output is zero with any.
    weight_steps.iter_mut().filter(|s| **s == 0.0).for_each(|s| *s = steps.output / steps.input / STEP_RATIO);
    let cap = FACTOR_MAX * steps.output / steps.input;
    weight_steps.iter_mut().filter(|s| **s > cap && **s <= cap * ROW_CLIP_MOST).for_each(|s| *s = cap);
    let factors: Vec<f64> = weight_steps.iter().map(|s| s * steps.input / steps.output).collect();
    let Some((mult, sel)) = multipliers(&factors) else {
        let largest = factors.iter().copied().fold(0.0, f64::max);
        return Err(QuantizeError::Factor { tensor: name, factor: largest.to_string() });
    };
    debug_assert!(mult.iter().all(|m| *m <= MULT_MAX));
    let mut weight = Vec::with_capacity(l.weight.len());
    let mut bias = Vec::with_capacity(l.outputs);
    for ((row, step), b) in l.weight.chunks(l.inputs).zip(&weight_steps).zip(&l.bias) {
        weight.extend(row.iter().map(|w| (f64::from(*w) / step).round().clamp(-127.0, 127.0) as i8));
        let value = (f64::from(*b) / (steps.input * step)).round();
        if !value.is_finite() {
            return Err(constant(format!("{name}.bias"), value));
        }
        bias.push(value as i32);
    }
    Ok(Linear { name, inputs: l.inputs, outputs: l.outputs, weight, bias, mult, sel })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_example() {
        // Steps 1/127 and 2/127 of the weights, 0.1 of the input, 0.5 of the output.
        let l = FloatLinear { inputs: 2, outputs: 2, weight: vec![1.0, -0.5, 2.0, 0.1], bias: vec![0.3, 0.0] };
        let q = quantize_linear(&l, "l".to_owned(), &Steps { input: 0.1, output: 0.5 }).unwrap();
        assert_eq!(q.weight, [127, -64, 127, 6]);
        assert_eq!(q.bias, [381, 0]);
        // 0.1 / 127 / 0.5 * 2^24 and twice that; 2^28 would need 19 bits.
        assert_eq!((q.mult, q.sel), (vec![26421, 52842], 2));
    }

    #[test]
    fn tiny_and_dead_channels_keep_their_bias() {
        let l = FloatLinear { inputs: 1, outputs: 3, weight: vec![1.0, 0.0, 1e-9], bias: vec![0.0, 5.0, -1.0] };
        let steps = Steps { input: 0.05, output: 0.1 };
        let q = quantize_linear(&l, "l".to_owned(), &steps).unwrap();
        for n in 0..3 {
            let real = f64::from(q.bias[n]) * f64::from(q.mult[n]) / f64::from(1u32 << (16 + 4 * q.sel)) * steps.output;
            assert!((real - f64::from(l.bias[n])).abs() < 0.06, "{n}: {real}");
        }
    }

    #[test]
    fn a_row_that_is_a_little_too_large_is_clipped() {
        let l = FloatLinear { inputs: 2, outputs: 1, weight: vec![127.0 * 2.5, 127.0], bias: vec![3.0] };
        let q = quantize_linear(&l, "l".to_owned(), &Steps { input: 1.0, output: 1.0 }).unwrap();
        assert_eq!((q.weight, q.bias, q.sel), (vec![127, 64], vec![2], 0));
        assert!(f64::from(q.mult[0]) / 65536.0 > 1.98);
    }

    #[test]
    fn zeros_and_impossible_factors() {
        let zero = FloatLinear { inputs: 1, outputs: 1, weight: vec![0.0], bias: vec![0.0] };
        assert!(quantize_linear(&zero, "z".to_owned(), &Steps { input: 1.0, output: 1.0 }).is_ok());
        let large = FloatLinear { inputs: 1, outputs: 1, weight: vec![381.0], bias: vec![0.0] };
        let error = quantize_linear(&large, "head".to_owned(), &Steps { input: 1.0, output: 1.0 }).unwrap_err();
        assert_eq!(
            error.to_string(),
            "tensor `head` needs the rescaling factor 3, less than 2 is possible; its weights are too large for its output range"
        );
    }
}
