//! Matrix products with int32 accumulation.

use crate::fixed::{Rescale, rescale, saturate};
use crate::quant::Linear;

/// `a . b` for int8 values held in i32 (the compiler vectorises it).
pub fn dot(a: &[i8], b: &[i8]) -> i32 {
    a.iter().zip(b).map(|(x, y)| i32::from(*x) * i32::from(*y)).sum()
}

/// Rows of int8.
pub fn narrow(values: &[i32]) -> Vec<i8> {
    values.iter().map(|v| *v as i8).collect()
}

/// Rescaled outputs of a product, saturated to `bits`; `[rows][outputs]`.
pub fn linear(input: &[i32], l: &Linear, bits: u32) -> Vec<i32> {
    let input = narrow(input);
    let mut output = Vec::with_capacity(input.len() / l.inputs * l.outputs);
    for row in input.chunks(l.inputs) {
        for (n, weights) in l.weight.chunks(l.inputs).enumerate() {
            let acc = dot(row, weights) + l.bias[n];
            output.push(saturate(rescale(acc, Rescale { mult: l.mult[n], sel: l.sel }), bits) as i32);
        }
    }
    output
}

/// Adds a product to the residual stream: the sum saturates once, to 16 bits.
pub fn linear_residual(x: &mut [i32], input: &[i32], l: &Linear) {
    let input = narrow(input);
    for (row, out) in input.chunks(l.inputs).zip(x.chunks_mut(l.outputs)) {
        for (n, weights) in l.weight.chunks(l.inputs).enumerate() {
            let acc = dot(row, weights) + l.bias[n];
            let branch = rescale(acc, Rescale { mult: l.mult[n], sel: l.sel });
            out[n] = saturate(i64::from(out[n]) + branch, 16) as i32;
        }
    }
}
