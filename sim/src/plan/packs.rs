//! Batches of what a description writes out lane by lane: decoders, masks, the bytes of a word.
//!
//! They are found from where such lanes are used together (operands of a batch, next values and enables of a batch of
//! registers, parts of a word), and go on from operand to operand: lanes of one shape are packed if their operands are
//! the same in all lanes, constants, side by side in memory, or can be packed in turn.

use super::VECTOR_LANES;
use super::groups::{Shape, has_kernel, is_batch, lies_ready};
use super::registers::{by_batch, next_node, sort_by_lane};
use crate::circuit::Circuit;
use crate::lower::value::{Source, Value};
use crate::netlist::{NodeId, Op};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Operands of operands that are looked at.
const DEEPEST: u32 = 6;

/// Bytes of a value that are read where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes {
    /// The bytes, as a node.
    pub node: NodeId,
    /// The value.
    pub of: NodeId,
    /// First of its bytes.
    pub first: u32,
}

/// Groups, and what packing them asks for.
#[derive(Debug, Default)]
pub struct Packed {
    /// Nodes by batch, in the order of lanes.
    pub groups: Vec<Vec<NodeId>>,
    /// Bytes that packs read in memory.
    pub bytes: Vec<Bytes>,
}

/// Packs nodes that are in no batch.
pub fn pack(circuit: &Circuit, groups: Vec<Vec<NodeId>>) -> Packed {
    let mut packer = Packer::new(circuit, &groups);
    for list in roots(circuit, &groups) {
        packer.pack_runs(&list);
    }
    let Packer { packs, bytes, .. } = packer;
    let packed: BTreeSet<NodeId> = packs.iter().flatten().copied().collect();
    let rest = groups.into_iter().map(|mut nodes| {
        nodes.retain(|n| !packed.contains(n));
        nodes
    });
    let groups = rest.filter(|nodes| !nodes.is_empty()).chain(packs).collect();
    Packed { groups, bytes }
}

/// Lanes that are used together.
fn roots(circuit: &Circuit, groups: &[Vec<NodeId>]) -> Vec<Vec<NodeId>> {
    let mut roots = Vec::new();
    let registers = &circuit.updates.registers;
    for mut members in by_batch(circuit).into_values().filter(|m| m.len() >= VECTOR_LANES) {
        sort_by_lane(circuit, &mut members);
        roots.push(members.iter().filter_map(|m| next_node(circuit, *m)).collect());
        roots.push(members.iter().filter_map(|m| registers[*m].enable).collect());
    }
    for nodes in groups.iter().filter(|g| is_batch(circuit, g)) {
        roots.extend(operand_lists(circuit, nodes));
    }
    let data = circuit.updates.writes.iter().map(|w| &w.data);
    roots.extend(registers.iter().map(|r| &r.next).chain(data).map(|word| parts(circuit, word)));
    roots
}

/// Operands of lanes of one shape, by position.
fn operand_lists(circuit: &Circuit, nodes: &[NodeId]) -> Vec<Vec<NodeId>> {
    (0..).map_while(|position| circuit.operand_of_each(nodes, position)).collect()
}

/// What a word consists of.
fn parts(circuit: &Circuit, word: &Value) -> Vec<NodeId> {
    let mut all = Vec::new();
    for piece in word.pieces() {
        let Source::Node(id) = piece.source else { continue };
        match &circuit.netlist.node(id).op {
            Op::Concat(parts) => all.extend(parts.iter().map(|(part, _)| *part)),
            _ => all.push(id),
        }
    }
    all
}

struct Packer<'c> {
    circuit: &'c Circuit,
    /// The shape of a node that is in no batch.
    loose: HashMap<NodeId, Shape>,
    /// Batch of a node, and its lane.
    batched: HashMap<NodeId, (usize, usize)>,
    packs: Vec<Vec<NodeId>>,
    batches: usize,
    bytes: Vec<Bytes>,
    /// The nodes among `bytes`.
    in_place: HashSet<NodeId>,
}

