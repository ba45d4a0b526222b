//! Cycle-accurate simulation of `rtl` designs.
//!
//! [`Simulator`] lowers a [`heatvit_rtl::Design`] to a flat netlist, finds the batches that its instances form,
//! compiles them to machine code and runs them. It knows nothing of transformers. Every engine, the reference
//! interpreter included, is an [`Engine`].

pub mod axi;
mod buffer;
mod changes;
mod circuit;
mod emit;
mod engine;
mod error;
mod kernels;
mod limits;
mod lockstep;
mod lower;
mod netlist;
mod plan;
mod ports;
mod profile;
mod readout;
mod recorder;
mod simulator;
mod wave;

pub use engine::{Engine, PortId, Reference};
pub use error::SimError;
pub use lockstep::{Difference, lockstep};
pub use ports::{Port, Ports};
pub use recorder::{Event, Probe, Recorder};
pub use simulator::{MemoryHandle, SignalHandle, Simulator};
pub use wave::Wave;
