//! LayerNorm of the 16-bit residual stream to int8. Gain and bias are folded into the next product.

use crate::fixed::{MULT_MAX, Rescale, normalize_mult, rescale, round_shift, saturate};
use crate::poly::rsqrt::rsqrt;
use serde::{Deserialize, Serialize};

/// Fraction bits of the mean.
pub const MEAN_FRACTION_BITS: u32 = 6;

/// Constants of one norm: one output step is `clip / 127` standard deviations,
/// `127 D / (clip 2^6) = gain * 2^exponent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NormParams {
    /// 17-bit mantissa, top bit set.
    pub gain: u32,
    /// Its exponent.
    pub exponent: i32,
    /// `max(1, eps D^2 / step^2)`.
    pub eps: u32,
}

/// Mean and multiplier of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowNorm {
    /// Mean with [`MEAN_FRACTION_BITS`].
    pub mean: i32,
    /// Factor from centred value to output.
    pub scale: Rescale,
}

/// Constants of a row from its sums over `channels` elements.
pub fn row_norm(sum: i64, squares: u64, channels: u32, params: &NormParams, table: &[(u32, u32); 96]) -> RowNorm {
    let inv_channels = inverse_channels(channels);
    let mean = round_shift(sum * i64::from(inv_channels), 18) as i32;
    let variance = u64::from(channels) * squares - (sum * sum) as u64 + u64::from(params.eps);
    let (root, exponent) = rsqrt(variance, table);
    let cut = ((u64::from(params.gain) * u64::from(root)) >> 17).min(u64::from(MULT_MAX)) as u32;
    RowNorm { mean, scale: normalize_mult(cut, exponent - params.exponent - 1) }
}

/// `round(2^24 / D)`.
pub fn inverse_channels(channels: u32) -> u32 {
    ((1 << 24) + channels / 2) / channels
}

/// One normalised element.
pub fn normalise(x: i32, row: &RowNorm) -> i32 {
    saturate(rescale((x << MEAN_FRACTION_BITS) - row.mean, row.scale), 8) as i32
}

/// Normalises a row.
pub fn layernorm(row: &[i32], params: &NormParams, table: &[(u32, u32); 96]) -> Vec<i32> {
    let sum = row.iter().map(|x| i64::from(*x)).sum();
    let squares = row.iter().map(|x| (i64::from(*x) * i64::from(*x)) as u64).sum();
    let norm = row_norm(sum, squares, row.len() as u32, params, table);
    row.iter().map(|x| normalise(*x, &norm)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixed::mantissa_exponent;
    use crate::poly::rsqrt::rsqrt_table;

    #[test]
    fn is_within_a_step_of_the_real_norm() {
        for (channels, scale) in [(64usize, 30.0), (64, 9000.0), (192, 500.0), (768, 2000.0)] {
            let clip = 4.0;
            let (gain, exponent) = mantissa_exponent(127.0 * channels as f64 / (clip * 64.0)).unwrap();
            let params = NormParams { gain, exponent, eps: 1 };
            let row: Vec<i32> =
                (0..channels).map(|i| ((i as f64 * 2.399).sin() * scale + scale / 3.0) as i32).collect();
            let mean = row.iter().map(|x| f64::from(*x)).sum::<f64>() / channels as f64;
            let variance = row.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / channels as f64;
            for (x, y) in row.iter().zip(layernorm(&row, &params, &rsqrt_table())) {
                let exact = (f64::from(*x) - mean) / variance.sqrt() * 127.0 / clip;
                assert!((f64::from(y) - exact).abs() < 0.6, "{channels} {scale}: {y} {exact}");
            }
        }
    }

    #[test]
    fn equal_elements_give_zero() {
        let params = NormParams { gain: 1 << 16, exponent: -10, eps: 7 };
        assert_eq!(layernorm(&[1234; 64], &params, &rsqrt_table()), vec![0; 64]);
    }
}
