//! Sixteen sums side by side, and the one operation that the model spends its time in: products of pairs of int8
//! values, held in 16 bits, added to 32-bit sums. Every vector unit has an instruction for it.

use super::packed::Line;
use super::rows::Pair;

/// Sums that are computed side by side, one output each.
pub(super) const WIDTH: usize = 16;

/// A vector unit.
pub(super) trait Lanes: Copy {
    /// [`WIDTH`] sums.
    type Sums: Copy;

    /// Takes sums from memory.
    fn load(self, sums: &[i32; WIDTH]) -> Self::Sums;

    /// `sums[n] + input[0] * line[n][0] + input[1] * line[n][1]`, wrapping.
    fn add_products(self, sums: Self::Sums, input: Pair, line: &Line) -> Self::Sums;

    /// Puts sums into memory.
    fn store(self, sums: Self::Sums) -> [i32; WIDTH];
}

/// No vector unit that this program knows of; the compiler uses what there is.
#[derive(Clone, Copy)]
pub(super) struct Plain;

impl Lanes for Plain {
    type Sums = [i32; WIDTH];

    #[inline(always)]
    fn load(self, sums: &[i32; WIDTH]) -> Self::Sums {
        *sums
    }

    #[inline(always)]
    fn add_products(self, mut sums: Self::Sums, [first, second]: Pair, line: &Line) -> Self::Sums {
        for (sum, [one, other]) in sums.iter_mut().zip(&line.0) {
            let products = i32::from(first) * i32::from(*one) + i32::from(second) * i32::from(*other);
            *sum = sum.wrapping_add(products);
        }
        sums
    }

    #[inline(always)]
    fn store(self, sums: Self::Sums) -> [i32; WIDTH] {
        sums
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Lanes, Line, Pair, WIDTH};
    use bytemuck::cast;
    use pulp::x86::{V3, V4};
    use pulp::{i16x16, i16x32, i32x8, i32x16};

    impl Lanes for V3 {
        type Sums = [i32x8; 2];

        #[inline(always)]
        fn load(self, sums: &[i32; WIDTH]) -> Self::Sums {
            cast(*sums)
        }

        #[inline(always)]
        fn add_products(self, sums: Self::Sums, input: Pair, line: &Line) -> Self::Sums {
            let input: i16x16 = cast(self.splat_i32x8(cast(input)));
            let [low, high]: [i16x16; 2] = cast(line.0);
            let products = [low, high].map(|weights| self.multiply_wrapping_add_adjacent_i16x16(input, weights));
            [self.wrapping_add_i32x8(sums[0], products[0]), self.wrapping_add_i32x8(sums[1], products[1])]
        }

        #[inline(always)]
        fn store(self, sums: Self::Sums) -> [i32; WIDTH] {
            cast(sums)
        }
    }

    impl Lanes for V4 {
        type Sums = i32x16;

        #[inline(always)]
        fn load(self, sums: &[i32; WIDTH]) -> Self::Sums {
            cast(*sums)
        }

        #[inline(always)]
        fn add_products(self, sums: Self::Sums, input: Pair, line: &Line) -> Self::Sums {
            let input: i16x32 = cast(self.splat_i32x16(cast(input)));
            self.wrapping_add_i32x16(sums, self.multiply_wrapping_add_adjacent_i16x32(input, cast(line.0)))
        }

        #[inline(always)]
        fn store(self, sums: Self::Sums) -> [i32; WIDTH] {
            cast(sums)
        }
    }
}
