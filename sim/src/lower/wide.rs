//! Operators on values wider than 64 bits, expressed with nodes of at most 64.

use super::value::Value;
use crate::netlist::{Binary, Kind, Netlist, NodeId};
use heatvit_rtl::{BinaryOp, UnaryOp};

const BIT: Kind = Kind::BIT;

/// What the limb of a value is, whatever its node is.
fn limb_kind(value: &Value, limb: usize) -> Kind {
    Kind::bits((value.width - 64 * limb as u32).min(64))
}

impl Netlist {
    /// A unary operator on a wide value; `width` is that of the result.
    pub fn wide_unary(&mut self, op: UnaryOp, a: &Value) -> Value {
        match op {
            UnaryOp::Not => {
                let limbs = self.limbs(a).into_iter().enumerate();
                let limbs: Vec<NodeId> = limbs.map(|(i, l)| self.complement(l, limb_kind(a, i))).collect();
                self.join_limbs(&limbs, a.width, a.signed)
            }
            UnaryOp::Neg => {
                let zero = self.value_const(&[], a.width, a.signed);
                self.wide_sum(&zero, a, true, true)
            }
            UnaryOp::ReduceAnd => self.wide_reduce(a, Binary::And, |n, l, kind| {
                let ones = n.constant(u64::MAX, kind);
                n.binary(Binary::Eq, l, ones, BIT)
            }),
            UnaryOp::ReduceOr => self.wide_reduce(a, Binary::Or, |n, l, _| {
                let zero = n.constant(0, n.kind(l));
                n.binary(Binary::Ne, l, zero, BIT)
            }),
            UnaryOp::ReduceXor => self.wide_reduce(a, Binary::Xor, |n, l, _| n.parity(l)),
        }
    }

    /// A wide shift amount in one node: 64 where any higher bit is set.
    pub fn narrow_amount(&mut self, amount: &Value) -> NodeId {
        let low = self.value_node(amount);
        let high = self.value_slice(amount, 64, amount.width - 64, false);
        let zero = self.value_const(&[], high.width, false);
        let beyond = self.wide_binary(BinaryOp::Ne, &high, &zero, 1, false);
        let (beyond, all) = (self.value_node(&beyond), self.constant(64, Kind::bits(7)));
        self.mux(beyond, all, low)
    }

    /// All bits of a limb of this kind flipped; its node may be narrower, with zeros above.
    fn complement(&mut self, limb: NodeId, kind: Kind) -> NodeId {
        let ones = self.constant(u64::MAX, kind);
        self.binary(Binary::Xor, limb, ones, kind)
    }

    fn wide_reduce(&mut self, a: &Value, join: Binary, each: impl Fn(&mut Self, NodeId, Kind) -> NodeId) -> Value {
        let limbs = self.limbs(a).into_iter().enumerate();
        let bits: Vec<NodeId> = limbs.map(|(i, l)| each(self, l, limb_kind(a, i))).collect();
        let all = bits.into_iter().reduce(|x, y| self.binary(join, x, y, BIT));
        let all = all.unwrap_or_else(|| self.constant(0, BIT));
        Value::node(all, 1, false)
    }

    /// A binary operator where the operands or the result are wide; operands are of one type (shifts excepted).
    pub fn wide_binary(&mut self, op: BinaryOp, a: &Value, b: &Value, width: u32, signed: bool) -> Value {
        match op {
            BinaryOp::Add => self.wide_sum(a, b, false, signed),
            BinaryOp::Sub => self.wide_sum(a, b, true, signed),
            BinaryOp::Mul => self.wide_product(a, b, width, signed),
            BinaryOp::And => self.wide_bitwise(Binary::And, a, b, signed),
            BinaryOp::Or => self.wide_bitwise(Binary::Or, a, b, signed),
            BinaryOp::Xor => self.wide_bitwise(Binary::Xor, a, b, signed),
            BinaryOp::Eq => {
                let differ = self.wide_bitwise(Binary::Xor, a, b, false);
                let any = self.wide_unary(UnaryOp::ReduceOr, &differ);
                let any = self.value_node(&any);
                Value::node(self.complement(any, BIT), 1, false)
            }
            BinaryOp::Ne => {
                let differ = self.wide_bitwise(Binary::Xor, a, b, false);
                self.wide_unary(UnaryOp::ReduceOr, &differ)
            }
            BinaryOp::Lt => Value::node(self.wide_less(a, b), 1, false),
            BinaryOp::Le => {
                let greater = self.wide_less(b, a);
                Value::node(self.complement(greater, BIT), 1, false)
            }
            BinaryOp::Shl | BinaryOp::Shr => self.wide_shift(a, b, op == BinaryOp::Shl),
        }
    }

