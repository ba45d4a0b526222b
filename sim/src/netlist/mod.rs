//! The flat form of a design: values of at most 64 bits, shared where they are equal.
//!
//! A node is an integer of a known width and signedness, always held in canonical form: sign-extended
//! when signed, zero-extended otherwise. Widening and most casts therefore cost no node. Wires, ports and
//! concatenations wider than 64 bits dissolve into pieces and never become nodes.

mod choice;
mod logic;

use std::collections::HashMap;

/// A node of a [`Netlist`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

impl NodeId {
    /// Position in the table.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A top input, register or read data: what exists at the start of a cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StorageId(pub u32);

impl StorageId {
    /// Position in the table.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Smallest and largest value, both included.
pub type Range = (i128, i128);

/// Width of at most 64 and signedness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind {
    /// Bits, 1..=64.
    pub width: u32,
    /// Two's complement.
    pub signed: bool,
}

impl Kind {
    /// Unsigned.
    pub fn bits(width: u32) -> Self {
        Self { width, signed: false }
    }

    /// Smallest and largest value.
    pub fn range(self) -> Range {
        if self.signed {
            (-(1i128 << (self.width - 1)), (1i128 << (self.width - 1)) - 1)
        } else {
            (0, (1i128 << self.width) - 1)
        }
    }

    /// One bit.
    pub const BIT: Self = Self { width: 1, signed: false };

    /// Smallest kind that holds a range; 64 bits where none does, and then values wrap.
    pub fn holding((low, high): Range) -> Self {
        let bits = |v: i128| 128 - v.leading_zeros();
        if low >= 0 {
            return Self { width: bits(high).clamp(1, 64), signed: false };
        }
        let width = 1 + bits(-(low + 1)).max(bits(high.max(0)));
        Self { width: width.min(64), signed: true }
    }

    /// The integer that a value in canonical form stands for.
    pub fn integer(self, value: u64) -> i128 {
        if self.signed { i128::from(value as i64) } else { i128::from(value) }
    }

    /// Smallest kind that holds both.
    pub fn union(self, other: Self) -> Self {
        let ((a, b), (c, d)) = (self.range(), other.range());
        Self::holding((a.min(c), b.max(d)))
    }

    /// True when every value of this kind is one of `other`.
    pub fn fits(self, other: Self) -> bool {
        let ((a, b), (c, d)) = (self.range(), other.range());
        a >= c && b <= d
    }

    /// Cuts any value to the canonical form of this kind.
    pub fn canonical(self, value: u64) -> u64 {
        let unused = 64 - self.width;
        if self.signed { ((value << unused) as i64 >> unused) as u64 } else { value << unused >> unused }
    }

    /// Bytes of the host type that holds it: 1, 2, 4 or 8.
    pub fn bytes(self) -> u32 {
        self.width.div_ceil(8).next_power_of_two()
    }

    /// Bytes that a storage or memory word of any width takes.
    pub fn stored_bytes(self) -> u32 {
        if self.width <= 64 { self.bytes() } else { self.width.div_ceil(64) * 8 }
    }
}

/// Operators with two operands, on the integers themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Binary {
    /// Sum modulo 2^64.
    Add,
    /// Difference modulo 2^64.
    Sub,
    /// Product modulo 2^64.
    Mul,
    /// Bitwise and.
    And,
    /// Bitwise or.
    Or,
    /// Bitwise exclusive or.
    Xor,
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Less than.
    Lt,
    /// Less than or equal.
    Le,
    /// Left shift; zero from 64 on.
    Shl,
    /// Right shift, arithmetic when the left operand is signed.
    Shr,
}

/// What computes a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Op {
    /// A constant in canonical form.
    Const(u64),
    /// Bits from `low` on of a storage.
    Load(StorageId, u32),
    /// Bits from `low` on of a node.
    Field(NodeId, u32),
    /// Low bits of nodes side by side, the lowest first, with the number of bits each gives.
    Concat(Vec<(NodeId, u32)>),
    /// Parity of an unsigned node.
    Parity(NodeId),
    /// Two operands.
    Binary(Binary, NodeId, NodeId),
    /// `if condition { a } else { b }`.
    Mux(NodeId, NodeId, NodeId),
}

impl Op {
    /// Calls `f` with every operand.
    pub fn operands(&self, mut f: impl FnMut(NodeId)) {
        match self {
            Self::Const(_) | Self::Load(..) => {}
            Self::Field(a, _) | Self::Parity(a) => f(*a),
            Self::Concat(parts) => parts.iter().for_each(|(p, _)| f(*p)),
            Self::Binary(_, a, b) => {
                f(*a);
                f(*b);
            }
            Self::Mux(c, a, b) => {
                f(*c);
                f(*a);
                f(*b);
            }
        }
    }
}

