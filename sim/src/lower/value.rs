//! Values of any width while a design is lowered: one node, or pieces side by side.

use crate::netlist::{Binary, Kind, Netlist, NodeId, StorageId};

/// Some bits of a wide value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Piece {
    /// Number of bits.
    pub width: u32,
    /// Where they are.
    pub source: Source,
}

/// Source of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// Low bits of a node (its sign repeats above its own width).
    Node(NodeId),
    /// Bits from a position of a storage.
    Storage(StorageId, u32),
}

/// A value of a width and signedness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// Up to 64 bits: one node whose kind fits. Beyond: pieces, the lowest first.
    pub repr: Repr,
    /// Bits.
    pub width: u32,
    /// Two's complement.
    pub signed: bool,
}

/// See [`Value`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repr {
    /// One node.
    Node(NodeId),
    /// Pieces, the lowest first.
    Wide(Vec<Piece>),
}

impl Value {
    /// From one node of a fitting kind.
    pub fn node(id: NodeId, width: u32, signed: bool) -> Self {
        Self { repr: Repr::Node(id), width, signed }
    }

    /// The pieces that make up the value.
    pub fn pieces(&self) -> Vec<Piece> {
        match &self.repr {
            Repr::Node(id) => vec![Piece { width: self.width, source: Source::Node(*id) }],
            Repr::Wide(pieces) => pieces.clone(),
        }
    }

    /// Adds the nodes that it is made of.
    pub fn nodes(&self, into: &mut Vec<NodeId>) {
        match &self.repr {
            Repr::Node(id) => into.push(*id),
            Repr::Wide(pieces) => into.extend(pieces.iter().filter_map(|p| match p.source {
                Source::Node(id) => Some(id),
                Source::Storage(..) => None,
            })),
        }
    }

    /// Adds the storages whose bits it takes without a node.
    pub fn storages(&self, into: &mut Vec<StorageId>) {
        if let Repr::Wide(pieces) = &self.repr {
            into.extend(pieces.iter().filter_map(|p| match p.source {
                Source::Node(_) => None,
                Source::Storage(storage, _) => Some(storage),
            }));
        }
    }
}

impl Netlist {
    /// A constant of any width.
    pub fn value_const(&mut self, limbs: &[u64], width: u32, signed: bool) -> Value {
        let limb = |i: u32| limbs.get(i as usize).copied().unwrap_or(0);
        if width <= 64 {
            return Value::node(self.constant(limb(0), Kind { width, signed }), width, signed);
        }
        let pieces = (0..width.div_ceil(64))
            .map(|i| {
                let width = (width - i * 64).min(64);
                Piece { width, source: Source::Node(self.constant(limb(i), Kind::bits(width))) }
            })
            .collect();
        Value { repr: Repr::Wide(pieces), width, signed }
    }

    /// A storage as a value.
    pub fn value_storage(&mut self, storage: StorageId, low: u32, width: u32, signed: bool) -> Value {
        if width <= 64 {
            return Value::node(self.load(storage, low, Kind { width, signed }), width, signed);
        }
        Value { repr: Repr::Wide(vec![Piece { width, source: Source::Storage(storage, low) }]), width, signed }
    }

    fn cut(&mut self, piece: Piece, low: u32, width: u32) -> Piece {
        let source = match piece.source {
            Source::Storage(storage, at) => Source::Storage(storage, at + low),
            Source::Node(id) if low == 0 => Source::Node(id),
            Source::Node(id) => Source::Node(self.field(id, low, Kind::bits(width))),
        };
        Piece { width, source }
    }

    /// Joins pieces, the lowest first.
    pub fn join(&mut self, pieces: Vec<Piece>, signed: bool) -> Value {
        let width = pieces.iter().map(|p| p.width).sum();
        let mut merged: Vec<Piece> = Vec::with_capacity(pieces.len());
        for piece in pieces {
            if let (Some(last), Source::Storage(storage, low)) = (merged.last_mut(), piece.source)
                && last.source == Source::Storage(storage, low.wrapping_sub(last.width))
            {
                last.width += piece.width;
                continue;
            }
            merged.push(piece);
        }
        if width > 64 {
            return Value { repr: Repr::Wide(merged), width, signed };
        }
        let parts: Vec<(NodeId, u32)> = merged
            .iter()
            .map(|p| match p.source {
                Source::Node(id) => (id, p.width),
                Source::Storage(storage, low) => (self.load(storage, low, Kind::bits(p.width)), p.width),
            })
            .collect();
        let kind = Kind { width, signed };
        let joined = match (parts.as_slice(), merged.as_slice()) {
            (_, [Piece { source: Source::Storage(storage, low), .. }]) => self.load(*storage, *low, kind),
            ([(only, _)], _) => self.cast(*only, kind),
            _ => {
                let joined = self.concat(&parts);
                self.cast(joined, kind)
            }
        };
        Value::node(joined, width, signed)
    }

