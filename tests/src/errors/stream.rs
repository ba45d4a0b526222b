//! The program's bytes under edit.

use heatvit_hdl::schedule::Program;
use heatvit_hdl::schedule::descriptor::{Field, Opcode, flags};

/// Bytes of a descriptor.
pub const DESCRIPTOR: usize = 64;

/// A program with the places of its descriptors.
#[derive(Clone, Debug)]
pub struct Stream {
    pub bytes: Vec<u8>,
    /// Byte at which each descriptor begins, in order.
    pub descriptors: Vec<usize>,
}

impl Stream {
    /// Finds the descriptors as the hardware does: by what each says about the vectors behind it.
    pub fn new(program: &Program) -> Self {
        let mut this = Self { bytes: program.stream.clone(), descriptors: Vec::new() };
        let (rows, columns) = (program.layout.rows, program.layout.columns);
        let mut at = 0;
        loop {
            this.descriptors.push(at);
            let field = |f: Field| usize::from(this.get(at, f));
            let opcode = this.get(at, Field::Opcode);
            let vectors = if opcode == Opcode::End as u16 {
                return this;
            } else if opcode == Opcode::FillResidual as u16 {
                field(Field::Amount)
            } else if opcode == Opcode::Product as u16 {
                let from_stream = field(Field::Flags) >> flags::STATIONARY & 3 == 0;
                let parameters = (8 * columns).div_ceil(rows);
                let tile = parameters + field(Field::ReductionTiles) * columns;
                if from_stream { field(Field::OutputTiles) * tile } else { 0 }
            } else {
                assert!([Opcode::SetCount as u16, Opcode::Select as u16].contains(&opcode), "{opcode:#x} at {at}");
                0
            };
            at += DESCRIPTOR + (vectors * rows).next_multiple_of(DESCRIPTOR);
        }
    }

    /// A field of the descriptor at a byte.
    pub fn get(&self, at: usize, field: Field) -> u16 {
        let at = at + 2 * field as usize;
        u16::from_le_bytes([self.bytes[at], self.bytes[at + 1]])
    }

    /// Sets a field of the descriptor at a byte.
    pub fn set(&mut self, at: usize, field: Field, value: u16) {
        let at = at + 2 * field as usize;
        assert_ne!(self.bytes[at..at + 2], value.to_le_bytes(), "the edit changes nothing");
        self.bytes[at..at + 2].copy_from_slice(&value.to_le_bytes());
    }

    /// Where the `n`-th descriptor with an opcode begins.
    pub fn nth(&self, opcode: Opcode, n: usize) -> usize {
        let mut found = self.descriptors.iter().filter(|at| self.get(**at, Field::Opcode) == opcode as u16);
        *found.nth(n).unwrap_or_else(|| panic!("the program has no {opcode:?} number {n}"))
    }

    /// Inverts a bit of the descriptor at a byte.
    pub fn flip(&mut self, at: usize, bit: usize) {
        self.bytes[at + bit / 8] ^= 1 << (bit % 8);
    }
}
