//! The golden int8 model: the functions of this crate, composed. No float.

mod network;
pub(crate) mod product;
mod trace;

pub use network::run;
pub use trace::{Tensor, Trace};
