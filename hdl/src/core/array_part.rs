//! The array between its loaders and its accumulators, on its own: what a simulator's speed is measured on.

use super::load_path::{LoadPorts, load_path};
use crate::array::{accumulator, systolic_array};
use crate::parameters::Parameters;
use crate::pipeline::{delay_line, flag_line, place};
use heatvit_rtl::{Design, Expr, ModuleBuilder, ModuleId, Ty};

/// The load path, the array and the accumulators as the pipeline has them.
///
/// Stationary vectors come in by one port whatever their source is; a row of the streamed operand comes in with its
/// place, which follows it through the array.
pub fn array_part(design: &mut Design, parameters: &Parameters) -> ModuleId {
    let mut m = ModuleBuilder::new("array_part", "The systolic array between its loaders and its accumulators.");
    let row_bits = parameters.row_depth().ilog2();
    let word = Ty::bits(8 * parameters.rows);
    let operand = m.input("operand", word.clone(), "streamed vector");
    let swap = m.input("swap", Ty::bit(), "it is the first of a tile");
    let valid = m.input("valid", Ty::bit(), "it is a row");
    let row = m.input("row", Ty::bits(row_bits), "which");
    let first = m.input("first", Ty::bit(), "of the first tile of the reduction");
    let last = m.input("last", Ty::bit(), "of its last tile");
    let vector = m.input("vector", word, "stationary vector, of the stream, K or V");
    let load = m.input("load", Ty::bit(), "load one");
    let column = m.input("load_column", Ty::bits(16), "its column");
    let lanes = m.input("load_lanes", Ty::bits(16), "its lanes that are real");
    let source = m.input("load_source", Ty::bits(2), "0 stream, 1 K, 2 V");
    let loading = load_path(
        design,
        &mut m,
        parameters,
        &LoadPorts {
            load: &load,
            column: &column,
            lanes: &lanes,
            source: &source,
            vector: &vector,
            keys: &vector,
            values: &vector,
        },
    );
    let id = systolic_array(design, parameters);
    let inputs = [
        ("operand", &operand),
        ("swap", &swap),
        ("weight", &loading.weight),
        ("load", &loading.load),
        ("load_column", &loading.column),
    ];
    let array = place(design, &mut m, "systolic", id, &inputs);
    let cycles = parameters.latencies().array;
    let place_of_row = Expr::concat_low_first(&[first, last, row]);
    let at_sums = delay_line(design, &mut m, "row_at_sums", &place_of_row, cycles);
    let valid = flag_line(design, &mut m, "valid_at_sums", &valid, cycles);
    let id = accumulator(design, parameters);
    let inputs = [
        ("sums", &array["sums"]),
        ("row", &at_sums.slice(2, row_bits)),
        ("valid", &valid),
        ("first", &at_sums.bit(0)),
        ("last", &at_sums.bit(1)),
    ];
    let totals = place(design, &mut m, "accumulator", id, &inputs);
    let ty = m.ty(&totals["totals"]);
    let out = m.output("totals", ty, "sums so far, two cycles after the row's sums");
    m.assign(&out, &totals["totals"]);
    design.add(m.finish())
}
