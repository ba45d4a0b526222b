//! The token selector's own hardware: scores, decisions, the package token and the token counts. The nets
//! before it are products on the array.

mod control;
mod divider;
mod scoring;
mod tables;
#[cfg(test)]
mod tests;
mod unit;

pub use control::selector_control;
pub use divider::divider;
pub use scoring::scoring;
pub use tables::{count_log, drop_table, offset_table};
pub use unit::{FACTOR_BITS, LOGIT_LANE, SLOT_BITS, selector};
