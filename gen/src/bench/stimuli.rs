//! Stimuli: what every input of a design is in every cycle. Made by hand or recorded from a run.

use heatvit_rtl::{Design, Direction};
use heatvit_sim::{Engine, PortId, SimError};

/// A port in a frame of limbs (64 bits, the port's lowest bits first).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Name.
    pub name: String,
    /// Bits.
    pub width: u32,
    /// Its first limb in the frame.
    pub offset: usize,
}

impl Port {
    /// Its limbs in the frame.
    pub fn limbs(&self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.width.div_ceil(64) as usize
    }
}

/// The ports of a design's top, side by side in a frame for each direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ports {
    /// Inputs in the order of declaration, then `rst` where there is one.
    pub inputs: Vec<Port>,
    /// Outputs in the order of declaration.
    pub outputs: Vec<Port>,
    /// Whether the design has a clock.
    pub clocked: bool,
}

impl Ports {
    /// Of a design.
    ///
    /// # Errors
    /// An empty design.
    pub fn of(design: &Design) -> Result<Self, SimError> {
        let top = design.top().ok_or(SimError::NoTop)?;
        let module = design.module(top);
        let pick = |direction: Direction| {
            let ports = module.ports().filter(move |(_, s)| s.port == Some(direction));
            ports.map(|(_, s)| (s.name.clone(), s.ty.total_width()))
        };
        let reset = design.needs_reset(top).then(|| ("rst".to_owned(), 1));
        Ok(Self {
            inputs: side_by_side(pick(Direction::Input).chain(reset)),
            outputs: side_by_side(pick(Direction::Output)),
            clocked: design.needs_clock(top),
        })
    }

    /// Limbs of a frame of inputs.
    pub fn input_limbs(&self) -> usize {
        self.inputs.last().map_or(0, |p| p.limbs().end)
    }

    /// Limbs of a frame of outputs.
    pub fn output_limbs(&self) -> usize {
        self.outputs.last().map_or(0, |p| p.limbs().end)
    }
}

fn side_by_side(ports: impl Iterator<Item = (String, u32)>) -> Vec<Port> {
    let mut offset = 0;
    ports
        .map(|(name, width)| {
            let port = Port { name, width, offset };
            offset = port.limbs().end;
            port
        })
        .collect()
}

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

    /// The frame of a cycle; after the last one the first follows.
    pub fn frame(&self, cycle: u64) -> &[u64] {
        let at = (cycle % self.len().max(1) as u64) as usize * self.frame;
        &self.limbs[at..at + self.frame]
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
