//! All columns with their skews.

use super::column::{column, sum_bits};
use super::deskew::deskew;
use super::segment::SEGMENT_ROWS;
use super::skew::skew;
use crate::parameters::Parameters;
use crate::pipeline::child;
use heatvit_rtl::{Design, Expr, ModuleBuilder, ModuleId, Ty};

/// The array. A row of sums leaves `Latencies::array` cycles after its operand entered.
///
/// A tile is loaded as `columns` vectors of `rows` weights while the previous one computes: `load_column`
/// must name each column once between two swaps, and a swap comes with the first operand of the new tile.
pub fn systolic_array(design: &mut Design, parameters: &Parameters) -> ModuleId {
    let column_id = column(design, parameters);
    let skew_id = skew(design);
    let deskew_id = deskew(design, parameters);
    let (pair, skewer, aligner) = (child(design, column_id), child(design, skew_id), child(design, deskew_id));
    let (rows, columns, pairs, segments) =
        (parameters.rows, parameters.columns, parameters.pairs(), parameters.segments());
    let mut m = ModuleBuilder::new(
        "systolic_array",
        &format!(
            "Weight-stationary systolic array of {rows} x {columns} int8 products per cycle in {} DSP48E2.",
            rows * pairs
        ),
    );
    let vector = Ty::signed(8).lanes(SEGMENT_ROWS).lanes(segments);
    let operand = m.input("operand", vector.clone(), "streamed vector");
    let swap = m.input("swap", Ty::bit(), "the operand is the first of a new tile");
    let weight = m.input("weight", vector.clone(), "stationary vector");
    let load = m.input("load", Ty::bit(), "the stationary vector is valid");
    let load_column = m.input("load_column", Ty::bits(columns.ilog2()), "its column");
    let mut skewed = Vec::new();
    for (name, source) in [("operand", &operand), ("weight", &weight)] {
        let mut out = None;
        m.array(&format!("{name}_skew"), skew_id, &skewer, segments)
            .lanes("rows", source)
            .output("skewed", &format!("{name}_skewed"), &mut out)
            .done();
        skewed.push(out.expect("declared by the instance"));
    }
    let enables: Vec<Expr> = (0..columns).map(|c| &load & load_column.eq_lit(u64::from(c))).collect();
    let load_enable = m.declare("load_enable", Ty::bit().lanes(columns));
    m.assign(&load_enable, &Expr::concat_low_first(&enables));
    let act_chain = m.declare("act_chain", vector.lanes(pairs + 1));
    let skewed_operand = skewed[0].clone();
    m.assign_part(&act_chain, 0, &skewed_operand);
    let swap_chain = m.declare("swap_chain", Ty::bit().lanes(pairs + 1));
    m.assign_part(&swap_chain, 0, &swap);
    let (mut low, mut high) = (None, None);
    m.array("pairs", column_id, &pair, pairs)
        .lanes("act", &act_chain)
        .input("weight", &skewed[1])
        .lanes_at("load_lo", &load_enable, 0, 2)
        .lanes_at("load_hi", &load_enable, 1, 2)
        .lanes("swap", &swap_chain)
        .lanes_at("act_out", &act_chain, 1, 1)
        .lanes_at("swap_out", &swap_chain, 1, 1)
        .output("low", "low", &mut low)
        .output("high", "high", &mut high)
        .done();
    align(&mut m, (deskew_id, &aligner), parameters, [low, high].map(|wire| wire.expect("declared by the instance")));
    design.add(m.finish())
}

fn align(
    m: &mut ModuleBuilder,
    (id, aligner): (ModuleId, &heatvit_rtl::Module),
    parameters: &Parameters,
    [low, high]: [Expr; 2],
) {
    let bits = sum_bits(parameters);
    let pairs = parameters.pairs();
    let raw = m.declare("pair_sums", Ty::bits(2 * bits).lanes(pairs));
    for j in 0..pairs {
        let both = Expr::concat(&[m.element(&high, j), m.element(&low, j)]);
        m.assign_part(&raw, j, &both);
    }
    let sums = m.output("sums", Ty::signed(bits).lanes(parameters.columns), "sums of one row, channel 0 first");
    m.instance("deskew", id, aligner).input("sums", &raw).output_to("aligned", &sums).done();
}
