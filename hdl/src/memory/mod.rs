//! On-chip memories of activations.

mod operand_memory;
mod value_memory;

pub use operand_memory::operand_memory;
pub use value_memory::value_memory;
