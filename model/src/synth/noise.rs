//! Seeded draws whose results never change: ChaCha8, and distributions written down here.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use std::f64::consts::{PI, TAU};

/// A seeded source of numbers.
pub(super) struct Noise(ChaCha8Rng);

impl Noise {
    /// A source for one part of a network; parts with other names draw other numbers.
    pub(super) fn new(seed: u64, part: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&part.to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// Uniform in the open interval 0..1.
    pub(super) fn uniform(&mut self) -> f64 {
        (f64::from(self.0.next_u32()) + 0.5) / 2f64.powi(32)
    }

    /// An index below `count`.
    pub(super) fn index(&mut self, count: usize) -> usize {
        ((u64::from(self.0.next_u32()) * count as u64) >> 32) as usize
    }

    /// Gaussian with mean 0 (Box and Muller).
    pub(super) fn normal(&mut self, width: f64) -> f64 {
        width * libm::sqrt(-2.0 * libm::log(self.uniform())) * libm::cos(TAU * self.uniform())
    }

    /// Logistic with mean 0 and the standard deviation `width`.
    pub(super) fn logistic(&mut self, width: f64) -> f64 {
        let u = self.uniform();
        width * libm::sqrt(3.0) / PI * libm::log(u / (1.0 - u))
    }

    /// Log-normal around 1; `width` is that of the logarithm.
    pub(super) fn factor(&mut self, width: f64) -> f64 {
        libm::exp(self.normal(width))
    }

    /// 1 or -1.
    pub(super) fn sign(&mut self) -> f64 {
        if self.uniform() < 0.5 { -1.0 } else { 1.0 }
    }

    /// `count` different indices below `of`, marked.
    pub(super) fn marked(&mut self, count: usize, of: usize) -> Vec<bool> {
        let mut order: Vec<usize> = (0..of).collect();
        let mut marks = vec![false; of];
        for first in 0..count.min(of) {
            let other = first + self.index(of - first);
            order.swap(first, other);
            marks[order[first]] = true;
        }
        marks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(mut draw: impl FnMut() -> f64) -> (f64, f64, f64) {
        let values: Vec<f64> = (0..40_000).map(|_| draw()).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let about = |power: i32| values.iter().map(|v| (v - mean).powi(power)).sum::<f64>() / values.len() as f64;
        (mean, about(2).sqrt(), about(4) / about(2).powi(2))
    }

    #[test]
    fn widths_and_tails() {
        let mut noise = Noise::new(1, 2);
        let (mean, width, kurtosis) = moments(|| noise.normal(2.0));
        assert!(mean.abs() < 0.05 && (width - 2.0).abs() < 0.05 && (kurtosis - 3.0).abs() < 0.2);
        let (mean, width, kurtosis) = moments(|| noise.logistic(2.0));
        assert!(mean.abs() < 0.05 && (width - 2.0).abs() < 0.05 && (kurtosis - 4.2).abs() < 0.5);
        let (mean, width, _) = moments(|| libm::log(noise.factor(0.3)));
        assert!(mean.abs() < 0.01 && (width - 0.3).abs() < 0.01);
    }

    #[test]
    fn marks_are_as_many_as_asked() {
        let mut noise = Noise::new(3, 0);
        for (count, of, expected) in [(0, 5, 0), (3, 5, 3), (9, 5, 5)] {
            assert_eq!(noise.marked(count, of).iter().filter(|m| **m).count(), expected);
        }
    }

    #[test]
    fn parts_draw_other_numbers_and_the_same_again() {
        let draw = |part| Noise::new(7, part).uniform();
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
