//! GELU by the quadratic of I-BERT: `x/2 (1 + L(x / sqrt2))`,
//! `L(x) = sign(x) delta1 (a (min(|x|, -b) + b)^2 + 1)`, a = -0.2888, b = -1.769.

use crate::fixed::{round_shift, saturate};
use serde::{Deserialize, Serialize};

/// Coefficient of the square.
pub const A: f64 = -0.2888;
/// The polynomial is constant beyond `-B`.
pub const B: f64 = -1.769;

/// Constants of one tensor's GELU. The input has the step `s`, the output `s * 2^shift`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeluParams {
    /// Knee `-b sqrt2 / s`, in 2^11..2^12.
    pub t: u32,
    /// `delta1 * -a b^2 / t^2 * 2^38`, 16 bits.
    pub kappa: u32,
    /// delta1 with 14 fraction bits, 15 bits.
    pub d1: u32,
    /// log2 of output step over input step, 0..=15.
    pub shift: u32,
}

impl GeluParams {
    /// Constants for an output step; `None` when no shift brings the knee into its range.
    pub fn new(output_step: f64, delta1: f64) -> Option<Self> {
        let knee = -B * std::f64::consts::SQRT_2;
        let shift = (0..16u32).find(|shift| knee / output_step * 2f64.powi(*shift as i32) >= 2048.0)?;
        let exact = knee / output_step * 2f64.powi(shift as i32);
        if exact >= 4096.0 || !(0.0..2.0).contains(&delta1) {
            return None;
        }
        // What would round up to 2^12 stays at the largest knee.
        let t = exact.round().min(4095.0);
        let kappa = (delta1 * -A * B * B / (t * t) * 2f64.powi(38)).round().min(65535.0);
        Some(Self { t: t as u32, kappa: kappa as u32, d1: (delta1 * 16384.0).round() as u32, shift })
    }

    /// Smallest output step that [`Self::new`] accepts, with room for rounding.
    pub fn least_output_step() -> f64 {
        -B * std::f64::consts::SQRT_2 / 4095.0
    }

    /// Output steps for which the input step is at least `least`, a range for every shift; none where no input step
    /// is that large.
    pub fn output_steps(least: f64) -> impl Iterator<Item = (f64, f64)> {
        // With room for rounding.
        let knee = -B * std::f64::consts::SQRT_2;
        let (smallest, largest) = (least.max(knee / 4095.0), knee / 2049.0);
        let range = move |shift: i32| (smallest * 2f64.powi(shift), largest * 2f64.powi(shift));
        (0..16).map(range).filter(|(low, high)| low < high)
    }

    /// Step of the input.
    pub fn input_step(&self, output_step: f64) -> f64 {
        output_step / 2f64.powi(self.shift as i32)
    }
}

/// GELU of a 16-bit value, saturated to int8.
pub fn gelu(x: i32, params: &GeluParams) -> i32 {
    let below = params.t - x.unsigned_abs().min(params.t);
    let drop = (u64::from((below * below) >> 8) * u64::from(params.kappa)) >> 16;
    let curve = i64::from(params.d1) - drop as i64;
    let gate = if x < 0 { 16384 - curve } else { 16384 + curve };
    saturate(round_shift(i64::from(x) * gate, 15 + params.shift), 8) as i32
}

/// The polynomial in real numbers.
pub fn gelu_real(x: f64, delta1: f64) -> f64 {
    let y = x / std::f64::consts::SQRT_2;
    let l = y.signum() * delta1 * (A * (y.abs().min(-B) + B).powi(2) + 1.0);
    x / 2.0 * (1.0 + l)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_real_polynomial_within_a_step() {
        // The knee of the third step is 4095.99.
        for step in [0.01, 4.0 / 127.0, 0.039_092_73, 0.4] {
            for delta1 in [0.5, 1.0] {
                let params = GeluParams::new(step, delta1).unwrap();
                for x in -32767..=32767 {
                    let exact = (gelu_real(f64::from(x) * params.input_step(step), delta1) / step).clamp(-127.0, 127.0);
                    assert!((f64::from(gelu(x, &params)) - exact).abs() < 0.6, "{step} {delta1} {x} {exact}");
                }
            }
        }
    }

    #[test]
    fn worked_example() {
        let params = GeluParams::new(4.0 / 127.0, 1.0).unwrap();
        assert_eq!(params, GeluParams { t: 2542, kappa: 38445, d1: 16384, shift: 5 });
        // x = 1000 (0.984): below 1542, 2377764 >> 8 = 9288, * 38445 >> 16 = 5448, curve 10936,
        // gate 27320, 27320000 / 2^20 = 26.05.
        assert_eq!(gelu(1000, &params), 26);
    }
}
