//! The only rounding and saturation of the project.

use num_traits::{PrimInt, Signed};

/// Bits of an accumulator, bias included.
pub const ACC_BITS: u32 = 27;
/// Largest multiplier: 17 bits.
pub const MULT_MAX: u32 = (1 << 17) - 1;
/// Smallest shift of a rescaling; selector `sel` stands for `SHIFT_BASE + SHIFT_STEP * sel`.
pub const SHIFT_BASE: u32 = 16;
/// Distance of two shifts.
pub const SHIFT_STEP: u32 = 4;
/// Largest selector.
pub const SEL_MAX: u32 = 3;

/// `x / 2^shift`, rounded to nearest, halves away from zero.
pub fn round_shift(x: i64, shift: u32) -> i64 {
    if shift == 0 {
        return x;
    }
    (x + (1i64 << (shift - 1)) - i64::from(x < 0)) >> shift
}

/// Symmetric saturation to `bits` bits: +-(2^(bits-1) - 1).
pub fn saturate<T: PrimInt + Signed>(x: T, bits: u32) -> T {
    let limit = (T::one() << (bits as usize - 1)) - T::one();
    num_traits::clamp(x, -limit, limit)
}

/// A positive real factor as `mult * 2^-(16 + 4 sel)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rescale {
    /// At most [`MULT_MAX`].
    pub mult: u32,
    /// At most [`SEL_MAX`].
    pub sel: u32,
}

impl Rescale {
    /// The factor that `mult` and `sel` stand for.
    pub fn factor(self) -> f64 {
        f64::from(self.mult) / f64::from(1u32 << shift_of(self.sel))
    }
}

/// Shift that a selector stands for.
pub fn shift_of(sel: u32) -> u32 {
    SHIFT_BASE + SHIFT_STEP * sel
}

/// `x * mult / 2^(16 + 4 sel)`, rounded by [`round_shift`].
pub fn rescale(x: i32, scale: Rescale) -> i64 {
    round_shift(i64::from(x) * i64::from(scale.mult), shift_of(scale.sel))
}

/// Largest selector with which every factor still fits a multiplier, and the multipliers.
/// `None` when a factor is negative, not finite or at least 2.
pub fn multipliers(factors: &[f64]) -> Option<(Vec<u32>, u32)> {
    let largest = factors.iter().copied().fold(0.0f64, f64::max);
    if factors.iter().any(|f| !f.is_finite() || *f < 0.0) {
        return None;
    }
    let mult_at = |factor: f64, sel: u32| (factor * f64::from(1u32 << shift_of(sel))).round();
    let sel = (0..=SEL_MAX).rev().find(|sel| mult_at(largest, *sel) <= f64::from(MULT_MAX))?;
    Some((factors.iter().map(|f| mult_at(*f, sel) as u32).collect(), sel))
}

/// `mantissa * 2^-shift` as multiplier and selector: the largest shift of the set that does not exceed `shift`,
/// the rest taken from the mantissa; saturated where the value is 2 or more.
pub fn normalize_mult(mantissa: u32, shift: i32) -> Rescale {
    if shift < SHIFT_BASE as i32 {
        return Rescale { mult: MULT_MAX, sel: 0 };
    }
    let above = (shift - SHIFT_BASE as i32) as u32;
    let sel = (above / SHIFT_STEP).min(SEL_MAX);
    let extra = above - SHIFT_STEP * sel;
    Rescale { mult: if extra >= 17 { 0 } else { mantissa >> extra }, sel }
}

/// A positive real as `mantissa * 2^exponent` with a 17-bit mantissa whose top bit is set.
/// `None` when it is not a positive normal number.
pub fn mantissa_exponent(value: f64) -> Option<(u32, i32)> {
    if !(value.is_normal() && value > 0.0) {
        return None;
    }
    let exponent = value.log2().floor() as i32 - 16;
    let mantissa = (value / 2f64.powi(exponent)).round() as u32;
    if mantissa > MULT_MAX { Some((mantissa >> 1, exponent + 1)) } else { Some((mantissa, exponent)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_round_away_from_zero() {
        let rounded: Vec<i64> = [-6, -5, -3, -2, -1, 0, 1, 2, 3, 5, 6].iter().map(|x| round_shift(*x, 2)).collect();
        assert_eq!(rounded, [-2, -1, -1, -1, 0, 0, 0, 1, 1, 1, 2]);
    }

    #[test]
    fn rounding_equals_the_float_rule() {
        for x in -70_000i64..70_000 {
            for shift in [1, 3, 8] {
                assert_eq!(round_shift(x, shift), (x as f64 / f64::from(1 << shift)).round() as i64);
            }
        }
    }

    #[test]
    fn saturation_is_symmetric() {
        assert_eq!([-200, -128, -127, 0, 127, 128].map(|x: i32| saturate(x, 8)), [-127, -127, -127, 0, 127, 127]);
    }

    #[test]
    fn multipliers_use_the_finest_shift() {
        assert_eq!(multipliers(&[0.000_1, 0.000_2]), Some((vec![26844, 53687], 3)));
        assert_eq!(multipliers(&[1.5]), Some((vec![98304], 0)));
        assert_eq!(multipliers(&[2.1]), None);
    }

    #[test]
    fn normalized_multipliers_keep_the_value() {
        for mantissa in [1u32 << 15, 70_000, MULT_MAX] {
            for shift in 16..34 {
                let exact = f64::from(mantissa) * 2f64.powi(-shift);
                let error = (normalize_mult(mantissa, shift).factor() - exact).abs();
                assert!(error <= 2f64.powi(-28).max(2f64.powi(-shift + 3)), "{mantissa} {shift}");
            }
        }
    }
}
