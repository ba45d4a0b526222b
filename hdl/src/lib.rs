//! The accelerator: functions from [`Parameters`] to `rtl` modules, with the schedule beside them as
//! pure data.

pub mod array;
pub mod bus;
pub mod memory;
pub mod operand;
mod parameters;
pub mod pipeline;
pub mod post;
pub mod stream;

pub use parameters::{Latencies, MAX_TOKENS, Parameters};
