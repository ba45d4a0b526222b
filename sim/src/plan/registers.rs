//! Registers of a batch: which are taken together, and which can be written over in place.

use super::groups::lies_ready;
use super::{Layout, Unit, VECTOR_LANES};
use crate::circuit::Circuit;
use crate::kernels::Mixed;
use crate::lower::ReadUpdate;
use crate::lower::value::Repr;
use crate::netlist::{Binary, NodeId, Op, StorageId};
use petgraph::graph::DiGraph;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Bytes from which it pays to write a batch in place: with enables, whose lanes mostly stay as they are, and without.
const WORTH_ENABLED: u32 = 64;
const WORTH_ALWAYS: u32 = 1024;
/// Bytes by which values that move within a batch have to move at least to be written in place.
const LEAST_SHIFT: u32 = 64;

/// How neighbouring registers of a batch get their next value.
#[derive(Clone, Debug, PartialEq, Eq)]
enum How {
    /// From values that are somewhere.
    Copied,
    /// The same where an enable is 1.
    Enabled,
    /// The batch of nodes (by number) is computed right into them.
    Computed(usize),
    /// Where an enable is 1, the sums of this batch of nodes are computed right into them.
    Summed(usize),
}

#[derive(Clone, Debug)]
struct Range {
    /// Places among the circuit's registers, in the order of lanes.
    members: Vec<usize>,
    how: How,
}

/// All registers.
#[derive(Debug, Default)]
pub struct Ranges {
    single: Vec<usize>,
    ranges: Vec<Range>,
}

/// Users of every node.
pub fn uses(circuit: &Circuit) -> Vec<u32> {
    let mut uses = vec![0; circuit.netlist.len()];
    let mut roots = Vec::new();
    circuit.roots(&mut roots);
    roots.into_iter().for_each(|n| uses[n.index()] += 1);
    for id in &circuit.live {
        circuit.netlist.node(*id).op.operands(|o| uses[o.index()] += 1);
    }
    uses
}

/// The storage that a node reads.
pub fn load_of(circuit: &Circuit, id: NodeId) -> Option<StorageId> {
    match circuit.netlist.node(id).op {
        Op::Load(storage, _) => Some(storage),
        _ => None,
    }
}

/// The next value of a register (by its place among the updates) of at most 64 bits.
pub fn next_node(circuit: &Circuit, register: usize) -> Option<NodeId> {
    match circuit.updates.registers[register].next.repr {
        Repr::Node(id) => Some(id),
        Repr::Wide(_) => None,
    }
}

/// Places among the updates of the registers of every batch.
pub fn by_batch(circuit: &Circuit) -> BTreeMap<u32, Vec<usize>> {
    let mut batches: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (index, register) in circuit.updates.registers.iter().enumerate() {
        batches.entry(circuit.store(register.storage).batch).or_default().push(index);
    }
    batches
}

/// Puts registers of a batch in the order of its lanes.
pub fn sort_by_lane(circuit: &Circuit, members: &mut [usize]) {
    let storage = |m: &usize| circuit.updates.registers[*m].storage;
    members.sort_by_key(|m| (circuit.store(storage(m)).lane, storage(m)));
}

/// Divides the registers of every batch into ranges.
pub fn ranges(circuit: &Circuit, groups: &[Vec<NodeId>], uses: &[u32]) -> Ranges {
    let starts: HashMap<NodeId, usize> =
        groups.iter().enumerate().filter(|(_, g)| g.len() >= VECTOR_LANES).map(|(i, g)| (g[0], i)).collect();
    // Registers that differ in nothing but their reset have one next value; only one of them can be where it is computed.
    let mut taken: BTreeSet<usize> = BTreeSet::new();
    let mut all = Ranges::default();
    for mut members in by_batch(circuit).into_values() {
        let store = |m: usize| circuit.store(circuit.updates.registers[m].storage);
        if store(members[0]).kind.width > 64 {
            // All of them, so that one that cannot be written in place is not because others of its batch can.
            all.ranges.extend(members.into_iter().map(|m| {
                let enabled = circuit.updates.registers[m].enable.is_some();
                Range { members: vec![m], how: if enabled { How::Enabled } else { How::Copied } }
            }));
            continue;
        }
        if members.len() < VECTOR_LANES {
            all.single.extend(members);
            continue;
        }
        sort_by_lane(circuit, &mut members);
        let mut rest = members.as_slice();
        while let Some(first) = rest.first() {
            let straight = |rest: &[usize]| {
                let group = *starts.get(&next_node(circuit, rest[0])?).filter(|group| !taken.contains(*group))?;
                Some((groups[group].len(), straight(circuit, rest, group, &groups[group], uses)?))
            };
            let (count, how) = straight(rest).unwrap_or_else(|| {
                let enabled = |m: usize| circuit.updates.registers[m].enable.is_some();
                let plain = |at: &usize| enabled(rest[*at]) == enabled(*first) && straight(&rest[*at..]).is_none();
                let count = 1 + (1..rest.len()).take_while(plain).count();
                (count, if enabled(*first) { How::Enabled } else { How::Copied })
            });
            if let How::Computed(group) | How::Summed(group) = how {
                taken.insert(group);
            }
            all.ranges.push(Range { members: rest[..count].to_vec(), how });
            rest = &rest[count..];
        }
    }
    all
}

