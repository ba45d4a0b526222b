//! Flags of many lanes in one integer.

/// Lanes of a block, as many as there are bits in a limb.
pub const BLOCK: usize = 64;

/// A bit for each byte of a limb that is 1; bytes are 0 or 1.
#[inline(always)]
pub fn of_limb(limb: u64) -> u64 {
    /// Brings the lowest bits of eight bytes together in the highest byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    limb.wrapping_mul(GATHER) >> 56
}

/// The same for any number of bytes up to a block.
#[inline(always)]
pub fn portable(flags: &[u8]) -> u64 {
    let (words, rest) = flags.as_chunks::<8>();
    let bits = words.iter().map(|w| of_limb(u64::from_le_bytes(*w)));
    let whole = bits.enumerate().fold(0, |all, (index, bits)| all | bits << (8 * index));
    let last = 8 * words.len();
    rest.iter().enumerate().fold(whole, |all, (index, flag)| all | u64::from(*flag) << (last + index))
}

#[cfg(target_arch = "x86_64")]
pub use x86::{avx2, avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::BLOCK;
    use std::arch::x86_64::{
        _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_slli_epi16, _mm512_loadu_si512, _mm512_test_epi8_mask,
    };

    /// The same for a block.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn avx2(block: &[u8; BLOCK]) -> u64 {
        let half = |at: usize| {
            // SAFETY: half a block from its start or its middle on.
            let bytes = unsafe { _mm256_loadu_si256(block.as_ptr().add(at).cast()) };
            u64::from(_mm256_movemask_epi8(_mm256_slli_epi16::<7>(bytes)) as u32)
        };
        half(0) | half(BLOCK / 2) << (BLOCK / 2)
    }

    /// The same for a block.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub fn avx512(block: &[u8; BLOCK]) -> u64 {
        // SAFETY: a block is as long as the vector.
        let bytes = unsafe { _mm512_loadu_si512(block.as_ptr().cast()) };
        _mm512_test_epi8_mask(bytes, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bit_for_each_flag() {
        for modulus in [1, 2, 3, 7, 63, 64] {
            let block: [u8; BLOCK] = std::array::from_fn(|lane| u8::from(lane % modulus == modulus - 1));
            let expected = (0..BLOCK).fold(0, |all, lane| all | u64::from(block[lane]) << lane);
            assert_eq!(portable(&block), expected);
            assert_eq!(portable(&block[..13]), expected & 0x1FFF);
            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("avx2") {
                // SAFETY: this machine has the instructions.
                assert_eq!(unsafe { avx2(&block) }, expected);
            }
            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("avx512bw") {
                // SAFETY: the same.
                assert_eq!(unsafe { avx512(&block) }, expected);
            }
        }
    }
}
