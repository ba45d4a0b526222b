//! What single images add up to.

use super::decisions::Decisions;
use super::sums::Sums;
use super::{Cosine, LayerLoss, Report, TensorReport};
use crate::quant::{Method, Quantized};
use std::collections::BTreeMap;

/// What one image adds to a tensor.
#[derive(Clone, Copy, Default)]
pub(super) struct Seen {
    pub elements: usize,
    pub clipped: usize,
    pub largest: f64,
    pub operator: Sums,
    pub accumulated: Sums,
    pub polynomial: Sums,
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.elements += other.elements;
        self.clipped += other.clipped;
        self.largest = self.largest.max(other.largest);
        self.operator.add(other.operator);
        self.accumulated.add(other.accumulated);
        self.polynomial.add(other.polynomial);
    }
}

/// The measurement of one image.
pub(super) struct Measured {
    pub tensors: Vec<(String, Seen)>,
    pub layers: Vec<(String, Sums)>,
    pub cosine: f64,
    pub polynomial_cosine: f64,
    pub same_class: bool,
    pub operator: Decisions,
    pub accumulated: Decisions,
}

/// Sums over images.
#[derive(Default)]
pub(super) struct Totals {
    order: Vec<String>,
    tensors: BTreeMap<String, Seen>,
    layers: Vec<(String, Sums)>,
    cosines: Vec<f64>,
    polynomial_cosines: Vec<f64>,
    same_class: usize,
    operator: Decisions,
    accumulated: Decisions,
}

impl Totals {
    pub(super) fn add(&mut self, image: Measured) {
        for (name, seen) in image.tensors {
            if !self.tensors.contains_key(&name) {
                self.order.push(name.clone());
            }
            self.tensors.entry(name).or_default().add(seen);
        }
        for (index, (name, sums)) in image.layers.into_iter().enumerate() {
            match self.layers.get_mut(index) {
                Some((_, total)) => total.add(sums),
                None => self.layers.push((name, sums)),
            }
        }
        self.cosines.push(image.cosine);
        self.polynomial_cosines.push(image.polynomial_cosine);
        self.same_class += usize::from(image.same_class);
        self.operator.add(image.operator);
        self.accumulated.add(image.accumulated);
    }

    pub(super) fn report(self, quantized: &Quantized) -> Report {
        let images = self.cosines.len();
        let cosine = |all: &[f64]| Cosine {
            least: all.iter().copied().fold(1.0, f64::min),
            mean: all.iter().sum::<f64>() / images.max(1) as f64,
        };
        let tensor = |name: &String| {
            let seen = self.tensors.get(name).copied().unwrap_or_default();
            let step = quantized.steps.get(name);
            TensorReport {
                name: name.clone(),
                step: step.map_or(1.0, |s| s.step),
                zero: step.map_or(0, |s| s.zero),
                method: step.map_or(Method::Fixed, |s| s.method),
                largest: seen.largest,
                clipped: seen.clipped as f64 / seen.elements.max(1) as f64,
                operator_db: seen.operator.db(),
                accumulated_db: seen.accumulated.db(),
                polynomial_db: seen.polynomial.db(),
            }
        };
        let decided = |d: Decisions| (d.all > 0).then_some(d);
        Report {
            images,
            tensors: self.order.iter().map(tensor).collect(),
            layers: self.layers.iter().map(|(l, s)| LayerLoss { layer: l.clone(), logits_db: s.db() }).collect(),
            cosine: cosine(&self.cosines),
            polynomial_cosine: cosine(&self.polynomial_cosines),
            same_class: self.same_class as f64 / images.max(1) as f64,
            decisions_operator: decided(self.operator),
            decisions_accumulated: decided(self.accumulated),
        }
    }
}
