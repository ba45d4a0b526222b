//! Logic of single bits: what follows from operands without looking at values.

use super::{Binary, Kind, Netlist, NodeId, Op};

const BIT: Kind = Kind::BIT;
/// Operators that are looked into.
const DEEPEST: u32 = 4;

impl Netlist {
    /// The complement of a bit.
    pub(super) fn not(&mut self, bit: NodeId) -> NodeId {
        match self.node(bit).op {
            Op::Binary(Binary::Eq, a, b) => self.binary(Binary::Ne, a, b, BIT),
            Op::Binary(Binary::Ne, a, b) => self.binary(Binary::Eq, a, b, BIT),
            Op::Binary(Binary::Lt, a, b) => self.binary(Binary::Le, b, a, BIT),
            Op::Binary(Binary::Le, a, b) => self.binary(Binary::Lt, b, a, BIT),
            _ => {
                let one = self.constant(1, BIT);
                self.binary(Binary::Xor, bit, one, BIT)
            }
        }
    }

    /// The bit whose complement a node is.
    pub(super) fn inverted(&self, id: NodeId) -> Option<NodeId> {
        let known = |op, a, b| self.known.get(&(Op::Binary(op, a, b), BIT)).copied();
        match self.node(id).op {
            Op::Binary(Binary::Xor, bit, one) if self.as_const(one) == Some(1) && self.kind(id) == BIT => Some(bit),
            Op::Binary(Binary::Eq, a, b) => known(Binary::Ne, a, b),
            Op::Binary(Binary::Ne, a, b) => known(Binary::Eq, a, b),
            Op::Binary(Binary::Lt, a, b) => known(Binary::Le, b, a),
            Op::Binary(Binary::Le, a, b) => known(Binary::Lt, b, a),
            _ => None,
        }
    }

    /// The bit whose complement a node is; of two comparisons only one is the complement of the other.
    pub(super) fn complement_of(&self, id: NodeId) -> Option<NodeId> {
        match self.node(id).op {
            Op::Binary(Binary::Eq | Binary::Lt, ..) => None,
            _ => self.inverted(id),
        }
    }

    /// True when two bits are never 1 together.
    fn exclude(&self, a: NodeId, b: NodeId, depth: u32) -> bool {
        if self.inverted(a) == Some(b) || self.inverted(b) == Some(a) {
            return true;
        }
        match (&self.node(a).op, &self.node(b).op) {
            (Op::Binary(Binary::Eq, s, x), Op::Binary(Binary::Eq, t, y)) if s == t => {
                matches!((self.as_const(*x), self.as_const(*y)), (Some(x), Some(y)) if x != y)
            }
            (Op::Binary(Binary::And, p, q), _) if depth > 0 => {
                self.exclude(*p, b, depth - 1) || self.exclude(*q, b, depth - 1)
            }
            (_, Op::Binary(Binary::And, p, q)) if depth > 0 => {
                self.exclude(a, *p, depth - 1) || self.exclude(a, *q, depth - 1)
            }
            (Op::Binary(Binary::Or, p, q), _) if depth > 0 => {
                self.exclude(*p, b, depth - 1) && self.exclude(*q, b, depth - 1)
            }
            (_, Op::Binary(Binary::Or, p, q)) if depth > 0 => {
                self.exclude(a, *p, depth - 1) && self.exclude(a, *q, depth - 1)
            }
            _ => false,
        }
    }

    /// True when a bit is 1 wherever another one is.
    fn implies(&self, a: NodeId, b: NodeId, depth: u32) -> bool {
        if a == b || self.inverted(b).is_some_and(|not_b| self.exclude(a, not_b, depth)) {
            return true;
        }
        match (&self.node(a).op, &self.node(b).op) {
            (Op::Binary(Binary::And, p, q), _) if depth > 0 => {
                self.implies(*p, b, depth - 1) || self.implies(*q, b, depth - 1)
            }
            (_, Op::Binary(Binary::Or, p, q)) if depth > 0 => {
                self.implies(a, *p, depth - 1) || self.implies(a, *q, depth - 1)
            }
            _ => false,
        }
    }

