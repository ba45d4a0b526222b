//! Reciprocal of a row sum, piecewise linear.

use crate::fixed::{MULT_MAX, Rescale, normalize_mult};

/// Value (17 bits) and slope (10 bits) of `2^31 / x` at the 128 segments of a mantissa in 2^15..2^16.
pub fn recip_table() -> [(u32, u32); 128] {
    let at = |i: u32| {
        let x = (128 + i) * 256;
        ((1u32 << 31) + x / 2) / x
    };
    std::array::from_fn(|i| (at(i as u32), at(i as u32) - at(i as u32 + 1)))
}

/// `gain * 2^exponent / sum` as multiplier and selector; (0, 0) for an empty row.
pub fn recip(sum: u32, gain: u32, exponent: i32, table: &[(u32, u32); 128]) -> Rescale {
    if sum == 0 {
        return Rescale { mult: 0, sel: 0 };
    }
    let length = 32 - sum.leading_zeros();
    let mantissa = if length <= 16 { sum << (16 - length) } else { sum >> (length - 16) };
    let (value, slope) = table[((mantissa >> 8) - 128) as usize];
    let inverse = value - ((slope * (mantissa & 255)) >> 8);
    let cut = ((u64::from(gain) * u64::from(inverse)) >> 16).min(u64::from(MULT_MAX)) as u32;
    normalize_mult(cut, length as i32 - 1 - exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sum_is_close_to_the_exact_reciprocal() {
        let table = recip_table();
        for sum in 127..(1u32 << 17) {
            let got = recip(sum, 1 << 16, -16, &table).factor();
            let exact = 1.0 / f64::from(sum);
            assert!((got / exact - 1.0).abs() < 6e-4, "{sum} {got}");
        }
    }
}
