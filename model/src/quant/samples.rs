//! Rows of tensors that products read, for choices that are made by trying.

use super::progress::{Phase, Progress, Tell};
use super::rounding::nearest;
use crate::float::{Engine, Folded, forward_wanted};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Images that rows are taken from, at most.
const IMAGES: usize = 16;
/// Rows of a tensor, about.
const ROWS: usize = 512;

/// Rows of the normalised tensors, and of what the last hidden layer of a selector reads, by the tensor's name.
pub(super) struct Samples(BTreeMap<String, Vec<f32>>);

impl Samples {
    /// Takes rows at equal distances.
    pub fn of(network: &Folded, images: &[Vec<f32>], tell: Tell<'_>) -> Self {
        let images = &images[..images.len().min(IMAGES)];
        let total = images.len();
        tell(Progress { phase: Phase::Sampling, done: 0, total });
        let every = (images.len() * network.dims.tokens).div_ceil(ROWS);
        let wanted = |name: &str| [".norm1", ".norm2", ".norm", ".mix"].iter().any(|tail| name.ends_with(tail));
        let traces: Vec<_> =
            images.par_iter().map(|p| forward_wanted(network, Engine::Poly, p, &wanted).tensors).collect();
        let mut rows: BTreeMap<String, Vec<f32>> = BTreeMap::new();
        for t in traces.into_iter().flatten() {
            let some = t.data.chunks(t.cols).step_by(every).flatten();
            rows.entry(t.name).or_default().extend(some);
        }
        tell(Progress { phase: Phase::Sampling, done: total, total });
        Self(rows)
    }

    /// What rounding to `step` takes from the mean of every channel: mostly what is clipped.
    pub fn offsets(&self, name: &str, step: f64, cols: usize) -> Vec<f64> {
        let (rows, mut sums) = (self.rows(name), vec![0.0; cols]);
        for row in rows.chunks(cols) {
            let off = row.iter().map(|v| f64::from(*v)).map(|v| v - f64::from(nearest(v / step)) * step);
            sums.iter_mut().zip(off).for_each(|(sum, off)| *sum += off);
        }
        let count = (rows.len() / cols).max(1) as f64;
        sums.into_iter().map(|sum| sum / count).collect()
    }

    /// Rows of a tensor.
    pub fn rows(&self, name: &str) -> &[f32] {
        self.0.get(name).map_or(&[], |rows| rows)
    }
}
