//! Rows of the normalised tensors, for choices that are made by trying.

use crate::float::{Engine, Folded, forward_wanted};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Images that rows are taken from, at most.
const IMAGES: usize = 16;
/// Rows of a tensor, about.
const ROWS: usize = 512;

/// Rows of the tensors that the first products of a block's halves read, by the tensor's name.
pub(super) struct Samples(BTreeMap<String, Vec<f32>>);

impl Samples {
    /// Takes rows at equal distances.
    pub fn of(network: &Folded, images: &[Vec<f32>]) -> Self {
        let images = &images[..images.len().min(IMAGES)];
        let every = (images.len() * network.dims.tokens).div_ceil(ROWS);
        let wanted = |name: &str| name.ends_with(".norm1") || name.ends_with(".norm2");
        let traces: Vec<_> =
            images.par_iter().map(|p| forward_wanted(network, Engine::Poly, p, &wanted).tensors).collect();
        let mut rows: BTreeMap<String, Vec<f32>> = BTreeMap::new();
        for t in traces.into_iter().flatten() {
            let some = t.data.chunks(t.cols).step_by(every).flatten();
            rows.entry(t.name).or_default().extend(some);
        }
        Self(rows)
    }

    /// Rows of a tensor.
    pub fn rows(&self, name: &str) -> &[f32] {
        self.0.get(name).map_or(&[], |rows| rows)
    }
}
