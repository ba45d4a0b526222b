//! Writes a quantized file.

use super::header::Header;
use super::{Origin, QuantFileError};
use crate::quant::{QuantNetwork, validate};
use crate::weights::METADATA_KEY;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use std::collections::HashMap;

fn container(e: &dyn std::fmt::Display) -> QuantFileError {
    QuantFileError::Container { reason: e.to_string() }
}

/// Name, type, shape and bytes of a tensor.
type Part = (String, Dtype, Vec<usize>, Vec<u8>);

/// The tensors in the order of execution.
fn parts(network: &QuantNetwork) -> Vec<Part> {
    let mut parts = Vec::new();
    for l in network.linears() {
        let mut part = |name: &str, dtype, shape, data| parts.push((format!("{}.{name}", l.name), dtype, shape, data));
        let weight = l.weight.iter().map(|w| *w as u8).collect();
        part("weight", Dtype::I8, vec![l.outputs, l.inputs], weight);
        part("bias", Dtype::I32, vec![l.outputs], l.bias.iter().flat_map(|b| b.to_le_bytes()).collect());
        part("mult", Dtype::U32, vec![l.outputs], l.mult.iter().flat_map(|m| m.to_le_bytes()).collect());
    }
    let pos = network.pos.iter().flat_map(|p| p.to_le_bytes()).collect();
    parts.push(("pos".to_owned(), Dtype::I16, vec![network.dims.tokens, network.dims.embed], pos));
    parts
}

/// The network as a file. Equal arguments give equal bytes.
///
/// # Errors
/// The network is not legal.
pub fn to_bytes(network: &QuantNetwork, origin: &Origin) -> Result<Vec<u8>, QuantFileError> {
    validate(network)?;
    let parts = parts(network);
    let mut views = Vec::with_capacity(parts.len());
    for (name, dtype, shape, data) in &parts {
        let view = TensorView::new(*dtype, shape.clone(), data).map_err(|e| container(&e))?;
        views.push((name.as_str(), view));
    }
    let text = serde_json::to_string(&Header::of(network, origin)).map_err(|e| container(&e))?;
    let info = HashMap::from([(METADATA_KEY.to_owned(), text)]);
    safetensors::serialize(views, Some(info)).map_err(|e| container(&e))
}
