//! The largest number of a network.

use super::WeightError;
use super::layout::{Slot, Visitor, visit};
use crate::float::FloatNetwork;
use crate::statistics;

#[derive(Default)]
struct Largest {
    name: String,
    magnitude: f32,
}

impl Visitor for Largest {
    fn tensor(&mut self, slot: Slot, data: &mut Vec<f32>) -> Result<(), WeightError> {
        let magnitude = statistics::largest(data);
        if magnitude > self.magnitude || self.name.is_empty() {
            *self = Self { name: slot.name, magnitude };
        }
        Ok(())
    }
}

/// The tensor with the largest magnitude of a network, and that magnitude.
pub fn largest(network: &FloatNetwork) -> (String, f32) {
    let mut found = Largest::default();
    // Whatever cannot be visited has nothing larger.
    let _ = visit(&mut network.clone(), &mut found);
    (found.name, found.magnitude)
}
