//! Control of the pipeline: the state machines (rust-hdl blocks) and what decodes descriptors for them.

mod decode;
mod loader;
mod streamer;

pub use decode::{Operation, count_registers, field, flag, op_fields, stream_field, target};
pub use loader::loader;
pub use streamer::streamer;
