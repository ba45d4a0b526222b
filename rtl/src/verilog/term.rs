//! Expressions of one module as an interned arena: equal terms have equal ids.
//!
//! The constructors apply only rewrites that keep every bit, so that the text gets shorter.

use crate::interpret::value;
use crate::{BinaryOp, Bits, SignalId, UnaryOp};
use std::collections::HashMap;

/// Most bits of a shift's amount that every tool takes, also one that finds out that it is constant.
const WIDEST_AMOUNT: u32 = 32;

/// A term of the arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TermId(u32);

impl TermId {
    /// Position in the arena; operands come before their users.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a term is; see [`crate::ExprKind`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// A constant.
    Const(Bits),
    /// Bits of a signal from the given one on.
    Part(SignalId, u32),
    /// Bits of a term from the given one on.
    Slice(TermId, u32),
    /// Most significant part first.
    Concat(Vec<TermId>),
    /// Wider, same value.
    Extend(TermId),
    /// Other signedness, same bits.
    Cast(TermId),
    /// One operand.
    Unary(UnaryOp, TermId),
    /// Two operands.
    Binary(BinaryOp, TermId, TermId),
    /// Condition, then, else.
    Mux(TermId, TermId, TermId),
    /// Selector, options.
    Select(TermId, Vec<TermId>),
}

impl Op {
    /// Operands in order.
    pub fn operands(&self) -> Vec<TermId> {
        match self {
            Op::Const(_) | Op::Part(..) => Vec::new(),
            Op::Slice(a, _) | Op::Extend(a) | Op::Cast(a) | Op::Unary(_, a) => vec![*a],
            Op::Concat(parts) => parts.clone(),
            Op::Binary(_, a, b) => vec![*a, *b],
            Op::Mux(c, a, b) => vec![*c, *a, *b],
            Op::Select(selector, options) => std::iter::once(*selector).chain(options.iter().copied()).collect(),
        }
    }

    /// True for operations that only move bits.
    pub fn is_wiring(&self) -> bool {
        matches!(self, Op::Const(_) | Op::Part(..) | Op::Slice(..) | Op::Concat(_) | Op::Extend(_) | Op::Cast(_))
    }
}

/// A term with its type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Term {
    /// What it is.
    pub op: Op,
    /// Bits.
    pub width: u32,
    /// Two's complement.
    pub signed: bool,
}

/// The arena. The map is only looked up, never iterated, so ids depend on the order of insertion alone.
#[derive(Debug, Default)]
pub struct Terms {
    terms: Vec<Term>,
    index: HashMap<Term, TermId>,
}

impl Terms {
    /// The term.
    pub fn get(&self, id: TermId) -> &Term {
        &self.terms[id.index()]
    }

    /// Number of terms.
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// All ids, users before operands.
    pub fn users_first(&self) -> impl Iterator<Item = TermId> + use<> {
        (0..self.terms.len() as u32).rev().map(TermId)
    }

    /// The term as it is.
    pub fn intern(&mut self, op: Op, width: u32, signed: bool) -> TermId {
        let term = Term { op, width, signed };
        if let Some(id) = self.index.get(&term) {
            return *id;
        }
        let id = TermId(self.terms.len() as u32);
        self.terms.push(term.clone());
        self.index.insert(term, id);
        id
    }

    /// A constant.
    pub fn constant(&mut self, bits: Bits, signed: bool) -> TermId {
        let width = bits.width();
        self.intern(Op::Const(bits), width, signed)
    }

    /// Same bits, given signedness.
    pub fn cast(&mut self, id: TermId, signed: bool) -> TermId {
        let term = self.get(id).clone();
        match term.op {
            _ if term.signed == signed => id,
            Op::Const(bits) => self.constant(bits, signed),
            Op::Cast(inner) => self.cast(inner, signed),
            _ => self.intern(Op::Cast(id), term.width, signed),
        }
    }

    /// The term under a change of signedness.
    pub fn bare(&self, id: TermId) -> TermId {
        match self.get(id).op {
            Op::Cast(inner) => inner,
            _ => id,
        }
    }

    /// Same value in `width` bits.
    pub fn extend(&mut self, id: TermId, width: u32) -> TermId {
        let term = self.get(id).clone();
        match term.op {
            _ if term.width == width => id,
            Op::Const(bits) => self.constant(value::resize(&bits, width, term.signed), term.signed),
            Op::Extend(inner) if self.get(inner).signed == term.signed => self.extend(inner, width),
            // A zero-extended number stays non-negative however it is read.
            Op::Cast(inner) if self.is_zero_extended(inner) => {
                let wider = self.extend(inner, width);
                self.cast(wider, true)
            }
            _ => self.intern(Op::Extend(id), width, term.signed),
        }
    }

    fn is_zero_extended(&self, id: TermId) -> bool {
        let term = self.get(id);
        !term.signed && matches!(term.op, Op::Extend(_))
    }

