//! Streams of events read off signals: where a probe's enable is 1, its fields are written down.

use crate::{SignalHandle, SimError, Simulator};

/// What to write down, and when.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Name, for reports.
    pub name: String,
    /// One bit.
    pub enable: SignalHandle,
    /// Signals to be written down.
    pub fields: Vec<SignalHandle>,
}

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Cycle, as given to [`Recorder::sample`].
    pub cycle: u64,
    /// Index of the probe.
    pub probe: u32,
    first: usize,
}

/// Collects events.
#[derive(Debug, Default)]
pub struct Recorder {
    probes: Vec<Probe>,
    events: Vec<Event>,
    limbs: Vec<u64>,
    widths: Vec<Vec<usize>>,
}

impl Recorder {
    /// A recorder of some probes of a simulator.
    pub fn new(simulator: &Simulator, probes: Vec<Probe>) -> Self {
        let limbs = |f: &SignalHandle| simulator.width(*f).div_ceil(64) as usize;
        let widths = probes.iter().map(|p| p.fields.iter().map(limbs).collect()).collect();
        Self { probes, widths, ..Self::default() }
    }

    /// The probes.
    pub fn probes(&self) -> &[Probe] {
        &self.probes
    }

    /// Looks at all probes in the present cycle.
    ///
    /// # Errors
    /// When the design has to be compiled again and that fails.
    pub fn sample(&mut self, simulator: &mut Simulator, cycle: u64) -> Result<(), SimError> {
        for (index, probe) in self.probes.iter().enumerate() {
            let mut enable = [0];
            simulator.read(probe.enable, &mut enable)?;
            if enable[0] & 1 == 0 {
                continue;
            }
            self.events.push(Event { cycle, probe: index as u32, first: self.limbs.len() });
            for (field, count) in probe.fields.iter().zip(&self.widths[index]) {
                let at = self.limbs.len();
                self.limbs.resize(at + count, 0);
                simulator.read(*field, &mut self.limbs[at..])?;
            }
        }
        Ok(())
    }

    /// All events in order.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Value of a field of an event, little-endian limbs; empty when there is no such field.
    pub fn field(&self, event: &Event, field: usize) -> &[u64] {
        let widths = &self.widths[event.probe as usize];
        let Some(count) = widths.get(field) else { return &[] };
        let first = event.first + widths[..field].iter().sum::<usize>();
        &self.limbs[first..first + count]
    }

    /// Forgets all events.
    pub fn clear(&mut self) {
        self.events.clear();
        self.limbs.clear();
    }
}
