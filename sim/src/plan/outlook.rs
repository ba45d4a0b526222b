//! Whether it would pay to leave out what does not change.

use super::activity::Activity;
use super::{Layout, Unit};
use crate::circuit::Circuit;
use crate::profile::Profile;
use std::collections::BTreeMap;

/// A call of a kernel, and bytes that it handles in the time of a single unit.
const CALL: usize = 8;
const BYTES: usize = 16;
/// The part of the work that has to be left out to pay.
const WORTH: f64 = 0.2;

/// The work of a cycle, in single units.
#[derive(Clone, Debug, Default)]
pub struct Outlook {
    total: f64,
    /// Units that depend on the same limbs of changes, and bits of them.
    quiet: Vec<(Vec<(u32, u64)>, f64)>,
}

impl Outlook {
    /// Of the units of a cycle.
    pub fn new<'u>(
        circuit: &Circuit,
        layout: &Layout,
        activity: &mut Activity,
        units: impl Iterator<Item = &'u Unit>,
    ) -> Self {
        let (mut total, mut quiet) = (0.0, BTreeMap::new());
        for unit in units {
            let work = work(circuit, unit);
            total += work;
            if let Some(support) = activity.of_unit(circuit, layout, unit) {
                *quiet.entry(support).or_insert(0.0) += work;
            }
        }
        let quiet = quiet.into_iter().map(|(support, work)| (activity.set(support).to_vec(), work)).collect();
        Self { total, quiet }
    }

    /// True when it would not pay even if nothing ever changed.
    pub fn is_hopeless(&self) -> bool {
        self.quiet.iter().map(|(_, work)| work).sum::<f64>() <= WORTH * self.total
    }

    /// True when enough of the work would have been left out so far.
    pub fn is_good(&self, profile: &Profile) -> bool {
        let samples = (profile.len() as f64).max(1.0);
        let idle = |set: &[(u32, u64)]| 1.0 - f64::from(profile.with(set).count()) / samples;
        self.quiet.iter().map(|(set, work)| work * idle(set)).sum::<f64>() > WORTH * self.total
    }
}

fn work(circuit: &Circuit, unit: &Unit) -> f64 {
    let bytes: usize = match unit {
        Unit::Batch(nodes) => nodes.iter().map(|id| circuit.netlist.kind(*id).bytes() as usize).sum(),
        Unit::Registers(members) | Unit::Sums(members) => {
            members.iter().map(|m| circuit.store(circuit.updates.registers[*m].storage).bytes as usize).sum()
        }
        _ => return unit.size() as f64,
    };
    (CALL + bytes / BYTES) as f64
}
