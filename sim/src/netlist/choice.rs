//! Choices: control logic is full of them, and most are less than a choice.

use super::{Binary, Kind, Netlist, NodeId, Op};

const BIT: Kind = Kind::BIT;

impl Netlist {
    /// A choice between bits is logic, and a choice within a choice may be one.
    pub(super) fn simpler_mux(&mut self, c: NodeId, a: NodeId, b: NodeId) -> Option<NodeId> {
        if let Some(inverse) = self.complement_of(c) {
            return Some(self.mux(inverse, b, a));
        }
        if self.kind(a) == BIT && self.kind(b) == BIT {
            match (self.as_const(a), self.as_const(b)) {
                (Some(1), Some(0)) => return Some(c),
                (Some(0), Some(1)) => return Some(self.not(c)),
                (Some(1), None) => return Some(self.binary(Binary::Or, c, b, BIT)),
                (None, Some(0)) => return Some(self.binary(Binary::And, c, a, BIT)),
                (Some(0), None) => {
                    let otherwise = self.not(c);
                    return Some(self.binary(Binary::And, otherwise, b, BIT));
                }
                (None, Some(1)) => {
                    let otherwise = self.not(c);
                    return Some(self.binary(Binary::Or, otherwise, a, BIT));
                }
                _ => {}
            }
        }
        if let Op::Mux(inner, x, y) = self.node(b).op {
            if inner == c {
                return Some(self.mux(c, a, y));
            }
            if x == a && self.kind(inner) == BIT {
                let either = self.binary(Binary::Or, c, inner, BIT);
                return Some(self.mux(either, a, y));
            }
            if y == a && self.kind(inner) == BIT {
                let otherwise = self.not(c);
                let only = self.binary(Binary::And, inner, otherwise, BIT);
                return Some(self.mux(only, x, a));
            }
        }
        if let Op::Mux(inner, x, y) = self.node(a).op {
            if inner == c {
                return Some(self.mux(c, x, b));
            }
            if y == b && self.kind(inner) == BIT {
                let both = self.binary(Binary::And, c, inner, BIT);
                return Some(self.mux(both, x, b));
            }
            if x == b && self.kind(inner) == BIT {
                let otherwise = self.not(inner);
                let only = self.binary(Binary::And, c, otherwise, BIT);
                return Some(self.mux(only, y, b));
            }
        }
        None
    }
}
