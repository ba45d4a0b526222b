//! How good a quantization is: per tensor its range, what is clipped, and signal to quantization noise ratios against
//! the float network with the same polynomials; where the logits lose most; whether selectors decide alike.

mod alone;
mod decisions;
mod losses;
mod measure;
mod probe;
mod sums;
mod table;
mod totals;

pub use decisions::{CLOSE, Decisions};
pub use sums::cosine;
use totals::Totals;

use super::spread::spread;
use super::{Method, Quantized};
use crate::float::FloatNetwork;
use crate::golden::Model;
use measure::Measurement;
use serde::Serialize;

/// Quality of one tensor.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TensorReport {
    /// Name as in docs/tensors.md.
    pub name: String,
    /// Real value of one step.
    pub step: f64,
    /// Code of zero.
    pub zero: i32,
    /// How its range was chosen.
    pub method: Method,
    /// Largest magnitude of the reference.
    pub largest: f64,
    /// Share of the reference's elements beyond the range of the integers.
    pub clipped: f64,
    /// Signal to quantization noise of its operator, fed with the reference's inputs, against the reference, dB.
    /// This and the next two are absent where nothing differs or nothing can be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator_db: Option<f64>,
    /// The same of the whole integer model from the image on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accumulated_db: Option<f64>,
    /// The same of the reference (float with polynomials) against exact float.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub polynomial_db: Option<f64>,
}

/// What the logits lose when one layer alone is in integers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerLoss {
    /// The layer.
    pub layer: String,
    /// Signal to quantization noise of the logits with it, dB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logits_db: Option<f64>,
}

/// Angles between logits, over images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cosine {
    /// The worst image.
    pub least: f64,
    /// Mean over the images.
    pub mean: f64,
}

/// Quality of a quantization.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Images measured.
    pub images: usize,
    /// In program order.
    pub tensors: Vec<TensorReport>,
    /// In execution order.
    pub layers: Vec<LayerLoss>,
    /// Logits of the integer model and of the reference.
    pub cosine: Cosine,
    /// Logits of the reference and of exact float.
    pub polynomial_cosine: Cosine,
    /// Share of images whose largest logit has the same place in integers and reference.
    pub same_class: f64,
    /// Decisions of selectors that get the reference's stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decisions_operator: Option<Decisions>,
    /// Decisions of selectors in whole runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decisions_accumulated: Option<Decisions>,
}

/// Images of which the layers' losses are measured: each costs half a float pass per layer.
const LAYER_IMAGES: usize = 2;

/// Measures a quantization of `network` on images as int8 patches. Images run one after the other, which bounds the
/// memory; `done` is called behind each.
pub fn measure(network: &FloatNetwork, quantized: &Quantized, images: &[Vec<i8>], mut done: impl FnMut()) -> Report {
    let folded = spread(network);
    let thresholds = folded.selectors.iter().map(|s| (s.block, f64::from(s.threshold)));
    let mut measurement = Measurement {
        folded: &folded,
        quantized,
        model: Model::new(&quantized.network),
        stages: thresholds.collect(),
        layers: true,
    };
    let mut total = Totals::default();
    for (index, patches) in images.iter().enumerate() {
        measurement.layers = index < LAYER_IMAGES;
        total.add(measurement.measure(patches));
        done();
    }
    total.report(quantized)
}

#[cfg(test)]
mod tests;
