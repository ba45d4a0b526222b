//! Stimuli: what every input of a design is in every cycle. Made by hand or recorded from a run.

use heatvit_sim::{Engine, Port, PortId, Ports, SimError};

/// Frames of inputs, one for each cycle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stimuli {
    limbs: Vec<u64>,
    frame: usize,
}

impl Stimuli {
    /// None yet, for frames of so many limbs.
    pub fn new(frame: usize) -> Self {
        Self { limbs: Vec::new(), frame }
    }

    /// Adds the next cycle's frame.
    pub fn push(&mut self, frame: &[u64]) {
        debug_assert_eq!(frame.len(), self.frame);
        self.limbs.extend(frame);
    }

    /// Frames.
    pub fn len(&self) -> usize {
        self.limbs.len().checked_div(self.frame).unwrap_or(0)
    }

    /// True when there is no frame.
    pub fn is_empty(&self) -> bool {
        self.limbs.is_empty()
    }

    /// The frames of all cycles; after the last one the first follows.
    pub fn frames(&self) -> impl Iterator<Item = &[u64]> {
        self.limbs.chunks_exact(self.frame.max(1)).cycle()
    }

    /// All of them as little-endian bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.limbs.iter().flat_map(|limb| limb.to_le_bytes()).collect()
    }
}

/// An engine that keeps what its inputs are at every edge.
#[derive(Debug)]
pub struct Recording<E> {
    engine: E,
    inputs: Vec<(PortId, Port)>,
    frame: Vec<u64>,
    stimuli: Stimuli,
}

impl<E: Engine> Recording<E> {
    /// Around an engine of a design with these ports.
    ///
    /// # Errors
    /// When the engine has not one of them.
    pub fn new(engine: E, ports: &Ports) -> Result<Self, SimError> {
        let inputs = ports.inputs.iter().map(|p| Ok((engine.input(&p.name)?, p.clone())));
        let inputs = inputs.collect::<Result<_, SimError>>()?;
        let limbs = ports.input_limbs();
        Ok(Self { engine, inputs, frame: vec![0; limbs], stimuli: Stimuli::new(limbs) })
    }

    /// What was recorded.
    pub fn take(&mut self) -> Stimuli {
        let empty = Stimuli::new(self.frame.len());
        std::mem::replace(&mut self.stimuli, empty)
    }
}

impl<E: Engine> Engine for Recording<E> {
    fn input(&self, name: &str) -> Result<PortId, SimError> {
        self.engine.input(name)
    }

    fn output(&self, name: &str) -> Result<PortId, SimError> {
        self.engine.output(name)
    }

    fn set(&mut self, port: PortId, limbs: &[u64]) {
        if let Some((_, place)) = self.inputs.iter().find(|(id, _)| *id == port) {
            let kept = heatvit_rtl::Bits::from_limbs(place.width, limbs);
            self.frame[place.limbs()].copy_from_slice(kept.limbs());
        }
        self.engine.set(port, limbs);
    }

    fn get(&mut self, port: PortId, limbs: &mut [u64]) {
        self.engine.get(port, limbs);
    }

    fn step(&mut self) {
        self.stimuli.push(&self.frame);
        self.engine.step();
    }
}
