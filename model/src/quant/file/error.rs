//! Why a quantized file is refused.

use super::{FORMAT, VERSION};
use crate::quant::QuantError;

/// Why a quantized file is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum QuantFileError {
    /// Not a safetensors file.
    #[error("not a readable safetensors file: {reason}; quantize the network again")]
    Container {
        /// What the reader found.
        reason: String,
    },
    /// A safetensors file of something else.
    #[error("its metadata does not say that it holds a `{FORMAT}` network; quantize the network again")]
    Format,
    /// Written by another version.
    #[error("the file has version {found}, this program reads version {VERSION}; quantize the network again")]
    Version {
        /// Version found.
        found: u32,
    },
    /// The constants do not parse.
    #[error("the network's constants are not as expected: {reason}; quantize the network again")]
    Constants {
        /// What the reader found.
        reason: String,
    },
    /// A tensor is absent.
    #[error("tensor `{tensor}` is missing; quantize the network again")]
    Missing {
        /// Tensor.
        tensor: String,
    },
    /// A tensor that the constants do not mention.
    #[error("tensor `{tensor}` is not part of the network; quantize the network again")]
    Extra {
        /// Tensor.
        tensor: String,
    },
    /// Wrong type or shape.
    #[error("tensor `{tensor}` is {found}, {expected} is needed; quantize the network again")]
    Form {
        /// Tensor.
        tensor: String,
        /// Type and shape found.
        found: String,
        /// Type and shape needed.
        expected: String,
    },
    /// Values out of range.
    #[error(transparent)]
    Illegal(#[from] QuantError),
}
