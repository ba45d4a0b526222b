//! The quantized network as one file (docs/weights.md): a safetensors container whose single metadata entry
//! holds format, version and all scalar constants as JSON.

mod error;
mod header;
mod origin;
mod read;
mod selector_header;
mod write;

pub use error::QuantFileError;
pub use origin::{Difference, Origin};
pub use read::{from_bytes, is_quantized};
pub use write::to_bytes;

use super::QuantNetwork;

/// Name of the format in the metadata.
const FORMAT: &str = "heatvit-int8";
/// Version that this code reads and writes.
pub const VERSION: u32 = 4;

/// What a quantized file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantFile {
    /// The network.
    pub network: QuantNetwork,
    /// What it was made for.
    pub origin: Origin,
}

#[cfg(test)]
mod tests;
