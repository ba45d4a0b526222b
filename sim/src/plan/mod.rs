//! What is done in a cycle, in which order, and where every value lies.
//!
//! A cycle has four parts: values that are read from outside, all other values with the registers that have two
//! places, memory writes, and last the registers that are written over in place.

mod activity;
mod chains;
mod choices;
mod groups;
mod layout;
mod order;
mod outlook;
mod packs;
mod parts;
mod registers;
mod watch;

use crate::SimError;
use crate::circuit::Circuit;
use crate::netlist::{NodeId, Op, StorageId};
use crate::profile::Profile;
use activity::Activity;
use packs::{Bytes, Packed};
use std::collections::{HashMap, HashSet};

pub use choices::Choice;
pub use layout::{Layout, Move};
pub use outlook::Outlook;
pub use parts::Part;
pub use registers::{Sum, next_node};
pub use watch::LINE;

/// Fewest lanes for which a batch runs as a kernel rather than lane by lane.
pub const VECTOR_LANES: usize = 8;

/// Bytes of the vectors in which generated code computes.
pub const VECTOR: u32 = 16;

/// Reads of one enable that are worth a branch.
const FEWEST_READS: usize = 4;

/// A region of the simulator's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Base {
    /// State of this cycle.
    Current,
    /// State of the next cycle.
    Next,
    /// Inputs, registers that are written in place, constants and values.
    Scratch,
    /// State of this cycle that is watched for changes: lines of scratch memory, each followed by that of the next cycle.
    Watched,
    /// The next state of what is watched.
    Coming,
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

    /// Where the next state of a storage goes that is here now.
    pub fn next(self) -> Self {
        match self.base {
            Base::Current => Self { base: Base::Next, ..self },
            Base::Watched => Self { base: Base::Coming, offset: self.offset + LINE },
            Base::Next | Base::Scratch | Base::Coming => self,
        }
    }
}

/// Reserves bytes.
pub fn allocate(used: &mut u32, bytes: u32) -> u32 {
    let align = if bytes >= 64 { 64 } else { bytes.next_power_of_two() };
    let at = used.next_multiple_of(align.max(1));
    *used = at + bytes;
    at
}

/// Reserves scratch memory for lanes of so many bytes, up to the end of their last vector.
pub fn reserve_lanes(used: &mut u32, bytes: u32, lanes: usize) -> Place {
    let size = (bytes * lanes as u32).next_multiple_of(VECTOR);
    Place { base: Base::Scratch, offset: allocate(used, size.max(LINE)) }
}

/// Something to be done once per cycle. Numbers are places among the circuit's updates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unit {
    /// One node.
    Scalar(NodeId),
    /// Single choices that a branch decides together.
    Choice(Box<Choice>),
    /// Single units that are left out while nothing changes that they depend on.
    Part(Box<Part>),
    /// A batch of nodes, as one kernel over its lanes.
    Batch(Vec<NodeId>),
    /// Registers that take what their neighbour holds.
    Move(Move),
    /// Registers of one batch with neighbouring lanes.
    Registers(Vec<usize>),
    /// The same with enables, where each takes the sum of two values that nobody else needs.
    Sums(Vec<usize>),
    /// One register.
    Register(usize),
    /// Memory read ports that share an enable.
    Read(Vec<usize>),
    /// The word of such a port, see [`waits`], reaches its register.
    Take(usize),
    /// Memory write ports that share an enable.
    Write(Vec<usize>),
}

