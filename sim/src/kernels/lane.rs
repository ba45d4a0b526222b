//! The host types of lanes, and loops over them.

/// A host type.
pub trait Lane: Copy + PartialOrd {
    /// Its width.
    const BITS: u32;
    /// The low bits.
    fn cut(value: u64) -> Self;
    /// Sign- or zero-extended.
    fn widen(self) -> u64;
    /// Moves down; the sign or zeros follow.
    fn shift_right(self, by: u32) -> Self;
    /// `new` where the flag is set, by masks: a choice would become a branch for each lane.
    fn blend(self, new: Self, flag: u8) -> Self;
}

macro_rules! lane {
    ($($ty:ty),*) => {$(
        impl Lane for $ty {
            const BITS: u32 = <$ty>::BITS;
            #[inline(always)]
            fn cut(value: u64) -> Self { value as $ty }
            #[inline(always)]
            #[allow(clippy::cast_lossless, reason = "one macro for all types")]
            fn widen(self) -> u64 { self as i64 as u64 }
            #[inline(always)]
            fn shift_right(self, by: u32) -> Self { self >> by }
            #[inline(always)]
            fn blend(self, new: Self, flag: u8) -> Self {
                let mask = (0 as $ty).wrapping_sub((flag != 0) as $ty);
                (new & mask) | (self & !mask)
            }
        }
    )*};
}

lane!(u8, u16, u32, u64, i8, i16, i32, i64);

/// Each lane from two.
#[inline(always)]
pub fn zip<T: Lane, R>(d: &mut [R], a: &[T], b: &[T], f: impl Fn(T, T) -> R) {
    for ((d, a), b) in d.iter_mut().zip(a).zip(b) {
        *d = f(*a, *b);
    }
}

/// Each lane from one.
#[inline(always)]
pub fn each<T: Lane, R>(d: &mut [R], a: &[T], f: impl Fn(T) -> R) {
    for (d, a) in d.iter_mut().zip(a) {
        *d = f(*a);
    }
}

/// `width` bits from `low` on.
#[inline(always)]
pub fn field<T: Lane>(value: T, low: u32, width: u32) -> T {
    // Up, then down with the sign or zeros of the host type.
    let unused = T::BITS - width;
    T::cut(value.shift_right(low).widen() << unused).shift_right(unused)
}
