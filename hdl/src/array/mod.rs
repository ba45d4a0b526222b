//! The weight-stationary systolic array: `rows x columns` int8 products per cycle in
//! `rows * columns / 2` DSP48E2, two per slice sharing the streamed activation.
//!
//! Row `r` of each 16-row segment sees its operand `r mod 16` cycles late (`skew`), column
//! pair `j` another `j` cycles late; `deskew` puts the column sums side by side again.

mod accumulator;
mod column;
mod deskew;
mod dsp48e2;
mod pe;
mod segment;
mod skew;
mod systolic_array;

pub use accumulator::{ACC_BITS, accumulator};
pub use systolic_array::systolic_array;
