//! Cycle-accurate simulation of `rtl` designs.
//!
//! [`Simulator`] lowers a [`heatvit_rtl::Design`] to a flat netlist, finds the batches that its instances form,
//! compiles them to machine code and runs them. It knows nothing of transformers. Every engine, the reference
//! interpreter included, is an [`Engine`].

mod emit;
mod engine;
mod error;
mod kernels;
mod lower;
mod netlist;
mod plan;
mod simulator;

pub use engine::{Engine, PortId, Reference};
pub use error::SimError;
pub use simulator::{MemoryHandle, SignalHandle, Simulator};
