//! Chains of registers, each of which holds what the one before held a cycle ago: delay lines, pipelines of flags.
//!
//! They stand one behind the other in memory, all of one size together, so that one copy by an element moves all of
//! them. The first register of a chain then gets what the copy brought from the chain before; its own value comes later.

use super::VECTOR_LANES;
use super::groups::lies_ready;
use crate::circuit::Circuit;
use crate::lower::RegisterUpdate;
use crate::lower::value::{Piece, Repr, Source};
use crate::netlist::{NodeId, Op, StorageId};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Bytes that registers of a batch have to take from neighbours on average, so that the batch stays together.
const WORTH_A_BATCH: usize = 16;

/// Storages in the order in which they stand in memory, by the bytes of one.
pub type Chains = BTreeMap<u32, Vec<StorageId>>;

/// The storage whose whole value a register takes at every edge.
pub fn source(circuit: &Circuit, register: &RegisterUpdate) -> Option<StorageId> {
    if register.enable.is_some() {
        return None;
    }
    let own = circuit.store(register.storage);
    let source = match &register.next.repr {
        Repr::Node(next) => whole(circuit, *next)?,
        Repr::Wide(pieces) => match pieces[..] {
            [Piece { width, source: Source::Storage(storage, 0) }] if width == circuit.store(storage).kind.width => {
                storage
            }
            _ => return None,
        },
    };
    (circuit.store(source).bytes == own.bytes && source != register.storage).then_some(source)
}

/// The storage whose whole value a node is.
fn whole(circuit: &Circuit, id: NodeId) -> Option<StorageId> {
    let node = circuit.netlist.node(id);
    match node.op {
        Op::Load(storage, 0) if lies_ready(circuit, id) == Some(0) => {
            let store = circuit.store(storage);
            (store.kind.width <= 64 && node.kind.bytes() == store.bytes).then_some(storage)
        }
        _ => None,
    }
}

/// Chains of at least two registers that have two places.
pub fn chains(circuit: &Circuit, in_place: &BTreeSet<u32>) -> Chains {
    let free = loose(circuit, in_place);
    let mut after: HashMap<StorageId, StorageId> = HashMap::new();
    let mut follows: BTreeSet<StorageId> = BTreeSet::new();
    for register in &circuit.updates.registers {
        let Some(source) = source(circuit, register).filter(|s| free.contains(s)) else { continue };
        if free.contains(&register.storage) && !after.contains_key(&source) {
            after.insert(source, register.storage);
            follows.insert(register.storage);
        }
    }
    let mut chains = Chains::new();
    let mut done: BTreeSet<StorageId> = BTreeSet::new();
    // Rings have no first register: any will do, after all chains that have one.
    let firsts = free.iter().filter(|s| !follows.contains(s)).chain(free.iter().filter(|s| follows.contains(s)));
    for first in firsts.filter(|s| after.contains_key(s)) {
        let mut next = Some(*first);
        while let Some(storage) = next.filter(|s| done.insert(*s)) {
            chains.entry(circuit.store(storage).bytes).or_default().push(storage);
            next = after.get(&storage).copied();
        }
    }
    chains
}

/// Storages that no kernel wants side by side with others of their batch.
fn loose(circuit: &Circuit, in_place: &BTreeSet<u32>) -> BTreeSet<StorageId> {
    let mut batches: BTreeMap<u32, Vec<StorageId>> = BTreeMap::new();
    for (index, store) in circuit.stores.iter().enumerate() {
        let storage = StorageId(index as u32);
        if store.same_as == storage && !store.zero && !store.input && !in_place.contains(&store.batch) {
            batches.entry(store.batch).or_default().push(storage);
        }
    }
    let registers = circuit.updates.registers.iter();
    let sources: HashMap<StorageId, StorageId> =
        registers.filter_map(|r| Some((r.storage, source(circuit, r)?))).collect();
    for members in batches.values_mut() {
        members.sort_by_key(|m| (circuit.store(*m).lane, *m));
    }
    let position: HashMap<StorageId, (u32, usize)> = batches
        .iter()
        .flat_map(|(batch, members)| members.iter().enumerate().map(|(at, member)| (*member, (*batch, at))))
        .collect();
    let is_loose = |members: &Vec<StorageId>| {
        let from: Vec<_> = members.iter().map(|m| sources.get(m).and_then(|s| position.get(s))).collect();
        let copies = from.iter().flatten().count();
        let neighbours = |pair: &&[Option<&(u32, usize)>]| match pair {
            [Some((a, at)), Some((b, next))] => a == b && at + 1 == *next,
            _ => false,
        };
        let runs = members.len() - from.windows(2).filter(neighbours).count();
        let bytes = members.len() * circuit.store(members[0]).bytes as usize;
        members.len() < VECTOR_LANES || 2 * copies > members.len() && bytes < WORTH_A_BATCH * runs
    };
    batches.into_values().filter(is_loose).flatten().collect()
}
