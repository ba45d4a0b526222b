//! What runs on the accelerator, as pure data: operations, memory layout, program and weight images.
//!
//! [`Program::compile`] turns a quantized network into the list of [`Step`]s, the bytes of the program
//! stream and the map from rows to tensors that checkers use.

pub mod descriptor;
mod image;
mod layout;
mod plan;
mod product;
mod select;
mod selector_layout;

pub use image::{PORTS, split};
pub use layout::{Layout, Padding};
pub use plan::{Program, ScheduleError, Step};
pub use product::{LOGIT_WORDS, Output, Product, Rows, Source, Stationary, Tiles, Work};
pub use select::Select;
pub use selector_layout::SelectorLayout;
