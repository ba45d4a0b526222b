//! What is compiled: the netlist of a design without what is there twice or never used.
//!
//! Registers that always hold the same value become one, registers that never leave zero become a constant, and a
//! register is as wide as what it is ever given. Each makes the others possible, so the netlist is built anew
//! until nothing changes.

use crate::lower::value::{Piece, Repr, Source, Value};
use crate::lower::{Lower, ReadUpdate, RegisterUpdate, Updates, WriteUpdate};
use crate::netlist::{Kind, Netlist, NodeId, Op, Origin, Range, StorageId, either};
use std::collections::HashMap;

/// Rounds after which the rest is left as it is; designs need two or three.
const MOST_ROUNDS: usize = 6;

/// A top input, register or read data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Store {
    /// What it ever holds; of more than 64 bits only the width counts.
    pub kind: Kind,
    /// The same, to the value.
    pub range: Range,
    /// Bytes of the host type, one for the whole batch; of more than 64 bits: whole limbs.
    pub bytes: u32,
    /// Storages of one signal of one module.
    pub batch: u32,
    /// Order among those.
    pub lane: u32,
    /// True for a top input.
    pub input: bool,
    /// The storage that stands for this one, itself if none does.
    pub same_as: StorageId,
    /// It never leaves zero.
    pub zero: bool,
}

/// A design's values, registers and memories.
#[derive(Debug)]
pub struct Circuit {
    /// Values.
    pub netlist: Netlist,
    /// Storages, in the order of [`Lower::storages`].
    pub stores: Vec<Store>,
    /// What happens at an edge.
    pub updates: Updates,
    /// Values that are read from outside.
    pub kept: Vec<Value>,
    /// Nodes that something needs, operands before users.
    pub live: Vec<NodeId>,
}

impl Circuit {
    /// The same with other values that are asked for. What is known of the storages stays as it is, because the state
    /// lies in memory that was laid out for it.
    pub fn keep(&self, lower: &Lower, updates: &Updates, kept: &[Value]) -> Self {
        rebuild(&lower.netlist, updates, kept, self.stores.clone(), Learning::Done).with_live()
    }

    /// The circuit of a design and of values that are asked for.
    pub fn new(lower: &Lower, updates: &Updates, kept: &[Value]) -> Self {
        let mut circuit = rebuild(&lower.netlist, updates, kept, declared(lower), Learning::GoesOn);
        for _ in 1..MOST_ROUNDS {
            let before = circuit.stores.clone();
            unite(&mut circuit);
            fit_hosts(&mut circuit.stores);
            if circuit.stores == before {
                break;
            }
            let Self { netlist, updates, kept, stores, .. } = circuit;
            circuit = rebuild(&netlist, &updates, &kept, stores, Learning::GoesOn);
        }
        circuit.with_live()
    }

    /// Operand `position` of each of these nodes; `None` where one has fewer.
    pub fn operand_of_each(&self, nodes: &[NodeId], position: usize) -> Option<Vec<NodeId>> {
        let of = |id: &NodeId| {
            let (mut next, mut found) = (0, None);
            self.netlist.node(*id).op.operands(|o| {
                found = if next == position { Some(o) } else { found };
                next += 1;
            });
            found
        };
        nodes.iter().map(of).collect()
    }

    fn with_live(mut self) -> Self {
        let mut roots = Vec::new();
        self.roots(&mut roots);
        let live = live(&self.netlist, roots);
        self.live = (0..live.len()).filter(|i| live[*i]).map(|i| NodeId(i as u32)).collect();
        self
    }

    /// Adds the nodes that updates and kept values are made of.
    pub fn roots(&self, into: &mut Vec<NodeId>) {
        roots(&self.updates, &self.kept, |_| true, into);
    }

    /// A storage.
    pub fn store(&self, storage: StorageId) -> &Store {
        &self.stores[storage.index()]
    }
}

fn declared(lower: &Lower) -> Vec<Store> {
    let stores = lower.storages.iter().enumerate().map(|(index, s)| {
        let kind = Kind { width: s.width, signed: s.signed };
        Store {
            kind,
            range: if s.width <= 64 { kind.range() } else { (0, 0) },
            bytes: kind.stored_bytes(),
            batch: s.batch,
            lane: lower.instances[s.instance as usize].lane,
            input: s.input,
            same_as: StorageId(index as u32),
            zero: false,
        }
    });
    stores.collect()
}

/// Gives every batch the smallest host type that holds all its registers.
fn fit_hosts(stores: &mut [Store]) {
    let mut widest: HashMap<u32, u32> = HashMap::new();
    for store in stores.iter().filter(|s| s.kind.width <= 64) {
        let bytes = widest.entry(store.batch).or_insert(1);
        *bytes = store.kind.bytes().max(*bytes);
    }
    for store in stores.iter_mut().filter(|s| s.kind.width <= 64) {
        store.bytes = widest[&store.batch];
    }
}