/// Registers whose next values are one batch of nodes that may be computed right into them.
fn straight(circuit: &Circuit, rest: &[usize], group: usize, nodes: &[NodeId], uses: &[u32]) -> Option<How> {
    let members = rest.get(..nodes.len())?;
    let enabled = circuit.updates.registers[members[0]].enable.is_some();
    let same = members
        .iter()
        .zip(nodes)
        .all(|(m, n)| next_node(circuit, *m) == Some(*n) && circuit.updates.registers[*m].enable.is_some() == enabled);
    let store = circuit.store(circuit.updates.registers[members[0]].storage);
    // What is only loaded has to be read before it is written, which nothing here sees to.
    let computed = !matches!(circuit.netlist.node(nodes[0]).op, Op::Parity(_) | Op::Load(..));
    if !same || !computed || circuit.netlist.kind(nodes[0]).bytes() != store.bytes {
        return None;
    }
    if !enabled {
        return Some(How::Computed(group));
    }
    let sum = nodes.iter().all(|n| Sum::of(circuit, *n).is_some_and(|sum| sum.alone(*n, uses)));
    sum.then_some(How::Summed(group))
}

/// A register's next value that is a sum, or a sum cut to a signed width.
#[derive(Clone, Copy, Debug)]
pub struct Sum {
    /// The sum.
    pub node: NodeId,
    /// Host types.
    pub mixed: Mixed,
    /// Bits that are left of it.
    pub width: u32,
}

impl Sum {
    /// Of a register's next value, if it is one.
    pub fn of(circuit: &Circuit, next: NodeId) -> Option<Self> {
        let kind = circuit.netlist.kind(next);
        let node = match circuit.netlist.node(next).op {
            Op::Field(sum, 0) if kind.signed => sum,
            _ => next,
        };
        let Op::Binary(Binary::Add, a, b) = circuit.netlist.node(node).op else { return None };
        let mixed = Mixed::of(circuit.netlist.kind(a), circuit.netlist.kind(b), kind.bytes())?;
        let width = if node == next { 8 * kind.bytes() } else { kind.width };
        Some(Self { node, mixed, width })
    }

    /// True when nobody else uses it.
    fn alone(self, next: NodeId, uses: &[u32]) -> bool {
        uses[next.index()] == 1 && uses[self.node.index()] == 1
    }
}

impl Range {
    fn storages<'a>(&'a self, circuit: &'a Circuit) -> impl Iterator<Item = StorageId> + 'a {
        self.members.iter().map(|m| circuit.updates.registers[*m].storage)
    }

    fn bytes(&self, circuit: &Circuit) -> u32 {
        circuit.store(circuit.updates.registers[self.members[0]].storage).bytes
    }

    /// True for one register of more than 64 bits.
    fn is_wide(&self, circuit: &Circuit) -> bool {
        circuit.store(circuit.updates.registers[self.members[0]].storage).kind.width > 64
    }

    /// Storages that are read while it is written.
    fn sources(&self, circuit: &Circuit) -> Vec<StorageId> {
        let mut sources: Vec<StorageId> = self.reads(circuit).into_iter().filter_map(|n| load_of(circuit, n)).collect();
        self.members.iter().for_each(|m| circuit.updates.registers[*m].next.storages(&mut sources));
        sources
    }

