//! The non-linear functions, exact and polynomial, in real numbers.

use std::f64::consts::{LN_2, SQRT_2};

/// `x/2 (1 + erf(x / sqrt2))`.
pub fn gelu_exact(x: f64) -> f64 {
    x / 2.0 * (1.0 + libm::erf(x / SQRT_2))
}

/// exp of `x <= 0`.
pub fn exp_exact(x: f64) -> f64 {
    libm::exp(x)
}

/// exp of `x <= 0` by I-BERT's quadratic (see [`crate::poly::exp`]).
pub fn exp_poly(x: f64) -> f64 {
    let octaves = (-x / LN_2).floor();
    let p = x + octaves * LN_2;
    (0.3585 * (p + 1.353) * (p + 1.353) + 0.344) * libm::exp2(-octaves)
}

/// A row less its mean, over its standard deviation.
pub fn normalise(row: &[f32], eps: f64) -> Vec<f32> {
    let n = row.len() as f64;
    let mean = row.iter().map(|x| f64::from(*x)).sum::<f64>() / n;
    let variance = row.iter().map(|x| (f64::from(*x) - mean) * (f64::from(*x) - mean)).sum::<f64>() / n;
    let scale = 1.0 / libm::sqrt(variance + eps);
    row.iter().map(|x| ((f64::from(*x) - mean) * scale) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        assert!((gelu_exact(1.0) - 0.841_344_746).abs() < 1e-9);
        assert!((gelu_exact(-2.0) + 0.045_500_264).abs() < 1e-9);
        assert!((exp_poly(0.0) - (0.3585 * 1.353 * 1.353 + 0.344)).abs() < 1e-12);
        assert!((exp_poly(-LN_2 * 3.0) - exp_poly(0.0) / 8.0).abs() < 1e-9);
    }
}
