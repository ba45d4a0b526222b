//! Real images: the UCI handwritten digits, drawn small and cluttered on a larger canvas.
//!
//! A raw digit is 8x8. [`Digits`] splits the raw digits into training, validation and test (so that no
//! hand-written digit is in two of them) and yields [`Sample`]s: a 36x36 picture with one digit at a
//! random place, size and brightness among clutter. All arithmetic is in integers and all randomness is
//! seeded, so every machine draws the same pictures. Takes bytes; opening files is the tool's task.

mod clutter;
mod dice;
mod digits;
mod drawing;
mod error;
mod layer;

pub use digits::{DRAWINGS_PER_DIGIT, Digits, RAW_SIDE, Raw, TEST_DIGITS, VALIDATION_DIGITS};
pub use drawing::{Drawing, Jitter, drawing};
pub use error::DataError;

/// Side of a picture in pixels.
pub const CANVAS: usize = 36;
/// Side of a patch in pixels.
pub const PATCH: usize = 4;
/// Patches along one side of a picture.
pub const GRID: usize = CANVAS / PATCH;
/// Patches of a picture.
pub const PATCHES: usize = GRID * GRID;
/// Number of classes.
pub const CLASSES: usize = 10;

/// One picture with its label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// `CANVAS * CANVAS` grey levels, row by row.
    pub pixels: Vec<u8>,
    /// The digit, 0..=9.
    pub label: u8,
    /// Per patch, row by row: how many of its 16 pixels belong to the digit (0 = background patch).
    pub coverage: [u8; PATCHES],
    /// Per patch: how many of its pixels carry visible clutter.
    pub clutter: [u8; PATCHES],
}