/// Where a node comes from: nodes of one origin in many instances form a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// Interned (module, expression).
    pub source: u32,
    /// Position among the nodes of that expression.
    pub step: u32,
}

/// A value of at most 64 bits.
#[derive(Clone, Debug)]
pub struct Node {
    /// Operation.
    pub op: Op,
    /// Type.
    pub kind: Kind,
    /// What it can be, within its type.
    pub range: Range,
    /// Batch.
    pub origin: Origin,
    /// Instance in which it was first needed; the lane order of batches.
    pub instance: u32,
}

/// All nodes; equal ones exist once.
#[derive(Debug, Default)]
pub struct Netlist {
    nodes: Vec<Node>,
    known: HashMap<(Op, Kind), NodeId>,
    /// Set by the lowering before it makes nodes.
    pub origin: Origin,
    /// Set by the lowering before it makes nodes.
    pub instance: u32,
}

impl Netlist {
    /// A node's entry.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// A node's type.
    pub fn kind(&self, id: NodeId) -> Kind {
        self.nodes[id.index()].kind
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    fn add(&mut self, op: Op, kind: Kind) -> NodeId {
        self.add_within(op, kind, kind.range())
    }

    /// A node of which more is known than its type.
    fn add_within(&mut self, op: Op, kind: Kind, range: Range) -> NodeId {
        if let Some(id) = self.known.get(&(op.clone(), kind)) {
            let known = &mut self.nodes[id.index()].range;
            *known = both(*known, range);
            return *id;
        }
        let id = NodeId(self.nodes.len() as u32);
        self.known.insert((op.clone(), kind), id);
        let range = both(range, kind.range());
        self.nodes.push(Node { op, kind, range, origin: self.origin, instance: self.instance });
        self.origin.step += 1;
        id
    }

    /// A constant of a declared type.
    pub fn constant(&mut self, value: u64, kind: Kind) -> NodeId {
        let value = kind.canonical(value);
        self.add_within(Op::Const(value), kind, (kind.integer(value), kind.integer(value)))
    }

    fn as_const(&self, id: NodeId) -> Option<u64> {
        match self.node(id).op {
            Op::Const(value) => Some(value),
            _ => None,
        }
    }

    /// Bits of a storage.
    pub fn load(&mut self, storage: StorageId, low: u32, kind: Kind) -> NodeId {
        self.add(Op::Load(storage, low), kind)
    }

    /// All of a storage that never leaves a range.
    pub fn load_within(&mut self, storage: StorageId, kind: Kind, range: Range) -> NodeId {
        self.add_within(Op::Load(storage, 0), kind, range)
    }

    /// `kind.width` bits of a node from `low` on.
    pub fn field(&mut self, source: NodeId, low: u32, kind: Kind) -> NodeId {
        let of = self.kind(source);
        if low == 0 && of.fits(kind) {
            return source;
        }
        if !of.signed && low >= of.width {
            return self.constant(0, kind);
        }
        let low = low.min(63);
        match self.node(source).op.clone() {
            Op::Const(value) => {
                let shifted = if of.signed { (value as i64 >> low) as u64 } else { value >> low };
                self.constant(shifted, kind)
            }
            Op::Load(storage, at) if low + kind.width <= of.width => self.load(storage, at + low, kind),
            Op::Field(inner, at) if low + kind.width <= of.width => self.field(inner, at + low, kind),
            Op::Concat(parts) => self.field_of_concat(source, &parts, low, kind),
            _ => self.add(Op::Field(source, low), kind),
        }
    }

    fn field_of_concat(&mut self, source: NodeId, parts: &[(NodeId, u32)], low: u32, kind: Kind) -> NodeId {
        let mut at = 0;
        for (part, width) in parts {
            if low >= at && low + kind.width <= at + width {
                return self.field(*part, low - at, kind);
            }
            at += width;
        }
        if kind.signed || low + kind.width > at {
            return self.add(Op::Field(source, low), kind);
        }
        let (mut at, mut cut) = (0, Vec::new());
        for (part, width) in parts {
            let (first, last) = (low.max(at), (low + kind.width).min(at + width));
            if first < last {
                cut.push((self.field(*part, first - at, Kind::bits(last - first)), last - first));
            }
            at += width;
        }
        self.concat(&cut)
    }

    /// The same bits in another type of the same or a greater width.
    pub fn cast(&mut self, source: NodeId, kind: Kind) -> NodeId {
        self.field(source, 0, kind)
    }

    /// Parts of which those that continue each other are one.
    fn joined(&mut self, parts: &[(NodeId, u32)]) -> Vec<(NodeId, u32)> {
        let mut all: Vec<(NodeId, u32)> = Vec::new();
        for (part, width) in parts.iter().copied() {
            let joined = all.last().and_then(|(last, below)| self.continued(*last, *below, part, width));
            match joined {
                Some(whole) => *all.last_mut().expect("there was a last one") = whole,
                None => all.push((part, width)),
            }
        }
        all
    }

    /// Two parts as one, if they are bits of one node or storage that continue each other.
    fn continued(&mut self, low: NodeId, low_width: u32, high: NodeId, high_width: u32) -> Option<(NodeId, u32)> {
        let width = low_width + high_width;
        let whole = |id: NodeId, of: u32| self.kind(id) == Kind::bits(of);
        if !whole(low, low_width) || !whole(high, high_width) {
            return None;
        }
        let joined = match (&self.node(low).op, &self.node(high).op) {
            (Op::Field(a, at), Op::Field(b, above)) if a == b && at + low_width == *above => {
                let (source, at) = (*a, *at);
                self.field(source, at, Kind::bits(width))
            }
            (Op::Load(a, at), Op::Load(b, above)) if a == b && at + low_width == *above => {
                let (storage, at) = (*a, *at);
                self.load(storage, at, Kind::bits(width))
            }
            _ => return None,
        };
        Some((joined, width))
    }

    /// Low bits of nodes side by side, the lowest first; at most 64 bits.
    pub fn concat(&mut self, parts: &[(NodeId, u32)]) -> NodeId {
        let width = parts.iter().map(|(_, w)| w).sum();
        let kind = Kind::bits(width);
        let parts = self.joined(parts);
        if let [(only, _)] = parts.as_slice() {
            return self.cast(*only, kind);
        }
        if parts.iter().all(|(p, _)| self.as_const(*p).is_some()) {
            let (mut value, mut at) = (0, 0);
            for (part, w) in &parts {
                value |= Kind::bits(*w).canonical(self.as_const(*part).unwrap_or(0)) << at;
                at += w;
            }
            return self.constant(value, kind);
        }
        self.add(Op::Concat(parts), kind)
    }

    /// Parity of the bits of an unsigned node.
    pub fn parity(&mut self, a: NodeId) -> NodeId {
        match self.as_const(a) {
            Some(value) => self.constant(u64::from(value.count_ones() % 2), Kind::bits(1)),
            None => self.add(Op::Parity(a), Kind::bits(1)),
        }
    }

    /// A two-operand operation whose result is cut to `kind`.
    pub fn binary(&mut self, op: Binary, a: NodeId, b: NodeId, kind: Kind) -> NodeId {
        let (of_a, of_b) = (self.kind(a), self.kind(b));
        if let (Some(x), Some(y)) = (self.as_const(a), self.as_const(b)) {
            return self.constant(fold(op, (x, of_a), (y, of_b)), kind);
        }
        if let Some(simple) = self.identity(op, a, b) {
            return self.cast(simple, kind);
        }
        if of_a == Kind::bits(1) && matches!((op, self.as_const(b)), (Binary::Eq, Some(0)) | (Binary::Ne, Some(1))) {
            return self.not(a);
        }
        if let Some(simple) = self.simpler_logic(op, a, b) {
            return self.cast(simple, kind);
        }
        let ranges = (self.node(a).range, self.node(b).range);
        let exact = result_kind(op, of_a, of_b, ranges, kind);
        let range = arithmetic(op, ranges).unwrap_or(exact.range());
        let raw = self.add_within(Op::Binary(op, a, b), exact, if exact.width < 64 { range } else { exact.range() });
        self.cast(raw, kind)
    }

    /// Operand that the operation returns unchanged.
    fn identity(&self, op: Binary, a: NodeId, b: NodeId) -> Option<NodeId> {
        let (x, y) = (self.as_const(a), self.as_const(b));
        let ones = |id: NodeId, value: Option<u64>, other: NodeId| {
            let kind = self.kind(id);
            let all = kind.canonical(u64::MAX);
            value == Some(all) && (kind.signed || self.kind(other).fits(kind))
        };
        match op {
            Binary::Add | Binary::Or | Binary::Xor if x == Some(0) => Some(b),
            Binary::Add | Binary::Sub | Binary::Or | Binary::Xor | Binary::Shl | Binary::Shr if y == Some(0) => Some(a),
            Binary::And if x == Some(0) => Some(a),
            Binary::And if y == Some(0) => Some(b),
            Binary::And if ones(a, x, b) => Some(b),
            Binary::And if ones(b, y, a) => Some(a),
            Binary::And | Binary::Or if a == b => Some(a),
            Binary::Xor if y == Some(1) && self.inverted(a).is_some() => self.inverted(a),
            // Bits that are compared with a constant.
            Binary::Eq if y == Some(1) && self.kind(a) == Kind::bits(1) => Some(a),
            Binary::Ne if y == Some(0) && self.kind(a) == Kind::bits(1) => Some(a),
            _ => None,
        }
    }

    /// `if condition { a } else { b }`.
    pub fn mux(&mut self, condition: NodeId, a: NodeId, b: NodeId) -> NodeId {
        match self.as_const(condition) {
            Some(0) => return b,
            Some(_) => return a,
            None if a == b => return a,
            None => {}
        }
        if self.kind(condition) == Kind::bits(1)
            && let Some(simpler) = self.simpler_mux(condition, a, b)
        {
            return simpler;
        }
        let kind = self.kind(a).union(self.kind(b));
        let range = either(self.node(a).range, self.node(b).range);
        self.add_within(Op::Mux(condition, a, b), kind, range)
    }
}

/// Range of what is in both; the first where they have nothing in common, which no value will show.
fn both(a: Range, b: Range) -> Range {
    let range = (a.0.max(b.0), a.1.min(b.1));
    if range.0 <= range.1 { range } else { a }
}

/// Range of what is in one of both.
pub fn either(a: Range, b: Range) -> Range {
    (a.0.min(b.0), a.1.max(b.1))
}

/// Range of a sum, difference or product.
fn arithmetic(op: Binary, ((al, ah), (bl, bh)): (Range, Range)) -> Option<Range> {
    match op {
        Binary::Add => Some((al + bl, ah + bh)),
        Binary::Sub => Some((al - bh, ah - bl)),
        Binary::Mul => {
            // Operands have at most 64 bits, so only two unsigned ones could leave 128.
            let corners = [(al, bl), (al, bh), (ah, bl), (ah, bh)].map(|(x, y)| x.saturating_mul(y));
            let [a, b, c, d] = corners;
            Some((a.min(b).min(c.min(d)), a.max(b).max(c.max(d))))
        }
        _ => None,
    }
}

/// The type that holds every result, or 64 bits where it wraps.
fn result_kind(op: Binary, a: Kind, b: Kind, ranges: (Range, Range), wanted: Kind) -> Kind {
    if let Some(range) = arithmetic(op, ranges) {
        let exact = Kind::holding(range);
        return if range.0 >= exact.range().0 && range.1 <= exact.range().1 {
            exact
        } else {
            Kind { width: 64, signed: wanted.signed }
        };
    }
    match op {
        // A mask without a sign leaves no more bits than it has.
        Binary::And if !a.signed && !b.signed => Kind::bits(a.width.min(b.width)),
        Binary::And if a.signed != b.signed => {
            if a.signed {
                b
            } else {
                a
            }
        }
        Binary::And | Binary::Or | Binary::Xor => a.union(b),
        Binary::Eq | Binary::Ne | Binary::Lt | Binary::Le => Kind::bits(1),
        Binary::Shr => a,
        // The others have a range.
        Binary::Shl | Binary::Add | Binary::Sub | Binary::Mul => Kind { width: 64, signed: wanted.signed },
    }
}

/// The operation on constants.
fn fold(op: Binary, (x, of_x): (u64, Kind), (y, of_y): (u64, Kind)) -> u64 {
    let wide = |v: u64, k: Kind| if k.signed { i128::from(v as i64) } else { i128::from(v) };
    let (p, q) = (wide(x, of_x), wide(y, of_y));
    match op {
        Binary::Add => x.wrapping_add(y),
        Binary::Sub => x.wrapping_sub(y),
        Binary::Mul => x.wrapping_mul(y),
        Binary::And => x & y,
        Binary::Or => x | y,
        Binary::Xor => x ^ y,
        Binary::Eq => u64::from(p == q),
        Binary::Ne => u64::from(p != q),
        Binary::Lt => u64::from(p < q),
        Binary::Le => u64::from(p <= q),
        Binary::Shl => x.checked_shl(y.min(64) as u32).unwrap_or(0),
        Binary::Shr if of_x.signed => ((x as i64) >> y.min(63)) as u64,
        Binary::Shr => x.checked_shr(y.min(64) as u32).unwrap_or(0),
    }
}
