//! The order of units.

use super::Unit;
use crate::SimError;
use crate::circuit::Circuit;
use crate::lower::value::Value;
use crate::netlist::StorageId;
use std::collections::{BTreeMap, HashMap};

/// Units in an order in which everything is made before it is used, in two parts: what makes the kept values, the rest.
/// Stays with single nodes or with batches as long as it can, so that kernel calls stand together.
///
/// # Errors
/// Units that wait for each other, which no plan should have.
pub fn order(circuit: &Circuit, units: Vec<Unit>) -> Result<(Vec<Unit>, Vec<Unit>), SimError> {
    let mut maker: Vec<Option<usize>> = vec![None; circuit.netlist.len()];
    for (index, unit) in units.iter().enumerate() {
        unit.makes().iter().for_each(|id| maker[id.index()] = Some(index));
    }
    let makers: Vec<Vec<usize>> = units
        .iter()
        .map(|unit| {
            let mut makers: Vec<usize> = unit.reads(circuit).iter().filter_map(|n| maker[n.index()]).collect();
            makers.sort_unstable();
            makers.dedup();
            makers
        })
        .collect();
    let early = early(circuit, &maker, &makers);
    let sequence = sequence(&units, &makers)?;
    let mut units: Vec<Option<Unit>> = units.into_iter().map(Some).collect();
    let (first, second): (Vec<usize>, Vec<usize>) = sequence.into_iter().partition(|i| early[*i]);
    let mut take = |which: Vec<usize>| which.into_iter().filter_map(|i| units[i].take()).collect();
    Ok((take(first), take(second)))
}

/// Units that kept values need.
fn early(circuit: &Circuit, maker: &[Option<usize>], makers: &[Vec<usize>]) -> Vec<bool> {
    let mut nodes = Vec::new();
    circuit.kept.iter().for_each(|v: &Value| v.nodes(&mut nodes));
    let mut early = vec![false; makers.len()];
    let mut open: Vec<usize> = nodes.iter().filter_map(|n| maker[n.index()]).collect();
    while let Some(unit) = open.pop() {
        if !std::mem::replace(&mut early[unit], true) {
            open.extend(&makers[unit]);
        }
    }
    early
}

fn sequence(units: &[Unit], makers: &[Vec<usize>]) -> Result<Vec<usize>, SimError> {
    let mut waiting: Vec<usize> = makers.iter().map(Vec::len).collect();
    let mut users: Vec<Vec<usize>> = vec![Vec::new(); units.len()];
    for (index, makers) in makers.iter().enumerate() {
        makers.iter().for_each(|m| users[*m].push(index));
    }
    let kind = |i: usize| usize::from(units[i].is_vector());
    let mut ready: [Vec<usize>; 2] = [Vec::new(), Vec::new()];
    (0..units.len()).rev().filter(|i| waiting[*i] == 0).for_each(|i| ready[kind(i)].push(i));
    let (mut sequence, mut mode) = (Vec::with_capacity(units.len()), 0);
    while let Some(next) = ready[mode].pop().or_else(|| {
        mode = 1 - mode;
        ready[mode].pop()
    }) {
        sequence.push(next);
        for user in &users[next] {
            waiting[*user] -= 1;
            if waiting[*user] == 0 {
                ready[kind(*user)].push(*user);
            }
        }
    }
    if sequence.len() == units.len() { Ok(sequence) } else { Err(SimError::Code("units wait for each other".into())) }
}

/// Units that write in place, in an order in which everything is read before it is written.
///
/// # Errors
/// Units that wait for each other, which no plan should have.
pub fn in_place(circuit: &Circuit, units: Vec<Unit>) -> Result<Vec<Unit>, SimError> {
    let mut takers = HashMap::new();
    for register in &circuit.updates.registers {
        let mut nodes = Vec::new();
        register.next.nodes(&mut nodes);
        takers.extend(nodes.into_iter().map(|n| (n, register.storage)));
    }
    let mut writer: HashMap<StorageId, usize> = HashMap::new();
    for (index, unit) in units.iter().enumerate() {
        writer.extend(unit.targets(circuit, &takers).into_iter().map(|s| (s, index)));
    }
    let mut before: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, unit) in units.iter().enumerate() {
        for storage in unit.sources(circuit) {
            if let Some(writer) = writer.get(&storage).filter(|w| **w != index) {
                before.entry(*writer).or_default().push(index);
            }
        }
    }
    let makers: Vec<Vec<usize>> = (0..units.len())
        .map(|i| {
            let mut readers = before.remove(&i).unwrap_or_default();
            readers.sort_unstable();
            readers.dedup();
            readers
        })
        .collect();
    let sequence = sequence(&units, &makers)?;
    let mut units: Vec<Option<Unit>> = units.into_iter().map(Some).collect();
    Ok(sequence.into_iter().filter_map(|i| units[i].take()).collect())
}
