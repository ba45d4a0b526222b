//! Where storages lie.

use super::chains::{Chains, source};
use super::watch::{Lines, Watch};
use super::{Base, LINE, Place, VECTOR_LANES, allocate};
use crate::circuit::{Circuit, Store};
use crate::lower::ReadUpdate;
use crate::netlist::StorageId;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Bytes of a limb; inputs are written in whole limbs.
const LIMB: u32 = 8;

/// Places of all storages: batches of one signal side by side, in structure-of-arrays form.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Of each storage; of one that another stands for, the other's.
    pub places: Vec<Place>,
    /// Bytes of one copy of the state.
    pub state_bytes: u32,
    /// Bytes at the start of scratch memory that keep their contents: the limbs of all inputs side by side in the order
    /// of declaration, and registers written in place.
    pub held_bytes: u32,
    in_place: BTreeSet<u32>,
    /// What is watched for changes.
    pub watch: Watch,
    /// Copies that move all chains on.
    pub moves: Vec<Move>,
    /// Of each storage in a chain the one before it in memory; none of the first.
    chained: HashMap<StorageId, Option<StorageId>>,
}

/// A stretch of state that moves on by one element at every edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// Where it starts.
    pub offset: u32,
    /// Its size.
    pub bytes: u32,
    /// Bytes of an element.
    pub element: u32,
}

impl Layout {
    /// Lays the storages out; registers of the batches `in_place` have one place instead of two.
    pub fn new(circuit: &Circuit, in_place: BTreeSet<u32>, chains: &Chains) -> Self {
        let with_before = |chain: &Vec<StorageId>| {
            let before = std::iter::once(None).chain(chain.iter().copied().map(Some));
            chain.iter().copied().zip(before).collect::<Vec<_>>()
        };
        let chained: HashMap<StorageId, Option<StorageId>> = chains.values().flat_map(with_before).collect();
        let mut batches: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        let own = |(index, store): &(usize, &Store)| store.same_as.index() == *index && !store.zero && !store.input;
        for (index, store) in circuit.stores.iter().enumerate().filter(own) {
            batches.entry(store.batch).or_default().push(index);
        }
        let nowhere = Place { base: Base::Current, offset: 0 };
        let (mut state_bytes, mut held_bytes) = (0, 0);
        let mut watched = Lines::default();
        let mut watch = Watch::default();
        let mut places = vec![nowhere; circuit.stores.len()];
        for (index, store) in circuit.stores.iter().enumerate().filter(|(_, s)| s.input) {
            places[index] = Place { base: Base::Scratch, offset: held_bytes };
            held_bytes += store.bytes.next_multiple_of(LIMB);
        }
        watch.inputs = held_bytes;
        for (batch, mut members) in batches {
            // Where there are more, ranges of them are written as if they lay side by side, also without the chained ones.
            let single = members.len() < VECTOR_LANES;
            members.retain(|m| !chained.contains_key(&StorageId(*m as u32)));
            members.sort_by_key(|m| (circuit.stores[*m].lane, *m));
            let Some(first) = members.first() else { continue };
            let first = &circuit.stores[*first];
            let held = in_place.contains(&batch);
            if held && first.kind.width > 64 {
                watch.versions.extend(members.iter().map(|m| (StorageId(*m as u32), watched.place(1))));
            }
            if !held && single && first.bytes <= LINE {
                members.iter().for_each(|m| places[*m] = watched.place(first.bytes));
                continue;
            }
            let (base, used) = if held { (Base::Scratch, &mut held_bytes) } else { (Base::Current, &mut state_bytes) };
            let bytes = first.bytes;
            let at = allocate(used, bytes * members.len() as u32);
            for (lane, index) in members.iter().enumerate() {
                places[*index] = Place { base, offset: at + lane as u32 * bytes };
            }
        }
        let mut moves = Vec::new();
        for (element, chain) in chains {
            let bytes = element * chain.len() as u32;
            let offset = allocate(&mut state_bytes, bytes.max(64));
            moves.push(Move { offset, bytes, element: *element });
            for (at, storage) in (0..).zip(chain) {
                places[storage.index()] = Place { base: Base::Current, offset: offset + at * element };
            }
        }
        // They lie one behind the other, each from a line on.
        let ends = moves.first().zip(moves.last());
        watch.chains = ends.map_or(0..0, |(first, last)| first.offset..last.offset + last.bytes);
        let base = watch.allocate(watched, &mut held_bytes);
        places.iter_mut().for_each(|place| place.moved_by(base));
        for (index, store) in circuit.stores.iter().enumerate() {
            places[index] = places[store.same_as.index()];
        }
        Self { watch, places, state_bytes, held_bytes: held_bytes.next_multiple_of(64), in_place, moves, chained }
    }

    /// True when a register (by its place among the updates) stands in a chain.
    pub fn is_chained(&self, circuit: &Circuit, register: usize) -> bool {
        self.chained.contains_key(&circuit.updates.registers[register].storage)
    }

    /// True when a register gets its next value by a move.
    pub fn is_moved(&self, circuit: &Circuit, register: usize) -> bool {
        let register = &circuit.updates.registers[register];
        let before = self.chained.get(&register.storage).copied().flatten();
        before.is_some() && before == source(circuit, register)
    }

    /// True for a wide word from a memory whose register is written in place: it waits in scratch memory until all is
    /// read and all memories are written.
    pub fn waits(&self, circuit: &Circuit, read: &ReadUpdate) -> bool {
        let store = circuit.store(read.storage);
        store.kind.width > 64 && self.in_place.contains(&store.batch)
    }

    /// True when a register (by its place among the updates) is written in place.
    pub fn is_in_place(&self, circuit: &Circuit, register: usize) -> bool {
        let storage = circuit.updates.registers[register].storage;
        self.in_place.contains(&circuit.store(storage).batch)
    }
}
