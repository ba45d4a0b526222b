//! Registers with enables, written in place.
//!
//! Mostly none is enabled, or a few on a diagonal of an array that weights move into: blocks of lanes are looked at
//! together, and lanes of a block are written one by one where they are few.

use super::flags::{BLOCK, portable};
use super::lane::{Lane, field};

/// Enabled lanes of a block from which all are written.
const MANY: u32 = 12;
/// Lanes that are written together where all take one element.
const WRITE: usize = 16;

/// The blocks with an enabled lane: the first lane of each, and which are enabled.
struct Blocks<'f, W> {
    flags: &'f [u8],
    first: usize,
    /// Finds the enabled lanes of a whole block.
    whole: W,
}

impl<'f, W: Fn(&[u8; BLOCK]) -> u64> Blocks<'f, W> {
    #[inline(always)]
    fn of(flags: &'f [u8], whole: W) -> Self {
        Self { flags, first: 0, whole }
    }
}

impl<W: Fn(&[u8; BLOCK]) -> u64> Iterator for Blocks<'_, W> {
    type Item = (usize, Lanes);

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        while let Some((block, rest)) = self.flags.split_first_chunk() {
            let (first, lanes) = (self.first, (self.whole)(block));
            (self.flags, self.first) = (rest, first + BLOCK);
            if lanes != 0 {
                return Some((first, Lanes(lanes)));
            }
        }
        let rest = std::mem::take(&mut self.flags);
        let any = rest.iter().fold(0, |all, flag| all | flag) != 0;
        any.then(|| (self.first, Lanes(portable(rest))))
    }
}

/// Enabled lanes of a block, a bit for each.
#[derive(Clone, Copy)]
struct Lanes(u64);

impl Lanes {
    #[inline(always)]
    fn are_many(self) -> bool {
        self.0.count_ones() >= MANY
    }
}

impl Iterator for Lanes {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        let lane = self.0.trailing_zeros();
        self.0 &= self.0.wrapping_sub(1);
        (lane < u64::BITS).then_some(lane as usize)
    }
}

/// Enabled lanes take their element.
#[inline(always)]
pub fn blend<T: Lane>(d: &mut [T], a: &[T], flags: &[u8], whole: impl Fn(&[u8; BLOCK]) -> u64) {
    for (first, lanes) in Blocks::of(flags, whole) {
        if lanes.are_many() {
            let lanes = d[first..].iter_mut().zip(&a[first..]).zip(&flags[first..]).take(BLOCK);
            lanes.for_each(|((d, a), flag)| *d = d.blend(*a, *flag));
            continue;
        }
        for lane in lanes {
            d[first + lane] = a[first + lane];
        }
    }
}

/// Enabled lanes take the element that `per` of them share.
#[inline(always)]
pub fn blend_shared<T: Lane>(d: &mut [T], a: &[T], flags: &[u8], per: usize, whole: impl Fn(&[u8; BLOCK]) -> u64) {
    // A division takes longer than all else that is done for a lane.
    let shift = per.is_power_of_two().then(|| per.trailing_zeros());
    let element = |lane: usize| shift.map_or_else(|| lane / per, |shift| lane >> shift);
    for (first, lanes) in Blocks::of(flags, whole) {
        if !lanes.are_many() {
            for lane in lanes {
                d[first + lane] = a[element(first + lane)];
            }
            continue;
        }
        let (mut lane, end) = (first, flags.len().min(first + BLOCK));
        while lane < end {
            let next = end.min((lane / per + 1) * per);
            blend_one(&mut d[lane..next], a[lane / per], &flags[lane..next]);
            lane = next;
        }
    }
}

#[inline(always)]
fn blend_one<T: Lane>(d: &mut [T], new: T, flags: &[u8]) {
    let ((d, rest), (flags, rest_flags)) = (d.as_chunks_mut::<WRITE>(), flags.as_chunks::<WRITE>());
    for (d, flags) in d.iter_mut().zip(flags) {
        d.iter_mut().zip(flags).for_each(|(d, flag)| *d = d.blend(new, *flag));
    }
    rest.iter_mut().zip(rest_flags).for_each(|(d, flag)| *d = d.blend(new, *flag));
}

/// Enabled lanes take a sum, cut to `width` bits.
#[inline(always)]
pub fn add<A: Lane, B: Lane, R: Lane>(
    d: &mut [R],
    a: &[A],
    b: &[B],
    flags: &[u8],
    width: u32,
    whole: impl Fn(&[u8; BLOCK]) -> u64,
) {
    for (first, lanes) in Blocks::of(flags, whole) {
        if lanes.are_many() {
            let terms = a[first..].iter().zip(&b[first..]).zip(&flags[first..]).take(BLOCK);
            for (d, ((a, b), flag)) in d[first..].iter_mut().zip(terms) {
                *d = d.blend(sum(*a, *b, width), *flag);
            }
            continue;
        }
        for lane in lanes {
            d[first + lane] = sum(a[first + lane], b[first + lane], width);
        }
    }
}

#[inline(always)]
fn sum<A: Lane, B: Lane, R: Lane>(a: A, b: B, width: u32) -> R {
    field(R::cut(a.widen().wrapping_add(b.widen())), 0, width)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(block: &[u8; BLOCK]) -> u64 {
        portable(block)
    }

    /// Blocks that are whole and not, with no lane enabled, few, and many.
    #[test]
    fn enabled_lanes_and_no_others_are_written() {
        for lanes in [1_usize, 7, 8, 63, 64, 65, 150, 256] {
            for modulus in [1, 2, 5, 9, 40, 500] {
                let flags: Vec<u8> = (0..lanes).map(|l| u8::from(l % modulus == modulus / 2)).collect();
                let own: Vec<i16> = (0..lanes).map(|l| -(l as i16) - 1).collect();
                let expect = |new: &dyn Fn(usize) -> i16| -> Vec<i16> {
                    own.iter().zip(&flags).enumerate().map(|(l, (d, f))| if *f == 1 { new(l) } else { *d }).collect()
                };
                let a: Vec<i16> = (0..lanes).map(|l| 3 * l as i16).collect();
                let mut d = own.clone();
                blend(&mut d, &a, &flags, whole);
                assert_eq!(d, expect(&|l| a[l]), "{lanes} {modulus}");
                for per in [3, 16, 100] {
                    let mut d = own.clone();
                    blend_shared(&mut d, &a[..lanes.div_ceil(per)], &flags, per, whole);
                    assert_eq!(d, expect(&|l| a[l / per]), "{lanes} {modulus} {per}");
                }
                let b: Vec<i8> = (0..lanes).map(|l| (l % 100) as i8 - 50).collect();
                let mut d = own.clone();
                add(&mut d, &a, &b, &flags, 7, whole);
                let cut = |value: i16| (value << 9) >> 9;
                assert_eq!(d, expect(&|l| cut(a[l] + i16::from(b[l]))), "{lanes} {modulus}");
            }
        }
    }
}
