//! From the AXI read data to vectors: port FIFOs, the unpacker, descriptor queues, lane parameters.

mod fifo;
mod parameter_store;
mod queue;
mod unpacker;

pub use fifo::{FIFO_BEATS, fifo};
pub use parameter_store::{BIAS_BITS, MULT_BITS, parameter_store};
pub use queue::queue;
pub use unpacker::unpacker;
