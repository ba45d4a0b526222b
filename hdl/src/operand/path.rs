//! All lanes of the read path.

use super::lane::operand_lane;
use crate::parameters::Parameters;
use crate::pipeline::child;
use heatvit_rtl::{Design, Expr, ModuleBuilder, ModuleId, Ty};

/// Lanes and the delays of what they share. The operand follows six cycles after the inputs.
pub fn operand_path(design: &mut Design, parameters: &Parameters) -> ModuleId {
    let rows = parameters.rows;
    let lane_bits = rows.ilog2();
    let selector = parameters.has_selector();
    let id = operand_lane(design, lane_bits, selector);
    let lane = child(design, id);
    let mut m = ModuleBuilder::new(
        "operand_path",
        "The streamed operand between the memories and the array: direct, LayerNorm or exp in six cycles.",
    );
    let direct = m.input("direct", Ty::bits(8 * rows), "word of memory A");
    let residual = m.input("residual", Ty::bits(16 * rows), "word of memory X");
    let scores = m.input("scores", Ty::bits(16 * rows), "word of memory S");
    let norm = m.input("norm", Ty::bits(42), "row of the norm table: shift selector, multiplier, mean");
    let maximum = m.input("maximum", Ty::signed(16), "row maximum of the scores");
    let limit = m.input("limit", Ty::bits(16), "number of real lanes");
    let source = m.input("source", Ty::bits(2), "0 direct, 1 LayerNorm, 2 exp, 3 ones");
    let first_masked = selector.then(|| m.input("first_masked", Ty::bit(), "lane 0 is masked, too"));
    let accumulate = selector.then(|| m.input("accumulate", Ty::bit(), "add to the sum of the package"));
    let spread = |m: &mut ModuleBuilder, name: &str, flat: &Expr, ty: Ty| {
        let lanes = m.declare(name, ty.lanes(rows));
        m.assign(&lanes, flat);
        lanes
    };
    let direct = spread(&mut m, "direct_lanes", &direct, Ty::bits(8));
    let residual = spread(&mut m, "residual_lanes", &residual, Ty::signed(16));
    let scores = spread(&mut m, "score_lanes", &scores, Ty::signed(16));
    let numbers: Vec<Expr> = (0..rows).map(|i| Expr::lit(u64::from(i), lane_bits)).collect();
    let index = spread(&mut m, "index", &Expr::concat_low_first(&numbers), Ty::bits(lane_bits));
    let mean = m.wire("mean", &norm.slice(0, 23).as_signed());
    let mult = m.wire("mult", &norm.slice(23, 17));
    let sel = m.delay("sel", &norm.slice(40, 2), 2);
    let is_exp = m.wire("is_exp", &source.eq_lit(2));
    let source_5 = m.delay("source", &source, 5);
    let operand = m.output("operand", Ty::signed(8).lanes(rows), "operand for the array");
    let word = selector.then(|| m.output("word_5", Ty::signed(16).lanes(rows), "package, five cycles after its data"));
    let mut lanes = m
        .array("lanes", id, &lane, rows)
        .lanes("index", &index)
        .lanes("direct_0", &direct)
        .lanes("residual_0", &residual)
        .lanes("score_0", &scores)
        .input("mean_0", &mean)
        .input("mult_0", &mult)
        .input("max_0", &maximum)
        .input("limit_0", &limit)
        .input("is_exp_0", &is_exp)
        .input("sel_2", &sel)
        .input("source_5", &source_5)
        .lanes("operand", &operand);
    for (port, value) in [("first_masked_0", &first_masked), ("accumulate_0", &accumulate)] {
        if let Some(value) = value {
            lanes = lanes.input(port, value);
        }
    }
    if let Some(word) = &word {
        lanes = lanes.lanes("word_5", word);
    }
    lanes.done();
    design.add(m.finish())
}
