//! What every engine that runs a design can do: the fast simulator, the reference interpreter, other tools' models.

use crate::{Ports, SimError};
use heatvit_rtl::{Bits, Design, Direction, Interpreter};

/// A top port, looked up once by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortId(pub u32);

/// Runs a design cycle by cycle. Outputs are those of the present inputs and state.
pub trait Engine {
    /// Looks up a top input; `rst` is one.
    ///
    /// # Errors
    /// When there is no such input.
    fn input(&self, name: &str) -> Result<PortId, SimError>;

    /// Looks up a top output.
    ///
    /// # Errors
    /// When there is no such output.
    fn output(&self, name: &str) -> Result<PortId, SimError>;

    /// Sets an input from little-endian limbs; missing limbs are zero, surplus bits are dropped.
    fn set(&mut self, port: PortId, limbs: &[u64]);

    /// Reads an output into little-endian limbs; limbs beyond its width become zero.
    fn get(&mut self, port: PortId, limbs: &mut [u64]);

    /// One rising clock edge.
    fn step(&mut self);

    /// Sets all inputs at once. `ports` are those of the engine's design.
    fn drive(&mut self, ports: &Ports, frame: &[u64]) {
        for port in &ports.inputs {
            if let Ok(id) = self.input(&port.name) {
                self.set(id, &frame[port.limbs()]);
            }
        }
    }

    /// Reads all outputs at once. `ports` are those of the engine's design.
    fn observe(&mut self, ports: &Ports, frame: &mut [u64]) {
        for port in &ports.outputs {
            if let Ok(id) = self.output(&port.name) {
                self.get(id, &mut frame[port.limbs()]);
            }
        }
    }

    /// Sets an input of at most 64 bits.
    fn set_u64(&mut self, port: PortId, value: u64) {
        self.set(port, &[value]);
    }

    /// The low 64 bits of an output.
    fn get_u64(&mut self, port: PortId) -> u64 {
        let mut limb = [0];
        self.get(port, &mut limb);
        limb[0]
    }
}

/// So that an engine can be lent to a board and outlive it.
impl<E: Engine + ?Sized> Engine for &mut E {
    fn input(&self, name: &str) -> Result<PortId, SimError> {
        (**self).input(name)
    }

    fn output(&self, name: &str) -> Result<PortId, SimError> {
        (**self).output(name)
    }

    fn set(&mut self, port: PortId, limbs: &[u64]) {
        (**self).set(port, limbs);
    }

    fn get(&mut self, port: PortId, limbs: &mut [u64]) {
        (**self).get(port, limbs);
    }

    fn step(&mut self) {
        (**self).step();
    }

    fn drive(&mut self, ports: &Ports, frame: &[u64]) {
        (**self).drive(ports, frame);
    }

    fn observe(&mut self, ports: &Ports, frame: &mut [u64]) {
        (**self).observe(ports, frame);
    }
}

/// The port `rst`.
pub(crate) const RESET: PortId = PortId(u32::MAX);

/// Position of a top port among the top module's signals.
pub(crate) fn find_port(design: &Design, name: &str, direction: Direction) -> Result<PortId, SimError> {
    if name == "rst" && direction == Direction::Input {
        return Ok(RESET);
    }
    let top = design.module(design.top().ok_or(SimError::NoTop)?);
    top.ports()
        .find(|(_, s)| s.name == name && s.port == Some(direction))
        .map(|(id, _)| PortId(id.index() as u32))
        .ok_or(SimError::NoPort {
            direction: if direction == Direction::Input { "input" } else { "output" },
            name: name.to_owned(),
        })
}

/// The reference interpreter as an engine.
#[derive(Debug)]
pub struct Reference<'d> {
    design: &'d Design,
    interpreter: Interpreter<'d>,
}

impl<'d> Reference<'d> {
    /// Elaborates the design.
    ///
    /// # Errors
    /// When the design is empty.
    pub fn new(design: &'d Design) -> Result<Self, SimError> {
        let interpreter = Interpreter::new(design).map_err(|_| SimError::NoTop)?;
        Ok(Self { design, interpreter })
    }

    /// The interpreter behind it.
    pub fn interpreter(&mut self) -> &mut Interpreter<'d> {
        &mut self.interpreter
    }

    fn name(&self, port: PortId) -> (String, u32) {
        let signals = self.design.top().map(|t| &self.design.module(t).signals);
        match signals.and_then(|s| s.get(port.0 as usize)) {
            Some(signal) => (signal.name.clone(), signal.ty.total_width()),
            None => ("rst".to_owned(), 1),
        }
    }
}

impl Engine for Reference<'_> {
    fn input(&self, name: &str) -> Result<PortId, SimError> {
        find_port(self.design, name, Direction::Input)
    }

    fn output(&self, name: &str) -> Result<PortId, SimError> {
        find_port(self.design, name, Direction::Output)
    }

    fn set(&mut self, port: PortId, limbs: &[u64]) {
        let (name, width) = self.name(port);
        // A port id comes from `input`, so the name exists.
        let _ = self.interpreter.set_input(&name, &Bits::from_limbs(width, limbs));
    }

    fn get(&mut self, port: PortId, limbs: &mut [u64]) {
        let (name, _) = self.name(port);
        limbs.fill(0);
        if let Ok(bits) = self.interpreter.output(&name) {
            limbs.iter_mut().zip(bits.limbs()).for_each(|(to, from)| *to = *from);
        }
    }

    fn step(&mut self) {
        self.interpreter.step();
    }
}
