//! Batches: nodes that stem from one expression of one module, over all its instances.

use super::VECTOR_LANES;
use super::packs::{self, Packed};
use crate::circuit::Circuit;
use crate::netlist::{Binary, Kind, NodeId, Op, Origin};
use petgraph::graph::DiGraph;
use std::collections::{BTreeMap, HashMap};

/// Byte of its storage at which a load lies ready in its own host type; `None` for everything else.
pub fn lies_ready(circuit: &Circuit, id: NodeId) -> Option<u32> {
    let node = circuit.netlist.node(id);
    let Op::Load(storage, low) = node.op else { return None };
    let store = circuit.store(storage);
    let whole = low == 0 && store.kind.width <= 64 && store.kind.fits(node.kind) && node.kind.bytes() == store.bytes;
    let bytes = low.is_multiple_of(8) && node.kind.width == 8 * node.kind.bytes();
    let within = store.kind.width > 64 || low / 8 + node.kind.bytes() <= store.bytes;
    (whole || bytes && within).then_some(low / 8)
}

/// True when there are kernels for a batch of such nodes.
pub fn has_kernel(circuit: &Circuit, id: NodeId) -> bool {
    match circuit.netlist.node(id).op {
        Op::Load(storage, _) => circuit.store(storage).kind.width <= 64,
        Op::Parity(_) => false,
        _ => true,
    }
}

/// True for nodes that are computed as a batch.
pub fn is_batch(circuit: &Circuit, nodes: &[NodeId]) -> bool {
    nodes.len() >= VECTOR_LANES && has_kernel(circuit, nodes[0])
}

/// Nodes that need work, by batch in the order of lanes; batches through which a path passes twice are split by depth.
pub fn groups(circuit: &Circuit) -> Packed {
    let netlist = &circuit.netlist;
    let needs_work = |id: &NodeId| !matches!(netlist.node(*id).op, Op::Const(_)) && lies_ready(circuit, *id).is_none();
    let mut table: BTreeMap<(Origin, Shape), Vec<NodeId>> = BTreeMap::new();
    for id in circuit.live.iter().filter(|id| needs_work(id)) {
        table.entry((netlist.node(*id).origin, Shape::of(circuit, *id))).or_default().push(*id);
    }
    let groups: Vec<Vec<NodeId>> = table
        .into_values()
        .map(|mut nodes| {
            nodes.sort_by_key(|id| (netlist.node(*id).instance, *id));
            nodes
        })
        .collect();
    let Packed { groups, bytes } = packs::pack(circuit, groups);
    Packed { groups: split_cycles(circuit, groups), bytes }
}

/// A host type, and whether the signed one of the same size holds the value, too.
type Host = (u32, bool, bool);

fn host(kind: Kind) -> Host {
    (kind.bytes(), kind.signed, kind.fits(Kind { width: 8 * kind.bytes(), signed: true }))
}

/// What makes nodes the same operation on the same host types.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shape {
    operation: u32,
    parameters: Vec<u32>,
    /// Host types of the operands, and of all of them together.
    operands: Vec<Host>,
    result: Host,
    /// Where widths count: those of result and operands.
    kinds: Vec<Kind>,
}

impl Shape {
    /// Of a node.
    pub fn of(circuit: &Circuit, id: NodeId) -> Self {
        let node = circuit.netlist.node(id);
        let mut kinds = Vec::new();
        node.op.operands(|o| kinds.push(circuit.netlist.kind(o)));
        let together = kinds.iter().copied().reduce(Kind::union);
        let operands = kinds.iter().copied().chain(together).map(host).collect();
        let (operation, parameters, exact) = match &node.op {
            Op::Const(_) => (0, vec![], false),
            Op::Load(storage, low) => match circuit.store(*storage).kind {
                kind if kind.width <= 64 => (1, vec![*low, kind.bytes(), u32::from(kind.signed)], true),
                _ => (7, vec![], false),
            },
            Op::Field(_, low) => (2, vec![*low], true),
            Op::Concat(parts) => (3, parts.iter().map(|(_, w)| *w).collect(), true),
            Op::Parity(_) => (4, vec![], false),
            Op::Binary(op @ (Binary::Shl | Binary::Shr), ..) => (5, vec![*op as u32], true),
            Op::Binary(op, ..) => (5, vec![*op as u32], false),
            Op::Mux(..) => (6, vec![], false),
        };
        kinds.push(node.kind);
        Self { operation, parameters, operands, result: host(node.kind), kinds: if exact { kinds } else { vec![] } }
    }
}

/// Splits the batches of a combinational chain through their own elements by depth within the chain.
fn split_cycles(circuit: &Circuit, groups: Vec<Vec<NodeId>>) -> Vec<Vec<NodeId>> {
    let netlist = &circuit.netlist;
    let mut owner: Vec<Option<usize>> = vec![None; netlist.len()];
    for (index, nodes) in groups.iter().enumerate() {
        nodes.iter().for_each(|n| owner[n.index()] = Some(index));
    }
    let mut edges: Vec<(usize, usize)> = Vec::new();
    for (index, nodes) in groups.iter().enumerate() {
        let from = edges.len();
        for id in nodes {
            netlist.node(*id).op.operands(|o| edges.extend(owner[o.index()].map(|maker| (maker, index))));
        }
        edges[from..].sort_unstable();
        let mut unique = edges.split_off(from);
        unique.dedup();
        edges.extend(unique);
    }
    let graph = DiGraph::<(), ()>::from_edges(edges.iter().map(|(a, b)| (*a as u32, *b as u32)));
    let mut component = vec![usize::MAX; groups.len()];
    let mut cyclic = vec![false; groups.len()];
    for (number, members) in petgraph::algo::kosaraju_scc(&graph).into_iter().enumerate() {
        for vertex in &members {
            component[vertex.index()] = number;
            cyclic[vertex.index()] = members.len() > 1;
        }
    }
    edges.iter().filter(|(a, b)| a == b).for_each(|(a, _)| cyclic[*a] = true);
    let mut depth: HashMap<NodeId, u32> = HashMap::new();
    for id in circuit.live.iter().copied() {
        let Some(group) = owner[id.index()].filter(|g| cyclic[*g]) else { continue };
        let mut level = 0;
        netlist.node(id).op.operands(|o| {
            if owner[o.index()].is_some_and(|g| component[g] == component[group]) {
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