impl<'c> Packer<'c> {
    fn new(circuit: &'c Circuit, groups: &[Vec<NodeId>]) -> Self {
        let mut this = Self {
            circuit,
            loose: HashMap::new(),
            batched: HashMap::new(),
            packs: Vec::new(),
            batches: groups.len(),
            bytes: Vec::new(),
            in_place: HashSet::new(),
        };
        for (index, nodes) in groups.iter().enumerate() {
            if is_batch(circuit, nodes) {
                this.batched.extend(nodes.iter().enumerate().map(|(lane, id)| (*id, (index, lane))));
            } else if has_kernel(circuit, nodes[0]) {
                this.loose.extend(nodes.iter().map(|id| (*id, Shape::of(circuit, *id))));
            }
        }
        this
    }

    /// Packs the runs of one shape in a list that are long enough.
    fn pack_runs(&mut self, list: &[NodeId]) {
        let mut rest = list;
        while let Some(first) = rest.first() {
            let mut seen = BTreeSet::new();
            let run = match self.loose.get(first) {
                Some(shape) => rest.iter().take_while(|n| self.loose.get(n) == Some(shape) && seen.insert(**n)).count(),
                None => 1,
            };
            let (nodes, behind) = rest.split_at(run);
            if run >= VECTOR_LANES && self.accepts(nodes, DEEPEST) {
                self.pack(nodes);
            }
            rest = behind;
        }
    }

    fn pack(&mut self, nodes: &[NodeId]) {
        if self.is_straight(nodes) {
            return;
        }
        if let Some(bytes) = self.bytes_of(nodes) {
            for one in bytes {
                self.loose.remove(&one.node);
                if self.in_place.insert(one.node) {
                    self.bytes.push(one);
                }
            }
            return;
        }
        for id in nodes {
            self.loose.remove(id);
        }
        self.batched.extend(nodes.iter().enumerate().map(|(lane, id)| (*id, (self.batches, lane))));
        self.batches += 1;
        self.packs.push(nodes.to_vec());
        for list in operand_lists(self.circuit, nodes) {
            self.pack(&list);
        }
    }

    /// True for lanes that are at hand, or can be packed.
    fn accepts(&self, nodes: &[NodeId], depth: u32) -> bool {
        if self.is_straight(nodes) || self.bytes_of(nodes).is_some() {
            return true;
        }
        let Some(shape) = self.loose.get(&nodes[0]) else { return false };
        let mut seen = BTreeSet::new();
        let alike = nodes.iter().all(|n| self.loose.get(n) == Some(shape) && seen.insert(*n));
        alike && depth > 0 && operand_lists(self.circuit, nodes).iter().all(|list| self.accepts(list, depth - 1))
    }

    /// True for lanes that are the same, constants, or side by side.
    fn is_straight(&self, nodes: &[NodeId]) -> bool {
        let circuit = self.circuit;
        let op = |id: &NodeId| &circuit.netlist.node(*id).op;
        if nodes.iter().all(|n| *n == nodes[0]) || nodes.iter().all(|n| matches!(op(n), Op::Const(_))) {
            return true;
        }
        if let Some((batch, lane)) = self.batched.get(&nodes[0]) {
            return nodes.iter().zip(*lane..).all(|(n, lane)| self.batched.get(n) == Some(&(*batch, lane)));
        }
        let size = circuit.netlist.kind(nodes[0]).bytes();
        let place = |id: &NodeId| match op(id) {
            Op::Load(storage, _) => Some((*storage, lies_ready(circuit, *id)?, circuit.netlist.kind(*id).bytes())),
            _ => None,
        };
        let Some((storage, first, _)) = place(&nodes[0]) else { return false };
        let within = |(n, lane): (&NodeId, u32)| place(n) == Some((storage, first + lane * size, size));
        nodes.iter().zip(0..).all(within) || self.are_neighbours(nodes)
    }

    /// True for whole registers of one batch in the order of its lanes.
    fn are_neighbours(&self, nodes: &[NodeId]) -> bool {
        let store = |id: &NodeId| match self.circuit.netlist.node(*id).op {
            Op::Load(storage, 0) if lies_ready(self.circuit, *id).is_some() => Some(self.circuit.store(storage)),
            _ => None,
        };
        nodes.windows(2).all(|pair| match (store(&pair[0]), store(&pair[1])) {
            (Some(a), Some(b)) => a.kind.width <= 64 && a.batch == b.batch && a.lane < b.lane,
            _ => false,
        })
    }

