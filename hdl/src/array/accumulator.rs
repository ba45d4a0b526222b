//! Accumulators: the partial sums of a row over the tiles of the reduction dimension.

use super::column::sum_bits;
use crate::parameters::Parameters;
use crate::pipeline::child;
use heatvit_rtl::{Design, MemoryStyle, ModuleBuilder, ModuleId, Ty, WritePort};

/// Bits of an accumulator (bias included), proved sufficient per channel at quantization.
pub const ACC_BITS: u32 = 27;

/// One lane: memory of `row_depth` partial sums and its adder; the sum leaves two cycles later.
fn accumulator_lane(design: &mut Design, parameters: &Parameters) -> ModuleId {
    let mut m = ModuleBuilder::new(
        "accumulator_lane",
        "Adds a partial sum to the row's accumulator: read, add, write back within three cycles.",
    );
    let row_bits = parameters.row_depth().ilog2();
    let sum = m.input("sum", Ty::signed(sum_bits(parameters)), "partial sum of one tile");
    let row = m.input("row", Ty::bits(row_bits), "its row");
    let valid = m.input("valid", Ty::bit(), "the partial sum is valid");
    let first = m.input("first", Ty::bit(), "one cycle later: first tile of the reduction, start from zero");
    let write = m.input("write", Ty::bit(), "two cycles later: keep the sum");
    let write_row = m.input("write_row", Ty::bits(row_bits), "two cycles later: the row");
    let total = m.output_reg("total", Ty::signed(ACC_BITS), "two cycles later: the sum so far");
    let kept = m.memory(
        "partial",
        (ACC_BITS, parameters.row_depth().max(256)),
        MemoryStyle::Block,
        None,
        Some(WritePort {
            enable: write,
            address: write_row.resize(parameters.row_depth().max(256).ilog2()),
            data: total.as_unsigned(),
            mask: None,
        }),
        (&valid, &row.resize(parameters.row_depth().max(256).ilog2())),
        "accumulators",
    );
    let sum_d1 = m.reg("sum_d1", &sum);
    let zero = heatvit_rtl::Expr::slit(0, ACC_BITS);
    let base = m.wire("base", &first.mux(&zero, &kept.as_signed()));
    m.drive(&total, &(&base + &sum_d1).trunc(ACC_BITS), None, None);
    design.add(m.finish())
}

/// `columns` lanes that share row and control.
pub fn accumulator(design: &mut Design, parameters: &Parameters) -> ModuleId {
    let id = accumulator_lane(design, parameters);
    let lane = child(design, id);
    let columns = parameters.columns;
    let row_bits = parameters.row_depth().ilog2();
    let mut m = ModuleBuilder::new(
        "accumulator",
        "Accumulators of all lanes. Rows of consecutive tiles must be at least three cycles apart.",
    );
    let sums = m.input("sums", Ty::signed(sum_bits(parameters)).lanes(columns), "partial sums of one row");
    let row = m.input("row", Ty::bits(row_bits), "the row");
    let valid = m.input("valid", Ty::bit(), "the partial sums are valid");
    let first = m.input("first", Ty::bit(), "first tile of the reduction");
    let last = m.input("last", Ty::bit(), "last tile of the reduction: the total is used, not kept");
    let first_d1 = m.reg("first_d1", &first);
    let valid_d2 = m.delay_flag("valid", &valid, 2);
    let last_d2 = m.delay("last", &last, 2);
    let row_d2 = m.delay("row", &row, 2);
    let write = m.wire("write", &(valid_d2 & !last_d2));
    let totals = m.output("totals", Ty::signed(ACC_BITS).lanes(columns), "two cycles later: sums so far");
    m.array("lanes", id, &lane, columns)
        .lanes("sum", &sums)
        .input("row", &row)
        .input("valid", &valid)
        .input("first", &first_d1)
        .input("write", &write)
        .input("write_row", &row_d2)
        .lanes("total", &totals)
        .done();
    design.add(m.finish())
}
