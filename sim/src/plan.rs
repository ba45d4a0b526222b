//! Batches, their order and the place of every value in memory.

use crate::lower::value::{Piece, Source, Value};
use crate::lower::{Lower, Updates};
use crate::netlist::{Kind, NodeId, Op, Origin};
use petgraph::graph::DiGraph;
use std::collections::{BTreeMap, HashMap};

/// Fewest lanes for which a batch runs as a kernel rather than lane by lane.
pub const VECTOR_LANES: usize = 8;

/// A region of the simulator's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Base {
    /// State of this cycle.
    Current,
    /// State of the next cycle.
    Next,
    /// Inputs, constants and values of this cycle.
    Scratch,
}

/// Where a value lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Region.
    pub base: Base,
    /// Byte offset.
    pub offset: u32,
}

impl Place {
    /// `bytes` further on.
    pub fn plus(self, bytes: u32) -> Self {
        Self { offset: self.offset + bytes, ..self }
    }
}

/// Something to be done once per cycle.
#[derive(Clone, Debug)]
pub enum Unit {
    /// One node.
    Scalar(NodeId),
    /// A batch of nodes, as one kernel over its lanes.
    Batch(Vec<NodeId>),
    /// Registers of one batch with neighbouring lanes (indices into the updates).
    Registers(Vec<usize>),
    /// One register.
    Register(usize),
    /// One memory read port.
    Read(usize),
}

/// The plan.
#[derive(Debug, Default)]
pub struct Plan {
    /// Units in order of execution.
    pub units: Vec<Unit>,
    /// Places of storages.
    pub storages: Vec<Place>,
    /// Places of nodes that have one from the start (batches, aligned parts of storages).
    pub homes: HashMap<NodeId, Place>,
    /// Values that are read after the cycle (outputs, probes, memory writes).
    pub kept: Vec<NodeId>,
    /// Bytes of state.
    pub state_bytes: u32,
    /// Bytes of scratch memory used so far.
    pub scratch_bytes: u32,
}

/// Bytes of a storage or memory word.
pub fn stored_bytes(width: u32) -> u32 {
    if width <= 64 { Kind::bits(width).bytes() } else { width.div_ceil(64) * 8 }
}

/// Reserves bytes.
pub fn allocate(used: &mut u32, bytes: u32) -> u32 {
    let align = if bytes >= 64 { 64 } else { bytes.next_power_of_two() };
    let at = used.next_multiple_of(align.max(1));
    *used = at + bytes;
    at
}

impl Plan {
    /// Lays out the storages: batches of one signal side by side in the order of instances.
    pub fn storages(lower: &Lower) -> Self {
        let mut plan = Self::default();
        let mut batches: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (index, storage) in lower.storages.iter().enumerate() {
            batches.entry(storage.batch).or_default().push(index);
        }
        plan.storages = vec![Place { base: Base::Current, offset: 0 }; lower.storages.len()];
        for members in batches.values() {
            let first = &lower.storages[members[0]];
            let bytes = stored_bytes(first.width);
            let (base, used) = match first.input {
                true => (Base::Scratch, &mut plan.scratch_bytes),
                false => (Base::Current, &mut plan.state_bytes),
            };
            let at = allocate(used, bytes * members.len() as u32);
            for (lane, index) in members.iter().enumerate() {
                plan.storages[*index] = Place { base, offset: at + lane as u32 * bytes };
            }
        }
        plan
    }

    /// Orders all work for the given updates and kept values.
    pub fn schedule(&mut self, lower: &Lower, updates: &Updates, kept: &[Value]) {
        self.keep(updates, kept);
        let live = self.live(lower, updates);
        self.place_loads(lower, &live);
        let groups = self.groups(lower, &live);
        let units = self.units(lower, updates, groups);
        self.units = order(lower, updates, units);
    }

    fn keep(&mut self, updates: &Updates, kept: &[Value]) {
        let mut nodes = Vec::new();
        kept.iter().for_each(|v| nodes_of(v, &mut nodes));
        for write in &updates.writes {
            nodes.extend([write.enable, write.address]);
            nodes_of(&write.data, &mut nodes);
            write.mask.iter().for_each(|m| nodes_of(m, &mut nodes));
        }
        nodes.sort_unstable();
        nodes.dedup();
        self.kept = nodes;
    }