impl Unit {
    /// Nodes that it reads.
    pub fn reads(&self, circuit: &Circuit) -> Vec<NodeId> {
        let (netlist, updates) = (&circuit.netlist, &circuit.updates);
        let mut nodes = Vec::new();
        match self {
            Self::Scalar(id) => netlist.node(*id).op.operands(|o| nodes.push(o)),
            Self::Choice(choice) => {
                nodes.push(choice.condition);
                (0..2).for_each(|side| nodes.extend(choice.operands(circuit, side)));
                choice.sides.iter().flatten().for_each(|unit| nodes.extend(unit.reads(circuit)));
            }
            Self::Part(part) => part.units.iter().for_each(|unit| nodes.extend(unit.reads(circuit))),
            Self::Batch(ids) => ids.iter().for_each(|id| netlist.node(*id).op.operands(|o| nodes.push(o))),
            Self::Registers(members) => members.iter().for_each(|m| updates.registers[*m].operands(&mut nodes)),
            Self::Sums(members) => {
                let mut next = Vec::new();
                members.iter().for_each(|m| updates.registers[*m].next.nodes(&mut next));
                let sums = next.iter().filter_map(|n| Sum::of(circuit, *n));
                sums.for_each(|sum| netlist.node(sum.node).op.operands(|o| nodes.push(o)));
                nodes.extend(members.iter().filter_map(|m| updates.registers[*m].enable));
            }
            Self::Move(_) | Self::Take(_) => {}
            Self::Register(index) => updates.registers[*index].operands(&mut nodes),
            Self::Read(ports) => {
                ports.iter().for_each(|p| nodes.extend([updates.reads[*p].enable, updates.reads[*p].address]));
            }
            Self::Write(ports) => ports.iter().for_each(|p| updates.writes[*p].operands(&mut nodes)),
        }
        nodes
    }

    /// Storages that it reads, but for those read by other units on the way.
    pub fn sources(&self, circuit: &Circuit) -> Vec<StorageId> {
        let mut sources: Vec<StorageId> =
            self.reads(circuit).into_iter().filter_map(|n| registers::load_of(circuit, n)).collect();
        if let Self::Register(index) = self {
            circuit.updates.registers[*index].next.storages(&mut sources);
        }
        sources
    }

    /// Storages that it writes, which for nodes are those of the registers that take them.
    fn targets(&self, circuit: &Circuit, takers: &HashMap<NodeId, StorageId>) -> Vec<StorageId> {
        let updates = &circuit.updates;
        match self {
            Self::Registers(members) | Self::Sums(members) => {
                members.iter().map(|m| updates.registers[*m].storage).collect()
            }
            Self::Register(index) => vec![updates.registers[*index].storage],
            Self::Read(ports) => ports.iter().map(|p| updates.reads[*p].storage).collect(),
            Self::Take(index) => vec![updates.reads[*index].storage],
            Self::Scalar(_) | Self::Choice(_) | Self::Part(_) | Self::Batch(_) | Self::Move(_) | Self::Write(_) => {
                self.makes().iter().filter_map(|n| takers.get(n).copied()).collect()
            }
        }
    }

    /// Nodes that it computes.
    pub fn makes(&self) -> &[NodeId] {
        match self {
            Self::Scalar(id) => std::slice::from_ref(id),
            Self::Batch(ids) => ids,
            Self::Choice(choice) => &choice.muxes,
            _ => &[],
        }
    }

    /// Single units that it consists of.
    pub fn size(&self) -> usize {
        match self {
            Self::Choice(choice) => choice.muxes.len() + choice.sides.iter().flatten().map(Self::size).sum::<usize>(),
            Self::Part(part) => part.units.iter().map(Self::size).sum(),
            _ => 1,
        }
    }

    /// True when it is one call of a kernel or a few.
    fn is_vector(&self) -> bool {
        matches!(self, Self::Batch(_) | Self::Registers(_) | Self::Sums(_))
    }
}

/// The plan.
#[derive(Debug, Default)]
pub struct Plan {
    /// Makes the values that are read from outside.
    pub evaluate: Vec<Unit>,
    /// Makes the rest and the next state of registers that have two places.
    pub cycle: Vec<Unit>,
    /// Memory writes.
    pub commit: Vec<Unit>,
    /// Registers that are written in place; all is read before it is written.
    pub update: Vec<Unit>,
    /// Places of nodes that have one from the start (batches, whole storages).
    pub homes: HashMap<NodeId, Place>,
    /// Nodes that are bytes of another one's place, and need no work.
    pub read_in_place: HashSet<NodeId>,
    /// Bytes of scratch memory used so far.
    pub scratch_bytes: u32,
    /// Whether it pays to plan again once it is known what changes.
    pub outlook: Outlook,
}

