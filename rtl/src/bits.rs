//! Constant bit vectors of any width.

/// A constant of `width` bits, little-endian 64-bit limbs, unused high bits zero.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bits {
    width: u32,
    limbs: Vec<u64>,
}

impl Bits {
    /// From limbs; surplus limbs and bits are dropped, missing ones are zero.
    pub fn from_limbs(width: u32, limbs: &[u64]) -> Self {
        let count = width.div_ceil(64) as usize;
        let mut limbs: Vec<u64> = (0..count).map(|i| limbs.get(i).copied().unwrap_or(0)).collect();
        if let (Some(last), 1..) = (limbs.last_mut(), width % 64) {
            *last &= (1u64 << (width % 64)) - 1;
        }
        Self { width, limbs }
    }

    /// The low `width` bits of `value`.
    pub fn new(width: u32, value: u128) -> Self {
        Self::from_limbs(width, &[value as u64, (value >> 64) as u64])
    }

    /// The low `width` bits of a two's complement value, sign-extended beyond 128 bits.
    pub fn from_i128(width: u32, value: i128) -> Self {
        let mut limbs = vec![value as u64, (value >> 64) as u64];
        limbs.resize(width.div_ceil(64).max(2) as usize, if value < 0 { u64::MAX } else { 0 });
        Self::from_limbs(width, &limbs)
    }

    /// All zero.
    pub fn zero(width: u32) -> Self {
        Self::from_limbs(width, &[])
    }

    /// All one.
    pub fn ones(width: u32) -> Self {
        Self::from_i128(width, -1)
    }

    /// Concatenates elements, the first one in the lowest bits.
    pub fn concat_low_first(parts: &[Bits]) -> Self {
        let width = parts.iter().map(|p| p.width).sum();
        let mut limbs = vec![0u64; (width as usize).div_ceil(64) + 1];
        let mut at = 0usize;
        for part in parts {
            for (i, limb) in part.limbs.iter().enumerate() {
                let position = at + i * 64;
                limbs[position / 64] |= limb << (position % 64);
                if !position.is_multiple_of(64) {
                    limbs[position / 64 + 1] |= limb >> (64 - position % 64);
                }
            }
            at += part.width as usize;
        }
        Self::from_limbs(width, &limbs)
    }

    /// Width in bits.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Little-endian limbs.
    pub fn limbs(&self) -> &[u64] {
        &self.limbs
    }

    /// Bit `index`, zero beyond the width.
    pub fn bit(&self, index: u32) -> bool {
        self.limbs.get(index as usize / 64).is_some_and(|limb| limb >> (index % 64) & 1 == 1)
    }

    /// The low 64 bits.
    pub fn low_u64(&self) -> u64 {
        self.limbs.first().copied().unwrap_or(0)
    }
}
