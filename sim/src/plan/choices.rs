//! Control flow out of choices.
//!
//! A state machine is lowered to choices of every variable in every state. Where several choices have one condition,
//! a branch decides them together, and what only one side needs is computed only on that side.

use super::Unit;
use super::activity::{Activity, Rate};
use crate::circuit::Circuit;
use crate::netlist::{Kind, NodeId, Op};
use crate::profile::Profile;
use petgraph::graph::DiGraph;
use std::collections::{BTreeMap, BTreeSet};

/// Choices of one condition that are worth a branch.
const FEWEST: usize = 3;
/// Units, sides included, below which a branch costs more than it saves.
const WORTH: usize = 8;

/// Choices that a branch decides together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// One bit.
    pub condition: NodeId,
    /// Choices of that condition; none needs another.
    pub muxes: Vec<NodeId>,
    /// What is computed when the condition is 1, and when it is 0.
    pub sides: [Vec<Unit>; 2],
}

impl Choice {
    /// Operands on a side.
    pub fn operands(&self, circuit: &Circuit, side: usize) -> Vec<NodeId> {
        let operand = |id: &NodeId| match circuit.netlist.node(*id).op {
            Op::Mux(_, a, b) => [a, b][side],
            _ => *id,
        };
        self.muxes.iter().map(operand).collect()
    }
}

/// Puts choices of one condition together where that leaves an order; their sides are still empty.
pub fn gather(circuit: &Circuit, activity: &Activity, profile: &Profile, units: Vec<Unit>) -> Vec<Unit> {
    let mut clusters = clusters(circuit, activity, profile, &units);
    loop {
        let (singles, owner) = owners(&units, &clusters);
        let tangled = tangled(circuit, &singles, &clusters, &owner);
        if tangled.is_empty() {
            let mut all = singles;
            all.extend(clusters.into_iter().map(|(condition, muxes)| {
                Unit::Choice(Box::new(Choice { condition, muxes, sides: [Vec::new(), Vec::new()] }))
            }));
            return all;
        }
        let mut index = 0;
        clusters.retain(|_| {
            index += 1;
            !tangled.contains(&(index - 1))
        });
    }
}

/// Groups of single choices with one condition, by the number of such choices below them: members of a group do not
/// need each other.
fn clusters(circuit: &Circuit, activity: &Activity, profile: &Profile, units: &[Unit]) -> Vec<(NodeId, Vec<NodeId>)> {
    let netlist = &circuit.netlist;
    // What changes often stays apart from what does not.
    let mut by_condition: BTreeMap<(NodeId, Rate), Vec<NodeId>> = BTreeMap::new();
    for unit in units {
        if let Unit::Scalar(id) = unit
            && let Op::Mux(condition, ..) = netlist.node(*id).op
            && netlist.kind(condition) == Kind::bits(1)
        {
            by_condition.entry((condition, activity.rate(profile, *id))).or_default().push(*id);
        }
    }
    let mut all = Vec::new();
    let mut depth = vec![0u32; netlist.len()];
    for ((condition, _), muxes) in by_condition.into_iter().filter(|(_, m)| m.len() >= FEWEST) {
        let members: BTreeSet<NodeId> = muxes.into_iter().collect();
        let mut ranks: BTreeMap<u32, Vec<NodeId>> = BTreeMap::new();
        for id in &circuit.live {
            let mut below = 0;
            netlist.node(*id).op.operands(|o| below = below.max(depth[o.index()]));
            if members.contains(id) {
                ranks.entry(below).or_default().push(*id);
                below += 1;
            }
            depth[id.index()] = below;
        }
        all.extend(ranks.into_values().filter(|m| m.len() >= FEWEST).map(|m| (condition, m)));
    }
    all
}

/// Units that stay single, and for each node its maker: first the single units, then the clusters.
fn owners(units: &[Unit], clusters: &[(NodeId, Vec<NodeId>)]) -> (Vec<Unit>, BTreeMap<NodeId, usize>) {
    let clustered: BTreeSet<NodeId> = clusters.iter().flat_map(|(_, m)| m.iter().copied()).collect();
    let single = |unit: &&Unit| !matches!(unit, Unit::Scalar(id) if clustered.contains(id));
    let singles: Vec<Unit> = units.iter().filter(single).cloned().collect();
    let mut owner = BTreeMap::new();
    for (index, unit) in singles.iter().enumerate() {
        owner.extend(unit.makes().iter().map(|id| (*id, index)));
    }
    for (index, (_, muxes)) in clusters.iter().enumerate() {
        owner.extend(muxes.iter().map(|id| (*id, singles.len() + index)));
    }
    (singles, owner)
}