    fn wide_bitwise(&mut self, op: Binary, a: &Value, b: &Value, signed: bool) -> Value {
        let (x, y) = (self.limbs(a), self.limbs(b));
        let limbs: Vec<NodeId> = x.iter().zip(&y).map(|(x, y)| self.limb(op, *x, *y)).collect();
        self.join_limbs(&limbs, a.width, signed)
    }

    /// `a + b` or `a - b` modulo the operands' width.
    fn wide_sum(&mut self, a: &Value, b: &Value, subtract: bool, signed: bool) -> Value {
        let (x, y) = (self.limbs(a), self.limbs(b));
        let op = if subtract { Binary::Sub } else { Binary::Add };
        let mut carry = self.constant(0, BIT);
        let mut limbs = Vec::new();
        for (x, y) in x.into_iter().zip(y) {
            let first = self.limb(op, x, y);
            let total = self.limb(op, first, carry);
            // A sum wrapped when it is below an operand, a difference when it is above the minuend.
            let wrapped = |n: &mut Self, before: NodeId, after: NodeId| {
                let (low, high) = if subtract { (before, after) } else { (after, before) };
                n.binary(Binary::Lt, low, high, BIT)
            };
            let (over, over_carry) = (wrapped(self, x, first), wrapped(self, first, total));
            carry = self.binary(Binary::Or, over, over_carry, BIT);
            limbs.push(total);
        }
        self.join_limbs(&limbs, a.width, signed)
    }

    fn wide_less(&mut self, a: &Value, b: &Value) -> NodeId {
        let (x, y) = (self.limbs(a), self.limbs(b));
        let mut less = self.constant(0, BIT);
        let last = x.len() - 1;
        for (i, (mut x, mut y)) in x.into_iter().zip(y).enumerate() {
            if i == last && a.signed {
                let kind = Kind { signed: true, ..Kind::bits(a.width - 64 * i as u32) };
                (x, y) = (self.cast(x, kind), self.cast(y, kind));
            }
            let (below, equal) = (self.binary(Binary::Lt, x, y, BIT), self.binary(Binary::Eq, x, y, BIT));
            let carried = self.binary(Binary::And, equal, less, BIT);
            less = self.binary(Binary::Or, below, carried, BIT);
        }
        less
    }

    /// Schoolbook product of 32-bit digits.
    fn wide_product(&mut self, a: &Value, b: &Value, width: u32, signed: bool) -> Value {
        let count = width.div_ceil(32) as usize;
        let digits = |n: &mut Self, v: &Value| -> Vec<NodeId> {
            (0..count as u32)
                .map(|i| {
                    let digit = n.value_slice(v, i * 32, 32, false);
                    n.value_node(&digit)
                })
                .collect()
        };
        let (x, y) = (digits(self, a), digits(self, b));
        let mut columns = vec![self.constant(0, Kind::bits(1)); count + 1];
        for (i, x) in x.iter().enumerate() {
            for (j, y) in y.iter().enumerate().take(count - i) {
                let product = self.limb(Binary::Mul, *x, *y);
                for (at, low) in [(i + j, 0), (i + j + 1, 32)] {
                    let half = self.field(product, low, Kind::bits(32));
                    columns[at] = self.limb(Binary::Add, columns[at], half);
                }
            }
        }
        let mut carry = self.constant(0, Kind::bits(1));
        let mut parts = Vec::new();
        for column in columns.into_iter().take(count) {
            let total = self.limb(Binary::Add, column, carry);
            parts.push(Value::node(self.field(total, 0, Kind::bits(32)), 32, false));
            carry = self.field(total, 32, Kind::bits(32));
        }
        let whole = self.value_concat(&parts);
        self.value_slice(&whole, 0, width, signed)
    }

    /// Barrel shifter: one multiplexer per bit of the amount.
    fn wide_shift(&mut self, a: &Value, amount: &Value, left: bool) -> Value {
        let fill = if a.signed && !left {
            let sign = self.value_slice(a, a.width - 1, 1, true);
            self.value_extend(&sign, a.width)
        } else {
            self.value_const(&[], a.width, a.signed)
        };
        let fill = self.value_cast(&fill, a.signed);
        let mut value = a.clone();
        for bit in 0..amount.width {
            let step = 1u32.checked_shl(bit).unwrap_or(u32::MAX).min(a.width);
            let shifted = if step == a.width {
                fill.clone()
            } else if left {
                let (low, high) =
                    (self.value_slice(&fill, 0, step, false), self.value_slice(&value, 0, a.width - step, false));
                self.value_concat(&[low, high])
            } else {
                let low = self.value_slice(&value, step, a.width - step, false);
                let high = self.value_slice(&fill, 0, step, false);
                self.value_concat(&[low, high])
            };
            let shifted = self.value_cast(&shifted, a.signed);
            let taken = self.value_slice(amount, bit, 1, false);
            let taken = self.value_node(&taken);
            value = self.value_mux(taken, &shifted, &value);
        }
        value
    }
}
