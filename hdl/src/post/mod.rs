//! Post-processing: bias, requantization, GELU, residual addition, and what rows gather on the way.

mod entry;
mod lane;
mod norm_table;
mod path;
mod row_max;
mod rsqrt;

pub use entry::{NORM_BITS, PostEntry};
pub use norm_table::norm_table;
pub use path::{FIELD_BITS, PostFields, post_path};
pub use row_max::row_max;
pub use rsqrt::INVERSE_BITS;
