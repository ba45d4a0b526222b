//! On-chip memories of activations.

mod logit_memory;
mod operand_memory;
mod value_memory;

pub use logit_memory::logit_memory;
pub use operand_memory::operand_memory;
pub use value_memory::value_memory;