impl Plan {
    /// Plans a cycle; a layout is made for the first one and kept after that, because the state lies in it.
    ///
    /// # Errors
    /// Units that wait for each other, which no circuit should lead to.
    pub fn new(circuit: &Circuit, layout: Option<Layout>, profile: &Profile) -> Result<(Self, Layout), SimError> {
        let Packed { groups, bytes } = groups::groups(circuit);
        let mut ranges = registers::ranges(circuit, &groups, &registers::uses(circuit));
        let layout = layout.unwrap_or_else(|| {
            let in_place = registers::in_place(circuit, &ranges);
            let chains = chains::chains(circuit, &in_place);
            Layout::new(circuit, in_place, &chains)
        });
        ranges.settle(circuit, &layout);
        let mut plan = Self { scratch_bytes: layout.held_bytes, ..Self::default() };
        plan.place_loads(circuit, &layout);
        plan.place_groups(circuit, &layout, &groups, &ranges);
        plan.place_bytes(circuit, &bytes);
        let (units, update) = plan.units(circuit, &layout, groups, ranges);
        plan.update = order::in_place(circuit, update)?;
        plan.commit = writes(circuit);
        let mut activity = Activity::new(circuit, &layout, units.iter().chain(&plan.update));
        plan.outlook = Outlook::new(circuit, &layout, &mut activity, units.iter().chain(&plan.update));
        let (evaluate, cycle) = order::order(circuit, choices::gather(circuit, &activity, profile, units))?;
        let reads = |units: &[Unit]| units.iter().flat_map(|u| u.reads(circuit)).collect::<Vec<_>>();
        let edge = [reads(&plan.commit), reads(&plan.update)].concat();
        let mut later = [edge.as_slice(), &reads(&cycle)].concat();
        circuit.kept.iter().for_each(|v| v.nodes(&mut later));
        // What is brought into a chain's first register is written over by its own unit, so moves come first.
        let moves = layout.moves.iter().copied().map(Unit::Move);
        let mut divided = |units, outside: &[NodeId]| divide(circuit, &layout, &mut activity, profile, units, outside);
        plan.cycle = moves.chain(divided(cycle, &edge)).collect();
        plan.evaluate = divided(evaluate, &later);
        Ok((plan, layout))
    }

    /// Loads that need no work: they are read where they lie.
    fn place_loads(&mut self, circuit: &Circuit, layout: &Layout) {
        for id in &circuit.live {
            if let Some(byte) = groups::lies_ready(circuit, *id)
                && let Op::Load(storage, _) = circuit.netlist.node(*id).op
            {
                self.homes.insert(*id, layout.places[storage.index()].plus(byte));
            }
        }
    }

    /// Batches get a place: that of the registers that take them, or one of their own.
    fn place_groups(&mut self, circuit: &Circuit, layout: &Layout, groups: &[Vec<NodeId>], ranges: &registers::Ranges) {
        let (taken, summed) = (ranges.taken(), ranges.summed(circuit));
        let batches = groups.iter().enumerate().filter(|(_, g)| g.len() >= VECTOR_LANES && !summed.contains(&g[0]));
        for (index, nodes) in batches {
            let bytes = circuit.netlist.kind(nodes[0]).bytes();
            let place = match taken.get(&index) {
                Some(first) => layout.places[circuit.updates.registers[*first].storage.index()].next(),
                None => reserve_lanes(&mut self.scratch_bytes, bytes, nodes.len()),
            };
            for (lane, id) in nodes.iter().enumerate() {
                self.homes.insert(*id, place.plus(lane as u32 * bytes));
            }
        }
    }

    /// Values of which packs read bytes get places side by side, and the bytes are there.
    fn place_bytes(&mut self, circuit: &Circuit, bytes: &[Bytes]) {
        for Bytes { node, of, first } in bytes {
            let whole = circuit.netlist.kind(*of).bytes();
            let place = *self.homes.entry(*of).or_insert_with(|| {
                let offset = allocate(&mut self.scratch_bytes, whole);
                Place { base: Base::Scratch, offset }
            });
            self.homes.insert(*node, place.plus(*first));
            self.read_in_place.insert(*node);
        }
    }

