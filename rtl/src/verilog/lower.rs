//! From expressions to terms, with slices pushed towards the signals.
//!
//! Verilog cannot slice an expression, so every slice of one would cost a wire. A slice that is the only
//! reader of an operation is applied to the operands instead: the low bits of a sum are the sum of
//! the low bits. What is read elsewhere too keeps its width and gets a name.

use super::term::{Op, TermId, Terms};
use crate::walk;
use crate::{BinaryOp, Bits, Expr, ExprKind, Module, UnaryOp};
use std::collections::HashMap;

/// All expressions of a module as terms.
#[derive(Debug)]
pub struct Lowered {
    /// The arena.
    pub terms: Terms,
    of: HashMap<usize, TermId>,
    uses: Vec<u32>,
}

impl Lowered {
    /// Lowers a module.
    pub fn of(module: &Module) -> Self {
        let mut raw = Raw { module, terms: Terms::default(), of: HashMap::new() };
        let mut roots: Vec<(usize, TermId)> = Vec::new();
        walk::roots(module, &mut |expr| roots.push((expr.node_id(), raw.add(expr))));
        let weights = weights(&raw.terms, roots.iter().map(|(_, term)| *term));
        let mut lower = Lower { raw: &raw.terms, weights, terms: Terms::default(), cuts: HashMap::new() };
        let of: HashMap<usize, TermId> = roots.iter().map(|(node, term)| (*node, lower.whole(*term))).collect();
        let terms = lower.terms;
        let uses = uses(&terms, roots.iter().map(|(node, _)| of[node]));
        Self { terms, of, uses }
    }

    /// The term of an expression that the module holds.
    pub fn term(&self, expr: &Expr) -> TermId {
        self.of[&expr.node_id()]
    }

    /// Number of places that read a term.
    pub fn uses(&self, id: TermId) -> u32 {
        self.uses.get(id.index()).copied().unwrap_or(0)
    }
}

/// Terms that mirror the expressions.
struct Raw<'m> {
    module: &'m Module,
    terms: Terms,
    of: HashMap<usize, TermId>,
}

impl Raw<'_> {
    fn add(&mut self, expr: &Expr) -> TermId {
        if let Some(known) = self.of.get(&expr.node_id()) {
            return *known;
        }
        let operands: Vec<TermId> = walk::operands(expr).into_iter().map(|e| self.add(e)).collect();
        let op = match expr.kind() {
            ExprKind::Const(bits) => Op::Const(bits.clone()),
            ExprKind::Signal(id) => Op::Part(*id, 0),
            ExprKind::Element(id, index) => Op::Part(*id, index * self.module.signal(*id).ty.width),
            ExprKind::Slice(_, low) => Op::Slice(operands[0], *low),
            ExprKind::Concat(_) => Op::Concat(operands),
            ExprKind::Extend(_) => Op::Extend(operands[0]),
            ExprKind::Cast(_) => Op::Cast(operands[0]),
            ExprKind::Unary(op, _) => Op::Unary(*op, operands[0]),
            ExprKind::Binary(op, ..) => Op::Binary(*op, operands[0], operands[1]),
            ExprKind::Mux(..) => Op::Mux(operands[0], operands[1], operands[2]),
            ExprKind::Select(..) => Op::Select(operands[0], operands[1..].to_vec()),
        };
        let id = self.terms.intern(op, expr.width(), expr.is_signed());
        self.of.insert(expr.node_id(), id);
        id
    }
}

/// Readers of each raw term; wiring passes the readers of its result on to its operands.
fn weights(terms: &Terms, roots: impl Iterator<Item = TermId>) -> Vec<u32> {
    let mut weights = vec![0u32; terms.len()];
    roots.for_each(|root| weights[root.index()] += 1);
    for id in terms.users_first() {
        let op = &terms.get(id).op;
        let passed = if op.is_wiring() && !matches!(op, Op::Slice(..)) { weights[id.index()] } else { 1 };
        for operand in op.operands() {
            weights[operand.index()] = weights[operand.index()].saturating_add(passed);
        }
    }
    weights
}

/// Places that read each term, counting only terms that are reached from the roots.
fn uses(terms: &Terms, roots: impl Iterator<Item = TermId>) -> Vec<u32> {
    let mut uses = vec![0u32; terms.len()];
    roots.for_each(|root| uses[root.index()] += 1);
    for id in terms.users_first() {
        if uses[id.index()] > 0 {
            // Another signedness is no use of its own.
            let passed = if matches!(terms.get(id).op, Op::Cast(_)) { uses[id.index()] } else { 1 };
            terms.get(id).op.operands().iter().for_each(|operand| uses[operand.index()] += passed);
        }
    }
    uses
}

struct Lower<'r> {
    raw: &'r Terms,
    weights: Vec<u32>,
    terms: Terms,
    cuts: HashMap<(TermId, u32, u32), TermId>,
}

