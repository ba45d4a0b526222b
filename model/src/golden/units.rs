//! The units of [`crate::fixed`] and [`crate::poly`] on magnitudes, so that a vector unit computes many at once: it
//! has neither wide arithmetic shifts nor wide minima. Rounding and saturation are symmetric, so the sign can wait.

use crate::fixed::shift_of;
use crate::poly::gelu::GeluParams;

/// Largest int8 value.
pub(super) const INT8_MAX: u32 = 127;
/// Largest value of 16 bits.
pub(super) const INT16_MAX: u32 = 32767;

#[inline(always)]
fn signed(magnitude: u32, negative: bool) -> i32 {
    let value = magnitude as i32;
    if negative { -value } else { value }
}

/// [`crate::fixed::rescale`] by `mult` and the shift of `sel`, cut to `+-limit`, which is below 2^31.
#[inline(always)]
pub(super) fn scaled(sum: i32, mult: u32, sel: u32, limit: u32) -> i32 {
    let shift = shift_of(sel);
    // At most 2^31 * 2^17 / 2^16 before the cut: 32 bits.
    let magnitude = (u64::from(sum.unsigned_abs()) * u64::from(mult) + (1 << (shift - 1))) >> shift;
    signed((magnitude as u32).min(limit), sum < 0)
}

/// [`crate::poly::gelu::gelu`] of a value of 16 bits.
#[inline(always)]
pub(super) fn gelu(x: i32, p: &GeluParams) -> i32 {
    let below = p.t - x.unsigned_abs().min(p.t);
    // Factors of 16 bits each.
    let drop = (((below * below) >> 8) * p.kappa) >> 16;
    let curve = p.d1 as i32 - drop as i32;
    let gate = if x < 0 { 16384 - curve } else { 16384 + curve };
    // Less than 2^15 * 81920 + 2^29: 32 bits.
    let half = 1u32 << (14 + p.shift);
    let magnitude = (x.unsigned_abs() * gate.unsigned_abs() + half) >> (15 + p.shift);
    (signed(magnitude, (x < 0) != (gate < 0)) + p.zero).clamp(-(INT8_MAX as i32), INT8_MAX as i32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixed::{MULT_MAX, Rescale, SEL_MAX, rescale, saturate};
    use crate::poly;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn check(sum: i32, mult: u32, sel: u32) {
        let exact = rescale(sum, Rescale { mult, sel });
        for bits in [8, 16] {
            let limit = (1 << (bits - 1)) - 1;
            assert_eq!(i64::from(scaled(sum, mult, sel, limit)), saturate(exact, bits), "{sum} {mult} {sel} {bits}");
        }
    }

    #[test]
    fn scaling_equals_the_definition_at_the_corners_and_at_random() {
        let sums = [0, 1, 2, 127, 32767, 32768, (1 << 26) - 1, 1 << 26, i32::MAX];
        let mults = [0, 1, 2, 3, 255, 32768, 65535, 65536, MULT_MAX - 1, MULT_MAX];
        for sel in 0..=SEL_MAX {
            for mult in mults {
                sums.iter().for_each(|sum| [*sum, -sum].into_iter().for_each(|sum| check(sum, mult, sel)));
                check(i32::MIN, mult, sel);
            }
        }
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..200_000 {
            let limit = ((1i64 << rng.random_range(1..=31)) - 1) as i32;
            let sum = rng.random_range(-limit..=limit);
            check(sum, rng.random_range(0..=MULT_MAX), rng.random_range(0..=SEL_MAX));
        }
    }

    /// Halves are where rounding shows: sums with `sum * mult = (k + 1/2) 2^shift`, and both neighbours.
    #[test]
    fn scaling_equals_the_definition_at_halves() {
        for sel in 0..=SEL_MAX {
            for k in 0..200 {
                // A power of two as multiplier leaves the sum odd multiples of a half.
                let mult = 1 << 16;
                let half = (2 * k + 1) << (shift_of(sel) - 16) >> 1;
                [half - 1, half, half + 1]
                    .into_iter()
                    .for_each(|sum| [sum, -sum].into_iter().for_each(|sum| check(sum, mult, sel)));
            }
        }
    }

    /// Every 16-bit input, for constants in use and for the corners that [`crate::quant::validate`] lets through.
    #[test]
    fn gelu_equals_the_definition_everywhere() {
        let mut params: Vec<GeluParams> = Vec::new();
        for step in [0.01, 4.0 / 127.0, 0.039_092_73, 0.4] {
            params.extend([0.5, 1.0].iter().filter_map(|delta1| GeluParams::new(step, *delta1)));
        }
        for t in [0, 1, 4095] {
            for kappa in [0, 65535] {
                for d1 in [0, 32767] {
                    params.extend([(0, 127), (0, 0), (15, -127)].map(|(shift, zero)| GeluParams {
                        t,
                        kappa,
                        d1,
                        shift,
                        zero,
                    }));
                }
            }
        }
        for p in &params {
            for x in -32767..=32767 {
                assert_eq!(gelu(x, p), poly::gelu::gelu(x, p), "{x} {p:?}");
            }
        }
    }
}
