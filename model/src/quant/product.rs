//! One matrix product in integers.

use super::Linear;
use super::quantize::{FACTOR_MAX, QuantizeError, constant, shown};
use super::rounding::{Inputs, nearest};
use crate::fixed::{ACC_BITS, MULT_MAX, multipliers};
use crate::float::FloatLinear;
use crate::statistics::largest;
use rayon::prelude::*;

/// Weight steps of a product differ by at most this factor: a channel far below the largest would otherwise
/// get a multiplier of few bits, because all channels share one shift.
const STEP_RATIO: f64 = 256.0;
/// Largest bias, a quarter of the accumulator's range.
const BIAS_MAX: f64 = (1u64 << (ACC_BITS - 3)) as f64;

/// Rows whose weights would need a rescaling factor of 2 or more are clipped instead, by this factor at most: a few
/// weights of a few rows lose less than a coarser step of all outputs would cost.
pub(super) const ROW_CLIP_MOST: f64 = 1.5;

/// What the codes of a product's input stand for: `(code - zero) * step`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Input {
    /// Real value of one step.
    pub step: f64,
    /// Code of zero.
    pub zero: i32,
}

impl Input {
    /// Codes with zero in the middle.
    pub fn symmetric(step: f64) -> Self {
        Self { step, zero: 0 }
    }

    /// The bias of a row where it is added to the sum over codes: the code of zero is part of it.
    fn bias(self, row: &[f32], bias: f32) -> f64 {
        if self.zero == 0 {
            return f64::from(bias);
        }
        let sum: f64 = row.iter().map(|w| f64::from(*w)).sum();
        f64::from(bias) - f64::from(self.zero) * self.step * sum
    }
}

/// Steps at both ends of a product.
pub(super) struct Steps {
    /// Of the input.
    pub input: Input,
    /// Real value of one step of the output.
    pub output: f64,
}

impl Steps {
    /// Smallest output step for which every rescaling factor stays below 2 without clipping.
    pub(super) fn least_output(l: &FloatLinear, input: Input) -> f64 {
        weight_steps(l, input).into_iter().fold(0.0, f64::max) * input.step / FACTOR_MAX
    }
}

/// The step below which a row's bias would leave its range.
fn bias_floor(row: &[f32], bias: f32, input: Input) -> f64 {
    input.bias(row, bias).abs() / (input.step * BIAS_MAX)
}

/// The least step of a row beside others: multipliers share a shift.
fn row_floor(steps: &[f64]) -> f64 {
    steps.iter().copied().fold(0.0, f64::max) / STEP_RATIO
}

/// Real value of one step of every output channel's weights; 0 for a product of zeros.
fn weight_steps(l: &FloatLinear, input: Input) -> Vec<f64> {
    let steps: Vec<f64> = l.weight.chunks(l.inputs).map(|row| f64::from(largest(row)) / 127.0).collect();
    let floor = row_floor(&steps);
    let rows = steps.into_iter().zip(l.weight.chunks(l.inputs)).zip(&l.bias);
    rows.map(|((step, row), bias)| step.max(floor).max(bias_floor(row, *bias, input))).collect()
}

/// Steps of a row that are tried, in parts of the one that reaches the largest weight.
const ROW_STEPS: [f64; 6] = [1.0, 0.95, 0.9, 0.85, 0.8, 0.7];

/// The step with which the outputs of a row vary least from the real ones; their mean is corrected by the bias.
fn best_step(row: &[f32], inputs: &Inputs, step: f64, floor: f64) -> f64 {
    let steps = ROW_STEPS.map(|part| part * step).into_iter().filter(|s| *s == step || *s >= floor);
    let best = steps.map(|s| (inputs.round(row, s).error * s * s, s)).min_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or(step, |(_, s)| s)
}

/// Chooses the steps of all rows by what is known of the inputs.
fn choose_steps(l: &FloatLinear, steps: &mut [f64], input: Input, inputs: &Inputs) {
    let floor = row_floor(steps);
    let rows = l.weight.par_chunks(l.inputs).zip(&l.bias).zip(steps);
    rows.for_each(|((row, bias), step)| {
        *step = best_step(row, inputs, *step, floor.max(bias_floor(row, *bias, input)));
    });
}

