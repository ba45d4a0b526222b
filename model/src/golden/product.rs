//! Matrix products with int32 accumulation: the definition, in plain loops. The kernels of [`super::Model`] are held
//! against it.
//!
//! Sums wrap instead of being checked: [`crate::quant::validate`] has proved that they fit 27 bits.

use crate::fixed::{Rescale, rescale, saturate};
use crate::quant::Linear;

/// `a . b` for int8 values held in i16.
pub fn dot(a: &[i16], b: &[i16]) -> i32 {
    a.iter().zip(b).fold(0i32, |sum, (x, y)| sum.wrapping_add(i32::from(*x).wrapping_mul(i32::from(*y))))
}

/// Values of int8 range in i16.
pub fn narrow(values: &[i32]) -> Vec<i16> {
    values.iter().map(|v| *v as i16).collect()
}

/// Calls `each(row, output, accumulator)` for every element of `input * weight + bias`.
fn accumulate(input: &[i32], l: &Linear, mut each: impl FnMut(usize, usize, i32)) {
    let input = narrow(input);
    let weight: Vec<i16> = l.weight.iter().map(|w| i16::from(*w)).collect();
    for (r, row) in input.chunks_exact(l.inputs).enumerate() {
        for ((n, weights), bias) in weight.chunks_exact(l.inputs).enumerate().zip(&l.bias) {
            each(r, n, dot(row, weights).wrapping_add(*bias));
        }
    }
}

fn factor(l: &Linear, output: usize) -> Rescale {
    Rescale { mult: l.mult[output], sel: l.sel }
}

/// Rescaled outputs of a product, saturated to `bits`; `[rows][outputs]`.
pub fn linear(input: &[i32], l: &Linear, bits: u32) -> Vec<i32> {
    let mut output = Vec::with_capacity(input.len() / l.inputs * l.outputs);
    accumulate(input, l, |_, n, acc| output.push(saturate(rescale(acc, factor(l, n)), bits) as i32));
    output
}

/// Adds a product to the residual stream: the sum saturates once, to 16 bits.
pub fn linear_residual(x: &mut [i32], input: &[i32], l: &Linear) {
    accumulate(input, l, |r, n, acc| {
        let out = &mut x[r * l.outputs + n];
        *out = saturate(i64::from(*out) + rescale(acc, factor(l, n)), 16) as i32;
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixed::shift_of;

    /// Accumulators and outputs by another route: 128-bit integers, exact rational rounding.
    #[test]
    fn equals_an_independent_computation() {
        let (inputs, outputs) = (37, 5);
        let weight: Vec<i8> =
            (0..inputs * outputs).map(|i| ((i * 89 + 13) % 255) as i32 - 127).map(|w| w as i8).collect();
        let mult: Vec<u32> = (0..outputs as u32).map(|n| 3000 + 25_000 * n).collect();
        let bias: Vec<i32> = (0..outputs as i32).map(|n| (n - 2) * 12_345).collect();
        let l = Linear { name: "l".to_owned(), inputs, outputs, weight, bias, mult, sel: 1 };
        let input: Vec<i32> = (0..4 * inputs).map(|i| ((i * 53 + 7) % 255) as i32 - 127).collect();
        let got = linear(&input, &l, 16);
        let mut residual = vec![30_000; 4 * outputs];
        linear_residual(&mut residual, &input, &l);
        for r in 0..4 {
            for n in 0..outputs {
                let products =
                    (0..inputs).map(|k| i128::from(input[r * inputs + k]) * i128::from(l.weight[n * inputs + k]));
                let scaled = (products.sum::<i128>() + i128::from(l.bias[n])) * i128::from(l.mult[n]);
                let unit = 1i128 << shift_of(l.sel);
                let rounded = scaled.signum() * ((2 * scaled.abs() + unit) / (2 * unit));
                assert_eq!(i128::from(got[r * outputs + n]), rounded.clamp(-32767, 32767));
                assert_eq!(i128::from(residual[r * outputs + n]), (30_000 + rounded).clamp(-32767, 32767));
            }
        }
    }
}
