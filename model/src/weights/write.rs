//! Writing.

use super::layout::{Slot, Visitor, visit};
use super::{METADATA_KEY, WeightError};
use crate::float::FloatNetwork;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use std::collections::{BTreeMap, HashMap};

#[derive(Default)]
struct Writer {
    tensors: Vec<(Slot, Vec<u8>)>,
}

impl Visitor for Writer {
    fn tensor(&mut self, slot: Slot, data: &mut Vec<f32>) -> Result<(), WeightError> {
        let expected = slot.shape.iter().product();
        if data.len() != expected {
            return Err(WeightError::Length { tensor: slot.name, found: data.len(), expected });
        }
        let values = std::mem::take(data);
        self.tensors.push((slot, values.iter().flat_map(|v| v.to_le_bytes()).collect()));
        Ok(())
    }
}

/// The weight file of a network, F32. Equal input gives equal bytes.
///
/// # Errors
/// A tensor does not have its length.
pub fn to_bytes(network: &FloatNetwork, metadata: &BTreeMap<String, String>) -> Result<Vec<u8>, WeightError> {
    into_bytes(network.clone(), metadata)
}

/// As [`to_bytes`], of a network that is not needed afterwards: a large one is not held twice.
///
/// # Errors
/// A tensor does not have its length.
pub fn into_bytes(mut network: FloatNetwork, metadata: &BTreeMap<String, String>) -> Result<Vec<u8>, WeightError> {
    let mut writer = Writer::default();
    visit(&mut network, &mut writer)?;
    let container = |e: &dyn std::fmt::Display| WeightError::Container { reason: e.to_string() };
    let mut views = Vec::with_capacity(writer.tensors.len());
    for (slot, data) in &writer.tensors {
        let view = TensorView::new(Dtype::F32, slot.shape.clone(), data).map_err(|e| container(&e))?;
        views.push((slot.name.as_str(), view));
    }
    let text = serde_json::to_string(metadata).map_err(|e| container(&e))?;
    let info = HashMap::from([(METADATA_KEY.to_owned(), text)]);
    safetensors::serialize(views, Some(info)).map_err(|e| container(&e))
}