    /// Nodes that are read while it is written.
    fn reads(&self, circuit: &Circuit) -> Vec<NodeId> {
        let mut nodes = Vec::new();
        let nexts = self.members.iter().filter_map(|m| next_node(circuit, *m));
        if self.is_wide(circuit) {
            self.members.iter().for_each(|m| circuit.updates.registers[*m].next.nodes(&mut nodes));
        }
        match self.how {
            How::Computed(_) => nexts.for_each(|n| circuit.netlist.node(n).op.operands(|o| nodes.push(o))),
            How::Summed(_) => nexts.filter_map(|n| Sum::of(circuit, n)).for_each(|sum| {
                circuit.netlist.node(sum.node).op.operands(|o| nodes.push(o));
            }),
            How::Copied | How::Enabled => nodes.extend(nexts),
        }
        nodes.extend(self.members.iter().filter_map(|m| circuit.updates.registers[*m].enable));
        nodes
    }

    /// Lets its next values be computed elsewhere.
    fn give_up(&mut self) {
        self.how = match self.how {
            How::Summed(_) | How::Enabled => How::Enabled,
            How::Computed(_) | How::Copied => How::Copied,
        };
    }

    /// True when nothing that it reads is overwritten too early by itself: own values move by whole rows of lanes.
    fn tolerates_itself(&self, circuit: &Circuit) -> bool {
        let lanes: HashMap<StorageId, i64> = self.storages(circuit).zip(0..).collect();
        let own = |id: NodeId| match circuit.netlist.node(id).op {
            Op::Load(storage, _) => lanes.get(&storage).copied(),
            _ => None,
        };
        if !matches!(self.how, How::Computed(_)) {
            return self.sources(circuit).iter().all(|s| !lanes.contains_key(s));
        }
        let mut moves = BTreeSet::new();
        for (lane, member) in self.members.iter().enumerate() {
            let Some(next) = next_node(circuit, *member) else { return false };
            let mut position = 0;
            circuit.netlist.node(next).op.operands(|o| {
                if let Some(from) = own(o) {
                    let ready = lies_ready(circuit, o) == Some(0);
                    moves.insert((position, if ready { from - lane as i64 } else { 0 }));
                }
                position += 1;
            });
        }
        let far = |by: i64| by.unsigned_abs() >= u64::from(LEAST_SHIFT / self.bytes(circuit));
        moves.len() <= 1 && moves.into_iter().all(|(_, by)| far(by))
    }

    /// Bytes that are not copied when it is written in place; `None` when it cannot be.
    fn worth(&self, circuit: &Circuit, uses: &[u32]) -> Option<u32> {
        let bytes = self.bytes(circuit) * self.members.len() as u32;
        let possible = match self.how {
            How::Copied => false,
            How::Enabled | How::Summed(_) => bytes >= WORTH_ENABLED || self.is_wide(circuit),
            How::Computed(_) => {
                let alone = |m: &usize| next_node(circuit, *m).is_some_and(|n| uses[n.index()] == 1);
                bytes >= WORTH_ALWAYS && self.members.iter().all(alone)
            }
        };
        (possible && self.tolerates_itself(circuit)).then_some(bytes)
    }
}

