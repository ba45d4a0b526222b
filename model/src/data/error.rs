//! What can be wrong with a data file.

use thiserror::Error;

/// Why bytes are not a file of digits. Each message ends with the remedy.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum DataError {
    /// The file does not start as one of digits does.
    #[error("the data file starts with {found:?} instead of \"HVD1\"; name a file made by scripts/make-digits")]
    Magic {
        /// The first bytes, as text where they are.
        found: String,
    },
    /// The header names another picture format.
    #[error(
        "the data file holds {side}x{side} pictures of {bits} bits a pixel, supported are 8x8 of 5 bits; make it again with scripts/make-digits"
    )]
    Format {
        /// Side of a picture.
        side: u8,
        /// Bits per pixel.
        bits: u8,
    },
    /// The length does not fit the number of digits in the header.
    #[error(
        "the data file has {found} bytes, {count} digits need {expected}; it is cut off or padded, make it again with scripts/make-digits"
    )]
    Length {
        /// Digits that the header announces.
        count: usize,
        /// Bytes that they need.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// Too few digits for the split.
    #[error(
        "the data file holds {count} digits, the split into training, validation and test needs more than {needed}; name another one"
    )]
    Few {
        /// Digits in the file.
        count: usize,
        /// Digits that validation and test alone take.
        needed: usize,
    },
    /// A label outside 0..=9.
    #[error(
        "digit {index} has the label {label}, legal are 0..=9; the data file is damaged, make it again with scripts/make-digits"
    )]
    Label {
        /// Place of the digit in the file.
        index: usize,
        /// Its label.
        label: u8,
    },
    /// A pixel above 16.
    #[error(
        "digit {index} has a pixel of {value}, legal are 0..=16; the data file is damaged, make it again with scripts/make-digits"
    )]
    Pixel {
        /// Place of the digit in the file.
        index: usize,
        /// The pixel.
        value: u8,
    },
}