/// The integers of a row, and what their rounding takes from the mean of its outputs.
fn quantize_row(row: &[f32], step: f64, inputs: Option<&Inputs>) -> (Vec<i8>, f64) {
    let Some(inputs) = inputs else {
        return (row.iter().map(|w| nearest(f64::from(*w) / step)).collect(), 0.0);
    };
    let weights = inputs.round(row, step).weights;
    let off = row.iter().zip(&weights).map(|(w, q)| f64::from(*w) - f64::from(*q) * step);
    let lost: f64 = off.zip(&inputs.means).map(|(off, mean)| mean * off).sum();
    let clipped: f64 = weights.iter().zip(&inputs.offsets).map(|(q, off)| f64::from(*q) * step * off).sum();
    (weights, lost + clipped)
}

/// Quantizes a product: weights per output channel, bias in accumulator units, multipliers with one shift. With
/// `inputs`, rows get the steps and integers whose outputs vary least from the real ones, and biases take up what the
/// rounding of the weights does to the mean. The code of zero of the input is taken from the biases exactly.
pub(super) fn quantize_linear(
    l: &FloatLinear,
    name: String,
    steps: &Steps,
    inputs: Option<&Inputs>,
) -> Result<Linear, QuantizeError> {
    let input = steps.input;
    let mut weight_steps = weight_steps(l, input);
    if let Some(inputs) = inputs {
        choose_steps(l, &mut weight_steps, input, inputs);
    }
    // A product of zeros needs some step; its output is zero with any.
    weight_steps.iter_mut().filter(|s| **s == 0.0).for_each(|s| *s = steps.output / input.step / STEP_RATIO);
    let cap = FACTOR_MAX * steps.output / input.step;
    weight_steps.iter_mut().filter(|s| **s > cap && **s <= cap * ROW_CLIP_MOST).for_each(|s| *s = cap);
    let factors: Vec<f64> = weight_steps.iter().map(|s| s * input.step / steps.output).collect();
    let Some((mult, sel)) = multipliers(&factors) else {
        let largest = factors.iter().copied().fold(0.0, f64::max);
        return Err(QuantizeError::Factor { tensor: name, factor: shown(largest) });
    };
    debug_assert!(mult.iter().all(|m| *m <= MULT_MAX));
    let rows = l.weight.par_chunks(l.inputs).zip(&weight_steps);
    let rows: Vec<(Vec<i8>, f64)> = rows.map(|(row, step)| quantize_row(row, *step, inputs)).collect();
    let mut weight = Vec::with_capacity(l.weight.len());
    let mut bias = Vec::with_capacity(l.outputs);
    for (((integers, lost), step), b) in rows.into_iter().zip(&weight_steps).zip(&l.bias) {
        let of_zero = i64::from(input.zero) * integers.iter().map(|w| i64::from(*w)).sum::<i64>();
        let value = ((f64::from(*b) + lost) / (input.step * step)).round() - of_zero as f64;
        if !value.is_finite() {
            return Err(constant(format!("{name}.bias"), value));
        }
        weight.extend(integers);
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
        let q =
            quantize_linear(&l, "l".to_owned(), &Steps { input: Input::symmetric(0.1), output: 0.5 }, None).unwrap();
        assert_eq!(q.weight, [127, -64, 127, 6]);
        assert_eq!(q.bias, [381, 0]);
        // 0.1 / 127 / 0.5 * 2^24 and twice that; 2^28 would need 19 bits.
        assert_eq!((q.mult, q.sel), (vec![26421, 52842], 2));
    }

    #[test]
    fn the_code_of_zero_is_part_of_the_bias() {
        let l = FloatLinear { inputs: 2, outputs: 2, weight: vec![1.0, -0.5, 2.0, 0.1], bias: vec![0.3, 0.0] };
        let input = Input { step: 0.1, zero: -120 };
        let q = quantize_linear(&l, "l".to_owned(), &Steps { input, output: 0.5 }, None).unwrap();
        // The weights are those of the first example: 127 - 64 and 127 + 6.
        assert_eq!(q.bias, [381 + 120 * 63, 120 * 133]);
        // A row of equal weights, whose bias is the larger the finer its step: the step keeps it in its range.
        let l = FloatLinear { inputs: 3000, outputs: 1, weight: vec![1.0; 3000], bias: vec![0.0] };
        let q = quantize_linear(&l, "l".to_owned(), &Steps { input, output: 100.0 }, None).unwrap();
        assert_eq!((q.weight[0], q.bias[0]), (47, 120 * 47 * 3000));
    }

    #[test]
    fn tiny_and_dead_channels_keep_their_bias() {
        let l = FloatLinear { inputs: 1, outputs: 3, weight: vec![1.0, 0.0, 1e-9], bias: vec![0.0, 5.0, -1.0] };
        let steps = Steps { input: Input::symmetric(0.05), output: 0.1 };
        let q = quantize_linear(&l, "l".to_owned(), &steps, None).unwrap();
        for n in 0..3 {
            let real = f64::from(q.bias[n]) * f64::from(q.mult[n]) / f64::from(1u32 << (16 + 4 * q.sel)) * steps.output;
            assert!((real - f64::from(l.bias[n])).abs() < 0.06, "{n}: {real}");
        }
    }

    #[test]
    fn known_inputs_correct_the_mean_and_choose_the_step() {
        // The second weight is rounded down by 0.3 steps; its input has the mean 2.
        let l = FloatLinear { inputs: 2, outputs: 1, weight: vec![127.0, 10.3], bias: vec![1.0] };
        let inputs_of = Inputs::of_rows(&[1.0, 2.0, -1.0, 2.0], 2);
        let steps = Steps { input: Input::symmetric(0.1), output: 1.0 };
        let q = quantize_linear(&l, "l".to_owned(), &steps, Some(&inputs_of)).unwrap();
        assert_eq!((&q.weight[..], &q.bias[..]), (&[127, 10][..], &[16][..]));
        // A large weight on an input that never changes is clipped in favour of the other, which is 110 steps of 0.95.
        let l = FloatLinear { inputs: 2, outputs: 1, weight: vec![127.0, 104.5], bias: vec![0.0] };
        let inputs_of = Inputs::of_rows(&[1.0, 3.0, 1.0, -3.0], 2);
        let q = quantize_linear(&l, "l".to_owned(), &steps, Some(&inputs_of)).unwrap();
        assert_eq!((&q.weight[..], q.bias[0] > 0), (&[127, 110][..], true));
    }

    #[test]
    fn a_row_that_is_a_little_too_large_is_clipped() {
        let l = FloatLinear { inputs: 2, outputs: 1, weight: vec![127.0 * 2.5, 127.0], bias: vec![3.0] };
        let q =
            quantize_linear(&l, "l".to_owned(), &Steps { input: Input::symmetric(1.0), output: 1.0 }, None).unwrap();
        assert_eq!((q.weight, q.bias, q.sel), (vec![127, 64], vec![2], 0));
        assert!(f64::from(q.mult[0]) / 65536.0 > 1.98);
    }

    #[test]
    fn zeros_and_impossible_factors() {
        let zero = FloatLinear { inputs: 1, outputs: 1, weight: vec![0.0], bias: vec![0.0] };
        assert!(
            quantize_linear(&zero, "z".to_owned(), &Steps { input: Input::symmetric(1.0), output: 1.0 }, None).is_ok()
        );
        let large = FloatLinear { inputs: 1, outputs: 1, weight: vec![381.0], bias: vec![0.0] };
        let error =
            quantize_linear(&large, "head".to_owned(), &Steps { input: Input::symmetric(1.0), output: 1.0 }, None)
                .unwrap_err();
        assert_eq!(
            error.to_string(),
            "tensor `head` needs the rescaling factor 3, less than 2 is possible: its weights are too large for its output range; train the network again"
        );
    }
}
