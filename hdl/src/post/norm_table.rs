//! Statistics of the residual stream's rows and the table of their norms.

use super::rsqrt::{ENTRY_BITS, RSQRT_CYCLES, SQUARES_BITS, SUM_BITS, rsqrt};
use crate::parameters::Parameters;
use crate::pipeline::{adder_tree, child, delay_line, flag_line};
use heatvit_rtl::{Design, Expr, MemoryStyle, ModuleBuilder, ModuleId, Ty, WritePort};

/// Gathers sum and sum of squares of each row while the residual is written, and turns them into the row's
/// LayerNorm constants with the last output tile: no pass of its own over the residual.
pub fn norm_table(design: &mut Design, parameters: &Parameters) -> ModuleId {
    let row_bits = parameters.row_depth().ilog2();
    let levels = parameters.columns.ilog2();
    let id = rsqrt(design);
    let unit = child(design, id);
    let mut m = ModuleBuilder::new(
        "norm_table",
        "Row statistics of the residual stream, gathered while it is written, and each row's LayerNorm constants.",
    );
    let stream = m.input("stream", Ty::signed(16).lanes(parameters.columns), "new residuals of one row");
    let squares = m.input("squares", Ty::bits(31).lanes(parameters.columns), "their squares");
    let valid = m.input("valid", Ty::bit(), "they are valid");
    let row = m.input("row", Ty::bits(row_bits), "the row");
    let first = m.input("first", Ty::bit(), "first output tile");
    let last = m.input("last", Ty::bit(), "last output tile");
    let constants = ["gain", "exponent", "eps", "channels", "inv_channels"].map(|name| {
        (name, m.input(name, unit.signal(unit.find(name).expect("a port of rsqrt")).ty.clone(), "see rsqrt"))
    });
    let read_address = m.input("read_address", Ty::bits(row_bits), "row to look up");
    let clear = parameters.has_selector().then(|| m.input("clear", Ty::bit(), "give zeros: the selector adds its own"));
    let one = Expr::lit(1, 1);
    let terms = m.elements(&stream);
    let sum = adder_tree(&mut m, "sum", &terms);
    let terms = m.elements(&squares);
    let square = adder_tree(&mut m, "square", &terms);
    let control = delay_line(design, &mut m, "control", &Expr::concat(&[last, first, row]), levels);
    let valid = flag_line(design, &mut m, "valid", &valid, levels);
    // Read the sums so far, add.
    let total = m.reg_declare("total", Ty::signed(SUM_BITS));
    let total_squares = m.reg_declare("total_squares", Ty::bits(SQUARES_BITS));
    let control_2 = m.delay("control_total", &control, 2);
    let valid_2 = m.delay_flag("valid_total", &valid, 2);
    let row_2 = m.wire("row_2", &control_2.slice(0, row_bits));
    let kept = m.memory(
        "sums",
        (SUM_BITS + SQUARES_BITS, parameters.row_depth()),
        MemoryStyle::Distributed,
        None,
        Some(WritePort {
            enable: valid_2.clone(),
            address: row_2.clone(),
            data: Expr::concat(&[total_squares.clone(), total.as_unsigned()]),
            mask: None,
        }),
        (&valid, &control.slice(0, row_bits)),
        "sums so far",
    );
    let first_1 = m.reg("first_1", &control.bit(row_bits));
    let sum_1 = m.reg("sum_1", &sum);
    let square_1 = m.reg("square_1", &square);
    let base = first_1.mux(&Expr::slit(0, SUM_BITS), &kept.slice(0, SUM_BITS).as_signed());
    m.drive(&total, &(base + sum_1).trunc(SUM_BITS), None, None);
    let base = first_1.mux(&Expr::lit(0, SQUARES_BITS), &kept.slice(SUM_BITS, SQUARES_BITS));
    m.drive(&total_squares, &(base + square_1).trunc(SQUARES_BITS), None, None);
    let mut entry = None;
    let mut instance = m.instance("rsqrt", id, &unit).input("sum", &total).input("squares", &total_squares);
    for (name, value) in &constants {
        instance = instance.input(name, value);
    }
    instance.output("entry", "entry", &mut entry).done();
    let complete = m.wire("complete", &(&valid_2 & control_2.bit(row_bits + 1)));
    let store = flag_line(design, &mut m, "store", &complete, RSQRT_CYCLES);
    let store_row = delay_line(design, &mut m, "store_row", &row_2, RSQRT_CYCLES);
    let looked_up = m.memory(
        "entries",
        (ENTRY_BITS, parameters.row_depth()),
        MemoryStyle::Distributed,
        None,
        Some(WritePort {
            enable: store,
            address: store_row,
            data: entry.expect("declared by the instance"),
            mask: None,
        }),
        (&one, &read_address),
        "shift selector, multiplier and mean of each row",
    );
    let out = m.output_reg("read_data", Ty::bits(ENTRY_BITS), "two cycles after the address");
    let zero = Expr::lit(0, ENTRY_BITS);
    let given = clear.map_or(looked_up.clone(), |clear| clear.mux(&zero, &looked_up));
    m.drive(&out, &given, None, None);
    design.add(m.finish())
}
