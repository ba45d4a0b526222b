//! All ports of a design's top, side by side in a frame of limbs for each direction.

use crate::SimError;
use heatvit_rtl::{Design, Direction};
use std::ops::Range;

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
    pub fn limbs(&self) -> Range<usize> {
        self.offset..self.offset + self.width.div_ceil(64) as usize
    }
}

/// The ports of a design's top.
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
