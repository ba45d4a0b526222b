//! The FIFO of one read port.

use heatvit_rtl::{Design, Expr, MemoryStyle, ModuleBuilder, ModuleId, Ty, WritePort};

/// Beats of 16 bytes: covers a loaded memory latency of 400 cycles at one beat per cycle.
pub const FIFO_BEATS: u32 = 512;

/// First-word-fall-through FIFO over a block RAM. The read port owns the space: it requests only what fits.
pub fn fifo(design: &mut Design) -> ModuleId {
    let bits = FIFO_BEATS.ilog2();
    let mut m = ModuleBuilder::new(
        "fifo",
        "FIFO of one read port; the head is visible while `valid`. Overflow is impossible by the port's credits.",
    );
    let clear = m.input("clear", Ty::bit(), "drop everything");
    let push = m.input("push", Ty::bit(), "append `data`");
    let data = m.input("data", Ty::bits(128), "beat from the bus");
    let pop = m.input("pop", Ty::bit(), "drop the head; only while `valid`");
    let write_at = m.reg_declare("write_at", Ty::bits(bits));
    let read_at = m.reg_declare("read_at", Ty::bits(bits));
    let one = Expr::lit(1, 1);
    let zero = Expr::lit(0, bits);
    let next_write = clear.mux(&zero, &(&write_at + &push).trunc(bits));
    m.drive(&write_at, &next_write, None, Some(0));
    let read_next = m.wire("read_next", &(&read_at + &pop).trunc(bits));
    m.drive(&read_at, &clear.mux(&zero, &read_next), None, Some(0));
    // The word at `read_next` can be read at this edge if it was written at an earlier one.
    let valid = m.output_reg("valid", Ty::bit(), "the head is valid");
    m.drive(&valid, &(read_next.ne(&write_at) & !&clear), None, Some(0));
    let head = m.memory(
        "beats",
        (128, FIFO_BEATS),
        MemoryStyle::Block,
        None,
        Some(WritePort { enable: push, address: write_at, data, mask: None }),
        (&one, &read_next),
        "beats in flight from the bus to the loader",
    );
    m.output_as("head", &head, "oldest beat");
    design.add(m.finish())
}
