//! What is watched for changes, so that what depends on nothing that changed can be left out.
//!
//! Watched state lies in lines of scratch memory, each followed by the line of its next values. At the edge all lines are
//! compared and copied; what differs leaves a bit for each byte. Inputs are compared with those of the last time, and
//! chains with what they were moved to. A wide register that is written in place has a byte instead that counts its
//! writes.

use super::{Base, Place, allocate};
use crate::buffer::{Buffer, Regions};
use crate::changes;
use crate::circuit::Circuit;
use crate::netlist::StorageId;
use std::collections::HashMap;
use std::ops::Range;

/// Bytes that are compared together, a bit of a limb for each.
pub const LINE: u32 = 64;

/// Watched state on its way into lines.
#[derive(Debug, Default)]
pub struct Lines {
    used: u32,
}

impl Lines {
    /// A place within one line for so many bytes, as if the first line were at 0.
    pub fn place(&mut self, bytes: u32) -> Place {
        let at = allocate(&mut self.used, bytes);
        let at = if at / LINE == (at + bytes - 1) / LINE { at } else { at.next_multiple_of(LINE) };
        self.used = at + bytes;
        Place { base: Base::Watched, offset: at / LINE * 2 * LINE + at % LINE }
    }
}

/// Where changes are looked for and noted.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// Bytes of all inputs, at the start of scratch memory.
    pub inputs: u32,
    /// The state that chains move in, from a line on.
    pub chains: Range<u32>,
    /// Bytes that count the writes of registers.
    pub versions: HashMap<StorageId, Place>,
    /// The inputs of the last time, in scratch memory.
    last_inputs: u32,
    /// First line and number of lines of watched state.
    first: u32,
    lines: u32,
    /// Limbs in scratch memory with a bit for each byte: lines of inputs, of watched state, of chains.
    changes: u32,
}

impl Watch {
    /// Places all of it in scratch memory; returns where the lines are.
    pub fn allocate(&mut self, watched: Lines, held_bytes: &mut u32) -> u32 {
        let mut room = |bytes: u32| allocate(held_bytes, bytes.next_multiple_of(LINE).max(LINE));
        self.lines = watched.used.div_ceil(LINE);
        self.last_inputs = room(self.inputs);
        self.first = room(2 * LINE * self.lines);
        self.changes = room(8 * self.limbs());
        let first = self.first;
        self.versions.values_mut().for_each(|place| place.moved_by(first));
        first
    }

    fn input_lines(&self) -> u32 {
        self.inputs.div_ceil(LINE)
    }

    fn limbs(&self) -> u32 {
        self.input_lines() + self.lines + (self.chains.len() as u32).div_ceil(LINE)
    }

    /// The byte that counts the writes of a register.
    pub fn version(&self, storage: StorageId) -> Option<Place> {
        self.versions.get(&storage).copied()
    }

    /// Where a limb of changes is.
    pub fn limb(&self, index: u32) -> Place {
        Place { base: Base::Scratch, offset: self.changes + 8 * index }
    }

    /// The limbs, and bits of them, that tell of a change of a storage; none when it is not watched.
    pub fn bits(&self, circuit: &Circuit, storage: StorageId, place: Place) -> Option<Vec<(u32, u64)>> {
        let store = circuit.store(storage);
        let (mut limb, mut at, bytes) = match place.base {
            Base::Scratch if store.input => (place.offset / LINE, place.offset % LINE, store.bytes),
            Base::Watched => self.line(place, store.bytes),
            Base::Current => self.chain(place, store.bytes)?,
            _ => self.line(self.version(storage)?, 1),
        };
        let (mut all, mut left) = (Vec::new(), bytes);
        while left > 0 {
            let count = left.min(LINE - at);
            all.push((limb, (u64::MAX >> (LINE - count)) << at));
            (limb, at, left) = (limb + 1, 0, left - count);
        }
        Some(all)
    }

    fn line(&self, place: Place, bytes: u32) -> (u32, u32, u32) {
        let at = place.offset - self.first;
        (self.input_lines() + at / (2 * LINE), at % LINE, bytes)
    }

    fn chain(&self, place: Place, bytes: u32) -> Option<(u32, u32, u32)> {
        let at = place.offset.checked_sub(self.chains.start).filter(|_| self.chains.contains(&place.offset))?;
        Some((self.input_lines() + self.lines + at / LINE, at % LINE, bytes))
    }

    /// Before values are computed: notes which inputs changed.
    pub fn notice_inputs(&self, regions: &mut Regions) {
        let scratch = regions.scratch.limbs_mut();
        let (inputs, rest) = scratch.split_at_mut(self.last_inputs as usize / 8);
        let (last, rest) = rest.split_at_mut((self.first - self.last_inputs) as usize / 8);
        let noted = &mut rest[(self.changes - self.first) as usize / 8..][..self.input_lines() as usize];
        changes::take(inputs.as_chunks().0, last.as_chunks_mut().0, noted);
    }

    /// At the edge: notes what of the state changed; what is watched takes its next values.
    pub fn settle(&self, regions: &mut Regions) {
        let scratch = regions.scratch.limbs_mut();
        let (lines, noted) = scratch.split_at_mut(self.changes as usize / 8);
        let (inputs, noted) = noted.split_at_mut(self.input_lines() as usize);
        inputs.fill(0);
        let (states, noted) = noted.split_at_mut(self.lines as usize);
        let pairs = lines[self.first as usize / 8..].as_chunks_mut().0.as_chunks_mut().0;
        changes::settle(pairs, states);
        let (first, lines) = (self.chains.start as usize / 8, self.chains.len().div_ceil(LINE as usize));
        let [now, next] = [&regions.current, &regions.next].map(|buffer| buffer.limbs()[first..].as_chunks().0);
        changes::compare(&now[..lines], &next[..lines], noted);
    }

    /// At the edge: what is watched takes its next values, where nobody asks for changes.
    pub fn advance(&self, regions: &mut Regions) {
        let lines = &mut regions.scratch.limbs_mut()[self.first as usize / 8..self.changes as usize / 8];
        changes::advance(lines.as_chunks_mut().0.as_chunks_mut().0);
    }

    /// Everything is to be computed anew.
    pub fn all_changed(&self, scratch: &mut Buffer) {
        let first = self.changes as usize / 8;
        scratch.limbs_mut()[first..first + self.limbs() as usize].fill(u64::MAX);
    }

    /// What changed from the cycle before to this one.
    pub fn changes<'r>(&self, regions: &'r Regions) -> &'r [u64] {
        let first = self.changes as usize / 8;
        &regions.scratch.limbs()[first..first + self.limbs() as usize]
    }
}

impl Place {
    /// Watched places move to where the lines are.
    pub fn moved_by(&mut self, bytes: u32) {
        if self.base == Base::Watched {
            self.offset += bytes;
        }
    }
}