    fn live(&self, lower: &Lower, updates: &Updates) -> Vec<bool> {
        let mut live = vec![false; lower.netlist.len()];
        self.kept.iter().for_each(|n| live[n.index()] = true);
        let mut nodes = Vec::new();
        for unit in 0..updates.registers.len() {
            register_nodes(updates, unit, &mut nodes);
        }
        nodes.extend(updates.reads.iter().flat_map(|r| [r.enable, r.address]));
        nodes.iter().for_each(|n| live[n.index()] = true);
        // Operands have lower numbers than their users.
        for index in (0..live.len()).rev() {
            if live[index] {
                lower.netlist.node(NodeId(index as u32)).op.operands(|o| live[o.index()] = true);
            }
        }
        live
    }

    /// Loads that need no work: the bytes of the storage are the value.
    fn place_loads(&mut self, lower: &Lower, live: &[bool]) {
        for index in (0..live.len()).filter(|i| live[*i]) {
            let id = NodeId(index as u32);
            let node = lower.netlist.node(id);
            let Op::Load(storage, low) = node.op else { continue };
            let entry = &lower.storages[storage.index()];
            let whole = low == 0 && node.kind.width == entry.width && node.kind.signed == entry.signed;
            let bytes = low.is_multiple_of(8) && node.kind.width == 8 * node.kind.bytes();
            if whole || bytes {
                self.homes.insert(id, self.storages[storage.index()].plus(low / 8));
            }
        }
    }

    /// Nodes that need work, by batch; cyclic batches are split by depth.
    fn groups(&self, lower: &Lower, live: &[bool]) -> Vec<Vec<NodeId>> {
        let needs_work =
            |id: NodeId| !self.homes.contains_key(&id) && !matches!(lower.netlist.node(id).op, Op::Const(_));
        let mut table: BTreeMap<(Origin, Shape), Vec<NodeId>> = BTreeMap::new();
        for id in (0..live.len()).filter(|i| live[*i]).map(|i| NodeId(i as u32)).filter(|id| needs_work(*id)) {
            table.entry((lower.netlist.node(id).origin, Shape::of(lower, id))).or_default().push(id);
        }
        let groups: Vec<Vec<NodeId>> = table
            .into_values()
            .map(|mut nodes| {
                nodes.sort_by_key(|id| (lower.netlist.node(*id).instance, *id));
                nodes
            })
            .collect();
        split_cycles(lower, groups)
    }

    /// Units in no particular order; batches get a place.
    fn units(&mut self, lower: &Lower, updates: &Updates, groups: Vec<Vec<NodeId>>) -> Vec<Unit> {
        let mut units = Vec::new();
        let direct = self.register_units(lower, updates, &groups, &mut units);
        for (index, nodes) in groups.into_iter().enumerate() {
            if nodes.len() < VECTOR_LANES {
                units.extend(nodes.into_iter().map(Unit::Scalar));
                continue;
            }
            let bytes = lower.netlist.kind(nodes[0]).bytes();
            let place = direct.get(&index).copied().unwrap_or_else(|| {
                let offset = allocate(&mut self.scratch_bytes, (bytes * nodes.len() as u32).max(64));
                Place { base: Base::Scratch, offset }
            });
            for (lane, id) in nodes.iter().enumerate() {
                self.homes.insert(*id, place.plus(lane as u32 * bytes));
            }
            let vector = !matches!(lower.netlist.node(nodes[0]).op, Op::Parity(_) | Op::Load(..));
            if vector { units.push(Unit::Batch(nodes)) } else { units.extend(nodes.into_iter().map(Unit::Scalar)) }
        }
        units.extend((0..updates.reads.len()).map(Unit::Read));
        units
    }

