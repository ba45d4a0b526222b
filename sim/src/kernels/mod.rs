//! Loops over the lanes of a batch, compiled for several instruction sets and called by generated code.
//!
//! All kernels have one signature: destination, three operands, an immediate and the number of lanes.
//! The generated code guarantees that every pointer covers `lanes` elements of the kernel's host type and
//! that the destination overlaps no operand; this is the reason for the `unsafe` in this file.
#![expect(unsafe_code, reason = "kernels are called from generated code, which passes raw lane pointers")]

pub mod flags;
mod lane;
mod moving;
mod update;

use crate::netlist::{Binary, Kind};
use lane::{Lane, each, field, zip};

/// A kernel's signature.
pub type Kernel = unsafe extern "C" fn(*mut u8, *const u8, *const u8, *const u8, u64, usize);

/// Signed host types, in bytes, of a sum or product whose operands are narrower than its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mixed {
    /// First operand: 1, 2 or 4.
    pub a: u32,
    /// Second operand: 1, 2 or 4.
    pub b: u32,
    /// Result: 2, 4 or 8.
    pub result: u32,
}

impl Mixed {
    /// For two operands and a result of so many bytes; `None` when the operands have to be converted first.
    pub fn of(a: Kind, b: Kind, bytes: u32) -> Option<Self> {
        let signed = |k: Kind| k.fits(Kind { width: 8 * k.bytes(), signed: true });
        let fits = |k: Kind| k.bytes() <= 4 && k.bytes() <= bytes;
        let possible = signed(a) && signed(b) && fits(a) && fits(b) && bytes > 1;
        possible.then_some(Self { a: a.bytes(), b: b.bytes(), result: bytes })
    }

    /// True when all are the same.
    pub fn is_uniform(self) -> bool {
        self.a == self.b && self.b == self.result
    }
}

/// What a kernel does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// `a + b`
    Add,
    /// `a + b`, one of them in the array that is written: ahead of what is written, or behind it for an immediate of 1
    MovingAdd,
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
    /// The same in a narrower host type, of so many bytes
    Narrow(u32),
    /// Low bits of `a` moved up: `immediate` is `position | width << 8`
    Place,
    /// The same, or-ed into the destination
    PlaceOr,
    /// Immediate into every lane
    Splat,
    /// `a` in a host type of 1, 2, 4 or 8 bytes
    Convert(u32),
    /// `a + b` of narrower lanes
    MixedAdd(Mixed),
    /// `a * b` of narrower lanes
    MixedMul(Mixed),
    /// `if b { a }`, else what is there; `b` a byte per lane, `immediate` lanes share an element of `a`
    Update,
    /// `if c { a + b }`, else what is there; `c` a byte per lane, `immediate` the bits that are left of the sum
    UpdateSum(Mixed),
    /// Bytes of `a`
    Copy,
}

impl Task {
    /// The task of an operator.
    pub fn of(op: Binary) -> Self {
        match op {
            Binary::Add => Self::Add,
            Binary::Sub => Self::Sub,
            Binary::Mul => Self::Mul,
            Binary::And => Self::And,
            Binary::Or => Self::Or,
            Binary::Xor => Self::Xor,
            Binary::Eq => Self::Eq,
            Binary::Ne => Self::Ne,
            Binary::Lt => Self::Lt,
            Binary::Le => Self::Le,
            Binary::Shl => Self::Shl,
            Binary::Shr => Self::Shr,
        }
    }
}

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

/// Bytes.
///
/// # Safety
/// See the head of the file.
unsafe extern "C" fn copy(d: *mut u8, a: *const u8, _: *const u8, _: *const u8, _: u64, n: usize) {
    // SAFETY: see the head of the file.
    unsafe { std::ptr::copy(a, d, n) }
}

