//! Comparison of memory line by line, with the vectors that the machine has.
#![expect(unsafe_code, reason = "vector instructions are used where the machine has them")]

use crate::kernels::flags;

/// A cache line.
pub type Line = [u64; 8];
/// A line of state, and behind it that of its next values.
pub type Pair = [Line; 2];

/// Notes a bit for each byte in which two lines differ.
pub fn compare(now: &[Line], next: &[Line], noted: &mut [u64]) {
    run(Compare { now, next, noted });
}

/// The same for lines side by side; each takes its next values.
pub fn settle(pairs: &mut [Pair], noted: &mut [u64]) {
    run(Settle { pairs, noted });
}

/// Each line takes its next values, and nothing is noted.
pub fn advance(pairs: &mut [Pair]) {
    run(Advance { pairs });
}

/// Adds what differs from the last time, which becomes the present.
pub fn take(present: &[Line], last: &mut [Line], noted: &mut [u64]) {
    run(Take { present, last, noted });
}

/// A loop over lines that is compiled for each instruction set.
trait Pass {
    /// Runs it with a function that gives a bit for each byte in which two lines differ.
    fn run(self, differing: impl Fn(&Line, &Line) -> u64);
}

struct Compare<'l> {
    now: &'l [Line],
    next: &'l [Line],
    noted: &'l mut [u64],
}

impl Pass for Compare<'_> {
    #[inline(always)]
    fn run(self, differing: impl Fn(&Line, &Line) -> u64) {
        for ((now, next), noted) in self.now.iter().zip(self.next).zip(self.noted) {
            *noted = differing(now, next);
        }
    }
}

struct Settle<'l> {
    pairs: &'l mut [Pair],
    noted: &'l mut [u64],
}

impl Pass for Settle<'_> {
    #[inline(always)]
    fn run(self, differing: impl Fn(&Line, &Line) -> u64) {
        for ([now, next], noted) in self.pairs.iter_mut().zip(self.noted) {
            *noted = differing(now, next);
            *now = *next;
        }
    }
}

struct Advance<'l> {
    pairs: &'l mut [Pair],
}

impl Pass for Advance<'_> {
    #[inline(always)]
    fn run(self, _: impl Fn(&Line, &Line) -> u64) {
        self.pairs.iter_mut().for_each(|[now, next]| *now = *next);
    }
}

struct Take<'l> {
    present: &'l [Line],
    last: &'l mut [Line],
    noted: &'l mut [u64],
}

impl Pass for Take<'_> {
    #[inline(always)]
    fn run(self, differing: impl Fn(&Line, &Line) -> u64) {
        for ((present, last), noted) in self.present.iter().zip(self.last).zip(self.noted) {
            *noted |= differing(present, last);
            *last = *present;
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn run(pass: impl Pass) {
    pass.run(portable);
}

#[cfg(target_arch = "x86_64")]
fn run(pass: impl Pass) {
    use crate::kernels::Tier;
    static TIER: std::sync::LazyLock<Tier> = std::sync::LazyLock::new(Tier::detect);
    #[target_feature(enable = "avx2")]
    fn avx2(pass: impl Pass) {
        pass.run(|a, b| x86::avx2(a, b));
    }
    #[target_feature(enable = "avx512f,avx512bw")]
    fn avx512(pass: impl Pass) {
        pass.run(|a, b| x86::avx512(a, b));
    }
    match *TIER {
        // SAFETY: this machine has the instructions of its tier.
        Tier::Avx512 => unsafe { avx512(pass) },
        // SAFETY: the same.
        Tier::Avx2 => unsafe { avx2(pass) },
        Tier::Baseline => pass.run(portable),
    }
}

#[inline(always)]
fn portable(a: &Line, b: &Line) -> u64 {
    const LOW: u64 = 0x7F7F_7F7F_7F7F_7F7F;
    (0..8).fold(0, |all, limb| {
        let differing = a[limb] ^ b[limb];
        let high = (((differing & LOW) + LOW) | differing) & !LOW;
        all | flags::of_limb(high >> 7) << (8 * limb)
    })
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Line;
    use std::arch::x86_64::{
        _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm512_cmpneq_epi8_mask, _mm512_loadu_si512,
    };

    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn avx2(a: &Line, b: &Line) -> u64 {
        let equal = |at: usize| {
            // SAFETY: half a line from its start or its middle on.
            let [a, b] = [a, b].map(|line| unsafe { _mm256_loadu_si256(line.as_ptr().add(at).cast()) });
            u64::from(_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, b)) as u32)
        };
        !(equal(0) | equal(4) << 32)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub fn avx512(a: &Line, b: &Line) -> u64 {
        // SAFETY: a line is as long as the vector.
        let [a, b] = [a, b].map(|line| unsafe { _mm512_loadu_si512(line.as_ptr().cast()) });
        _mm512_cmpneq_epi8_mask(a, b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every byte by itself, and all together.
    #[test]
    fn a_bit_for_each_byte_that_differs() {
        let one = |byte: usize, value: u64| -> Line {
            std::array::from_fn(|l| if l == byte / 8 { value << (byte % 8 * 8) } else { 0 })
        };
        let mut noted = [0];
        for byte in 0..64 {
            for value in [1, 0x80, 0xFF] {
                compare(&[[0; 8]], &[one(byte, value)], &mut noted);
                assert_eq!((noted[0], portable(&[0; 8], &one(byte, value))), (1 << byte, 1 << byte));
            }
        }
        compare(&[[0; 8]], &[[0x0100_00FF_8000_0001; 8]], &mut noted);
        assert_eq!(
            (noted[0], portable(&[0; 8], &[0x0100_00FF_8000_0001; 8])),
            (0x9999_9999_9999_9999, 0x9999_9999_9999_9999)
        );
    }

    #[test]
    fn lines_take_their_next_values() {
        let mut pairs = [[[1; 8], [2; 8]], [[3; 8], [3; 8]]];
        let mut noted = [7, 7];
        settle(&mut pairs, &mut noted);
        assert_eq!((pairs, noted), ([[[2; 8]; 2], [[3; 8]; 2]], [0x0101_0101_0101_0101, 0]));
        let mut pairs = [[[1; 8], [2; 8]]];
        advance(&mut pairs);
        assert_eq!(pairs, [[[2; 8]; 2]]);
        let (mut last, mut noted) = ([[1; 8]], [4]);
        take(&[[1, 0, 1, 1, 1, 1, 1, 1]], &mut last, &mut noted);
        assert_eq!((last[0][1], noted), (0, [0x0104]));
    }
}