    /// Register units; returns batches that may be computed right into the next state.
    fn register_units(
        &self,
        lower: &Lower,
        updates: &Updates,
        groups: &[Vec<NodeId>],
        units: &mut Vec<Unit>,
    ) -> HashMap<usize, Place> {
        let starts: HashMap<NodeId, usize> =
            groups.iter().enumerate().filter(|(_, g)| g.len() >= VECTOR_LANES).map(|(i, g)| (g[0], i)).collect();
        let mut direct = HashMap::new();
        let mut batches: BTreeMap<(u32, bool), Vec<usize>> = BTreeMap::new();
        for (index, register) in updates.registers.iter().enumerate() {
            let batch = lower.storages[register.storage.index()].batch;
            batches.entry((batch, register.enable.is_some())).or_default().push(index);
        }
        for ((_, enabled), mut members) in batches {
            let width = lower.storages[updates.registers[members[0]].storage.index()].width;
            members.sort_by_key(|m| self.storages[updates.registers[*m].storage.index()].offset);
            if members.len() < VECTOR_LANES || width > 64 {
                units.extend(members.into_iter().map(Unit::Register));
                continue;
            }
            let next: Vec<NodeId> = members.iter().flat_map(|m| register_value(updates, *m)).collect();
            let place = self.storages[updates.registers[members[0]].storage.index()];
            let group = starts.get(&next[0]).filter(|g| groups[**g] == next && !direct.contains_key(*g));
            match group {
                Some(group) if !enabled && lower.netlist.kind(next[0]).bytes() == stored_bytes(width) => {
                    direct.insert(*group, Place { base: Base::Next, ..place });
                }
                _ => units.push(Unit::Registers(members)),
            }
        }
        direct
    }
}

/// What makes nodes of one origin the same operation on the same host types.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Shape {
    discriminant: u32,
    parameters: Vec<u32>,
    kind: Kind,
    operands: Vec<Kind>,
}

impl Shape {
    fn of(lower: &Lower, id: NodeId) -> Self {
        let node = lower.netlist.node(id);
        let (discriminant, parameters) = match &node.op {
            Op::Const(_) => (0, vec![]),
            Op::Load(_, _) => (1, vec![]),
            Op::Field(_, low) => (2, vec![*low]),
            Op::Concat(parts) => (3, parts.iter().map(|(_, w)| *w).collect()),
            Op::Parity(_) => (4, vec![]),
            Op::Binary(op, ..) => (5, vec![*op as u32]),
            Op::Mux(..) => (6, vec![]),
        };
        let mut operands = Vec::new();
        node.op.operands(|o| operands.push(lower.netlist.kind(o)));
        Self { discriminant, parameters, kind: node.kind, operands }
    }
}

/// Splits the batches of a combinational chain through their own elements by depth within the chain.
fn split_cycles(lower: &Lower, groups: Vec<Vec<NodeId>>) -> Vec<Vec<NodeId>> {
    let mut owner: HashMap<NodeId, usize> = HashMap::new();
    for (index, nodes) in groups.iter().enumerate() {
        nodes.iter().for_each(|n| {
            owner.insert(*n, index);
        });
    }
    let mut graph = DiGraph::<(), ()>::new();
    let vertices: Vec<_> = groups.iter().map(|_| graph.add_node(())).collect();
    for (index, nodes) in groups.iter().enumerate() {
        for id in nodes {
            lower.netlist.node(*id).op.operands(|o| {
                if let Some(from) = owner.get(&o) {
                    graph.update_edge(vertices[*from], vertices[index], ());
                }
            });
        }
    }
    let mut component = vec![0; groups.len()];
    let mut cyclic = vec![false; groups.len()];
    for (number, members) in petgraph::algo::tarjan_scc(&graph).into_iter().enumerate() {
        for vertex in &members {
            component[vertex.index()] = number;
            cyclic[vertex.index()] = members.len() > 1 || graph.contains_edge(*vertex, *vertex);
        }
    }
    let mut depth: HashMap<NodeId, u32> = HashMap::new();
    let mut ids: Vec<NodeId> = owner.iter().filter(|(_, g)| cyclic[**g]).map(|(n, _)| *n).collect();
    ids.sort_unstable();
    for id in ids {
        let mut level = 0;
        lower.netlist.node(id).op.operands(|o| {
            if owner.get(&o).is_some_and(|g| component[*g] == component[owner[&id]]) {
                level = level.max(depth.get(&o).copied().unwrap_or(0) + 1);
            }
        });
        depth.insert(id, level);
    }
    let mut result = Vec::new();
    for (index, nodes) in groups.into_iter().enumerate() {
        if !cyclic[index] {
            result.push(nodes);
            continue;
        }
        let mut levels: BTreeMap<u32, Vec<NodeId>> = BTreeMap::new();
        nodes.into_iter().for_each(|n| levels.entry(depth[&n]).or_default().push(n));
        result.extend(levels.into_values());
    }
    result
}