macro_rules! tier {
    ($name:ident, $detected:expr, $flags:path, $(#[$attribute:meta])*) => {
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
            pub unsafe extern "C" fn moving_add<T: Lane>(
                d: *mut u8, a: *const u8, b: *const u8, _: *const u8, back: u64, n: usize,
            ) {
                // SAFETY: see the head of the file; what lies in the array that is written lies on one side.
                unsafe { moving::add::<T>(d.cast(), a.cast(), b.cast(), back == 1, n) }
            }
            $(#[$attribute])*
            pub unsafe extern "C" fn mux<T: Lane>(
                d: *mut u8, a: *const u8, b: *const u8, c: *const u8, _: u64, n: usize,
            ) {
                // SAFETY: see the head of the file.
                let (d, a, b, c) = unsafe { (target::<T>(d, n), slice::<u8>(a, n), slice::<T>(b, n), slice::<T>(c, n)) };
                for (((d, a), b), c) in d.iter_mut().zip(a).zip(b).zip(c) {
                    *d = c.blend(*b, *a);
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
            pub unsafe extern "C" fn narrow<T: Lane, R: Lane>(
                d: *mut u8, a: *const u8, _: *const u8, _: *const u8, imm: u64, n: usize,
            ) {
                // SAFETY: see the head of the file.
                let (d, a) = unsafe { (target::<R>(d, n), slice::<T>(a, n)) };
                let (low, width) = (imm as u32 & 0xFF, (imm >> 8) as u32);
                each(d, a, |x| R::cut(field(x, low, width).widen()));
            }
            $(#[$attribute])*
            pub unsafe extern "C" fn mixed_add<A: Lane, B: Lane, R: Lane>(
                d: *mut u8, a: *const u8, b: *const u8, _: *const u8, _: u64, n: usize,
            ) {
                // SAFETY: see the head of the file.
                let (d, a, b) = unsafe { (target::<R>(d, n), slice::<A>(a, n), slice::<B>(b, n)) };
                for ((d, a), b) in d.iter_mut().zip(a).zip(b) {
                    *d = R::cut(a.widen().wrapping_add(b.widen()));
                }
            }
            $(#[$attribute])*
            pub unsafe extern "C" fn mixed_mul<A: Lane, B: Lane, R: Lane>(
                d: *mut u8, a: *const u8, b: *const u8, _: *const u8, _: u64, n: usize,
            ) {
                // SAFETY: see the head of the file.
                let (d, a, b) = unsafe { (target::<R>(d, n), slice::<A>(a, n), slice::<B>(b, n)) };
                for ((d, a), b) in d.iter_mut().zip(a).zip(b) {
                    *d = R::cut(a.widen().wrapping_mul(b.widen()));
                }
            }
            $(#[$attribute])*
            pub unsafe extern "C" fn update<T: Lane>(
                d: *mut u8, a: *const u8, b: *const u8, _: *const u8, per: u64, n: usize,
            ) {
                let per = per as usize;
                // SAFETY: see the head of the file; `a` covers an element for each `per` lanes.
                unsafe {
                    match per {
                        1 => update::blend(target::<T>(d, n), slice(a, n), slice(b, n), |block| $flags(block)),
                        _ => {
                            let a = slice(a, n.div_ceil(per));
                            update::blend_shared(target::<T>(d, n), a, slice(b, n), per, |block| $flags(block));
                        }
                    }
                }
            }
            $(#[$attribute])*
            pub unsafe extern "C" fn update_sum<A: Lane, B: Lane, R: Lane>(
                d: *mut u8, a: *const u8, b: *const u8, c: *const u8, width: u64, n: usize,
            ) {
                // SAFETY: see the head of the file.
                let (d, a, b, c) = unsafe { (target::<R>(d, n), slice::<A>(a, n), slice::<B>(b, n), slice::<u8>(c, n)) };
                update::add(d, a, b, c, width as u32, |block| $flags(block));
            }
            /// Kernel of a task whose lanes have several host types.
            pub fn mixed(task: Task) -> Option<Kernel> {
                macro_rules! choose {
                    ($kernel:ident, $m:expr) => {
                        match ($m.a, $m.b, $m.result) {
                            (1, 1, 2) => $kernel::<i8, i8, i16>,
                            (1, 2, 2) => $kernel::<i8, i16, i16>,
                            (2, 1, 2) => $kernel::<i16, i8, i16>,
                            (2, 2, 2) => $kernel::<i16, i16, i16>,
                            (1, 1, 4) => $kernel::<i8, i8, i32>,
                            (1, 2, 4) => $kernel::<i8, i16, i32>,
                            (2, 1, 4) => $kernel::<i16, i8, i32>,
                            (2, 2, 4) => $kernel::<i16, i16, i32>,
                            (1, 4, 4) => $kernel::<i8, i32, i32>,
                            (4, 1, 4) => $kernel::<i32, i8, i32>,
                            (2, 4, 4) => $kernel::<i16, i32, i32>,
                            (4, 2, 4) => $kernel::<i32, i16, i32>,
                            (4, 4, 4) => $kernel::<i32, i32, i32>,
                            (1, 1, _) => $kernel::<i8, i8, i64>,
                            (1, 2, _) => $kernel::<i8, i16, i64>,
                            (2, 1, _) => $kernel::<i16, i8, i64>,
                            (2, 2, _) => $kernel::<i16, i16, i64>,
                            (1, _, _) => $kernel::<i8, i32, i64>,
                            (_, 1, _) => $kernel::<i32, i8, i64>,
                            (2, _, _) => $kernel::<i16, i32, i64>,
                            (_, 2, _) => $kernel::<i32, i16, i64>,
                            _ => $kernel::<i32, i32, i64>,
                        }
                    };
                }
                match task {
                    Task::MixedAdd(m) => Some(choose!(mixed_add, m)),
                    Task::MixedMul(m) => Some(choose!(mixed_mul, m)),
                    Task::UpdateSum(m) => Some(choose!(update_sum, m)),
                    _ => None,
                }
            }
            /// Kernel of a task on the host type `T`.
            pub fn of<T: Lane>(task: Task) -> Kernel {
                match task {
                    Task::Add => add::<T>,
                    Task::MovingAdd => moving_add::<T>,
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
                    Task::Narrow(1) => narrow::<T, u8>,
                    Task::Narrow(2) => narrow::<T, u16>,
                    Task::Narrow(_) => narrow::<T, u32>,
                    Task::Convert(1) => convert::<T, u8>,
                    Task::Convert(2) => convert::<T, u16>,
                    Task::Convert(4) => convert::<T, u32>,
                    Task::Convert(_) => convert::<T, u64>,
                    Task::Update => update::<T>,
                    Task::Copy | Task::MixedAdd(_) | Task::MixedMul(_) | Task::UpdateSum(_) => copy,
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

/// True when this machine has all of these.
#[cfg(target_arch = "x86_64")]
macro_rules! detected {
    ($($feature:tt),*) => { $(is_x86_feature_detected!($feature))&&* };
}

tier!(baseline, true, flags::portable,);
#[cfg(target_arch = "x86_64")]
tier!(
    avx2,
    detected!("avx2", "popcnt", "bmi1", "bmi2"),
    flags::avx2,
    #[target_feature(enable = "avx2,popcnt,bmi1,bmi2")]
);
#[cfg(target_arch = "x86_64")]
tier!(
    avx512,
    avx2::available() && detected!("avx512bw", "avx512dq", "avx512vl"),
    flags::avx512,
    #[target_feature(enable = "avx2,popcnt,bmi1,bmi2,avx512f,avx512bw,avx512dq,avx512vl")]
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
        if let Some(kernel) = self.mixed(task) {
            return kernel;
        }
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

    fn mixed(self, task: Task) -> Option<Kernel> {
        match self {
            Self::Baseline => baseline::mixed(task),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => avx2::mixed(task),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => avx512::mixed(task),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => baseline::mixed(task),
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
