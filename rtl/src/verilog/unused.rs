//! Which bits the text reads, and the line that names those that nothing reads.
//!
//! Dropping low bits of a product or high bits of an address is normal; linters want to see that it is meant.

use super::format::{bits_of, wrap};
use super::printer::{Named, Printer};
use crate::{Direction, SignalId};
use std::collections::BTreeMap;

/// Bits that are read, per signal or temporary.
#[derive(Debug, Default)]
pub struct Coverage(BTreeMap<(bool, usize), Vec<bool>>);

fn key(named: Named) -> (bool, usize) {
    match named {
        Named::Signal(id) => (false, id.index()),
        Named::Temporary(index) => (true, index),
    }
}

impl Coverage {
    /// Marks bits as read.
    pub fn mark(&mut self, named: Named, total: u32, low: u32, width: u32) {
        let bits = self.0.entry(key(named)).or_insert_with(|| vec![false; total as usize]);
        bits.iter_mut().skip(low as usize).take(width as usize).for_each(|bit| *bit = true);
    }

    /// Runs of bits that nothing reads, as `(low, width)`.
    fn gaps(&self, named: Named, total: u32) -> Vec<(u32, u32)> {
        let unread = vec![false; total as usize];
        let bits = self.0.get(&key(named)).unwrap_or(&unread);
        let mut gaps = Vec::new();
        let mut at = 0;
        for run in bits.chunk_by(|a, b| a == b) {
            if !run[0] {
                gaps.push((at, run.len() as u32));
            }
            at += run.len() as u32;
        }
        gaps
    }
}

impl Printer<'_> {
    /// The wire that collects unread bits; empty when there are none.
    pub(super) fn unused(&mut self) -> String {
        let signals = self.module.signal_ids().filter(|id| self.may_go_unread(*id)).map(|id| {
            let signal = self.module.signal(id);
            (signal.name.as_str(), Named::Signal(id), signal.ty.total_width())
        });
        let temporaries =
            self.temporaries.iter().enumerate().map(|(i, t)| (t.name.as_str(), Named::Temporary(i), t.width));
        let mut parts = Vec::new();
        for (name, named, total) in signals.chain(temporaries) {
            for (low, width) in self.coverage.gaps(named, total) {
                parts.push(bits_of(name, total, low, width));
            }
        }
        if parts.is_empty() {
            return String::new();
        }
        let name = self.names.fresh("unused");
        let line = wrap(&format!("    wire {name} = &{{1'b0, {}}};", parts.join(", ")), 8);
        format!("\n    // Bits that nothing reads.\n{line}\n")
    }

    fn may_go_unread(&self, id: SignalId) -> bool {
        self.module.signal(id).port != Some(Direction::Output)
    }
}
