//! Arithmetic on bit vectors of any width, modulo 2^width.

use crate::{BinaryOp, Bits, UnaryOp};
use std::cmp::Ordering;

/// Low `width` bits of `bits`, or `bits` extended by its sign (`signed`) or by zeros.
pub fn resize(bits: &Bits, width: u32, signed: bool) -> Bits {
    let negative = signed && bits.width() > 0 && bits.bit(bits.width() - 1);
    if !negative || width <= bits.width() {
        return Bits::from_limbs(width, bits.limbs());
    }
    let mut limbs = bits.limbs().to_vec();
    if let (Some(last), 1..) = (limbs.last_mut(), bits.width() % 64) {
        *last |= u64::MAX << (bits.width() % 64);
    }
    limbs.resize(width.div_ceil(64) as usize, u64::MAX);
    Bits::from_limbs(width, &limbs)
}

/// Bits `low..low + width`, zeros beyond the end.
pub fn slice(bits: &Bits, low: u32, width: u32) -> Bits {
    let (skip, shift) = (low as usize / 64, low % 64);
    let limb = |i: usize| bits.limbs().get(i).copied().unwrap_or(0);
    let limbs: Vec<u64> = (0..width.div_ceil(64) as usize)
        .map(|i| {
            let high = if shift == 0 { 0 } else { limb(skip + i + 1) << (64 - shift) };
            limb(skip + i) >> shift | high
        })
        .collect();
    Bits::from_limbs(width, &limbs)
}

/// Replaces the bits from `low` on by `part`.
pub fn insert(target: &Bits, low: u32, part: &Bits) -> Bits {
    let above = low + part.width();
    Bits::concat_low_first(&[
        slice(target, 0, low),
        part.clone(),
        slice(target, above, target.width().saturating_sub(above)),
    ])
}

fn add(a: &Bits, b: &Bits, mut carry: bool) -> Bits {
    let limbs: Vec<u64> = a
        .limbs()
        .iter()
        .zip(b.limbs())
        .map(|(x, y)| {
            let (sum, over) = x.overflowing_add(*y);
            let (sum, over_carry) = sum.overflowing_add(u64::from(carry));
            carry = over || over_carry;
            sum
        })
        .collect();
    Bits::from_limbs(a.width(), &limbs)
}

fn map(a: &Bits, f: impl Fn(u64) -> u64) -> Bits {
    let limbs: Vec<u64> = a.limbs().iter().map(|x| f(*x)).collect();
    Bits::from_limbs(a.width(), &limbs)
}

fn zip(a: &Bits, b: &Bits, f: impl Fn(u64, u64) -> u64) -> Bits {
    let limbs: Vec<u64> = a.limbs().iter().zip(b.limbs()).map(|(x, y)| f(*x, *y)).collect();
    Bits::from_limbs(a.width(), &limbs)
}

fn multiply(a: &Bits, b: &Bits) -> Bits {
    let count = a.limbs().len();
    let mut limbs = vec![0u64; count];
    for (i, x) in a.limbs().iter().enumerate() {
        let mut carry = 0u128;
        for (j, y) in b.limbs().iter().take(count - i).enumerate() {
            let sum = u128::from(*x) * u128::from(*y) + u128::from(limbs[i + j]) + carry;
            limbs[i + j] = sum as u64;
            carry = sum >> 64;
        }
    }
    Bits::from_limbs(a.width(), &limbs)
}

fn compare(a: &Bits, b: &Bits, signed: bool) -> Ordering {
    let sign = |x: &Bits| signed && x.bit(x.width() - 1);
    match (sign(a), sign(b)) {
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        _ => a.limbs().iter().rev().cmp(b.limbs().iter().rev()),
    }
}

fn shift_right(a: &Bits, amount: &Bits, signed: bool) -> Bits {
    let width = a.width();
    let amount = amount_of(amount, width);
    if amount == width {
        return if signed && a.bit(width - 1) { Bits::ones(width) } else { Bits::zero(width) };
    }
    resize(&slice(a, amount, width - amount), width, signed)
}

fn shift_left(a: &Bits, amount: &Bits) -> Bits {
    let width = a.width();
    let amount = amount_of(amount, width);
    Bits::concat_low_first(&[Bits::zero(amount), slice(a, 0, width - amount)])
}

/// Shift amount, at most `width`.
pub fn amount_of(amount: &Bits, width: u32) -> u32 {
    let high = amount.limbs().iter().skip(1).any(|l| *l != 0);
    if high { width } else { amount.low_u64().min(u64::from(width)) as u32 }
}

/// Applies a unary operator; `width` is that of the result.
pub fn unary(op: UnaryOp, a: &Bits) -> Bits {
    let flag = |b: bool| Bits::new(1, u128::from(b));
    match op {
        UnaryOp::Not => map(a, |x| !x),
        UnaryOp::Neg => add(&map(a, |x| !x), &Bits::zero(a.width()), true),
        UnaryOp::ReduceAnd => flag(*a == Bits::ones(a.width())),
        UnaryOp::ReduceOr => flag(a.limbs().iter().any(|l| *l != 0)),
        UnaryOp::ReduceXor => flag(a.limbs().iter().map(|l| l.count_ones()).sum::<u32>() % 2 == 1),
    }
}

/// Applies a binary operator to operands of equal type (shifts excepted); `signed` is that of the operands.
pub fn binary(op: BinaryOp, a: &Bits, b: &Bits, signed: bool) -> Bits {
    let flag = |b: bool| Bits::new(1, u128::from(b));
    match op {
        BinaryOp::Add => add(a, b, false),
        BinaryOp::Sub => add(a, &map(b, |x| !x), true),
        BinaryOp::Mul => multiply(a, b),
        BinaryOp::And => zip(a, b, |x, y| x & y),
        BinaryOp::Or => zip(a, b, |x, y| x | y),
        BinaryOp::Xor => zip(a, b, |x, y| x ^ y),
        BinaryOp::Eq => flag(a == b),
        BinaryOp::Ne => flag(a != b),
        BinaryOp::Lt => flag(compare(a, b, signed) == Ordering::Less),
        BinaryOp::Le => flag(compare(a, b, signed) != Ordering::Greater),
        BinaryOp::Shl => shift_left(a, b),
        BinaryOp::Shr => shift_right(a, b, signed),
    }
}
