//! Where storages lie.

use super::{Base, Place, allocate};
use crate::circuit::Circuit;
use std::collections::{BTreeMap, BTreeSet};

/// Places of all storages: batches of one signal side by side, in structure-of-arrays form.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Of each storage; of one that another stands for, the other's.
    pub places: Vec<Place>,
    /// Bytes of one copy of the state.
    pub state_bytes: u32,
    /// Bytes at the start of scratch memory that keep their contents: inputs and registers written in place.
    pub held_bytes: u32,
    in_place: BTreeSet<u32>,
}

impl Layout {
    /// Lays the storages out; registers of the batches `in_place` have one place instead of two.
    pub fn new(circuit: &Circuit, in_place: BTreeSet<u32>) -> Self {
        let mut batches: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (index, store) in circuit.stores.iter().enumerate().filter(|(i, s)| s.same_as.index() == *i && !s.zero) {
            batches.entry(store.batch).or_default().push(index);
        }
        let nowhere = Place { base: Base::Current, offset: 0 };
        let (mut state_bytes, mut held_bytes) = (0, 0);
        let mut places = vec![nowhere; circuit.stores.len()];
        for (batch, mut members) in batches {
            members.sort_by_key(|m| (circuit.stores[*m].lane, *m));
            let first = &circuit.stores[members[0]];
            let held = first.input || in_place.contains(&batch);
            let (base, used) = if held { (Base::Scratch, &mut held_bytes) } else { (Base::Current, &mut state_bytes) };
            // Inputs are written in whole limbs.
            let bytes = if first.input { first.bytes.next_multiple_of(8) } else { first.bytes };
            let at = allocate(used, bytes * members.len() as u32);
            for (lane, index) in members.iter().enumerate() {
                places[*index] = Place { base, offset: at + lane as u32 * bytes };
            }
        }
        for (index, store) in circuit.stores.iter().enumerate() {
            places[index] = places[store.same_as.index()];
        }
        Self { places, state_bytes, held_bytes: held_bytes.next_multiple_of(64), in_place }
    }

    /// True when a register (by its place among the updates) is written in place.
    pub fn is_in_place(&self, circuit: &Circuit, register: usize) -> bool {
        let storage = circuit.updates.registers[register].storage;
        self.in_place.contains(&circuit.store(storage).batch)
    }
}
