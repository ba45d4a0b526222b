//! Reciprocal square root, piecewise linear on a mantissa in 1/4..1.

/// Value (17 bits) and slope (12 bits) of `2^16 / sqrt(x / 2^16)` at the 96 segments from x = 2^14.
pub fn rsqrt_table() -> [(u32, u32); 96] {
    std::array::from_fn(|i| {
        let (here, next) = (root(32 + i as u64), root(33 + i as u64));
        (here.min(131_071) as u32, (here - next) as u32)
    })
}

/// `round(2^16 / sqrt(512 i / 65536))` in integers.
fn root(i: u64) -> u64 {
    // 2^16 * 2^8 / sqrt(512 i) = sqrt(2^48 / (512 i)); four times that, so that the last bit rounds.
    let doubled = ((4u64 << 48) / (512 * i)).isqrt();
    doubled.div_ceil(2)
}

/// Mantissa `y` (17 bits) and exponent `j` with `1/sqrt(x) ~ y * 2^-16 * 2^-j`; x in 1..2^52.
pub fn rsqrt(x: u64, table: &[(u32, u32); 96]) -> (u32, i32) {
    let length = 64 - x.leading_zeros();
    let even = length + (length & 1);
    let mantissa = if even >= 16 { x >> (even - 16) } else { x << (16 - even) };
    let (value, slope) = table[(mantissa >> 9) as usize - 32];
    (value - ((slope * (mantissa & 511) as u32) >> 9), even as i32 / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_close_to_the_exact_function() {
        let table = rsqrt_table();
        let mut x = 1u64;
        while x < 1 << 52 {
            let (y, j) = rsqrt(x, &table);
            let got = f64::from(y) * 2f64.powi(-16 - j);
            assert!((got * (x as f64).sqrt() - 1.0).abs() < 3e-4, "{x}");
            x += x / 97 + 1;
        }
    }
}