/// Clusters (by number) that wait for each other.
fn tangled(
    circuit: &Circuit,
    singles: &[Unit],
    clusters: &[(NodeId, Vec<NodeId>)],
    owner: &BTreeMap<NodeId, usize>,
) -> BTreeSet<usize> {
    let mut edges = BTreeSet::new();
    for (node, to) in owner {
        circuit.netlist.node(*node).op.operands(|o| {
            if let Some(from) = owner.get(&o).filter(|from| *from != to) {
                edges.insert((*from as u32, *to as u32));
            }
        });
    }
    let graph = DiGraph::<(), ()>::from_edges(edges);
    let knots = petgraph::algo::kosaraju_scc(&graph).into_iter().filter(|members| members.len() > 1);
    let of = |vertex: usize| vertex.checked_sub(singles.len()).filter(|c| *c < clusters.len());
    knots.flatten().filter_map(|vertex| of(vertex.index())).collect()
}

/// Where units go: the root is 0, and each branch has two regions.
#[derive(Debug)]
struct Regions(Vec<(usize, usize)>);

impl Regions {
    fn inside(&mut self, parent: usize) -> usize {
        let depth = self.0[parent].1 + 1;
        self.0.push((parent, depth));
        self.0.len() - 1
    }

    /// The innermost region around both.
    fn common(&self, mut a: usize, mut b: usize) -> usize {
        while a != b {
            if self.0[a].1 >= self.0[b].1 { a = self.0[a].0 } else { b = self.0[b].0 }
        }
        a
    }
}

/// Moves what only one side of a branch needs to that side. `units` are in order; `outside` are nodes that others need.
pub fn nest(circuit: &Circuit, units: Vec<Unit>, outside: &[NodeId]) -> Vec<Unit> {
    let mut regions = Regions(vec![(0, 0)]);
    let mut needed: Vec<Option<usize>> = vec![None; circuit.netlist.len()];
    outside.iter().for_each(|id| needed[id.index()] = Some(0));
    let mut place = vec![0; units.len()];
    let mut inner: Vec<Option<[usize; 2]>> = vec![None; units.len()];
    for (index, unit) in units.iter().enumerate().rev() {
        let movable = matches!(unit, Unit::Scalar(_) | Unit::Choice(_));
        let users = unit.makes().iter().filter_map(|id| needed[id.index()]);
        let own = if movable { users.reduce(|a, b| regions.common(a, b)).unwrap_or(0) } else { 0 };
        place[index] = own;
        let mut need = |regions: &Regions, id: NodeId, at: usize| {
            let known = &mut needed[id.index()];
            *known = Some(known.map_or(at, |k| regions.common(k, at)));
        };
        if let Unit::Choice(choice) = unit {
            let sides = [regions.inside(own), regions.inside(own)];
            inner[index] = Some(sides);
            need(&regions, choice.condition, own);
            for (side, at) in sides.into_iter().enumerate() {
                choice.operands(circuit, side).into_iter().for_each(|id| need(&regions, id, at));
            }
        } else {
            unit.reads(circuit).into_iter().for_each(|id| need(&regions, id, own));
        }
    }
    let mut contents: Vec<Vec<Unit>> = vec![Vec::new(); regions.0.len()];
    // A branch comes after all that its sides hold, so the sides are complete when it is reached.
    for (index, unit) in units.into_iter().enumerate() {
        match (unit, inner[index]) {
            (Unit::Choice(mut choice), Some(sides)) => {
                choice.sides = sides.map(|side| std::mem::take(&mut contents[side]));
                place_choice(*choice, &mut contents[place[index]]);
            }
            (unit, _) => contents[place[index]].push(unit),
        }
    }
    contents.swap_remove(0)
}

/// A branch, or what it consists of where it is small.
fn place_choice(choice: Choice, into: &mut Vec<Unit>) {
    let size: usize = choice.sides.iter().flatten().map(Unit::size).sum();
    if choice.muxes.len() + size >= WORTH {
        into.push(Unit::Choice(Box::new(choice)));
        return;
    }
    into.extend(choice.sides.into_iter().flatten());
    into.extend(choice.muxes.into_iter().map(Unit::Scalar));
}
