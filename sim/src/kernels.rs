//! Loops over the lanes of a batch, compiled for several instruction sets and called by generated code.
//!
//! All kernels have one signature: destination, three operands, an immediate and the number of lanes.
//! The generated code guarantees that every pointer covers `lanes` elements of the kernel's host type and
//! that the destination overlaps no operand; this is the reason for the `unsafe` in this file.
#![expect(unsafe_code, reason = "kernels are called from generated code, which passes raw lane pointers")]

/// A kernel's signature.
pub type Kernel = unsafe extern "C" fn(*mut u8, *const u8, *const u8, *const u8, u64, usize);

/// What a kernel does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// `a + b`
    Add,
    /// `a - b`
    Sub,
    /// `a * b`
    Mul,
    /// `a & b`
    And,
    /// `a | b`
    Or,
    /// `a ^ b`
    Xor,
    /// `a == b`, a byte per lane
    Eq,
    /// `a != b`, a byte per lane
    Ne,
    /// `a < b`, a byte per lane
    Lt,
    /// `a <= b`, a byte per lane
    Le,
    /// `a << b`, zero from the width on
    Shl,
    /// `a >> b`
    Shr,
    /// `if a { b } else { c }`, `a` a byte per lane
    Mux,
    /// Bits of `a`: `immediate` is `low | width << 8`
    Field,
    /// Low bits of `a` moved up: `immediate` is `position | width << 8`
    Place,
    /// The same, or-ed into the destination
    PlaceOr,
    /// Immediate into every lane
    Splat,
    /// `a` in a host type of 1, 2, 4 or 8 bytes
    Convert(u32),
    /// Product of two 4-byte lanes in 8 bytes
    MulWide,
    /// Bytes of `a`
    Copy,
}

trait Lane: Copy + PartialOrd {
    const BITS: u32;
    fn cut(value: u64) -> Self;
    fn widen(self) -> u64;
    fn shift_right(self, by: u32) -> Self;
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
        }
    )*};
}

lane!(u8, u16, u32, u64, i8, i16, i32, i64);

/// # Safety
/// See the head of the file.
#[inline(always)]
unsafe fn slice<'a, T>(pointer: *const u8, lanes: usize) -> &'a [T] {
    // SAFETY: see the head of the file.
    unsafe { std::slice::from_raw_parts(pointer.cast(), lanes) }
}

/// # Safety
/// See the head of the file.
#[inline(always)]
unsafe fn target<'a, T>(pointer: *mut u8, lanes: usize) -> &'a mut [T] {
    // SAFETY: see the head of the file.
    unsafe { std::slice::from_raw_parts_mut(pointer.cast(), lanes) }
}

#[inline(always)]
fn zip<T: Lane, R>(d: &mut [R], a: &[T], b: &[T], f: impl Fn(T, T) -> R) {
    for ((d, a), b) in d.iter_mut().zip(a).zip(b) {
        *d = f(*a, *b);
    }
}

#[inline(always)]
fn each<T: Lane, R>(d: &mut [R], a: &[T], f: impl Fn(T) -> R) {
    for (d, a) in d.iter_mut().zip(a) {
        *d = f(*a);
    }
}

#[inline(always)]
fn field<T: Lane>(value: T, low: u32, width: u32) -> T {
    // Up, then down with the sign or zeros of the host type.
    let unused = T::BITS - width;
    T::cut(value.shift_right(low).widen() << unused).shift_right(unused)
}

