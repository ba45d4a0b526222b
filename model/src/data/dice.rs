//! Random draws whose results never change.
//!
//! The data set is part of every published figure, so its pictures must stay the same: the stream comes
//! from ChaCha8, whose output is fixed, and ranges are drawn here because those of `rand` may differ
//! between versions.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// A seeded source of integers.
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// A source for one `item` of the series `seed`.
    pub(crate) fn new(seed: u64, item: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&item.to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// A number in `low..=high`; the bias of the multiplication is below 2^-20 for the ranges used here.
    pub(crate) fn between(&mut self, low: i32, high: i32) -> i32 {
        let span = (i64::from(high) - i64::from(low) + 1) as u64;
        let step = (u64::from(self.0.next_u32()) * span) >> 32;
        (i64::from(low) + step as i64) as i32
    }

    /// An index below `count`, which must not be zero.
    pub(crate) fn index(&mut self, count: usize) -> usize {
        ((u64::from(self.0.next_u32()) * count as u64) >> 32) as usize
    }

    /// Brings `items` into a random order (Fisher-Yates).
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.index(last + 1));
        }
    }
}
