//! Everything that speaks AXI: read ports, result writer, register file, and the supervisor that
//! carries one run from the start register to the interrupt.
//!
//! State machines are rust-hdl blocks (`*_control`, imported by [`heatvit_rtl::import`]); data wider
//! than 32 bits passes them by in the wrapper modules.

mod bus_interface;
mod read_port;
mod read_port_control;
mod register_channel;
mod registers;
mod result_writer;
mod result_writer_control;
mod supervisor;
#[cfg(test)]
mod tests;

pub use bus_interface::{READ_CHANNEL, SLAVE_CHANNELS, WRITE_CHANNEL, bus_interface};
pub use read_port::read_port;
pub use registers::{ID, Register, VERSION, registers};
pub use result_writer::result_writer;
pub use supervisor::{ErrorCode, supervisor};

use heatvit_rtl::{Design, Expr, ModuleBuilder, ModuleId};
use rust_hdl_core::prelude::Block;

/// Read ports of the accelerator; port p carries bytes 16p..16p+15 of each 64-byte beat.
pub const READ_PORTS: u32 = 4;
/// Beats of a read burst and most beats of a write burst.
pub const BURST_BEATS: u32 = 16;
/// Bytes of a beat on one port.
pub const BEAT_BYTES: u32 = 16;
/// Alignment of all regions: bursts of 256 bytes then never cross a 4 KiB boundary.
pub const REGION_ALIGNMENT: u32 = 4096;

/// Imports a control block under `name`, once per design.
fn import_control<B: Block>(design: &mut Design, name: &str, doc: &str, block: B) -> ModuleId {
    design.find(name).unwrap_or_else(|| {
        heatvit_rtl::import::import(design, name, doc, block)
            .expect("the control blocks of this crate are fixed and inside the subset; a test imports each")
    })
}

/// The registered reset that rust-hdl blocks take as an ordinary input.
fn registered_reset(m: &mut ModuleBuilder) -> Expr {
    m.reg_reset("reset", &Expr::lit(0, 1), 1)
}

/// Constant attributes of an AXI4 address channel (`ar` or `aw`): 16-byte beats, incrementing
/// addresses, normal non-cacheable bufferable memory, unprivileged secure data.
fn address_attributes(m: &mut ModuleBuilder, channel: &str) {
    m.output_as(&format!("{channel}size"), &Expr::lit(4, 3), "16 bytes a beat");
    m.output_as(&format!("{channel}burst"), &Expr::lit(1, 2), "incrementing");
    m.output_as(&format!("{channel}cache"), &Expr::lit(3, 4), "normal, non-cacheable, bufferable");
    m.output_as(&format!("{channel}prot"), &Expr::lit(0, 3), "unprivileged, secure, data");
}