/// Nodes that a value is made of.
pub fn nodes_of(value: &Value, into: &mut Vec<NodeId>) {
    into.extend(value.pieces().iter().filter_map(|Piece { source, .. }| match source {
        Source::Node(id) => Some(*id),
        Source::Storage(..) => None,
    }));
}

fn register_value(updates: &Updates, index: usize) -> Vec<NodeId> {
    let mut nodes = Vec::new();
    nodes_of(&updates.registers[index].next, &mut nodes);
    nodes
}

fn register_nodes(updates: &Updates, index: usize, into: &mut Vec<NodeId>) {
    nodes_of(&updates.registers[index].next, into);
    into.extend(updates.registers[index].enable);
}

/// Nodes that a unit reads.
pub fn reads_of(lower: &Lower, updates: &Updates, unit: &Unit) -> Vec<NodeId> {
    let mut nodes = Vec::new();
    match unit {
        Unit::Scalar(id) => lower.netlist.node(*id).op.operands(|o| nodes.push(o)),
        Unit::Batch(ids) => ids.iter().for_each(|id| lower.netlist.node(*id).op.operands(|o| nodes.push(o))),
        Unit::Registers(members) => members.iter().for_each(|m| register_nodes(updates, *m, &mut nodes)),
        Unit::Register(index) => register_nodes(updates, *index, &mut nodes),
        Unit::Read(index) => nodes.extend([updates.reads[*index].enable, updates.reads[*index].address]),
    }
    nodes
}

/// Topological order; stays with single nodes or with batches as long as it can, so that kernel calls stand together.
fn order(lower: &Lower, updates: &Updates, units: Vec<Unit>) -> Vec<Unit> {
    let mut maker: HashMap<NodeId, usize> = HashMap::new();
    for (index, unit) in units.iter().enumerate() {
        match unit {
            Unit::Scalar(id) => {
                maker.insert(*id, index);
            }
            Unit::Batch(ids) => ids.iter().for_each(|id| {
                maker.insert(*id, index);
            }),
            _ => {}
        }
    }
    let mut waiting = vec![0u32; units.len()];
    let mut users: Vec<Vec<usize>> = vec![Vec::new(); units.len()];
    for (index, unit) in units.iter().enumerate() {
        let mut makers: Vec<usize> =
            reads_of(lower, updates, unit).iter().filter_map(|n| maker.get(n).copied()).collect();
        makers.sort_unstable();
        makers.dedup();
        waiting[index] = makers.len() as u32;
        makers.into_iter().for_each(|m| users[m].push(index));
    }
    let is_batch = |i: usize| usize::from(matches!(units[i], Unit::Batch(_) | Unit::Registers(_)));
    let mut ready: [Vec<usize>; 2] = [Vec::new(), Vec::new()];
    (0..units.len()).rev().filter(|i| waiting[*i] == 0).for_each(|i| ready[is_batch(i)].push(i));
    let (mut sequence, mut mode) = (Vec::with_capacity(units.len()), 0);
    loop {
        let next = match ready[mode].pop() {
            Some(next) => next,
            None => {
                mode = 1 - mode;
                match ready[mode].pop() {
                    Some(next) => next,
                    None => break,
                }
            }
        };
        sequence.push(next);
        for user in &users[next] {
            waiting[*user] -= 1;
            if waiting[*user] == 0 {
                ready[is_batch(*user)].push(*user);
            }
        }
    }
    let mut units: Vec<Option<Unit>> = units.into_iter().map(Some).collect();
    sequence.into_iter().filter_map(|i| units[i].take()).collect()
}
