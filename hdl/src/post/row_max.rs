//! Maximum of each row of scores.

use crate::parameters::Parameters;
use crate::pipeline::{delay_line, flag_line, max_tree};
use heatvit_rtl::{Design, Expr, MemoryStyle, ModuleBuilder, ModuleId, Ty, WritePort};

/// Running row maxima, gathered while scores are written; two banks, so that one head's maxima are read
/// while the next head's are gathered.
pub fn row_max(design: &mut Design, parameters: &Parameters) -> ModuleId {
    let row_bits = parameters.row_depth().ilog2() + 1;
    let levels = parameters.columns.ilog2();
    let mut m = ModuleBuilder::new("row_max", "Maximum of each row of scores over all output tiles.");
    let scores = m.input("scores", Ty::signed(16).lanes(parameters.columns), "scores of one row, masked lanes lowest");
    let valid = m.input("valid", Ty::bit(), "scores are valid");
    let row = m.input("row", Ty::bits(row_bits), "bank and row");
    let first = m.input("first", Ty::bit(), "first output tile");
    let read_address = m.input("read_address", Ty::bits(row_bits), "bank and row to look up");
    let one = Expr::lit(1, 1);
    let terms = m.elements(&scores);
    let tile = max_tree(&mut m, "tile", &terms);
    let control = delay_line(design, &mut m, "control", &Expr::concat(&[first, row]), levels);
    let valid = flag_line(design, &mut m, "valid", &valid, levels);
    let maximum = m.reg_declare("maximum", Ty::signed(16));
    let write = m.delay_flag("write", &valid, 2);
    let write_row = m.delay("write_row", &control.slice(0, row_bits), 2);
    let port =
        || WritePort { enable: write.clone(), address: write_row.clone(), data: maximum.as_unsigned(), mask: None };
    let depth = 2 * parameters.row_depth();
    let kept = m.memory(
        "running",
        (16, depth),
        MemoryStyle::Distributed,
        None,
        Some(port()),
        (&valid, &control.slice(0, row_bits)),
        "maxima so far",
    );
    let tile_1 = m.reg("tile_1", &tile);
    let first_1 = m.reg("first_1", &control.bit(row_bits));
    let kept = kept.as_signed();
    let keep = m.wire("keep", &(!&first_1 & kept.gt(&tile_1)));
    m.drive(&maximum, &keep.mux(&kept, &tile_1), None, None);
    let looked_up = m.memory(
        "entries",
        (16, depth),
        MemoryStyle::Distributed,
        None,
        Some(port()),
        (&one, &read_address),
        "the same, for the read path",
    );
    let out = m.output_reg("read_data", Ty::signed(16), "two cycles after the address");
    m.drive(&out, &looked_up.as_signed(), None, None);
    design.add(m.finish())
}
