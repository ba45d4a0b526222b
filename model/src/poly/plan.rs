//! Sigmoid in four straight lines: PLAN (Amin et al. 1997). Its slopes are powers of two, so it is shifts and adds.

/// Steps of the argument per unit.
pub const INPUT_STEPS: i32 = 256;
/// The result that stands for 1.
pub const ONE: u32 = 8192;

/// `8192 * sigmoid(x / 256)`; exact for PLAN, no rounding.
pub fn plan(x: i32) -> u32 {
    let y = match x.unsigned_abs() {
        m if m >= 1280 => ONE,
        m if m >= 608 => m + 6912,
        m if m >= 256 => 4 * m + 5120,
        m => 8 * m + 4096,
    };
    if x < 0 { ONE - y } else { y }
}

/// PLAN in real numbers.
pub fn plan_real(x: f64) -> f64 {
    let y = match x.abs() {
        m if m >= 5.0 => 1.0,
        m if m >= 2.375 => m / 32.0 + 27.0 / 32.0,
        m if m >= 1.0 => m / 8.0 + 0.625,
        m => m / 4.0 + 0.5,
    };
    if x < 0.0 { 1.0 - y } else { y }
}

/// `1 / (1 + exp(-x))`.
pub fn sigmoid_exact(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_example() {
        assert_eq!([0, 100, -100, 300, 700, 1280, -1280].map(plan), [4096, 4896, 3296, 6320, 7612, 8192, 0]);
    }

    /// Every 16-bit argument is the real PLAN without any rounding.
    #[test]
    fn is_the_real_plan_everywhere() {
        for x in -32768..=32767 {
            let real = plan_real(f64::from(x) / f64::from(INPUT_STEPS)) * f64::from(ONE);
            assert_eq!(f64::from(plan(x)), real, "{x}");
        }
    }

    #[test]
    fn is_close_to_the_sigmoid_and_symmetric() {
        for x in -32768..=32767 {
            let exact = sigmoid_exact(f64::from(x) / f64::from(INPUT_STEPS));
            assert!((f64::from(plan(x)) / f64::from(ONE) - exact).abs() < 0.0190, "{x}");
            assert_eq!(plan(x) + plan(-x), ONE, "{x}");
            // PLAN falls once on each side, where its lines do not meet: by 28 of 8192 at 608.
            assert!(plan(x + 1) >= plan(x) || plan(x + 1) + 28 == plan(x) && [607, -608].contains(&x), "{x}");
        }
    }
}
