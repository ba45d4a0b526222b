//! Reading.

use super::container::is_pytorch;
use super::layout::{SELECTORS, Slot, Visitor, skeleton, visit};
use super::{WeightError, open};
use crate::float::{FloatNetwork, NetworkOptions};
use crate::quant::Dims;
use half::{bf16, f16};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::collections::{BTreeMap, BTreeSet};

/// Starts of names that only distilled networks have.
const DISTILLED: [&str; 2] = ["dist_token", "head_dist."];

/// What others put before every name.
const PREFIXES: [&str; 4] = ["module.", "model.", "backbone.", "vit."];

/// The part of a network that the accelerator does not have, by a name that only such networks have.
fn unsupported(name: &str) -> Option<&'static str> {
    if name.ends_with(".ls1.gamma") || name.ends_with(".ls2.gamma") {
        Some("LayerScale")
    } else if name.starts_with("fc_norm.") {
        Some("the mean of all tokens in place of the class token")
    } else {
        None
    }
}

struct Reader<'a> {
    file: SafeTensors<'a>,
    unread: BTreeSet<String>,
}

fn decode(name: &str, view: &TensorView<'_>) -> Result<Vec<f32>, WeightError> {
    let bytes = view.data();
    let pairs = || bytes.as_chunks::<2>().0.iter();
    Ok(match view.dtype() {
        Dtype::F32 => bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
        Dtype::F16 => pairs().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
        Dtype::BF16 => pairs().map(|b| bf16::from_le_bytes(*b).to_f32()).collect(),
        other => return Err(WeightError::Dtype { tensor: name.to_owned(), found: other.to_string() }),
    })
}

impl Visitor for Reader<'_> {
    fn tensor(&mut self, slot: Slot, data: &mut Vec<f32>) -> Result<(), WeightError> {
        let Slot { name, shape } = slot;
        let Ok(view) = self.file.tensor(&name) else {
            return Err(WeightError::Missing { tensor: name, expected: shape });
        };
        if view.shape() != shape {
            return Err(WeightError::Shape { tensor: name, found: view.shape().to_vec(), expected: shape });
        }
        *data = decode(&name, &view)?;
        if let Some((index, value)) = data.iter().enumerate().find(|(_, v)| !v.is_finite()) {
            return Err(WeightError::NotFinite { tensor: name, index, value: value.to_string() });
        }
        self.unread.remove(&name);
        Ok(())
    }
}

fn unreadable(bytes: &[u8], reason: String) -> WeightError {
    if is_pytorch(bytes) { WeightError::PyTorch } else { WeightError::Container { reason } }
}

/// Reads a network of the given architecture.
///
/// # Errors
/// The first violation, in the order of the forward pass; a tensor too many comes last.
pub fn from_bytes(bytes: &[u8], dims: &Dims, options: &NetworkOptions) -> Result<FloatNetwork, WeightError> {
    let (file, _) = open(bytes).map_err(|reason| unreadable(bytes, reason))?;
    let unread: BTreeSet<String> = file.names().into_iter().map(str::to_owned).collect();
    if let Some(tensor) = unread.iter().find(|name| DISTILLED.iter().any(|start| name.starts_with(start))) {
        return Err(WeightError::Distilled { tensor: tensor.clone() });
    }
    if let Some((tensor, part)) = unread.iter().find_map(|name| Some((name, unsupported(name)?))) {
        return Err(WeightError::Unsupported { tensor: tensor.clone(), part });
    }
    if let Some(prefix) = PREFIXES.into_iter().find(|prefix| unread.contains(&format!("{prefix}cls_token"))) {
        return Err(WeightError::Prefix { prefix });
    }
    let stages = &options.selectors.stages;
    if !stages.is_empty() && !unread.iter().any(|name| name.starts_with(SELECTORS)) {
        return Err(WeightError::NoSelectors { stages: stages.clone() });
    }
    let mut reader = Reader { file, unread };
    let mut network = skeleton(dims, options);
    visit(&mut network, &mut reader)?;
    match reader.unread.pop_first() {
        Some(tensor) if tensor.starts_with(SELECTORS) => Err(WeightError::ExtraSelector { tensor }),
        Some(tensor) => Err(WeightError::Extra { tensor }),
        None => Ok(network),
    }
}

/// Whether a file, float or quantized, has tensors of token selectors; `None` where it is not readable.
pub fn has_selectors(bytes: &[u8]) -> Option<bool> {
    let (file, _) = open(bytes).ok()?;
    Some(file.names().into_iter().any(|name| name.starts_with(SELECTORS)))
}

/// What the writer noted about the weights; empty for files of others.
///
/// # Errors
/// The file is not readable.
pub fn metadata(bytes: &[u8]) -> Result<BTreeMap<String, String>, WeightError> {
    let (_, text) = open(bytes).map_err(|reason| WeightError::Container { reason })?;
    match text {
        None => Ok(BTreeMap::new()),
        Some(text) => serde_json::from_str(&text).map_err(|e| WeightError::Metadata { reason: e.to_string() }),
    }
}