    /// `width` bits from `low`, unsigned.
    pub fn slice(&mut self, id: TermId, low: u32, width: u32) -> TermId {
        let term = self.get(id).clone();
        if low == 0 && width == term.width {
            return self.cast(id, false);
        }
        match term.op {
            Op::Const(bits) => self.constant(value::slice(&bits, low, width), false),
            Op::Part(signal, at) => self.intern(Op::Part(signal, at + low), width, false),
            Op::Slice(inner, at) => self.slice(inner, at + low, width),
            Op::Cast(inner) => self.slice(inner, low, width),
            _ => self.intern(Op::Slice(id, low), width, false),
        }
    }

    /// Concatenation, most significant part first; neighbouring bits of one signal are joined.
    pub fn concat(&mut self, parts: &[TermId]) -> TermId {
        let mut flat: Vec<TermId> = Vec::new();
        for part in parts {
            let part = self.cast(*part, false);
            let inner = match &self.get(part).op {
                Op::Concat(inner) => inner.clone(),
                _ => vec![part],
            };
            for next in inner {
                match flat.last().and_then(|last| self.joined(*last, next)) {
                    Some(both) => *flat.last_mut().expect("a last part was just seen") = both,
                    None => flat.push(next),
                }
            }
        }
        match flat.as_slice() {
            [single] => self.cast(*single, false),
            _ => {
                let width = flat.iter().map(|p| self.get(*p).width).sum();
                self.intern(Op::Concat(flat), width, false)
            }
        }
    }

    fn joined(&mut self, high: TermId, low: TermId) -> Option<TermId> {
        let (above, below) = (self.get(self.bare(high)).clone(), self.get(self.bare(low)).clone());
        let width = above.width + below.width;
        match (above.op, below.op) {
            (Op::Part(a, at), Op::Part(b, from)) if a == b && at == from + below.width => {
                Some(self.intern(Op::Part(b, from), width, false))
            }
            (Op::Slice(a, at), Op::Slice(b, from)) if a == b && at == from + below.width => {
                Some(self.slice(b, from, width))
            }
            _ => None,
        }
    }

    /// A binary operation; comparison of a bit with a constant becomes the bit or its complement.
    pub fn binary(&mut self, op: BinaryOp, a: TermId, b: TermId, width: u32, signed: bool) -> TermId {
        if let (BinaryOp::Eq | BinaryOp::Ne, 1, Op::Const(bits)) = (op, self.get(a).width, &self.get(b).op) {
            let keeps = bits.bit(0) == (op == BinaryOp::Eq);
            let bit = self.cast(a, false);
            return if keeps { bit } else { self.intern(Op::Unary(UnaryOp::Not, bit), 1, false) };
        }
        if let (BinaryOp::Shl | BinaryOp::Shr, Op::Const(bits)) = (op, &self.get(b).op) {
            let amount = value::amount_of(bits, width);
            return self.shift_by(op, a, amount);
        }
        let wide = matches!(op, BinaryOp::Shl | BinaryOp::Shr) && self.get(b).width > WIDEST_AMOUNT;
        let b = if wide { self.narrow_amount(b, width) } else { b };
        self.intern(Op::Binary(op, a, b), width, signed)
    }

    /// An amount that shifts a value of `width` bits as the given one does: as many bits as reach beyond the value, all
    /// ones when any bit above them is one.
    fn narrow_amount(&mut self, amount: TermId, width: u32) -> TermId {
        let (all, bits) = (self.get(amount).width, width.ilog2() + 1);
        let (low, high) = (self.slice(amount, 0, bits), self.slice(amount, bits, all - bits));
        let beyond = self.intern(Op::Unary(UnaryOp::ReduceOr, high), 1, false);
        let beyond = self.concat(&vec![beyond; bits as usize]);
        self.intern(Op::Binary(BinaryOp::Or, low, beyond), bits, false)
    }

    /// A shift by a constant, which gets as few bits as it needs: other tools refuse amounts of more than 32 bits.
    fn shift_by(&mut self, op: BinaryOp, a: TermId, amount: u32) -> TermId {
        let Term { width, signed, .. } = *self.get(a);
        match (op, amount) {
            (_, 0) => a,
            (BinaryOp::Shr, _) if amount >= width && signed => {
                let sign = self.slice(a, width - 1, 1);
                let sign = self.cast(sign, true);
                self.extend(sign, width)
            }
            _ if amount >= width => self.constant(Bits::zero(width), signed),
            _ => {
                let amount = self.constant(Bits::new(amount.ilog2() + 1, u128::from(amount)), false);
                self.intern(Op::Binary(op, a, amount), width, signed)
            }
        }
    }

    /// A choice; one with a constant condition is the branch.
    pub fn mux(&mut self, condition: TermId, a: TermId, b: TermId) -> TermId {
        match &self.get(condition).op {
            Op::Const(bits) => [b, a][usize::from(bits.bit(0))],
            _ if a == b => a,
            _ => {
                let Term { width, signed, .. } = *self.get(a);
                self.intern(Op::Mux(condition, a, b), width, signed)
            }
        }
    }
}
