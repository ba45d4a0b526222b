//! The accelerator: functions from [`Parameters`] to `rtl` modules, with the schedule beside them as
//! pure data.

mod accelerator;
pub mod array;
#[cfg(test)]
mod bench;
pub mod bus;
pub mod control;
mod core;
pub mod memory;
pub mod operand;
mod parameters;
pub mod pipeline;
pub mod post;
pub mod probe;
pub mod schedule;
pub mod selector;
pub mod stream;

pub use accelerator::{TOP, accelerator, control_part};
pub use core::array_part;
pub use parameters::{Latencies, MAX_SELECTOR_HEADS, MAX_SELECTORS, MAX_TOKENS, Parameters};