    /// Concatenation, the lowest part first.
    pub fn value_concat(&mut self, parts: &[Value]) -> Value {
        let pieces = parts.iter().flat_map(Value::pieces).collect();
        self.join(pieces, false)
    }

    /// `width` bits from `low` on, zeros beyond the end.
    pub fn value_slice(&mut self, value: &Value, low: u32, width: u32, signed: bool) -> Value {
        if let (Repr::Node(id), true) = (&value.repr, low + width <= value.width) {
            return Value::node(self.field(*id, low, Kind { width, signed }), width, signed);
        }
        let (mut at, mut taken) = (0, Vec::new());
        for piece in value.pieces() {
            let (from, to) = (low.max(at), (low + width).min(at + piece.width));
            if from < to {
                taken.push(self.cut(piece, from - at, to - from));
            }
            at += piece.width;
        }
        let have: u32 = taken.iter().map(|p| p.width).sum();
        self.pad(&mut taken, width - have, None);
        self.join(taken, signed)
    }

    /// Appends bits: zeros, or copies of a 1-bit signed node.
    fn pad(&mut self, pieces: &mut Vec<Piece>, mut bits: u32, sign: Option<NodeId>) {
        while bits > 0 {
            let width = bits.min(64);
            let node = sign.unwrap_or_else(|| self.constant(0, Kind::bits(width)));
            pieces.push(Piece { width, source: Source::Node(node) });
            bits -= width;
        }
    }

    /// Same bits, other signedness.
    pub fn value_cast(&mut self, value: &Value, signed: bool) -> Value {
        match &value.repr {
            Repr::Node(id) => Value::node(self.cast(*id, Kind { width: value.width, signed }), value.width, signed),
            Repr::Wide(pieces) => Value { repr: Repr::Wide(pieces.clone()), width: value.width, signed },
        }
    }

    /// Same integer in a type at least as wide.
    pub fn value_extend(&mut self, value: &Value, width: u32) -> Value {
        if width <= value.width {
            return value.clone();
        }
        match &value.repr {
            Repr::Node(id) if width <= 64 => Value::node(*id, width, value.signed),
            _ => {
                let sign = value.signed.then(|| self.value_bit(value, value.width - 1, true));
                let mut pieces = value.pieces();
                self.pad(&mut pieces, width - value.width, sign);
                self.join(pieces, value.signed)
            }
        }
    }

    fn value_bit(&mut self, value: &Value, bit: u32, signed: bool) -> NodeId {
        let bit = self.value_slice(value, bit, 1, signed);
        self.value_node(&bit)
    }

    /// The node of a value of at most 64 bits (of a wider one: of its low 64 bits).
    pub fn value_node(&mut self, value: &Value) -> NodeId {
        match value.repr {
            Repr::Node(id) => id,
            Repr::Wide(_) => {
                let low = self.value_slice(value, 0, 64.min(value.width), false);
                match low.repr {
                    Repr::Node(id) => id,
                    Repr::Wide(_) => self.constant(0, Kind::bits(1)),
                }
            }
        }
    }

    /// Limbs of 64 bits, unsigned; the last one may be shorter.
    pub fn limbs(&mut self, value: &Value) -> Vec<NodeId> {
        (0..value.width.div_ceil(64))
            .map(|i| {
                let limb = self.value_slice(value, i * 64, (value.width - i * 64).min(64), false);
                self.value_node(&limb)
            })
            .collect()
    }

    /// From limbs of 64 bits.
    pub fn join_limbs(&mut self, limbs: &[NodeId], width: u32, signed: bool) -> Value {
        let pieces = limbs
            .iter()
            .enumerate()
            .map(|(i, n)| Piece { width: (width - i as u32 * 64).min(64), source: Source::Node(*n) })
            .collect();
        self.join(pieces, signed)
    }

    /// `if condition { a } else { b }` for values of one type.
    pub fn value_mux(&mut self, condition: NodeId, a: &Value, b: &Value) -> Value {
        if a == b {
            return a.clone();
        }
        if let (Repr::Node(x), Repr::Node(y)) = (&a.repr, &b.repr) {
            let kind = Kind { width: a.width, signed: a.signed };
            let mux = self.mux(condition, *x, *y);
            return Value::node(self.cast(mux, kind), a.width, a.signed);
        }
        let (x, y) = (self.limbs(a), self.limbs(b));
        let limbs: Vec<NodeId> = x.iter().zip(&y).map(|(x, y)| self.mux(condition, *x, *y)).collect();
        self.join_limbs(&limbs, a.width, a.signed)
    }

    /// A two-operand operation on unsigned 64-bit limbs, cut to 64 bits.
    pub fn limb(&mut self, op: Binary, a: NodeId, b: NodeId) -> NodeId {
        self.binary(op, a, b, Kind::bits(64))
    }
}