    /// Units in no particular order: those of the cycle, and those that write in place.
    fn units(
        &self,
        circuit: &Circuit,
        layout: &Layout,
        groups: Vec<Vec<NodeId>>,
        ranges: registers::Ranges,
    ) -> (Vec<Unit>, Vec<Unit>) {
        let (mut cycle, mut update) = (Vec::new(), Vec::new());
        let (taken, summed) = (ranges.taken(), ranges.summed(circuit));
        for (index, nodes) in groups.into_iter().enumerate().filter(|(_, g)| !summed.contains(&g[0])) {
            if !groups::is_batch(circuit, &nodes) {
                cycle.extend(nodes.into_iter().map(Unit::Scalar));
                continue;
            }
            let in_place = taken.get(&index).is_some_and(|first| layout.is_in_place(circuit, *first));
            if in_place { &mut update } else { &mut cycle }.push(Unit::Batch(nodes));
        }
        for unit in ranges.into_units(circuit) {
            let in_place = match &unit {
                Unit::Registers(members) | Unit::Sums(members) => layout.is_in_place(circuit, members[0]),
                Unit::Register(index) => layout.is_in_place(circuit, *index),
                _ => false,
            };
            if in_place { &mut update } else { &mut cycle }.push(unit);
        }
        let reads = circuit.updates.reads.iter();
        update.extend(reads.enumerate().filter(|(_, r)| layout.waits(circuit, r)).map(|(index, _)| Unit::Take(index)));
        cycle.extend(read_ports(circuit));
        (cycle, update)
    }
}

/// Parts of what is not to be done in every cycle, and then the rest, which may need it but not the other way round.
/// `outside` are nodes that others need.
fn divide(
    circuit: &Circuit,
    layout: &Layout,
    activity: &mut Activity,
    profile: &Profile,
    units: Vec<Unit>,
    outside: &[NodeId],
) -> Vec<Unit> {
    let (quiet, busy): (Vec<Unit>, Vec<Unit>) =
        units.into_iter().partition(|u| activity.of_unit(circuit, layout, u).is_some());
    let needed = busy.iter().flat_map(|u| u.reads(circuit));
    let needed: Vec<NodeId> = needed.chain(outside.iter().copied()).collect();
    let quiet = choices::nest(circuit, quiet, &needed);
    let mut all = parts::parts(circuit, layout, activity, profile, quiet);
    all.extend(choices::nest(circuit, busy, outside));
    all
}

/// Read ports of words of at most 64 bits that share an enable, together where a branch pays; the others by themselves.
fn read_ports(circuit: &Circuit) -> Vec<Unit> {
    let mut together: std::collections::BTreeMap<NodeId, Vec<usize>> = std::collections::BTreeMap::new();
    let mut units = Vec::new();
    for (index, read) in circuit.updates.reads.iter().enumerate() {
        let narrow = circuit.updates.memories[read.memory].width <= 64;
        let constant = matches!(circuit.netlist.node(read.enable).op, Op::Const(_));
        if narrow && !constant {
            together.entry(read.enable).or_default().push(index);
        } else {
            units.push(Unit::Read(vec![index]));
        }
    }
    let (many, few): (Vec<Vec<usize>>, Vec<Vec<usize>>) =
        together.into_values().partition(|ports| ports.len() >= FEWEST_READS);
    units.extend(many.into_iter().map(Unit::Read));
    units.extend(few.into_iter().flatten().map(|index| Unit::Read(vec![index])));
    units
}

/// Write ports that share an enable, together; ports of one memory keep their order.
fn writes(circuit: &Circuit) -> Vec<Unit> {
    let mut ordered: std::collections::BTreeMap<(usize, NodeId), Vec<usize>> = std::collections::BTreeMap::new();
    for (index, write) in circuit.updates.writes.iter().enumerate() {
        if !matches!(circuit.netlist.node(write.enable).op, Op::Const(0)) {
            ordered.entry((write.port, write.enable)).or_default().push(index);
        }
    }
    ordered.into_values().map(Unit::Write).collect()
}
