//! The board around an accelerator: DDR memory behind AXI4 ports and a processor at the AXI4-Lite port.
//!
//! What the models drive in cycle `t + 1` depends only on what was on the wires up to cycle `t`; no ready or valid
//! of theirs depends on a valid or ready of the same cycle. Every engine therefore needs one evaluation per cycle,
//! and engines with other scheduling (Verilator) see exactly the same stimuli.

mod board;
mod memory;
mod registers;

pub use board::{Board, Job, RunReport, offset};
pub use memory::{BEAT_BYTES, MemoryConfig, MemoryModel, READ_PORTS, ReadBeat, Response};
pub use registers::{LiteInputs, LiteOutputs, Registers};