/// What makes two registers the same: next value, enable, reset value.
type Meaning = (Vec<Piece>, Option<NodeId>, Option<Vec<u64>>);

/// Finds registers that are always equal or always zero.
fn unite(circuit: &mut Circuit) {
    let Circuit { netlist, stores, updates, .. } = circuit;
    let mut known: HashMap<Meaning, StorageId> = HashMap::new();
    for register in &updates.registers {
        let at = register.storage.index();
        if never_leaves_zero(netlist, register) {
            stores[at].zero = true;
            continue;
        }
        let mut pieces = register.next.pieces();
        if let [Piece { width, source: Source::Node(_) }] = pieces.as_mut_slice() {
            // A node is its value, however wide the register was declared.
            *width = 0;
        }
        let reset = register.reset.as_ref().map(|r| match register.next.width {
            width @ 0..=64 => vec![Kind { width, signed: register.next.signed }.canonical(r.low_u64())],
            _ => r.limbs().to_vec(),
        });
        stores[at].same_as = *known.entry((pieces, register.enable, reset)).or_insert(register.storage);
    }
    // The one that stands for another may by now have one that stands for it.
    for at in 0..stores.len() {
        let mut same = stores[at].same_as;
        while stores[same.index()].same_as != same {
            same = stores[same.index()].same_as;
        }
        stores[at].same_as = same;
        stores[at].zero |= stores[same.index()].zero;
    }
}

fn never_leaves_zero(netlist: &Netlist, register: &RegisterUpdate) -> bool {
    let zero = |p: &Piece| match p.source {
        Source::Node(id) => matches!(netlist.node(id).op, Op::Const(0)),
        Source::Storage(storage, _) => storage == register.storage,
    };
    register.next.pieces().iter().all(zero) && register.reset.as_ref().is_none_or(|r| r.limbs().iter().all(|l| *l == 0))
}

/// Whether more can be found out about the storages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Learning {
    GoesOn,
    Done,
}

fn rebuild(from: &Netlist, updates: &Updates, kept: &[Value], stores: Vec<Store>, learning: Learning) -> Circuit {
    let mut given = vec![None; stores.len()];
    for (index, register) in updates.registers.iter().enumerate() {
        if let (Repr::Node(next), Learning::GoesOn) = (&register.next.repr, learning) {
            let next = *next;
            given[register.storage.index()] = Some((next, index));
        }
    }
    let mut copy = Copy {
        from,
        registers: &updates.registers,
        given,
        stores,
        to: Netlist::default(),
        map: vec![None; from.len()],
    };
    let mut needed = Vec::new();
    roots(updates, kept, |r| copy.written(r), &mut needed);
    for (index, _) in live(from, needed).iter().enumerate().filter(|(_, live)| **live) {
        copy.node(NodeId(index as u32));
    }
    for register in &updates.registers {
        copy.learn(register.storage);
    }
    let updates = copy.updates(updates);
    let kept = kept.iter().map(|v| copy.value(v)).collect();
    Circuit { netlist: copy.to, stores: copy.stores, updates, kept, live: Vec::new() }
}

/// Nodes that updates and kept values are made of.
fn roots(updates: &Updates, kept: &[Value], written: impl Fn(&RegisterUpdate) -> bool, into: &mut Vec<NodeId>) {
    updates.registers.iter().filter(|r| written(r)).for_each(|r| r.operands(into));
    updates.reads.iter().for_each(|r| into.extend([r.enable, r.address]));
    updates.writes.iter().for_each(|w| w.operands(into));
    kept.iter().for_each(|v| v.nodes(into));
}

/// Nodes that the roots are computed from.
fn live(netlist: &Netlist, roots: Vec<NodeId>) -> Vec<bool> {
    let mut live = vec![false; netlist.len()];
    roots.into_iter().for_each(|n| live[n.index()] = true);
    // Operands have lower numbers than their users.
    for index in (0..live.len()).rev() {
        if live[index] {
            netlist.node(NodeId(index as u32)).op.operands(|o| live[o.index()] = true);
        }
    }
    live
}

/// A netlist on its way to a smaller one.
struct Copy<'a> {
    from: &'a Netlist,
    registers: &'a [RegisterUpdate],
    /// Next value of each storage that is a register of at most 64 bits, and its place among the registers; none of
    /// them when there is nothing to learn.
    given: Vec<Option<(NodeId, usize)>>,
    stores: Vec<Store>,
    to: Netlist,
    map: Vec<Option<NodeId>>,
}

