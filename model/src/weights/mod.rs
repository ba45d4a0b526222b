//! Trained weights as a safetensors file with timm's parameter names (docs/weights.md). Bytes in, bytes out;
//! the caller opens the files.

mod container;
mod error;
mod largest;
mod layout;
mod read;
mod write;

pub(crate) use container::{METADATA_KEY, open};
pub use error::WeightError;
pub use largest::largest;
pub use read::{from_bytes, has_selectors, metadata};
pub use write::{into_bytes, to_bytes};

#[cfg(test)]
mod tests;
