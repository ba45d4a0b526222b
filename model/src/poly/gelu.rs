//! GELU by the quadratic of I-BERT: `x/2 (1 + L(x / sqrt2))`,
//! `L(x) = sign(x) delta1 (a (min(|x|, -b) + b)^2 + 1)`, a = -0.2888, b = -1.769.

use crate::fixed::{round_shift, saturate};
use serde::{Deserialize, Serialize};

/// Coefficient of the square.
pub const A: f64 = -0.2888;
/// The polynomial is constant beyond `-B`.
pub const B: f64 = -1.769;
/// What GELU is never below with delta1 = 1. With less it falls without end.
const LEAST: f64 = -0.167_48;

/// Where the codes of a GELU's output stand: symmetric, or with most of them above zero where the function is bounded
/// below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Codes {
    /// The code of zero is 0.
    Symmetric,
    /// The code of zero is as low as the function's least value allows.
    Low,
}

impl Codes {
    /// Of a GELU with this delta1.
    pub fn of(delta1: f64) -> Self {
        if delta1 == 1.0 { Self::Low } else { Self::Symmetric }
    }

    /// The code of zero, -127..=0.
    pub fn zero(self, step: f64) -> i32 {
        match self {
            Self::Symmetric => 0,
            Self::Low => (-LEAST / step).round().min(127.0) as i32 - 127,
        }
    }

    /// Largest value that has a code.
    pub fn reach(self, step: f64) -> f64 {
        f64::from(127 - self.zero(step)) * step
    }

    /// The step with which the codes reach a value.
    pub fn step(self, reach: f64) -> f64 {
        match self {
            Self::Symmetric => reach / 127.0,
            // Half a step for the rounding of the code of zero.
            Self::Low => ((reach - LEAST) / 253.5).max(reach / 254.0).min(reach / 127.0),
        }
    }
}

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
    /// Output for an input of zero, -127..=127.
    pub zero: i32,
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
        let (d1, zero) = ((delta1 * 16384.0).round() as u32, Codes::of(delta1).zero(output_step));
        Some(Self { t: t as u32, kappa: kappa as u32, d1, shift, zero })
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

/// GELU of a 16-bit value, moved by the code of zero and saturated to int8.
pub fn gelu(x: i32, params: &GeluParams) -> i32 {
    let below = params.t - x.unsigned_abs().min(params.t);
    let drop = (u64::from((below * below) >> 8) * u64::from(params.kappa)) >> 16;
    let curve = i64::from(params.d1) - drop as i64;
    let gate = if x < 0 { 16384 - curve } else { 16384 + curve };
    saturate(round_shift(i64::from(x) * gate, 15 + params.shift) + i64::from(params.zero), 8) as i32
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
                    let real = gelu_real(f64::from(x) * params.input_step(step), delta1) / step;
                    let exact = (real + f64::from(params.zero)).clamp(-127.0, 127.0);
                    assert!((f64::from(gelu(x, &params)) - exact).abs() < 0.6, "{step} {delta1} {x} {exact}");
                }
            }
        }
    }

    #[test]
    fn worked_example() {
        let params = GeluParams::new(4.0 / 127.0, 1.0).unwrap();
        assert_eq!(params, GeluParams { t: 2542, kappa: 38445, d1: 16384, shift: 5, zero: -122 });
        // x = 1000 (0.984): below 1542, 2377764 >> 8 = 9288, * 38445 >> 16 = 5448, curve 10936,
        // gate 27320, 27320000 / 2^20 = 26.05.
        assert_eq!(gelu(1000, &params), 26 - 122);
    }

    #[test]
    fn codes_reach_from_the_least_value_to_the_largest() {
        let least = (-4000..0).map(|x| gelu_real(f64::from(x) / 1000.0, 1.0)).fold(0.0, f64::min);
        assert!((least - LEAST).abs() < 1e-4, "{least}");
        for reach in [0.05, 0.3, 1.0, 4.0, 40.0] {
            for codes in [Codes::Low, Codes::Symmetric] {
                let step = codes.step(reach);
                assert!(
                    codes.reach(step) >= reach * 0.999_999 && codes.reach(step) < reach * 1.01,
                    "{reach} {codes:?}"
                );
                let below = f64::from(127 + codes.zero(step)) * step;
                assert!(below > -LEAST.max(-reach) - step / 2.0 - 1e-9, "{reach} {codes:?}");
            }
        }
        assert_eq!([4.0 / 127.0, 0.01, 1.0, 0.001].map(|step| Codes::Low.zero(step)), [-122, -110, -127, 0]);
        assert_eq!(Codes::of(0.5), Codes::Symmetric);
    }
}