    /// A simpler form of an operation on two bits.
    pub(super) fn simpler_logic(&mut self, op: Binary, a: NodeId, b: NodeId) -> Option<NodeId> {
        let symmetric = matches!(op, Binary::And | Binary::Or | Binary::Xor | Binary::Eq | Binary::Ne);
        if !symmetric || self.kind(a) != BIT || self.kind(b) != BIT {
            return None;
        }
        match op {
            Binary::And if self.exclude(a, b, DEEPEST) => Some(self.constant(0, BIT)),
            Binary::And if self.implies(a, b, DEEPEST) => Some(a),
            Binary::And if self.implies(b, a, DEEPEST) => Some(b),
            Binary::Or if self.implies(a, b, DEEPEST) => Some(b),
            Binary::Or if self.implies(b, a, DEEPEST) => Some(a),
            Binary::And => self.without(op, Binary::Or, a, b).or_else(|| self.without(op, Binary::Or, b, a)),
            Binary::Or => self.without(op, Binary::And, a, b).or_else(|| self.without(op, Binary::And, b, a)),
            _ => None,
        }
        .or_else(|| self.known.get(&(Op::Binary(op, b, a), BIT)).copied())
    }

    /// `a & (!a | q)` is `a & q`, and `a | (!a & q)` is `a | q`.
    fn without(&mut self, op: Binary, inner: Binary, a: NodeId, b: NodeId) -> Option<NodeId> {
        let Op::Binary(of, p, q) = self.node(b).op else { return None };
        let opposite = |this: &Self, x: NodeId| this.inverted(x) == Some(a) || this.inverted(a) == Some(x);
        if of != inner {
            return None;
        }
        match (opposite(self, p), opposite(self, q)) {
            (true, _) => Some(self.binary(op, a, q, BIT)),
            (_, true) => Some(self.binary(op, a, p, BIT)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlist::StorageId;

    /// A netlist with so many bits and a state of four bits.
    fn netlist(bits: u32) -> (Netlist, Vec<NodeId>, NodeId) {
        let mut netlist = Netlist::default();
        let bits = (0..bits).map(|b| netlist.load(StorageId(b), 0, BIT)).collect();
        let state = netlist.load(StorageId(99), 0, Kind::bits(4));
        (netlist, bits, state)
    }

    fn is(netlist: &mut Netlist, state: NodeId, value: u64) -> NodeId {
        let value = netlist.constant(value, Kind::bits(4));
        netlist.binary(Binary::Eq, state, value, BIT)
    }

    #[test]
    fn no_state_is_another_one() {
        let (mut netlist, bits, state) = netlist(1);
        let (one, two) = (is(&mut netlist, state, 1), is(&mut netlist, state, 2));
        let (busy, not_one) = (netlist.binary(Binary::And, two, bits[0], BIT), netlist.not(one));
        assert_eq!(netlist.binary(Binary::And, not_one, busy, BIT), busy);
        assert_eq!(netlist.binary(Binary::Or, busy, not_one, BIT), not_one);
        let both = netlist.binary(Binary::And, one, busy, BIT);
        assert_eq!(netlist.as_const(both), Some(0));
    }

    #[test]
    fn what_is_known_is_not_asked_again() {
        let (mut netlist, bits, _) = netlist(2);
        let (a, b) = (bits[0], bits[1]);
        let (not_a, both) = (netlist.not(a), netlist.binary(Binary::And, a, b, BIT));
        let either = netlist.binary(Binary::Or, not_a, b, BIT);
        assert_eq!(netlist.binary(Binary::And, b, a, BIT), both);
        assert_eq!(netlist.binary(Binary::And, a, either, BIT), both);
        assert_eq!(netlist.binary(Binary::Or, a, both, BIT), a);
    }

    #[test]
    fn order_counts_where_it_does() {
        let (mut netlist, bits, _) = netlist(2);
        let less = netlist.binary(Binary::Lt, bits[0], bits[1], BIT);
        assert_ne!(netlist.binary(Binary::Lt, bits[1], bits[0], BIT), less);
        let not_less = netlist.not(less);
        assert_eq!(netlist.not(not_less), less);
    }
}
