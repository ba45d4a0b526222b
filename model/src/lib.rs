//! What the accelerator computes, without any hardware: the fixed-point contract, the polynomial
//! units, the quantized network and the golden model that runs it in integers only.
//!
//! `docs/arithmetic.md` specifies every function here; the hardware units name the function they equal.

pub mod config;
pub mod data;
pub mod fixed;
pub mod float;
pub mod golden;
pub mod image;
pub mod layernorm;
pub mod npy;
pub mod picture;
pub mod poly;
pub mod quant;
pub mod selector;
mod statistics;
pub mod synth;
pub mod weights;
