//! What runs on the accelerator, as pure data: operations, memory layout, program and weight images.
//!
//! [`Program::compile`] turns a quantized network into the list of [`Product`]s, the bytes of the program
//! stream and the map from rows to tensors that checkers use.

pub mod descriptor;
mod image;
mod layout;
mod plan;
mod product;

pub use image::{PORTS, split};
pub use layout::{Layout, Padding};
pub use plan::{Program, ScheduleError};
pub use product::{Output, Product, Source, Stationary};