impl Lower<'_> {
    /// The whole value of a raw term, same type.
    fn whole(&mut self, id: TermId) -> TermId {
        let term = self.raw.get(id);
        let key = (id, u32::MAX, term.width);
        if let Some(known) = self.cuts.get(&key) {
            return *known;
        }
        let (width, signed) = (term.width, term.signed);
        let lowered = match &term.op {
            Op::Const(_) | Op::Part(..) => self.terms.intern(term.op.clone(), width, signed),
            Op::Slice(a, low) => self.cut(*a, *low, width),
            Op::Concat(parts) => {
                let parts: Vec<TermId> = parts.iter().map(|p| self.whole(*p)).collect();
                self.terms.concat(&parts)
            }
            Op::Extend(a) => {
                let a = self.whole(*a);
                self.terms.extend(a, width)
            }
            Op::Cast(a) => {
                let a = self.whole(*a);
                self.terms.cast(a, signed)
            }
            Op::Unary(op, a) => {
                let a = self.whole(*a);
                self.terms.intern(Op::Unary(*op, a), width, signed)
            }
            Op::Binary(op, a, b) => {
                let (a, b) = (self.whole(*a), self.whole(*b));
                self.terms.binary(*op, a, b, width, signed)
            }
            Op::Mux(c, a, b) => {
                let (c, a, b) = (self.whole(*c), self.whole(*a), self.whole(*b));
                self.terms.mux(c, a, b)
            }
            Op::Select(selector, options) => {
                let options: Vec<TermId> = options.iter().map(|o| self.whole(*o)).collect();
                self.select(*selector, options, width, signed)
            }
        };
        self.cuts.insert(key, lowered);
        lowered
    }

    fn select(&mut self, selector: TermId, mut options: Vec<TermId>, width: u32, signed: bool) -> TermId {
        let selector = self.whole(selector);
        let bits = self.terms.get(selector).width;
        // Options that no selector reaches; the comparison with their number would not fit it.
        options.truncate(if bits < 31 { 1 << bits } else { usize::MAX });
        match options.as_slice() {
            [single] => *single,
            [zero, one] if bits == 1 => self.terms.mux(selector, *one, *zero),
            _ => self.terms.intern(Op::Select(selector, options), width, signed),
        }
    }

    /// `width` bits from `low` of a raw term, unsigned.
    fn cut(&mut self, id: TermId, low: u32, width: u32) -> TermId {
        if let Some(known) = self.cuts.get(&(id, low, width)) {
            return *known;
        }
        let term = self.raw.get(id);
        let cut = match &term.op {
            _ if low == 0 && width == term.width => {
                let whole = self.whole(id);
                self.terms.cast(whole, false)
            }
            Op::Slice(a, at) => self.cut(*a, at + low, width),
            Op::Cast(a) => self.cut(*a, low, width),
            Op::Extend(a) => self.cut_extension(*a, low, width),
            Op::Concat(parts) => self.cut_concat(parts, low, width),
            op if self.weights[id.index()] == 1 => self.cut_operation(id, op, low, width),
            _ => {
                let whole = self.whole(id);
                self.terms.slice(whole, low, width)
            }
        };
        self.cuts.insert((id, low, width), cut);
        cut
    }

    fn cut_extension(&mut self, inner: TermId, low: u32, width: u32) -> TermId {
        let (bits, signed) = (self.raw.get(inner).width, self.raw.get(inner).signed);
        if low + width <= bits {
            return self.cut(inner, low, width);
        }
        if low >= bits && !signed {
            return self.terms.constant(Bits::zero(width), false);
        }
        let from = low.min(bits - 1);
        let kept = self.cut(inner, from, bits - from);
        let kept = self.terms.cast(kept, signed);
        let extended = self.terms.extend(kept, width);
        self.terms.cast(extended, false)
    }

    fn cut_concat(&mut self, parts: &[TermId], low: u32, width: u32) -> TermId {
        let mut taken = Vec::new();
        let mut at = 0;
        for part in parts.iter().rev() {
            let bits = self.raw.get(*part).width;
            let (from, to) = (low.max(at), (low + width).min(at + bits));
            if from < to {
                taken.insert(0, self.cut(*part, from - at, to - from));
            }
            at += bits;
        }
        self.terms.concat(&taken)
    }

    fn cut_operation(&mut self, id: TermId, op: &Op, low: u32, width: u32) -> TermId {
        match op {
            Op::Unary(UnaryOp::Not, a) => {
                let a = self.cut(*a, low, width);
                self.terms.intern(Op::Unary(UnaryOp::Not, a), width, false)
            }
            Op::Binary(op @ (BinaryOp::And | BinaryOp::Or | BinaryOp::Xor), a, b) => {
                let (a, b) = (self.cut(*a, low, width), self.cut(*b, low, width));
                self.terms.binary(*op, a, b, width, false)
            }
            Op::Mux(c, a, b) => {
                let (c, a, b) = (self.whole(*c), self.cut(*a, low, width), self.cut(*b, low, width));
                self.terms.mux(c, a, b)
            }
            Op::Select(selector, options) => {
                let options = options.iter().map(|o| self.cut(*o, low, width)).collect();
                self.select(*selector, options, width, false)
            }
            // Carries only move up: the bits above the cut have no say.
            Op::Unary(UnaryOp::Neg, a) => {
                let a = self.cut(*a, 0, low + width);
                let negated = self.terms.intern(Op::Unary(UnaryOp::Neg, a), low + width, false);
                self.terms.slice(negated, low, width)
            }
            Op::Binary(op @ (BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul), a, b) => {
                let (a, b) = (self.cut(*a, 0, low + width), self.cut(*b, 0, low + width));
                let narrow = self.terms.binary(*op, a, b, low + width, false);
                self.terms.slice(narrow, low, width)
            }
            _ => {
                let whole = self.whole(id);
                self.terms.slice(whole, low, width)
            }
        }
    }
}
