//! Expressions over scalars.
//!
//! Arithmetic never loses a bit: `a + b` is one bit wider than its wider operand, `a - b` is
//! signed, `a * b` has the sum of the widths. Where signed meets unsigned, the unsigned operand
//! gains a zero bit and becomes signed. Bits leave only through [`Expr::trunc`] and
//! [`Expr::slice`], so a width is always a decision that can be read.

use crate::{Bits, SignalId, Ty};
use std::ops;
use std::sync::Arc;

/// Operators with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// Bitwise complement, same type.
    Not,
    /// Two's complement negation, one bit wider, signed.
    Neg,
    /// 1 when all bits are 1.
    ReduceAnd,
    /// 1 when any bit is 1.
    ReduceOr,
    /// Parity.
    ReduceXor,
}

/// Operators with two operands. Both are first brought to a common type, except for shifts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// Sum, one bit wider than the common type.
    Add,
    /// Difference, signed, one bit wider than the common type.
    Sub,
    /// Product; width is the sum of the operands' widths, signed if either operand is.
    Mul,
    /// Bitwise and.
    And,
    /// Bitwise or.
    Or,
    /// Bitwise exclusive or.
    Xor,
    /// Equality, 1 bit.
    Eq,
    /// Inequality, 1 bit.
    Ne,
    /// Less than, 1 bit.
    Lt,
    /// Less than or equal, 1 bit.
    Le,
    /// Left shift by an unsigned amount; type of the left operand, high bits are lost.
    Shl,
    /// Right shift by an unsigned amount; type of the left operand; arithmetic when it is signed.
    Shr,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ExprKind {
    /// A constant.
    Const(Bits),
    /// The flat bits of a signal (of a scalar: the scalar itself).
    Signal(SignalId),
    /// One element of a signal with lanes.
    Element(SignalId, u32),
    /// `width` bits from bit `low`; unsigned. The width is that of the expression.
    Slice(Expr, u32),
    /// Concatenation, most significant part first; unsigned.
    Concat(Vec<Expr>),
    /// Same value in a wider type: sign-extended when the operand is signed.
    Extend(Expr),
    /// Same bits, other signedness.
    Cast(Expr),
    /// One operand.
    Unary(UnaryOp, Expr),
    /// Two operands.
    Binary(BinaryOp, Expr, Expr),
    /// `if 1-bit condition { a } else { b }`, both of the expression's type.
    Mux(Expr, Expr, Expr),
    /// `options[selector]`; the last option where the selector is out of range.
    Select(Expr, Vec<Expr>),
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Node {
    kind: ExprKind,
    width: u32,
    signed: bool,
}

/// An immutable, shared expression of a known width and signedness.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Expr(Arc<Node>);

impl Expr {
    pub(crate) fn new(kind: ExprKind, width: u32, signed: bool) -> Self {
        Self(Arc::new(Node { kind, width, signed }))
    }

    /// What the expression is.
    pub fn kind(&self) -> &ExprKind {
        &self.0.kind
    }

    /// Width in bits.
    pub fn width(&self) -> u32 {
        self.0.width
    }

    /// Whether the value is two's complement.
    pub fn is_signed(&self) -> bool {
        self.0.signed
    }

    /// Scalar type of the value.
    pub fn ty(&self) -> Ty {
        Ty { width: self.width(), signed: self.is_signed(), dims: Vec::new() }
    }

    /// Address of the shared node: equal for clones, usable to memoize within one design.
    pub fn node_id(&self) -> usize {
        Arc::as_ptr(&self.0) as usize
    }

    /// Unsigned constant.
    pub fn lit(value: u64, width: u32) -> Self {
        Self::constant(Bits::new(width, u128::from(value)))
    }

    /// Signed constant.
    pub fn slit(value: i64, width: u32) -> Self {
        Self::new(ExprKind::Const(Bits::from_i128(width, i128::from(value))), width, true)
    }

    /// Unsigned constant of any width.
    pub fn constant(bits: Bits) -> Self {
        let width = bits.width();
        Self::new(ExprKind::Const(bits), width, false)
    }

    /// The signal if the expression is nothing but one.
    pub fn as_signal(&self) -> Option<SignalId> {
        match self.kind() {
            ExprKind::Signal(id) => Some(*id),
            _ => None,
        }
    }

    /// `width` bits from bit `low`, unsigned.
    pub fn slice(&self, low: u32, width: u32) -> Self {
        if low == 0 && width == self.width() {
            return self.as_unsigned();
        }
        Self::new(ExprKind::Slice(self.clone(), low), width, false)
    }

    /// One bit.
    pub fn bit(&self, index: u32) -> Self {
        self.slice(index, 1)
    }

    /// Most significant bit.
    pub fn msb(&self) -> Self {
        self.bit(self.width() - 1)
    }

    /// Low `width` bits, signedness kept.
    pub fn trunc(&self, width: u32) -> Self {
        if width == self.width() {
            return self.clone();
        }
        let low = self.slice(0, width);
        if self.is_signed() { low.as_signed() } else { low }
    }

    /// Extends to `width` bits, value kept.
    pub fn extend(&self, width: u32) -> Self {
        if width == self.width() {
            return self.clone();
        }
        Self::new(ExprKind::Extend(self.clone()), width, self.is_signed())
    }

    /// Extends or truncates to `width`.
    pub fn resize(&self, width: u32) -> Self {
        if width < self.width() { self.trunc(width) } else { self.extend(width) }
    }

    /// Same bits read as two's complement.
    pub fn as_signed(&self) -> Self {
        if self.is_signed() { self.clone() } else { Self::new(ExprKind::Cast(self.clone()), self.width(), true) }
    }

    /// Same bits read as unsigned.
    pub fn as_unsigned(&self) -> Self {
        if self.is_signed() { Self::new(ExprKind::Cast(self.clone()), self.width(), false) } else { self.clone() }
    }

    /// The same value as a signed number: an unsigned one gains a zero bit.
    pub fn to_signed(&self) -> Self {
        if self.is_signed() { self.clone() } else { self.extend(self.width() + 1).as_signed() }
    }

    /// Concatenation, most significant part first.
    pub fn concat(parts: &[Expr]) -> Self {
        let width = parts.iter().map(Expr::width).sum();
        Self::new(ExprKind::Concat(parts.to_vec()), width, false)
    }

    /// Concatenation, the first part in the lowest bits (the order of lanes).
    pub fn concat_low_first(parts: &[Expr]) -> Self {
        let reversed: Vec<Expr> = parts.iter().rev().cloned().collect();
        Self::concat(&reversed)
    }

    fn unary(&self, op: UnaryOp) -> Self {
        let (width, signed) = match op {
            UnaryOp::Not => (self.width(), self.is_signed()),
            UnaryOp::Neg => (self.width() + 1, true),
            UnaryOp::ReduceAnd | UnaryOp::ReduceOr | UnaryOp::ReduceXor => (1, false),
        };
        let operand = if op == UnaryOp::Neg {
            self.to_signed().extend(width.max(self.to_signed().width()))
        } else {
            self.clone()
        };
        let width = if op == UnaryOp::Neg { operand.width() } else { width };
        Self::new(ExprKind::Unary(op, operand), width, signed)
    }

    /// 1 when any bit is set.
    pub fn any(&self) -> Self {
        self.unary(UnaryOp::ReduceOr)
    }

    /// 1 when all bits are set.
    pub fn all(&self) -> Self {
        self.unary(UnaryOp::ReduceAnd)
    }

    /// Parity.
    pub fn parity(&self) -> Self {
        self.unary(UnaryOp::ReduceXor)
    }

    /// Both operands in the smallest type that holds either, `extra` bits wider.
    fn common(&self, other: &Self, extra: u32) -> (Self, Self) {
        let signed = self.is_signed() || other.is_signed();
        let (a, b) = if signed { (self.to_signed(), other.to_signed()) } else { (self.clone(), other.clone()) };
        let width = a.width().max(b.width()) + extra;
        (a.extend(width), b.extend(width))
    }

    fn binary(op: BinaryOp, a: Self, b: Self, signed: bool) -> Self {
        let width = a.width();
        Self::new(ExprKind::Binary(op, a, b), width, signed)
    }

    fn compare(&self, op: BinaryOp, other: &Self) -> Self {
        let (a, b) = self.common(other, 0);
        Self::new(ExprKind::Binary(op, a, b), 1, false)
    }

    fn bitwise(&self, op: BinaryOp, other: &Self) -> Self {
        let (a, b) = self.common(other, 0);
        let signed = a.is_signed();
        Self::binary(op, a, b, signed)
    }

    fn sum(&self, op: BinaryOp, other: &Self) -> Self {
        let (a, b) = self.common(other, 1);
        let signed = a.is_signed() || op == BinaryOp::Sub;
        let (a, b) = if signed { (a.as_signed(), b.as_signed()) } else { (a, b) };
        Self::binary(op, a, b, signed)
    }

    fn product(&self, other: &Self) -> Self {
        let width = self.width() + other.width();
        let signed = self.is_signed() || other.is_signed();
        // Extending an unsigned operand to the full width leaves its sign bit zero, so that
        // the product of the extended operands is exact in `width` bits either way.
        let grow = |e: &Self| if signed { e.extend(width).as_signed() } else { e.extend(width) };
        Self::new(ExprKind::Binary(BinaryOp::Mul, grow(self), grow(other)), width, signed)
    }

    /// Equal.
    pub fn eq(&self, other: &Self) -> Self {
        self.compare(BinaryOp::Eq, other)
    }

    /// Equal to a constant.
    pub fn eq_lit(&self, value: u64) -> Self {
        self.eq(&Self::lit(value, self.width()))
    }

    /// Not equal.
    pub fn ne(&self, other: &Self) -> Self {
        self.compare(BinaryOp::Ne, other)
    }

    /// Less than.
    pub fn lt(&self, other: &Self) -> Self {
        self.compare(BinaryOp::Lt, other)
    }

    /// Less than or equal.
    pub fn le(&self, other: &Self) -> Self {
        self.compare(BinaryOp::Le, other)
    }

    /// Greater than.
    pub fn gt(&self, other: &Self) -> Self {
        other.lt(self)
    }

    /// Greater than or equal.
    pub fn ge(&self, other: &Self) -> Self {
        other.le(self)
    }

    /// `self * 2^amount`, wider by `amount`.
    pub fn shl_const(&self, amount: u32) -> Self {
        if amount == 0 {
            return self.clone();
        }
        let wide = Self::concat(&[self.as_unsigned(), Self::lit(0, amount)]);
        if self.is_signed() { wide.as_signed() } else { wide }
    }

    /// Drops the `amount` low bits (floor division by a power of two).
    pub fn shr_const(&self, amount: u32) -> Self {
        let high = self.slice(amount, self.width() - amount);
        if self.is_signed() { high.as_signed() } else { high }
    }

    /// Left shift by an unsigned signal, width kept.
    pub fn shl(&self, amount: &Self) -> Self {
        Self::binary(BinaryOp::Shl, self.clone(), amount.clone(), self.is_signed())
    }

    /// Right shift by an unsigned signal, width kept, arithmetic when signed.
    pub fn shr(&self, amount: &Self) -> Self {
        Self::binary(BinaryOp::Shr, self.clone(), amount.clone(), self.is_signed())
    }

    /// `if self { a } else { b }`; `self` is one bit.
    pub fn mux(&self, a: &Self, b: &Self) -> Self {
        let (a, b) = a.common(b, 0);
        let (width, signed) = (a.width(), a.is_signed());
        Self::new(ExprKind::Mux(self.clone(), a, b), width, signed)
    }

    /// Saturates a signed value symmetrically to +-(2^(width-1) - 1).
    pub fn saturate(&self, width: u32) -> Self {
        if self.width() < width {
            return self.extend(width);
        }
        let limit = (1i64 << (width - 1)) - 1;
        let high = Self::slit(limit, self.width().max(width + 1));
        let low = Self::slit(-limit, self.width().max(width + 1));
        let kept = self.trunc(width);
        let above = self.gt(&high);
        let below = self.lt(&low);
        above.mux(&Self::slit(limit, width), &below.mux(&Self::slit(-limit, width), &kept))
    }
}

/// `options[selector]`, the last option where the selector is out of range; all of one type.
pub fn select(selector: &Expr, options: &[Expr]) -> Expr {
    let width = options.iter().map(Expr::width).max().unwrap_or(1);
    let signed = options.iter().all(Expr::is_signed);
    let options: Vec<Expr> = options.iter().map(|o| o.extend(width)).collect();
    let options = if signed { options } else { options.iter().map(Expr::as_unsigned).collect() };
    Expr::new(ExprKind::Select(selector.clone(), options), width, signed)
}

macro_rules! operator {
    ($trait:ident, $method:ident, $body:expr) => {
        impl ops::$trait<&Expr> for &Expr {
            type Output = Expr;
            fn $method(self, other: &Expr) -> Expr {
                let body: fn(&Expr, &Expr) -> Expr = $body;
                body(self, other)
            }
        }
        impl ops::$trait<Expr> for Expr {
            type Output = Expr;
            fn $method(self, other: Expr) -> Expr {
                ops::$trait::$method(&self, &other)
            }
        }
        impl ops::$trait<&Expr> for Expr {
            type Output = Expr;
            fn $method(self, other: &Expr) -> Expr {
                ops::$trait::$method(&self, other)
            }
        }
        impl ops::$trait<Expr> for &Expr {
            type Output = Expr;
            fn $method(self, other: Expr) -> Expr {
                ops::$trait::$method(self, &other)
            }
        }
    };
}

operator!(Add, add, |a, b| a.sum(BinaryOp::Add, b));
operator!(Sub, sub, |a, b| a.sum(BinaryOp::Sub, b));
operator!(Mul, mul, |a, b| a.product(b));
operator!(BitAnd, bitand, |a, b| a.bitwise(BinaryOp::And, b));
operator!(BitOr, bitor, |a, b| a.bitwise(BinaryOp::Or, b));
operator!(BitXor, bitxor, |a, b| a.bitwise(BinaryOp::Xor, b));

impl ops::Not for &Expr {
    type Output = Expr;
    fn not(self) -> Expr {
        self.unary(UnaryOp::Not)
    }
}

impl ops::Not for Expr {
    type Output = Expr;
    fn not(self) -> Expr {
        !&self
    }
}

impl ops::Neg for &Expr {
    type Output = Expr;
    fn neg(self) -> Expr {
        self.unary(UnaryOp::Neg)
    }
}
