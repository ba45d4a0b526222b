//! The raw digits and their split.

use super::dice::Dice;
use super::drawing::{Jitter, drawing};
use super::{CLASSES, DataError, Sample};

/// Side of a raw digit in pixels.
pub const RAW_SIDE: usize = 8;
/// Raw digits of the test set.
pub const TEST_DIGITS: usize = 360;
/// Raw digits of the validation set.
pub const VALIDATION_DIGITS: usize = 180;
/// Drawings of each raw digit in the test set and in the validation set.
pub const DRAWINGS_PER_DIGIT: usize = 3;

const MAGIC: &[u8; 4] = b"HVD1";
const HEADER: usize = 8;
const BITS: usize = 5;
const RECORD: usize = 1 + RAW_SIDE * RAW_SIDE * BITS / 8;

// The series of seeds; changing one changes the data set.
const SPLIT_SEED: u64 = 1;
const TEST_SEED: u64 = 2;
const VALIDATION_SEED: u64 = 3;
/// Added to the caller's seed of an epoch, so that no epoch draws the pictures of another series.
const TRAINING_SERIES: u64 = 1 << 32;

/// A handwritten digit as in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw {
    /// Ink of 0..=16, row by row.
    pub pixels: [u8; RAW_SIDE * RAW_SIDE],
    /// 0..=9.
    pub label: u8,
}

/// The data set: all raw digits, split by a fixed random permutation (ChaCha8, seed 1): the first 360 are
/// the test set, the next 180 the validation set, the rest (1,257 of 1,797) is for training.
#[derive(Clone, Debug)]
pub struct Digits {
    raws: Vec<Raw>,
    order: Vec<usize>,
}

impl Digits {
    /// Reads the file that `scripts/make-digits` writes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DataError> {
        let count = check_header(bytes)?;
        let raws = bytes[HEADER..]
            .chunks_exact(RECORD)
            .enumerate()
            .map(|(index, record)| unpack(index, record))
            .collect::<Result<Vec<_>, _>>()?;
        let mut order: Vec<usize> = (0..count).collect();
        Dice::new(SPLIT_SEED, 0).shuffle(&mut order);
        Ok(Self { raws, order })
    }

    /// The test set: 3 drawings of each of the 360 test digits; the first 360 samples show each once.
    pub fn test(&self) -> impl Iterator<Item = Sample> + '_ {
        self.test_drawings(DRAWINGS_PER_DIGIT)
    }

    /// The test set with another number of drawings of each digit; it starts with those of [`Self::test`].
    pub fn test_drawings(&self, drawings: usize) -> impl Iterator<Item = Sample> + '_ {
        self.drawn(self.test_raws(), TEST_SEED, drawings)
    }

    /// The validation set, drawn like the test set, of 180 digits that are not trained on.
    pub fn validation(&self) -> impl Iterator<Item = Sample> + '_ {
        let range = TEST_DIGITS..TEST_DIGITS + VALIDATION_DIGITS;
        self.drawn(&self.order[range], VALIDATION_SEED, DRAWINGS_PER_DIGIT)
    }

    /// Every training digit once, in random order and freshly drawn; each `epoch_seed` is another epoch.
    pub fn train_epoch(&self, epoch_seed: u64) -> impl Iterator<Item = Sample> + '_ {
        let seed = TRAINING_SERIES.wrapping_add(epoch_seed);
        let mut order = self.training_raws().to_vec();
        Dice::new(seed, u64::MAX).shuffle(&mut order);
        order.into_iter().map(move |raw| self.sample(raw, Jitter::Shear, seed, raw as u64))
    }

    /// Places in the file of the digits that are trained on.
    pub fn training_raws(&self) -> &[usize] {
        &self.order[TEST_DIGITS + VALIDATION_DIGITS..]
    }

    /// Places in the file of the digits that are tested on.
    pub fn test_raws(&self) -> &[usize] {
        &self.order[..TEST_DIGITS]
    }

    /// All digits in the order of the file.
    pub fn raws(&self) -> &[Raw] {
        &self.raws
    }

    fn drawn<'a>(&'a self, raws: &'a [usize], seed: u64, drawings: usize) -> impl Iterator<Item = Sample> + 'a {
        (0..drawings).flat_map(move |round| {
            raws.iter().enumerate().map(move |(place, &raw)| {
                let item = (round * raws.len() + place) as u64;
                self.sample(raw, Jitter::None, seed, item)
            })
        })
    }

    fn sample(&self, raw: usize, jitter: Jitter, seed: u64, item: u64) -> Sample {
        // Clutter never shows a digit of validation or test, and never the digit itself.
        let donors: Vec<&Raw> =
            self.training_raws().iter().filter(|&&donor| donor != raw).map(|&donor| &self.raws[donor]).collect();
        let digit = &self.raws[raw];
        let drawn = drawing(digit, &donors, jitter, seed, item);
        Sample { pixels: drawn.pixels, label: digit.label, coverage: drawn.coverage, clutter: drawn.clutter }
    }
}

/// Checks everything but the records; returns their number.
fn check_header(bytes: &[u8]) -> Result<usize, DataError> {
    let Some((header, _)) = bytes.split_first_chunk::<HEADER>() else {
        return Err(magic_error(bytes));
    };
    if !header.starts_with(MAGIC) {
        return Err(magic_error(header));
    }
    let [_, _, _, _, low, high, side, bits] = *header;
    if usize::from(side) != RAW_SIDE || usize::from(bits) != BITS {
        return Err(DataError::Format { side, bits });
    }
    let count = usize::from(u16::from_le_bytes([low, high]));
    let expected = HEADER + count * RECORD;
    if bytes.len() != expected {
        return Err(DataError::Length { count, expected, found: bytes.len() });
    }
    let needed = TEST_DIGITS + VALIDATION_DIGITS;
    if count <= needed {
        return Err(DataError::Few { count, needed });
    }
    Ok(count)
}

fn magic_error(bytes: &[u8]) -> DataError {
    let start = &bytes[..bytes.len().min(MAGIC.len())];
    DataError::Magic { found: String::from_utf8_lossy(start).into_owned() }
}

/// One record: label, then the pixels in fields of 5 bits.
fn unpack(index: usize, record: &[u8]) -> Result<Raw, DataError> {
    let label = record[0];
    if usize::from(label) >= CLASSES {
        return Err(DataError::Label { index, label });
    }
    let mut pixels = [0; RAW_SIDE * RAW_SIDE];
    for (place, pixel) in pixels.iter_mut().enumerate() {
        let (byte, shift) = (1 + place * BITS / 8, place * BITS % 8);
        let high = record.get(byte + 1).copied().unwrap_or(0);
        let value = (u16::from_le_bytes([record[byte], high]) >> shift) as u8 & 31;
        if value > 16 {
            return Err(DataError::Pixel { index, value });
        }
        *pixel = value;
    }
    Ok(Raw { pixels, label })
}

#[cfg(test)]
mod tests;
