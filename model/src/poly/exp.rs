//! exp of a non-positive score by the quadratic of I-BERT (Kim et al. 2021, also used by HeatViT).
//!
//! With `-x = z ln2 + r`: `exp(x) = 2^-z exp(-r)`, `exp(p) ~ 0.3585 (p + 1.353)^2 + 0.344` on `(-ln2, 0]`.

/// Steps per octave: scores are in units of ln2 / 256.
pub const STEPS_PER_OCTAVE: u32 = 256;
/// Value that stands for 1.
pub const ONE: i32 = 127;

/// `127 * exp(-distance * ln2 / 256)` in 0..=127; `distance` is the row maximum less the score (17 bits).
pub fn exp7(distance: u32) -> i32 {
    let octaves = (distance >> 8).min(15);
    let root = 999 - 2 * (distance & 255);
    let mantissa = ((((root * root) >> 6) * 175) >> 7) + 11184;
    (((mantissa >> octaves) + 128) >> 8) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_example() {
        // distance 100: root 799, 638401 >> 6 = 9975, * 175 >> 7 = 13637, + 11184 = 24821, rounded 97.
        assert_eq!(exp7(100), 97);
        assert_eq!(exp7(0), ONE);
        assert_eq!(exp7(256), 63);
    }

    #[test]
    fn stays_within_one_step_of_the_exact_exponential() {
        for distance in 0..(1 << 17) {
            let exact = 127.0 * (-f64::from(distance) * std::f64::consts::LN_2 / 256.0).exp();
            assert!((f64::from(exp7(distance)) - exact).abs() < 1.0, "{distance}");
        }
    }

    #[test]
    fn never_rises() {
        assert!((1..4096u32).all(|d| exp7(d) <= exp7(d - 1)));
    }
}
