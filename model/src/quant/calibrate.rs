//! Ranges of every activation over the calibration images.

use super::histogram::{Clip, Histogram, Method};
use super::quantize::QuantizeError;
use crate::float::{Engine, Folded, forward_folded};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// One histogram per tensor that gets a step from the data.
pub(super) struct Calibration {
    tensors: BTreeMap<String, Histogram>,
}

/// Scores, exp and row sums have steps of their own, and so have a selector's logits, score and decision. Its
/// tokens are rows of the residual stream and means of such.
fn has_fixed_step(name: &str) -> bool {
    let attention = [".attn.scores.", ".attn.exp.", ".attn.rowsum."].iter().any(|part| name.contains(part));
    let tail = [".keep", ".weight", ".score", ".mask", ".package", ".tokens"];
    attention || name.starts_with("selectors.") && tail.iter().any(|end| name.ends_with(end))
}

fn observe(network: &Folded, patches: &[f32]) -> Result<BTreeMap<String, Histogram>, QuantizeError> {
    let trace = forward_folded(network, Engine::Poly, patches);
    let mut tensors = BTreeMap::new();
    for t in trace.tensors {
        if t.data.iter().any(|v| !v.is_finite()) {
            return Err(QuantizeError::NotFinite { tensor: t.name });
        }
        if !has_fixed_step(&t.name) {
            let mut histogram = Histogram::default();
            histogram.add(&t.data);
            tensors.insert(t.name, histogram);
        }
    }
    Ok(tensors)
}

fn merge(
    mut left: BTreeMap<String, Histogram>,
    right: BTreeMap<String, Histogram>,
) -> Result<BTreeMap<String, Histogram>, QuantizeError> {
    for (name, histogram) in right {
        left.entry(name).or_default().merge(&histogram);
    }
    Ok(left)
}

/// Runs the polynomial float engine, which computes what the integers approximate, over all images.
pub(super) fn calibrate(network: &Folded, images: &[Vec<f32>]) -> Result<Calibration, QuantizeError> {
    if images.is_empty() {
        return Err(QuantizeError::NoCalibration);
    }
    let expected = network.dims.tokens * network.dims.patch_inputs;
    if let Some((image, patches)) = images.iter().enumerate().find(|(_, p)| p.len() != expected) {
        return Err(QuantizeError::ImageSize { image, found: patches.len(), expected });
    }
    let mut tensors = images.par_iter().map(|p| observe(network, p)).try_reduce(BTreeMap::new, merge)?;
    for s in &network.selectors {
        // The selector reads the same normalised stream as the block behind it, only before rows are dropped.
        if let Some(before) = tensors.remove(&format!("selectors.{}.norm", s.block)) {
            tensors.entry(format!("blocks.{}.norm1", s.block)).or_default().merge(&before);
        }
    }
    Ok(Calibration { tensors })
}

impl Calibration {
    /// Clip of a tensor; one that is always zero gets 1, which is as good as any.
    pub fn clip(&self, name: &str) -> Clip {
        let found = self.tensors.get(name).and_then(Histogram::clip);
        found.unwrap_or(Clip { value: 1.0, method: Method::Fixed, sqnr_db: f64::INFINITY })
    }

    /// The best clip of a tensor among several ranges.
    pub fn clip_within(&self, name: &str, ranges: impl Iterator<Item = (f64, f64)>) -> Option<Clip> {
        let histogram = self.tensors.get(name)?;
        let clips = ranges.filter_map(|(low, high)| histogram.clip_within(low, high));
        clips.max_by(|a, b| a.sqnr_db.total_cmp(&b.sqnr_db))
    }

    /// Largest magnitude of a tensor.
    pub fn max(&self, name: &str) -> f64 {
        self.tensors.get(name).map_or(0.0, Histogram::max)
    }

    /// Largest magnitude of the residual stream anywhere.
    pub fn residual_max(&self) -> f64 {
        let residual = |name: &str| name == "embed" || name.ends_with("residual");
        self.tensors.iter().filter(|(name, _)| residual(name)).map(|(_, h)| h.max()).fold(0.0, f64::max)
    }
}
