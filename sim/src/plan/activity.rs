//! What each value depends on, of all that is watched.

use super::{Base, Layout, Unit};
use crate::circuit::Circuit;
use crate::netlist::{NodeId, Op, StorageId};
use crate::profile::Profile;
use std::cell::RefCell;
use std::collections::HashMap;

/// A set of bits among the limbs of changes, by its number; `None` stands for what may change without notice.
pub type Support = Option<u32>;

/// Supports of all values.
#[derive(Debug)]
pub struct Activity {
    sets: Vec<Vec<(u32, u64)>>,
    known: HashMap<Vec<(u32, u64)>, u32>,
    unions: HashMap<(u32, u32), u32>,
    of: Vec<Support>,
    /// Samples in which something of a set changed, where that was asked for.
    active: RefCell<HashMap<u32, usize>>,
}

/// How often a value may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rate {
    /// In less than one cycle of [`SELDOM`], or it is not known yet.
    Seldom,
    /// Between both.
    Sometimes,
    /// In more than one cycle of [`OFTEN`].
    Often,
    /// In every cycle, without notice.
    Always,
}

const SELDOM: usize = 16;
const OFTEN: usize = 3;

impl Activity {
    /// Of a circuit whose batches are those of the given units.
    pub fn new<'u>(circuit: &Circuit, layout: &Layout, units: impl Iterator<Item = &'u Unit>) -> Self {
        let mut this = Self {
            sets: vec![Vec::new()],
            known: HashMap::from([(Vec::new(), 0)]),
            unions: HashMap::new(),
            of: vec![Some(0); circuit.netlist.len()],
            active: RefCell::default(),
        };
        let mut batched = vec![false; circuit.netlist.len()];
        for unit in units.filter(|u| u.is_vector()) {
            unit.makes().iter().for_each(|id| batched[id.index()] = true);
        }
        let mut leaves: HashMap<StorageId, Support> = HashMap::new();
        for id in &circuit.live {
            let op = &circuit.netlist.node(*id).op;
            let mut support = if batched[id.index()] { None } else { Some(0) };
            if let Op::Load(storage, _) = op {
                let leaf = *leaves.entry(*storage).or_insert_with(|| this.leaf(circuit, layout, *storage));
                support = this.union(support, leaf);
            }
            op.operands(|o| support = this.union(support, this.of[o.index()]));
            this.of[id.index()] = support;
        }
        this
    }

    fn leaf(&mut self, circuit: &Circuit, layout: &Layout, storage: StorageId) -> Support {
        let bits = layout.watch.bits(circuit, storage, layout.places[storage.index()])?;
        Some(self.intern(bits))
    }

    fn intern(&mut self, set: Vec<(u32, u64)>) -> u32 {
        if let Some(known) = self.known.get(&set) {
            return *known;
        }
        let number = self.sets.len() as u32;
        self.sets.push(set.clone());
        self.known.insert(set, number);
        number
    }

    /// What depends on both.
    pub fn union(&mut self, a: Support, b: Support) -> Support {
        let (a, b) = (a?, b?);
        if a == b || b == 0 {
            return Some(a);
        }
        if a == 0 {
            return Some(b);
        }
        let key = (a.min(b), a.max(b));
        if let Some(known) = self.unions.get(&key) {
            return Some(*known);
        }
        let set = joined(&self.sets[a as usize], &self.sets[b as usize]);
        let union = self.intern(set);
        self.unions.insert(key, union);
        Some(union)
    }

    /// Limbs of changes and bits of them.
    pub fn set(&self, support: u32) -> &[(u32, u64)] {
        &self.sets[support as usize]
    }

    /// How often a value may change, by the profile.
    pub fn rate(&self, profile: &Profile, id: NodeId) -> Rate {
        let Some(support) = self.of[id.index()] else { return Rate::Always };
        if !profile.is_closed() {
            return Rate::Seldom;
        }
        let samples = || profile.with(self.set(support)).count() as usize;
        let active = *self.active.borrow_mut().entry(support).or_insert_with(samples);
        if active * OFTEN > profile.len() {
            Rate::Often
        } else if active * SELDOM > profile.len() {
            Rate::Sometimes
        } else {
            Rate::Seldom
        }
    }

    /// What a unit depends on; none if it is to be done in every cycle.
    pub fn of_unit(&mut self, circuit: &Circuit, layout: &Layout, unit: &Unit) -> Support {
        match unit {
            Unit::Scalar(_) | Unit::Choice(_) => {
                unit.makes().iter().try_fold(0, |all, id| self.union(Some(all), self.of[id.index()]))
            }
            Unit::Register(index) => self.of_register(circuit, layout, *index),
            _ => None,
        }
    }

    fn of_register(&mut self, circuit: &Circuit, layout: &Layout, index: usize) -> Support {
        let register = &circuit.updates.registers[index];
        if layout.places[register.storage.index()].base != Base::Watched {
            return None;
        }
        let (mut nodes, mut storages) = (Vec::new(), Vec::new());
        register.operands(&mut nodes);
        register.next.storages(&mut storages);
        storages.extend(register.enable.map(|_| register.storage));
        let nodes = nodes.into_iter().try_fold(0, |all, id| self.union(Some(all), self.of[id.index()]));
        storages.into_iter().fold(nodes, |all, storage| {
            let leaf = self.leaf(circuit, layout, storage);
            self.union(all, leaf)
        })
    }
}

/// The bits that are in one of both sets, in order.
pub fn joined(a: &[(u32, u64)], b: &[(u32, u64)]) -> Vec<(u32, u64)> {
    let (mut a, mut b) = (a.iter().copied().peekable(), b.iter().copied().peekable());
    let mut all = Vec::new();
    loop {
        let (x, y) = (a.peek().map(|x| x.0), b.peek().map(|y| y.0));
        let next = match (x, y) {
            (Some(x), Some(y)) if x == y => a.next().zip(b.next()).map(|(p, q)| (x, p.1 | q.1)),
            (Some(x), Some(y)) if x > y => b.next(),
            (None, Some(_)) => b.next(),
            _ => a.next(),
        };
        match next {
            Some(bits) => all.push(bits),
            None => return all,
        }
    }
}
