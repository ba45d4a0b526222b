//! What the selector remembers of each row, and of each stage.

use crate::parameters::{MAX_SELECTORS, Parameters};
use heatvit_rtl::{Design, Expr, MemoryStyle, ModuleBuilder, ModuleId, Ty, WritePort};

/// Bits of a weight in the package, and of the sum of all.
pub const WEIGHT_BITS: u32 = 18;
/// Bits of a share: 2^14 stands for 1.
pub const SHARE_BITS: u32 = 15;

/// Where each kept row was found: words to add to the address of its new place.
pub fn offset_table(design: &mut Design, parameters: &Parameters) -> ModuleId {
    let row_bits = parameters.row_depth().ilog2();
    let mut m = ModuleBuilder::new("offset_table", "Words from the new place of each kept row to its old one.");
    let write = m.input("write", Ty::bit(), "");
    let write_row = m.input("write_row", Ty::bits(row_bits), "new row");
    let offset = m.input("offset", Ty::bits(16), "words from its new place to its old one");
    let row = m.input("row", Ty::bits(row_bits), "row to look up");
    let found = m.memory(
        "offsets",
        (16, parameters.row_depth()),
        MemoryStyle::Distributed,
        None,
        Some(WritePort { enable: write, address: write_row, data: offset, mask: None }),
        (&Expr::lit(1, 1), &row),
        "offset of each row",
    );
    m.output_as("found", &found, "a cycle after the row");
    design.add(m.finish())
}

/// The dropped rows: address, weight, and share of the package.
pub fn drop_table(design: &mut Design, parameters: &Parameters) -> ModuleId {
    let row_bits = parameters.row_depth().ilog2();
    let mut m = ModuleBuilder::new("drop_table", "Address, weight and share of each dropped row, in their order.");
    let write = m.input("write", Ty::bit(), "append a row");
    let item = m.input("item", Ty::bits(row_bits), "its number");
    let address = m.input("address", Ty::bits(16), "its first word");
    let weight = m.input("weight", Ty::bits(WEIGHT_BITS), "its weight");
    let share_write = m.input("share_write", Ty::bit(), "note a share");
    let share_item = m.input("share_item", Ty::bits(row_bits), "of this row");
    let share = m.input("share", Ty::bits(SHARE_BITS), "share of the package, 2^14 for all of it");
    let read_item = m.input("read_item", Ty::bits(row_bits), "row to look up");
    let one = Expr::lit(1, 1);
    let depth = parameters.row_depth();
    let entry = m.memory(
        "rows",
        (16 + WEIGHT_BITS, depth),
        MemoryStyle::Distributed,
        None,
        Some(WritePort { enable: write, address: item, data: Expr::concat(&[weight, address]), mask: None }),
        (&one, &read_item),
        "weight above address",
    );
    let shares = m.memory(
        "shares",
        (SHARE_BITS, depth),
        MemoryStyle::Distributed,
        None,
        Some(WritePort { enable: share_write, address: share_item, data: share, mask: None }),
        (&one, &read_item),
        "shares",
    );
    m.output_as("found_address", &entry.slice(0, 16), "a cycle after the number");
    m.output_as("found_weight", &entry.slice(16, WEIGHT_BITS), "a cycle after the number");
    m.output_as("found_share", &shares, "a cycle after the number");
    design.add(m.finish())
}

/// Rows after each stage of the image, for the results.
pub fn count_log(design: &mut Design) -> ModuleId {
    let mut m = ModuleBuilder::new("count_log", "Rows of the residual stream after each selector of the image.");
    let clear = m.input("clear", Ty::bit(), "forget");
    let write = m.input("write", Ty::bit(), "append");
    let count = m.input("count", Ty::bits(16), "rows");
    let stage_bits = MAX_SELECTORS.ilog2();
    let stage = m.reg_declare("stage", Ty::bits(stage_bits));
    let next = clear.mux(&Expr::lit(0, stage_bits), &(&stage + &write).slice(0, stage_bits));
    m.drive(&stage, &next, None, Some(0));
    let zero = Expr::lit(0, 16);
    let counts: Vec<Expr> = (0..MAX_SELECTORS)
        .map(|i| {
            let register = m.reg_declare(&format!("count_{i}"), Ty::bits(16));
            let mine = &clear | (&write & stage.eq_lit(u64::from(i)));
            m.drive(&register, &clear.mux(&zero, &count), Some(&mine), Some(0));
            register
        })
        .collect();
    m.output_as("counts", &Expr::concat_low_first(&counts), "16 bits each, the first stage lowest");
    design.add(m.finish())
}
