//! Integer polynomial units.

pub mod exp;
pub mod gelu;
pub mod plan;
pub mod recip;
pub mod report;
pub mod rsqrt;
