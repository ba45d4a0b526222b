//! Ranges of every activation over the calibration images.

use super::histogram::{Clip, Histogram, Method};
use super::moments::Moments;
use super::narrow::Columns;
use super::progress::{Phase, Progress, Tell};
use super::quantize::QuantizeError;
use super::rounding::Inputs;
use crate::float::{Engine, Folded, forward_wanted};
use crate::golden::Trace;
use crate::poly::gelu::Codes;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// What is known of the tensors.
#[derive(Default)]
pub(super) struct Calibration {
    /// One histogram per tensor that gets a step from the data.
    tensors: BTreeMap<String, Histogram>,
    /// Channels of the tensors that products with weights read.
    inputs: BTreeMap<String, Moments>,
}

/// Images that run at the same time, which bounds the memory. Sums of real numbers are added in the order of the
/// images, whatever the number of threads.
const BATCH: usize = 4;

/// Whether a product with weights reads the tensor.
fn is_input(name: &str) -> bool {
    let tails = ["norm1", "norm2", "attn.o", "mlp.fc1", ".norm", ".mix", ".squeeze", ".weigh"];
    name == "norm" || tails.iter().any(|tail| name.ends_with(tail))
}

/// Scores, exp and row sums have steps of their own, and so have a selector's logits, score and decision. Its
/// tokens are rows of the residual stream and means of such.
fn has_fixed_step(name: &str) -> bool {
    let attention = [".attn.scores.", ".attn.exp.", ".attn.rowsum."].iter().any(|part| name.contains(part));
    let tail = [".keep", ".weight", ".score", ".mask", ".package", ".tokens"];
    attention || name.starts_with("selectors.") && tail.iter().any(|end| name.ends_with(end))
}

/// The tensors of an image that are counted.
fn observe(network: &Folded, patches: &[f32]) -> Result<Trace<f32>, QuantizeError> {
    let wanted = |name: &str| !has_fixed_step(name);
    let trace = forward_wanted(network, Engine::Poly, patches, &wanted);
    let broken = trace.tensors.iter().find(|t| t.data.iter().any(|v| !v.is_finite()));
    match broken {
        Some(t) => Err(QuantizeError::NotFinite { tensor: t.name.clone() }),
        None => Ok(trace),
    }
}

/// Whether there are images, and all of the network's size.
pub(super) fn check_images(network: &Folded, images: &[Vec<f32>]) -> Result<(), QuantizeError> {
    if images.is_empty() {
        return Err(QuantizeError::NoCalibration);
    }
    let expected = network.dims.tokens * network.dims.patch_inputs;
    if let Some((image, patches)) = images.iter().enumerate().find(|(_, p)| p.len() != expected) {
        return Err(QuantizeError::ImageSize { image, found: patches.len(), expected });
    }
    Ok(())
}

/// Runs the polynomial float engine, which computes what the integers approximate, over images that were checked.
/// `columns` say what the columns of a tensor count.
pub(super) fn calibrate(
    network: &Folded,
    images: &[Vec<f32>],
    columns: &Columns,
    tell: Tell<'_>,
) -> Result<Calibration, QuantizeError> {
    let (mut all, total) = (Calibration::default(), images.len());
    for (i, batch) in images.chunks(BATCH).enumerate() {
        tell(Progress { phase: Phase::Calibrating, done: i * BATCH, total });
        let traces: Vec<Result<_, _>> = batch.par_iter().map(|p| observe(network, p)).collect();
        all.add(&traces.into_iter().collect::<Result<Vec<_>, _>>()?, columns);
    }
    for s in &network.selectors {
        // The selector reads the same normalised stream as the block behind it, only before rows are dropped.
        if let Some(before) = all.tensors.remove(&format!("selectors.{}.norm", s.block)) {
            all.tensors.entry(format!("blocks.{}.norm1", s.block)).or_default().merge(&before);
        }
    }
    Ok(all)
}

impl Calibration {
    /// Adds images.
    fn add(&mut self, images: &[Trace<f32>], columns: &Columns) {
        for t in images.iter().flat_map(|image| &image.tensors) {
            if is_input(&t.name) && !self.inputs.contains_key(&t.name) {
                self.inputs.insert(t.name.clone(), Moments::default());
            }
            if !has_fixed_step(&t.name) && !self.tensors.contains_key(&t.name) {
                self.tensors.insert(t.name.clone(), Histogram::default());
            }
        }
        let of = |name| images.iter().filter_map(move |image| image.get(name));
        self.inputs.par_iter_mut().for_each(|(name, moments)| of(name).for_each(|t| moments.add(&t.data, t.cols)));
        let columns = |name: &str| columns.get(name).map_or(&[][..], |c| c);
        self.tensors
            .par_iter_mut()
            .for_each(|(name, counts)| of(name).for_each(|t| counts.add(&t.data, columns(name))));
    }

    /// Channels of a tensor that a product reads.
    pub fn input(&self, name: &str) -> Option<Inputs> {
        self.inputs.get(name).map(Inputs::of)
    }

    /// Clip of a tensor; one that is always zero gets one of 1, which is as good as any.
    pub fn clip(&self, name: &str) -> Clip {
        let found = self.tensors.get(name).and_then(Histogram::clip);
        found.unwrap_or(Clip { step: 1.0 / 127.0, method: Method::Fixed, sqnr_db: f64::INFINITY })
    }

    /// The best clip of a tensor among several ranges of steps.
    pub fn clip_within(&self, name: &str, ranges: impl Iterator<Item = (f64, f64)>, codes: Codes) -> Option<Clip> {
        let histogram = self.tensors.get(name)?;
        let clips = ranges.filter_map(|(low, high)| histogram.clip_within(low, high, codes));
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
