//! Batches: operands side by side in memory, kernels over the lanes.

use super::{Body, Emitter};
use crate::kernels::Task;
use crate::lower::value::{Repr, Source};
use crate::netlist::{Binary, Kind, NodeId, Op};
use crate::plan::{Base, Place, allocate, stored_bytes};
use cranelift_codegen::ir::InstBuilder;

/// A host type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Host {
    bytes: u32,
    signed: bool,
}

impl Host {
    fn of(kind: Kind) -> Self {
        Self { bytes: kind.bytes(), signed: kind.signed }
    }
}

/// Operands of a kernel call.
#[derive(Clone, Copy, Debug, Default)]
struct Operands {
    a: Option<Place>,
    b: Option<Place>,
    c: Option<Place>,
    immediate: u64,
}

impl Emitter<'_> {
    fn call(&mut self, body: &mut Body<'_>, task: Task, host: Host, to: Place, operands: Operands, lanes: usize) {
        let kernel = self.tier.kernel(task, host.bytes, host.signed);
        let target = body.address(to);
        let none = body.bases[2];
        let mut pointer = |place: Option<Place>| place.map_or(none, |p| body.address(p));
        let (a, b, c) = (pointer(operands.a), pointer(operands.b), pointer(operands.c));
        let immediate = body.constant(operands.immediate);
        let lanes = body.constant(lanes as u64);
        let function = body.constant(kernel as usize as u64);
        body.builder.ins().call_indirect(body.kernel, function, &[target, a, b, c, immediate, lanes]);
    }

    fn scratch(&mut self, bytes: u32, lanes: usize) -> Place {
        let offset = allocate(&mut self.plan.scratch_bytes, (bytes * lanes as u32).max(64));
        Place { base: Base::Scratch, offset }
    }

    /// A batch of nodes of one shape; their places are side by side.
    pub(super) fn batch(&mut self, body: &mut Body<'_>, ids: &[NodeId]) {
        let Some(to) = self.plan.homes.get(&ids[0]).copied() else { return };
        let kind = self.lower.netlist.kind(ids[0]);
        match self.lower.netlist.node(ids[0]).op.clone() {
            Op::Field(_, low) => self.batch_field(body, ids, low, kind, to),
            Op::Concat(parts) => self.batch_concat(body, ids, &parts, kind, to),
            Op::Binary(op, ..) => self.batch_binary(body, ids, op, kind, to),
            Op::Mux(..) => {
                let condition = self.operand(body, ids, 0, 1);
                let (b, c) = (self.operand(body, ids, 1, kind.bytes()), self.operand(body, ids, 2, kind.bytes()));
                let operands = Operands { a: Some(condition), b: Some(b), c: Some(c), immediate: 0 };
                self.call(body, Task::Mux, Host::of(kind), to, operands, ids.len());
            }
            Op::Const(_) | Op::Load(..) | Op::Parity(_) => ids.iter().for_each(|id| self.scalar(body, *id)),
        }
    }

    fn operand_kind(&self, id: NodeId, position: usize) -> Kind {
        let mut all = Vec::new();
        self.lower.netlist.node(id).op.operands(|o| all.push(o));
        self.lower.netlist.kind(all[position])
    }

    /// Operand `position` of all lanes, side by side in a host type of `bytes`.
    fn operand(&mut self, body: &mut Body<'_>, ids: &[NodeId], position: usize, bytes: u32) -> Place {
        let lanes: Vec<NodeId> = ids
            .iter()
            .map(|id| {
                let mut all = Vec::new();
                self.lower.netlist.node(*id).op.operands(|o| all.push(o));
                all[position]
            })
            .collect();
        self.array(body, &lanes, bytes)
    }

    /// Nodes side by side in a host type of `bytes`: in place, converted, spread or gathered.
    fn array(&mut self, body: &mut Body<'_>, nodes: &[NodeId], bytes: u32) -> Place {
        if let Some(first) = self.plan.homes.get(&nodes[0]).copied() {
            let contiguous = nodes.iter().enumerate().all(|(lane, id)| {
                self.lower.netlist.kind(*id).bytes() == bytes
                    && self.plan.homes.get(id) == Some(&first.plus(lane as u32 * bytes))
            });
            if contiguous {
                return first;
            }
        }
        let key = (nodes.to_vec(), bytes);
        if let Some(known) = self.arrays.get(&key) {
            return *known;
        }
        let place = self.scratch(bytes, nodes.len());
        self.fill(body, nodes, bytes, place);
        self.arrays.insert(key, place);
        place
    }

    /// Puts nodes side by side at a place.
    fn fill(&mut self, body: &mut Body<'_>, nodes: &[NodeId], bytes: u32, place: Place) {
        if self.fill_constant(nodes, bytes, place) {
            return;
        }
        if nodes.iter().all(|n| *n == nodes[0]) && nodes.len() >= 4 {
            let value = self.value(body, nodes[0]);
            self.splat(body, value, bytes, place, nodes.len());
            return;
        }
        let kind = self.lower.netlist.kind(nodes[0]);
        let uniform = nodes.iter().all(|n| {
            let other = self.lower.netlist.kind(*n);
            other.bytes() == kind.bytes() && other.signed == kind.signed
        });
        if uniform && kind.bytes() != bytes {
            let from = self.array(body, nodes, kind.bytes());
            let operands = Operands { a: Some(from), ..Operands::default() };
            self.call(body, Task::Convert(bytes), Host::of(kind), place, operands, nodes.len());
            return;
        }
        self.gather(body, nodes, bytes, place);
    }

    fn fill_constant(&mut self, nodes: &[NodeId], bytes: u32, place: Place) -> bool {
        let mut contents = Vec::with_capacity(nodes.len() * bytes as usize);
        for id in nodes {
            let Op::Const(value) = self.lower.netlist.node(*id).op else { return false };
            contents.extend_from_slice(&value.to_le_bytes()[..bytes as usize]);
        }
        if place.base != Base::Scratch {
            return false;
        }
        self.constants.push((place, contents));
        true
    }

    fn splat(
        &mut self,
        body: &mut Body<'_>,
        value: cranelift_codegen::ir::Value,
        bytes: u32,
        place: Place,
        lanes: usize,
    ) {
        let kernel = self.tier.kernel(Task::Splat, bytes, false);
        let target = body.address(place);
        let none = body.bases[2];
        let lanes = body.constant(lanes as u64);
        let function = body.constant(kernel as usize as u64);
        body.builder.ins().call_indirect(body.kernel, function, &[target, none, none, none, value, lanes]);
    }

    /// Copies runs of neighbours and stores the rest one by one.
    fn gather(&mut self, body: &mut Body<'_>, nodes: &[NodeId], bytes: u32, place: Place) {
        let home = |this: &Self, id: NodeId| {
            (this.lower.netlist.kind(id).bytes() == bytes).then(|| this.plan.homes.get(&id).copied()).flatten()
        };
        let mut lane = 0;
        while lane < nodes.len() {
            let to = place.plus(lane as u32 * bytes);
            let Some(first) = home(self, nodes[lane]) else {
                let value = self.value(body, nodes[lane]);
                body.store_at(value, to, bytes);
                lane += 1;
                continue;
            };
            let run = nodes[lane..]
                .iter()
                .enumerate()
                .take_while(|(i, id)| home(self, **id) == Some(first.plus(*i as u32 * bytes)))
                .count();
            let length = run as u32 * bytes;
            if length <= 256 {
                body.copy(to, first, length);
            } else {
                let operands = Operands { a: Some(first), ..Operands::default() };
                let host = Host { bytes: 1, signed: false };
                self.call(body, Task::Copy, host, to, operands, length as usize);
            }
            lane += run;
        }
    }

    fn batch_field(&mut self, body: &mut Body<'_>, ids: &[NodeId], low: u32, kind: Kind, to: Place) {
        let of = self.operand_kind(ids[0], 0);
        let lanes = ids.len();
        if low == 0 && kind.bytes() < of.bytes() {
            // Narrow first; what is left is a cut within the narrow host type.
            let narrow = self.operand(body, ids, 0, kind.bytes());
            let operands = Operands { a: Some(narrow), immediate: u64::from(kind.width) << 8, ..Operands::default() };
            self.call(body, Task::Field, Host::of(kind), to, operands, lanes);
            return;
        }
        let bytes = of.bytes().max(kind.bytes());
        let from = self.operand(body, ids, 0, bytes);
        let immediate = u64::from(low) | u64::from(kind.width) << 8;
        let operands = Operands { a: Some(from), immediate, ..Operands::default() };
        // The kernel's shift knows the sign of the result, not of the source: bits beyond it go lane by lane.
        let beyond = low > 0 && low + kind.width > 8 * bytes;
        if beyond {
            ids.iter().for_each(|id| self.scalar(body, *id));
            return;
        }
        let host = Host { bytes, signed: kind.signed };
        if bytes == kind.bytes() {
            self.call(body, Task::Field, host, to, operands, lanes);
        } else {
            let wide = self.scratch(bytes, lanes);
            self.call(body, Task::Field, host, wide, operands, lanes);
            let operands = Operands { a: Some(wide), ..Operands::default() };
            self.call(body, Task::Convert(kind.bytes()), host, to, operands, lanes);
        }
    }

    fn batch_concat(&mut self, body: &mut Body<'_>, ids: &[NodeId], parts: &[(NodeId, u32)], kind: Kind, to: Place) {
        let mut at = 0;
        for (position, (_, width)) in parts.iter().enumerate() {
            let from = self.operand(body, ids, position, kind.bytes());
            let task = if position == 0 { Task::Place } else { Task::PlaceOr };
            let immediate = u64::from(at) | u64::from(*width) << 8;
            let operands = Operands { a: Some(from), immediate, ..Operands::default() };
            self.call(body, task, Host::of(kind), to, operands, ids.len());
            at += width;
        }
    }

    fn batch_binary(&mut self, body: &mut Body<'_>, ids: &[NodeId], op: Binary, kind: Kind, to: Place) {
        let (a, b) = (self.operand_kind(ids[0], 0), self.operand_kind(ids[0], 1));
        let task = match op {
            Binary::Add => Task::Add,
            Binary::Sub => Task::Sub,
            Binary::Mul => Task::Mul,
            Binary::And => Task::And,
            Binary::Or => Task::Or,
            Binary::Xor => Task::Xor,
            Binary::Eq => Task::Eq,
            Binary::Ne => Task::Ne,
            Binary::Lt => Task::Lt,
            Binary::Le => Task::Le,
            Binary::Shl => Task::Shl,
            Binary::Shr => Task::Shr,
        };
        let signed32 = Kind { width: 32, signed: true };
        if op == Binary::Mul && kind.bytes() == 8 && a.fits(signed32) && b.fits(signed32) {
            let (x, y) = (self.operand(body, ids, 0, 4), self.operand(body, ids, 1, 4));
            let operands = Operands { a: Some(x), b: Some(y), ..Operands::default() };
            self.call(body, Task::MulWide, Host::of(signed32), to, operands, ids.len());
            return;
        }
        let host = match op {
            Binary::Eq | Binary::Ne | Binary::Lt | Binary::Le => Host::of(a.union(b)),
            Binary::Shl => Host { bytes: 8, signed: a.signed },
            Binary::Shr => Host { bytes: a.bytes().max(b.bytes()), signed: a.signed },
            _ => Host::of(kind),
        };
        let (x, y) = (self.operand(body, ids, 0, host.bytes), self.operand(body, ids, 1, host.bytes));
        let operands = Operands { a: Some(x), b: Some(y), ..Operands::default() };
        let result_bytes = if kind == Kind::bits(1) { 1 } else { host.bytes };
        if op != Binary::Shr || result_bytes == kind.bytes() && host.bytes == kind.bytes() {
            self.call(body, task, host, to, operands, ids.len());
        } else {
            let wide = self.scratch(host.bytes, ids.len());
            self.call(body, task, host, wide, operands, ids.len());
            let operands = Operands { a: Some(wide), ..Operands::default() };
            self.call(body, Task::Convert(kind.bytes()), host, to, operands, ids.len());
        }
    }

    /// Registers of a batch with neighbouring lanes.
    pub(super) fn registers(&mut self, body: &mut Body<'_>, members: &[usize]) {
        let registers: Vec<_> = members.iter().map(|m| &self.updates.registers[*m]).collect();
        let storage = registers[0].storage.index();
        let bytes = stored_bytes(self.lower.storages[storage].width);
        let signed = self.lower.storages[storage].signed;
        let neighbours = registers.iter().enumerate().all(|(lane, r)| {
            self.plan.storages[r.storage.index()] == self.plan.storages[storage].plus(lane as u32 * bytes)
        });
        let next: Option<Vec<NodeId>> = registers
            .iter()
            .map(|r| match (&r.next.repr, r.next.pieces().first().map(|p| p.source)) {
                (Repr::Node(_), Some(Source::Node(id))) => Some(id),
                _ => None,
            })
            .collect();
        let (Some(next), true) = (next, neighbours) else {
            members.iter().for_each(|m| self.register(body, *m));
            return;
        };
        let enables: Option<Vec<NodeId>> = registers.iter().map(|r| r.enable).collect();
        let current = self.plan.storages[storage];
        let to = Place { base: Base::Next, ..current };
        match enables {
            None => self.fill(body, &next, bytes, to),
            Some(enables) => {
                let (a, b) = (self.array(body, &enables, 1), self.array(body, &next, bytes));
                let operands = Operands { a: Some(a), b: Some(b), c: Some(current), immediate: 0 };
                self.call(body, Task::Mux, Host { bytes, signed }, to, operands, members.len());
            }
        }
    }
}
