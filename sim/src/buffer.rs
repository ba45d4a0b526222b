//! The simulator's memory.
#![expect(unsafe_code, reason = "lines are viewed as the limbs that they consist of")]

use crate::netlist::Kind;
use crate::plan::{Base, Place, VECTOR};

/// Bytes beyond the end of each buffer that generated code may read.
const SLACK_LINES: usize = 2;
/// Limbs of a line.
const LINE: usize = 8;
// A vector of bytes may be computed of as many limbs, of which only the first is an operand's.
const _: () = assert!(SLACK_LINES * 8 * LINE >= (VECTOR as usize - 1) * 8);

/// A cache line, so that no vector straddles two.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Line(#[expect(dead_code, reason = "read as limbs")] [u64; LINE]);

/// A region, aligned to cache lines.
#[derive(Debug, Default)]
pub struct Buffer(Vec<Line>);

impl Buffer {
    /// So many bytes of zeros.
    pub fn new(bytes: u32) -> Self {
        Self(vec![Line([0; LINE]); bytes as usize / (8 * LINE) + 1 + SLACK_LINES])
    }

    /// For generated code.
    pub fn pointer(&mut self) -> *mut u8 {
        self.0.as_mut_ptr().cast()
    }

    /// All limbs.
    pub fn limbs(&self) -> &[u64] {
        let lines: &[Line] = &self.0;
        // SAFETY: a line is eight limbs without padding.
        unsafe { std::slice::from_raw_parts(lines.as_ptr().cast(), LINE * lines.len()) }
    }

    /// All limbs.
    pub fn limbs_mut(&mut self) -> &mut [u64] {
        let lines: &mut [Line] = &mut self.0;
        // SAFETY: a line is eight limbs without padding.
        unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), LINE * lines.len()) }
    }

    /// Eight bytes from any byte on, little-endian.
    pub fn limb(&self, offset: u32) -> u64 {
        let (at, shift) = (offset as usize / 8, offset % 8 * 8);
        let limbs = self.limbs();
        if shift == 0 { limbs[at] } else { limbs[at] >> shift | limbs[at + 1] << (64 - shift) }
    }

    /// Writes bytes.
    pub fn write(&mut self, offset: u32, bytes: &[u8]) {
        let limbs = self.limbs_mut();
        for (at, byte) in (offset as usize..).zip(bytes) {
            let limb = &mut limbs[at / 8];
            *limb = *limb & !(0xFF << (at % 8 * 8)) | u64::from(*byte) << (at % 8 * 8);
        }
    }

    /// An unsigned integer of 1, 2, 4 or 8 bytes.
    pub fn read(&self, offset: u32, bytes: u32) -> u64 {
        Kind::bits(8 * bytes).canonical(self.limb(offset))
    }

    /// The same first `bytes` (whole lines) as another buffer.
    pub fn keep(&mut self, other: &Self, bytes: u32) {
        let lines = bytes as usize / (8 * LINE);
        self.0[..lines].clone_from_slice(&other.0[..lines]);
    }
}

/// All regions.
#[derive(Debug, Default)]
pub struct Regions {
    /// State of this cycle.
    pub current: Buffer,
    /// State of the next cycle.
    pub next: Buffer,
    /// Inputs, registers that are written in place, constants and values of this cycle.
    pub scratch: Buffer,
    /// Words of all memories.
    pub words: Buffer,
}

impl Regions {
    /// The region of a place.
    pub fn at(&self, base: Base) -> &Buffer {
        match base {
            Base::Current => &self.current,
            Base::Next => &self.next,
            Base::Scratch | Base::Watched | Base::Coming => &self.scratch,
        }
    }

    /// Writes bytes at a place.
    pub fn write(&mut self, place: Place, bytes: &[u8]) {
        let buffer = match place.base {
            Base::Current => &mut self.current,
            Base::Next => &mut self.next,
            Base::Scratch | Base::Watched | Base::Coming => &mut self.scratch,
        };
        buffer.write(place.offset, bytes);
    }
}