    /// Bytes of values side by side, if that is what these lanes are.
    fn bytes_of(&self, nodes: &[NodeId]) -> Option<Vec<Bytes>> {
        let netlist = &self.circuit.netlist;
        let size = netlist.kind(nodes[0]).bytes();
        let mut all: Vec<Bytes> = Vec::new();
        for id in nodes {
            let Op::Field(of, low) = netlist.node(*id).op else { return None };
            let (kind, whole) = (netlist.kind(*id), netlist.kind(of).bytes());
            let first = low / 8;
            let plain = low.is_multiple_of(8) && kind.width == 8 * size && first + size <= whole;
            let follows = match all.last() {
                Some(last) if last.of == of => last.first + size == first,
                Some(last) => first == 0 && last.first + size == netlist.kind(last.of).bytes(),
                None => true,
            };
            let free = self.loose.contains_key(id) || self.in_place.contains(id);
            if !plain || !follows || !free || !self.loose.contains_key(&of) {
                return None;
            }
            all.push(Bytes { node: *id, of, first });
        }
        Some(all)
    }
}

#[cfg(test)]
mod tests {
    use super::super::groups::groups;
    use super::*;
    use crate::SimError;
    use crate::lower::Lower;
    use heatvit_rtl::{Design, Expr, ModuleBuilder, Ty};

    const LANES: u32 = 16;

    /// Registers of a batch behind a decoder; each takes its byte of a word, or zero beyond a count.
    fn design() -> Design {
        let mut design = Design::new();
        let mut m = ModuleBuilder::new("lane", "");
        let (enable, data) = (m.input("enable", Ty::bit(), ""), m.input("data", Ty::bits(8), ""));
        let q = m.reg_en("q", &enable, &data);
        m.output_as("y", &q, "");
        let id = design.add(m.finish());
        let child = design.module(id).clone();
        let mut m = ModuleBuilder::new("top", "");
        let (cursor, count) = (m.input("cursor", Ty::bits(5), ""), m.input("count", Ty::bits(5), ""));
        let (a, b) = (m.input("a", Ty::bits(8 * LANES), ""), m.input("b", Ty::bits(8 * LANES), ""));
        let word = m.wire("word", &(&a ^ &b));
        let enables = m.declare("enables", Ty::bit().lanes(LANES));
        let data = m.declare("data", Ty::bits(8).lanes(LANES));
        for lane in 0..LANES {
            let number = Expr::lit(u64::from(lane), 5);
            m.assign_part(&enables, lane, &cursor.eq(&number));
            m.assign_part(&data, lane, &number.lt(&count).mux(&word.slice(8 * lane, 8), &Expr::lit(0, 8)));
        }
        let y = m.output("y", Ty::bits(8).lanes(LANES), "");
        m.array("lanes", id, &child, LANES).lanes("enable", &enables).lanes("data", &data).lanes("y", &y).done();
        design.add(m.finish());
        design
    }

    fn packed(design: &Design) -> Result<(Circuit, Packed), SimError> {
        let mut lower = Lower::new(design)?;
        let updates = lower.updates()?;
        let circuit = Circuit::new(&lower, &updates, &[]);
        let packed = groups(&circuit);
        Ok((circuit, packed))
    }

    #[test]
    fn a_decoder_and_a_mask_are_batches() {
        let (circuit, packed) = packed(&design()).unwrap();
        let batches = packed.groups.iter().filter(|g| g.len() == LANES as usize);
        let mut operations: Vec<&str> = batches
            .map(|g| match circuit.netlist.node(g[0]).op {
                Op::Binary(crate::netlist::Binary::Eq, ..) => "eq",
                Op::Binary(crate::netlist::Binary::Lt, ..) => "lt",
                Op::Mux(..) => "mux",
                _ => "other",
            })
            .collect();
        operations.sort_unstable();
        assert_eq!(operations, ["eq", "lt", "mux"]);
        let first: Vec<u32> = packed.bytes.iter().map(|b| b.first).collect();
        assert_eq!(first, [0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7]);
    }
}
