//! How fast the simulator is: designs with recorded stimuli, replayed here and by Verilator's model of the printed
//! Verilog, with a hash of all outputs in every cycle.
//!
//! Replay is open-loop: both sides get the same inputs whatever they answer, so neither waits for a model of the host.

mod array_stimuli;
mod designs;
mod measure;
mod ours;
mod stimuli;
mod table;
mod verilated;

pub use designs::{NAMES, Subject, subject};
pub use measure::{Effort, measure};
pub use ours::{Replay, replay};
pub use stimuli::{Recording, Stimuli};
pub use table::{Measurement, Side, table, to_json};
pub use verilated::{Verilated, find};