impl Copy<'_> {
    /// Registers that are still written.
    fn written(&self, register: &RegisterUpdate) -> bool {
        let store = &self.stores[register.storage.index()];
        !store.zero && store.same_as == register.storage
    }

    fn node(&mut self, id: NodeId) {
        let node = self.from.node(id);
        self.to.instance = node.instance;
        // Room for the casts that a node may need.
        self.to.origin = Origin { source: node.origin.source, step: node.origin.step << 1 };
        let kind = node.kind;
        let new = match &node.op {
            Op::Const(value) => self.to.constant(*value, kind),
            Op::Load(storage, low) => self.load(*storage, *low, kind),
            Op::Field(a, low) => self.to.field(self.at(*a), *low, kind),
            Op::Concat(parts) => {
                let parts: Vec<(NodeId, u32)> = parts.iter().map(|(p, w)| (self.at(*p), *w)).collect();
                self.to.concat(&parts)
            }
            Op::Parity(a) => self.to.parity(self.at(*a)),
            Op::Binary(op, a, b) => self.to.binary(*op, self.at(*a), self.at(*b), kind),
            Op::Mux(c, a, b) => self.to.mux(self.at(*c), self.at(*a), self.at(*b)),
        };
        self.map[id.index()] = Some(new);
    }

    fn at(&self, id: NodeId) -> NodeId {
        self.map[id.index()].unwrap_or(id)
    }

    /// Looks at what a register is given, if that is known by now. What a register is given and its reset value are
    /// all that it ever holds, so this is a fact at once, also for what comes round to the register itself.
    fn learn(&mut self, storage: StorageId) {
        let Some((next, register)) = self.given[storage.index()] else { return };
        let Some(new) = self.map[next.index()] else { return };
        let store = &mut self.stores[storage.index()];
        let mut range = either(self.to.node(new).range, (0, 0));
        if let Some(reset) = &self.registers[register].reset {
            let declared = &self.registers[register].next;
            let declared = Kind { width: declared.width, signed: declared.signed };
            let value = declared.integer(declared.canonical(reset.low_u64()));
            range = either(range, (value, value));
        }
        if Kind::holding(range).fits(store.kind) {
            (store.kind, store.range) = (Kind::holding(range), range);
        }
    }

    fn load(&mut self, storage: StorageId, low: u32, kind: Kind) -> NodeId {
        let same = self.stores[storage.index()].same_as;
        if self.stores[same.index()].zero {
            return self.to.constant(0, kind);
        }
        if self.stores[same.index()].kind.width > 64 {
            return self.to.load(same, low, kind);
        }
        self.learn(same);
        let Store { kind: held, range, bytes, .. } = self.stores[same.index()];
        // As wide as the host type, so that it can be read where it lies.
        let whole = if held.bytes() < bytes { Kind { width: 4 * bytes + 1, ..held } } else { held };
        let whole = self.to.load_within(same, whole, range);
        self.to.field(whole, low, kind)
    }

    fn value(&mut self, value: &Value) -> Value {
        let repr = match &value.repr {
            Repr::Node(id) => Repr::Node(self.at(*id)),
            Repr::Wide(pieces) => Repr::Wide(pieces.iter().flat_map(|p| self.piece(*p)).collect()),
        };
        Value { repr, ..*value }
    }

    fn piece(&mut self, piece: Piece) -> Vec<Piece> {
        let (storage, low) = match piece.source {
            Source::Node(id) => return vec![Piece { source: Source::Node(self.at(id)), ..piece }],
            Source::Storage(storage, low) => (self.stores[storage.index()].same_as, low),
        };
        let Store { kind, zero, .. } = self.stores[storage.index()];
        if kind.width > 64 && !zero {
            return vec![Piece { source: Source::Storage(storage, low), ..piece }];
        }
        let part = |from: u32| (piece.width - from).min(64);
        let starts = (0..piece.width).step_by(64);
        starts
            .map(|from| {
                let node = self.load(storage, low + from, Kind::bits(part(from)));
                Piece { width: part(from), source: Source::Node(node) }
            })
            .collect()
    }

    fn updates(&mut self, updates: &Updates) -> Updates {
        let mut all = Updates { memories: updates.memories.clone(), ..Updates::default() };
        for register in updates.registers.iter().filter(|r| self.written(r)).cloned().collect::<Vec<_>>() {
            let (next, enable) = (self.value(&register.next), register.enable.map(|e| self.at(e)));
            let enable = enable.filter(|e| !matches!(self.to.node(*e).op, Op::Const(1)));
            all.registers.push(RegisterUpdate { next, enable, ..register });
        }
        for read in &updates.reads {
            let (enable, address) = (self.at(read.enable), self.at(read.address));
            all.reads.push(ReadUpdate { enable, address, ..*read });
        }
        for write in &updates.writes {
            let (enable, address) = (self.at(write.enable), self.at(write.address));
            let (data, mask) = (self.value(&write.data), write.mask.as_ref().map(|m| self.value(m)));
            all.writes.push(WriteUpdate { enable, address, data, mask, ..*write });
        }
        all
    }
}
