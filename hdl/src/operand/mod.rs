//! The streamed operand: what the array reads, normalised or exponentiated on the way.

mod lane;
mod path;
mod reciprocal;
mod row_scale;

pub use path::operand_path;
pub use row_scale::row_scale;