/// Batches whose registers are written in place: the largest first, as long as there is an order in which
/// everything is read before it is written.
pub fn in_place(circuit: &Circuit, all: &Ranges) -> BTreeSet<u32> {
    let uses = uses(circuit);
    let batch = |r: &Range| circuit.store(circuit.updates.registers[r.members[0]].storage).batch;
    let mut worth: BTreeMap<u32, Option<u32>> = BTreeMap::new();
    for range in &all.ranges {
        let entry = worth.entry(batch(range)).or_insert(Some(0));
        *entry = entry.zip(range.worth(circuit, &uses)).map(|(a, b)| a + b);
    }
    let mut candidates: Vec<(u32, u32)> = worth.into_iter().filter_map(|(b, bytes)| Some((bytes?, b))).collect();
    candidates.sort_by_key(|(bytes, batch)| (std::cmp::Reverse(*bytes), *batch));
    let mut writer: HashMap<StorageId, usize> = HashMap::new();
    for (index, range) in all.ranges.iter().enumerate() {
        range.storages(circuit).for_each(|s| {
            writer.insert(s, index);
        });
    }
    let follows: Vec<BTreeSet<usize>> = all
        .ranges
        .iter()
        .enumerate()
        .map(|(index, range)| {
            let writers = range.sources(circuit).into_iter().filter_map(|s| writer.get(&s).copied());
            writers.filter(|w| *w != index).collect()
        })
        .collect();
    // A wide word that is only sometimes read waits elsewhere, so that nothing stands in its way and nothing is done in the
    // other cycles; all of its batch do, also those that are read in every cycle.
    let always = |r: &&ReadUpdate| matches!(circuit.netlist.node(r.enable).op, Op::Const(1));
    let wide = circuit.updates.reads.iter().filter(|r| circuit.store(r.storage).kind.width > 64);
    let waiting = wide.filter(|r| !always(r));
    let mut chosen: BTreeSet<u32> = waiting.map(|r| circuit.store(r.storage).batch).collect();
    let mut taken = vec![false; all.ranges.len()];
    for (_, candidate) in candidates {
        let own: Vec<usize> = (0..all.ranges.len()).filter(|r| batch(&all.ranges[*r]) == candidate).collect();
        own.iter().for_each(|r| taken[*r] = true);
        if has_order(&follows, &taken) {
            chosen.insert(candidate);
        } else {
            own.iter().for_each(|r| taken[*r] = false);
        }
    }
    chosen
}

fn has_order(follows: &[BTreeSet<usize>], taken: &[bool]) -> bool {
    let edges = follows
        .iter()
        .enumerate()
        .filter(|(from, _)| taken[*from])
        .flat_map(|(from, to)| to.iter().filter(|t| taken[**t]).map(move |t| (from as u32, *t as u32)));
    petgraph::algo::toposort(&DiGraph::<(), ()>::from_edges(edges), None).is_ok()
}

impl Ranges {
    /// Gives up what the layout does not allow.
    pub fn settle(&mut self, circuit: &Circuit, layout: &Layout) {
        let uses = uses(circuit);
        self.single.retain(|m| !layout.is_moved(circuit, *m));
        for range in &mut self.ranges {
            let members = range.members.len();
            let (chained, rest): (Vec<usize>, Vec<usize>) =
                range.members.iter().partition(|m| layout.is_chained(circuit, **m));
            if rest.len() < members {
                self.single.extend(chained.into_iter().filter(|m| !layout.is_moved(circuit, *m)));
                range.members = rest;
                range.give_up();
            }
        }
        self.ranges.retain(|r| !r.members.is_empty());
        for range in &mut self.ranges {
            let in_place = layout.is_in_place(circuit, range.members[0]);
            let keep = match range.how {
                How::Copied | How::Enabled => true,
                How::Summed(_) => in_place,
                How::Computed(_) => !in_place || range.worth(circuit, &uses).is_some(),
            };
            if !keep {
                range.give_up();
            }
        }
    }

    /// The first register that a batch of nodes is computed into.
    pub fn taken(&self) -> HashMap<usize, usize> {
        let taken = self.ranges.iter().filter_map(|r| match r.how {
            How::Computed(group) => Some((group, r.members[0])),
            _ => None,
        });
        taken.collect()
    }

    /// Nodes that exist only within [`Unit::Sums`].
    pub fn summed(&self, circuit: &Circuit) -> BTreeSet<NodeId> {
        let ranges = self.ranges.iter().filter(|r| matches!(r.how, How::Summed(_)));
        let next = ranges.flat_map(|r| r.members.iter().filter_map(|m| next_node(circuit, *m)));
        next.flat_map(|n| Sum::of(circuit, n).map(|sum| [n, sum.node])).flatten().collect()
    }

    /// What is left to be done besides computing batches.
    pub fn into_units(self, circuit: &Circuit) -> Vec<Unit> {
        let mut units: Vec<Unit> = self.single.into_iter().map(Unit::Register).collect();
        units.extend(self.ranges.into_iter().filter_map(|r| match r.how {
            How::Computed(_) => None,
            How::Summed(_) => Some(Unit::Sums(r.members)),
            How::Copied | How::Enabled if r.is_wide(circuit) => Some(Unit::Register(r.members[0])),
            How::Copied | How::Enabled => Some(Unit::Registers(r.members)),
        }));
        units
    }
}