macro_rules! tier {
    ($name:ident, $detected:expr, $(#[$attribute:meta])*) => {
        mod $name {
            use super::*;
            pub fn available() -> bool { $detected }
            tier!(@bin $(#[$attribute])*; add, |x, y| T::cut(x.widen().wrapping_add(y.widen())), T);
            tier!(@bin $(#[$attribute])*; sub, |x, y| T::cut(x.widen().wrapping_sub(y.widen())), T);
            tier!(@bin $(#[$attribute])*; mul, |x, y| T::cut(x.widen().wrapping_mul(y.widen())), T);
            tier!(@bin $(#[$attribute])*; and, |x, y| T::cut(x.widen() & y.widen()), T);
            tier!(@bin $(#[$attribute])*; or, |x, y| T::cut(x.widen() | y.widen()), T);
            tier!(@bin $(#[$attribute])*; xor, |x, y| T::cut(x.widen() ^ y.widen()), T);
            tier!(@bin $(#[$attribute])*; eq, |x, y| u8::from(x == y), u8);
            tier!(@bin $(#[$attribute])*; ne, |x, y| u8::from(x != y), u8);
            tier!(@bin $(#[$attribute])*; lt, |x, y| u8::from(x < y), u8);
            tier!(@bin $(#[$attribute])*; le, |x, y| u8::from(x <= y), u8);
            tier!(@bin $(#[$attribute])*; shl, |x, y| {
                let by = y.widen();
                if by >= u64::from(T::BITS) { T::cut(0) } else { T::cut(x.widen() << by) }
            }, T);
            tier!(@bin $(#[$attribute])*; shr, |x, y| {
                let by = y.widen();
                if by >= u64::from(T::BITS) {
                    x.shift_right(T::BITS - 1).shift_right(1)
                } else {
                    x.shift_right(by as u32)
                }
            }, T);

            $(#[$attribute])*
            pub unsafe extern "C" fn mux<T: Lane>(
                d: *mut u8, a: *const u8, b: *const u8, c: *const u8, _: u64, n: usize,
            ) {
                // SAFETY: see the head of the file.
                let (d, a, b, c) = unsafe { (target::<T>(d, n), slice::<u8>(a, n), slice::<T>(b, n), slice::<T>(c, n)) };
                for (((d, a), b), c) in d.iter_mut().zip(a).zip(b).zip(c) {
                    *d = if *a != 0 { *b } else { *c };
                }
            }
            $(#[$attribute])*
            pub unsafe extern "C" fn cut<T: Lane>(
                d: *mut u8, a: *const u8, _: *const u8, _: *const u8, imm: u64, n: usize,
            ) {
                // SAFETY: see the head of the file.
                let (d, a) = unsafe { (target::<T>(d, n), slice::<T>(a, n)) };
                let (low, width) = (imm as u32 & 0xFF, (imm >> 8) as u32);
                each(d, a, |x| field(x, low, width));
            }
            $(#[$attribute])*
            pub unsafe extern "C" fn place<T: Lane>(
                d: *mut u8, a: *const u8, _: *const u8, _: *const u8, imm: u64, n: usize,
            ) {
                // SAFETY: see the head of the file.
                let (d, a) = unsafe { (target::<T>(d, n), slice::<T>(a, n)) };
                let (at, mask) = (imm as u32 & 0xFF, u64::MAX >> (64 - (imm >> 8)));
                each(d, a, |x| T::cut((x.widen() & mask) << at));
            }
            $(#[$attribute])*
            pub unsafe extern "C" fn place_or<T: Lane>(
                d: *mut u8, a: *const u8, _: *const u8, _: *const u8, imm: u64, n: usize,
            ) {
                // SAFETY: see the head of the file.
                let (d, a) = unsafe { (target::<T>(d, n), slice::<T>(a, n)) };
                let (at, mask) = (imm as u32 & 0xFF, u64::MAX >> (64 - (imm >> 8)));
                for (d, a) in d.iter_mut().zip(a) {
                    *d = T::cut(d.widen() | (a.widen() & mask) << at);
                }
            }
            $(#[$attribute])*
            pub unsafe extern "C" fn splat<T: Lane>(
                d: *mut u8, _: *const u8, _: *const u8, _: *const u8, imm: u64, n: usize,
            ) {
                // SAFETY: see the head of the file.
                unsafe { target::<T>(d, n) }.fill(T::cut(imm));
            }
            $(#[$attribute])*
            pub unsafe extern "C" fn convert<T: Lane, R: Lane>(
                d: *mut u8, a: *const u8, _: *const u8, _: *const u8, _: u64, n: usize,
            ) {
                // SAFETY: see the head of the file.
                let (d, a) = unsafe { (target::<R>(d, n), slice::<T>(a, n)) };
                each(d, a, |x| R::cut(x.widen()));
            }
            $(#[$attribute])*
            pub unsafe extern "C" fn mul_wide<T: Lane>(
                d: *mut u8, a: *const u8, b: *const u8, _: *const u8, _: u64, n: usize,
            ) {
                // SAFETY: see the head of the file.
                let (d, a, b) = unsafe { (target::<u64>(d, n), slice::<T>(a, n), slice::<T>(b, n)) };
                zip(d, a, b, |x, y| x.widen().wrapping_mul(y.widen()));
            }
            /// Kernel of a task on the host type `T`.
            pub fn of<T: Lane>(task: Task) -> Kernel {
                match task {
                    Task::Add => add::<T>,
                    Task::Sub => sub::<T>,
                    Task::Mul => mul::<T>,
                    Task::And => and::<T>,
                    Task::Or => or::<T>,
                    Task::Xor => xor::<T>,
                    Task::Eq => eq::<T>,
                    Task::Ne => ne::<T>,
                    Task::Lt => lt::<T>,
                    Task::Le => le::<T>,
                    Task::Shl => shl::<T>,
                    Task::Shr => shr::<T>,
                    Task::Mux => mux::<T>,
                    Task::Field => cut::<T>,
                    Task::Place => place::<T>,
                    Task::PlaceOr => place_or::<T>,
                    Task::Splat => splat::<T>,
                    Task::Convert(1) => convert::<T, u8>,
                    Task::Convert(2) => convert::<T, u16>,
                    Task::Convert(4) => convert::<T, u32>,
                    Task::Convert(_) => convert::<T, u64>,
                    Task::MulWide => mul_wide::<T>,
                    Task::Copy => convert::<T, T>,
                }
            }
        }
    };
    (@bin $(#[$attribute:meta])*; $name:ident, $f:expr, $result:ty) => {
        $(#[$attribute])*
        pub unsafe extern "C" fn $name<T: Lane>(
            d: *mut u8, a: *const u8, b: *const u8, _: *const u8, _: u64, n: usize,
        ) {
            // SAFETY: see the head of the file.
            let (d, a, b) = unsafe { (target::<$result>(d, n), slice::<T>(a, n), slice::<T>(b, n)) };
            zip(d, a, b, $f);
        }
    };
}

tier!(baseline, true,);
#[cfg(target_arch = "x86_64")]
tier!(avx2, is_x86_feature_detected!("avx2"), #[target_feature(enable = "avx2")]);
#[cfg(target_arch = "x86_64")]
tier!(
    avx512,
    is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512dq") && is_x86_feature_detected!("avx512vl"),
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
);

/// Instruction set of the kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// What every machine of the architecture has.
    Baseline,
    /// AVX2.
    Avx2,
    /// AVX-512 with byte, word and quadword operations.
    Avx512,
}

impl Tier {
    /// The best one that this machine runs.
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if avx512::available() {
                return Self::Avx512;
            }
            if avx2::available() {
                return Self::Avx2;
            }
        }
        debug_assert!(baseline::available(), "the baseline runs everywhere");
        Self::Baseline
    }

    /// The kernel of a task on host types of `bytes` bytes.
    pub fn kernel(self, task: Task, bytes: u32, signed: bool) -> Kernel {
        match (bytes, signed) {
            (1, false) => self.of::<u8>(task),
            (2, false) => self.of::<u16>(task),
            (4, false) => self.of::<u32>(task),
            (_, false) => self.of::<u64>(task),
            (1, true) => self.of::<i8>(task),
            (2, true) => self.of::<i16>(task),
            (4, true) => self.of::<i32>(task),
            (_, true) => self.of::<i64>(task),
        }
    }

    fn of<T: Lane>(self, task: Task) -> Kernel {
        match self {
            Self::Baseline => baseline::of::<T>(task),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => avx2::of::<T>(task),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => avx512::of::<T>(task),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => baseline::of::<T>(task),
        }
    }
}
