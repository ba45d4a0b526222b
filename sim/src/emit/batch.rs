//! Batches: operands side by side in memory, kernels over the lanes.

use super::lanes::Operand;
use super::vector::{WordPart, are_few};
use super::{Body, Emitter};
use crate::kernels::{Mixed, Task};
use crate::netlist::{Binary, Kind, NodeId, Op, StorageId};
use crate::plan::{Base, LINE, Place, Sum, next_node, reserve_lanes};

/// A host type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Host {
    pub(super) bytes: u32,
    pub(super) signed: bool,
}

impl Host {
    pub(super) fn of(kind: Kind) -> Self {
        Self { bytes: kind.bytes(), signed: kind.signed }
    }
}

/// Whether a kernel on lanes of `bytes` bytes can take these bits: its shift knows the sign of the result, not of the
/// source, so it has none beyond the lane.
fn can_cut(bytes: u32, low: u32, kind: Kind) -> bool {
    low + kind.width <= 8 * bytes
}

/// The node that all of them are.
fn the_same(nodes: &[NodeId]) -> Option<NodeId> {
    nodes.iter().all(|n| *n == nodes[0]).then(|| nodes[0])
}

impl Emitter<'_> {
    /// A batch of nodes of one shape; their places are side by side.
    pub(super) fn batch(&mut self, body: &mut Body<'_>, ids: &[NodeId]) {
        let Some(to) = self.plan.homes.get(&ids[0]).copied() else { return };
        let kind = self.circuit.netlist.kind(ids[0]);
        match self.circuit.netlist.node(ids[0]).op.clone() {
            Op::Field(_, low) => self.batch_field(body, ids, low, kind, to),
            Op::Concat(parts) => self.batch_concat(body, ids, &parts, kind, to),
            Op::Binary(op, ..) => self.batch_binary(body, ids, op, kind, to),
            Op::Mux(..) => {
                let flags = self.operand_nodes(ids, 0);
                let sides = [self.operand(body, ids, 1, kind.bytes()), self.operand(body, ids, 2, kind.bytes())];
                self.choose(body, &flags, sides, (to, Host::of(kind)));
            }
            Op::Load(_, low) => self.batch_load(body, ids, low, kind, to),
            Op::Const(_) | Op::Parity(_) => ids.iter().for_each(|id| self.scalar(body, *id)),
        }
    }

    fn operand_nodes(&self, ids: &[NodeId], position: usize) -> Vec<NodeId> {
        let nodes = self.circuit.operand_of_each(ids, position);
        nodes.expect("an operation has the operands that are asked for")
    }

    fn operand_kind(&self, id: NodeId, position: usize) -> Kind {
        self.circuit.netlist.kind(self.operand_nodes(&[id], position)[0])
    }

    /// Operand `position` of all lanes, in a host type of `bytes`.
    fn operand(&mut self, body: &mut Body<'_>, ids: &[NodeId], position: usize, bytes: u32) -> Operand {
        let nodes = self.operand_nodes(ids, position);
        self.lanes(body, &nodes, bytes)
    }

    /// Lanes of one of two operands, each by its flag.
    fn choose(&mut self, body: &mut Body<'_>, flags: &[NodeId], [a, b]: [Operand; 2], (to, host): (Place, Host)) {
        let moves = [&a, &b].into_iter().any(|side| side.moves(to, host.bytes, flags.len()));
        if let Some(flag) = the_same(flags).filter(|_| !moves) {
            let flag = self.native(body, flag);
            return self.copy_either(body, flag, [&a, &b], (to, host.bytes), flags.len());
        }
        let condition = self.lanes(body, flags, 1);
        self.call(body, Task::Mux, host, (to, host.bytes), &[condition, a, b], 0, flags.len());
    }

    /// A place of its own for so many lanes.
    pub(super) fn room(&mut self, bytes: u32, lanes: usize) -> Place {
        reserve_lanes(&mut self.plan.scratch_bytes, bytes, lanes)
    }

    /// True for a target that is a room of its own, and no register: nothing stands behind its last lane up to the end of the
    /// vector. (Values of single nodes lie there, too, but are no targets of batches.)
    pub(super) fn is_room(&self, target: Place) -> bool {
        let room = target.base == Base::Scratch && target.offset >= self.layout.held_bytes;
        debug_assert!(!room || target.offset.is_multiple_of(LINE), "rooms start at a line");
        room
    }

    fn batch_field(&mut self, body: &mut Body<'_>, ids: &[NodeId], low: u32, kind: Kind, to: Place) {
        let bytes = self.operand_kind(ids[0], 0).bytes().max(kind.bytes());
        if !can_cut(bytes, low, kind) {
            ids.iter().for_each(|id| self.scalar(body, *id));
            return;
        }
        let from = self.operand(body, ids, 0, bytes);
        self.cut(body, from, bytes, (low, kind), to, ids.len());
    }

    /// Bits of registers.
    fn batch_load(&mut self, body: &mut Body<'_>, ids: &[NodeId], low: u32, kind: Kind, to: Place) {
        let storage = |id: &NodeId| match self.circuit.netlist.node(*id).op {
            Op::Load(storage, _) => Some(storage),
            _ => None,
        };
        let storages: Vec<StorageId> = ids.iter().filter_map(storage).collect();
        let bytes = self.circuit.store(storages[0]).bytes;
        let places = storages.iter().map(|s| self.layout.places[s.index()]);
        match Operand::of_runs(places, bytes).filter(|_| kind.bytes() <= bytes && can_cut(bytes, low, kind)) {
            Some(from) => self.cut(body, from, bytes, (low, kind), to, ids.len()),
            None => ids.iter().for_each(|id| self.scalar(body, *id)),
        }
    }

    /// Bits of lanes of `bytes` bytes, in the host type of their own kind.
    fn cut(
        &mut self,
        body: &mut Body<'_>,
        from: Operand,
        bytes: u32,
        (low, kind): (u32, Kind),
        to: Place,
        lanes: usize,
    ) {
        let task = if bytes == kind.bytes() { Task::Field } else { Task::Narrow(kind.bytes()) };
        let host = Host { bytes, signed: kind.signed };
        let immediate = u64::from(low) | u64::from(kind.width) << 8;
        self.call(body, task, host, (to, kind.bytes()), &[from], immediate, lanes);
    }

    fn convert(&mut self, body: &mut Body<'_>, host: Host, from: Place, bytes: u32, to: Place, lanes: usize) {
        let from = Operand::at(from, host.bytes);
        self.call(body, Task::Convert(bytes), host, (to, bytes), &[from], 0, lanes);
    }

    fn batch_concat(&mut self, body: &mut Body<'_>, ids: &[NodeId], parts: &[(NodeId, u32)], kind: Kind, to: Place) {
        let (host, lanes) = (Host::of(kind), ids.len());
        if are_few(lanes, host.bytes) {
            let parts = self.word_parts(body, ids, parts, host.bytes);
            return self.concat_vectors(body, &parts, (to, host.bytes), lanes);
        }
        let mut at = 0;
        let mut placed: Vec<(Operand, u64)> = Vec::new();
        for (position, (_, width)) in parts.iter().enumerate() {
            placed.push((self.operand(body, ids, position, host.bytes), u64::from(at) | u64::from(*width) << 8));
            at += width;
        }
        // What lies in the array that is written, and there is one such part at most, is read before the others are placed.
        placed.sort_by_key(|(from, _)| !from.moves(to, host.bytes, lanes));
        for (index, (from, immediate)) in placed.into_iter().enumerate() {
            let task = if index == 0 { Task::Place } else { Task::PlaceOr };
            self.call(body, task, host, (to, host.bytes), &[from], immediate, lanes);
        }
    }

    /// Parts of concatenations in lanes of `bytes` bytes.
    fn word_parts(
        &mut self,
        body: &mut Body<'_>,
        ids: &[NodeId],
        parts: &[(NodeId, u32)],
        bytes: u32,
    ) -> Vec<WordPart> {
        let mut at = 0;
        let parts = parts.iter().enumerate().map(|(position, (part, width))| {
            let kind = self.circuit.netlist.kind(*part);
            let host = Host { bytes: kind.bytes().min(bytes), signed: kind.signed };
            let from = self.operand(body, ids, position, host.bytes);
            at += width;
            let whole = kind.fits(Kind::bits(*width)) || at == 8 * bytes;
            WordPart { from, host, at: at - width, cut: (!whole).then_some(*width) }
        });
        parts.collect()
    }

    fn batch_binary(&mut self, body: &mut Body<'_>, ids: &[NodeId], op: Binary, kind: Kind, to: Place) {
        let (a, b) = (self.operand_kind(ids[0], 0), self.operand_kind(ids[0], 1));
        let lanes = ids.len();
        if matches!(op, Binary::Add | Binary::Mul)
            && let Some(mixed) = Mixed::of(a, b, kind.bytes()).filter(|m| !m.is_uniform())
        {
            let task = if op == Binary::Add { Task::MixedAdd(mixed) } else { Task::MixedMul(mixed) };
            let operands = [self.operand(body, ids, 0, mixed.a), self.operand(body, ids, 1, mixed.b)];
            self.call(body, task, Host::of(kind), (to, kind.bytes()), &operands, 0, lanes);
            return;
        }
        let task = Task::of(op);
        let host = match op {
            Binary::Eq | Binary::Ne | Binary::Lt | Binary::Le => Host::of(a.union(b)),
            Binary::Shl => Host { bytes: 8, signed: a.signed },
            Binary::Shr => Host { bytes: a.bytes().max(b.bytes()), signed: a.signed },
            _ => Host::of(kind),
        };
        let operands = [self.operand(body, ids, 0, host.bytes), self.operand(body, ids, 1, host.bytes)];
        let compares = matches!(op, Binary::Eq | Binary::Ne | Binary::Lt | Binary::Le);
        let result = if compares { 1 } else { host.bytes };
        if result == kind.bytes() {
            self.call(body, task, host, (to, result), &operands, 0, lanes);
        } else {
            let wide = self.room(result, lanes);
            self.call(body, task, host, (wide, result), &operands, 0, lanes);
            self.convert(body, Host { bytes: result, ..host }, wide, kind.bytes(), to, lanes);
        }
    }

    fn enables(&self, members: &[usize]) -> Option<Vec<NodeId>> {
        members.iter().map(|m| self.circuit.updates.registers[*m].enable).collect()
    }

    fn next_nodes(&self, members: &[usize]) -> Vec<NodeId> {
        members.iter().filter_map(|m| next_node(self.circuit, *m)).collect()
    }

    /// Registers of a batch with neighbouring lanes.
    pub(super) fn registers(&mut self, body: &mut Body<'_>, members: &[usize]) {
        let storage = self.circuit.updates.registers[members[0]].storage;
        let store = *self.circuit.store(storage);
        let host = Host { bytes: store.bytes, signed: store.kind.signed };
        let now = self.layout.places[storage.index()];
        let to = now.next();
        let next = self.next_nodes(members);
        let Some(enables) = self.enables(members) else {
            self.fill(body, &next, store.bytes, to);
            return;
        };
        if to != now {
            let sides = [self.lanes(body, &next, store.bytes), Operand::at(now, store.bytes)];
            return self.choose(body, &enables, sides, (to, host));
        }
        let enable = self.lanes(body, &enables, 1);
        let next = self.spread(body, &next, store.bytes);
        let per = next.per as u64;
        self.call(body, Task::Update, host, (to, store.bytes), &[next, enable], per, members.len());
    }

    /// Registers with enables that take sums, in place.
    pub(super) fn sums(&mut self, body: &mut Body<'_>, members: &[usize]) {
        let storage = self.circuit.updates.registers[members[0]].storage;
        let store = *self.circuit.store(storage);
        let to = self.layout.places[storage.index()];
        let (next, enables) = (self.next_nodes(members), self.enables(members).unwrap_or_default());
        let sums: Vec<Sum> = next.iter().filter_map(|n| Sum::of(self.circuit, *n)).collect();
        let Some(Sum { mixed, width, .. }) = sums.first().copied() else { return };
        let nodes: Vec<NodeId> = sums.iter().map(|s| s.node).collect();
        let operands = [
            self.operand(body, &nodes, 0, mixed.a),
            self.operand(body, &nodes, 1, mixed.b),
            self.lanes(body, &enables, 1),
        ];
        let host = Host { bytes: store.bytes, signed: true };
        let (task, width) = (Task::UpdateSum(mixed), u64::from(width));
        self.call(body, task, host, (to, store.bytes), &operands, width, members.len());
    }
}
