//! One lane of the read path.

use crate::pipeline::scale_product;
use heatvit_rtl::{Design, Expr, ModuleBuilder, ModuleId, Ty, select};

/// Constant part of the exponential, in 1/256 of a step: 0.344 * 127 * 256 (`heatvit_model::poly::exp`).
const EXP_OFFSET: u64 = 11184;
/// Numerator of the square's coefficient over 2^13.
const EXP_SLOPE: u64 = 175;
/// 1.353 in half units of ln2/256.
const EXP_ROOT: i64 = 999;

/// Bits of the multiplier's result: a difference of 23 bits times a factor of 18.
const PRODUCT_BITS: u32 = 41;

/// A lane: passes int8, normalises int16 (`heatvit_model::layernorm`) or exponentiates scores
/// (`heatvit_model::poly::exp`) with one shared multiplier. Inputs carry the cycle of their use
/// counted from the memories' data; the operand follows six cycles after these.
///
/// With a selector the lane also puts the package token together, a weighted sum of residuals in the
/// multiplier's accumulator (`heatvit_model::golden::selector::package`), and gives 127 for every candidate.
pub fn operand_lane(design: &mut Design, lane_bits: u32, selector: bool) -> ModuleId {
    let mut m = ModuleBuilder::new(
        "operand_lane",
        "One lane of the streamed operand: direct, LayerNorm of the residual, or exp of a score.\n\
         A suffix _N names the cycle after the memories' data; the operand is valid in cycle 6.",
    );
    let index = m.input("index", Ty::bits(lane_bits), "number of this lane");
    let direct = m.input("direct_0", Ty::bits(8), "int8 activation");
    let residual = m.input("residual_0", Ty::signed(16), "residual stream");
    let score = m.input("score_0", Ty::signed(16), "score, units of ln2/256");
    let mean = m.input("mean_0", Ty::signed(23), "mean of the row, 6 fraction bits");
    let mult = m.input("mult_0", Ty::bits(17), "multiplier of the row");
    let maximum = m.input("max_0", Ty::signed(16), "maximum of the row's scores");
    let limit = m.input("limit_0", Ty::bits(16), "lanes at or beyond it are masked");
    let is_exp = m.input("is_exp_0", Ty::bit(), "exponentiate");
    let sel = m.input("sel_2", Ty::bits(2), "shift selector of the row");
    let source = m.input("source_5", Ty::bits(2), "0 direct, 1 LayerNorm, 2 exp, 3 ones");
    let first_masked = selector.then(|| m.input("first_masked_0", Ty::bit(), "lane 0 is masked, too"));
    let accumulate = selector.then(|| m.input("accumulate_0", Ty::bit(), "add to the product of the cycle before"));

    // Cycle 1: operands of the multiplier.
    let difference = m.wire("difference", &(residual.shl_const(6) - &mean).trunc(23));
    let distance = m.wire("distance", &(&maximum - &score).as_unsigned());
    let twice = distance.slice(0, 8).shl_const(1);
    let root = m.wire("root", &(Expr::slit(EXP_ROOT, 11) - twice).trunc(11));
    let factor_a = m.reg("factor_a", &is_exp.mux(&root.extend(23), &difference));
    let factor_b = m.reg("factor_b", &is_exp.mux(&root.extend(18), &mult.to_signed()));
    let high = distance.slice(8, 9);
    let octaves_1 = m.reg("octaves", &high.shr_const(4).any().mux(&Expr::lit(15, 4), &high.slice(0, 4)));
    let mut is_kept = index.lt(&limit);
    if let Some(first_masked) = first_masked {
        is_kept = &is_kept & !(first_masked & index.eq_lit(0));
    }
    let kept_1 = m.reg("kept", &is_kept);
    // Cycle 2: product. Cycles 3..5 scale it: rounding, shift, saturation.
    let product = m.reg_declare("product", Ty::signed(PRODUCT_BITS));
    let mut sum = (&factor_a * &factor_b).trunc(PRODUCT_BITS);
    if let Some(accumulate) = accumulate {
        // A copy of the product that is cleared by the registers' reset, not by logic before the adder.
        let addend = m.reg_declare("addend", Ty::signed(PRODUCT_BITS));
        sum = (sum + &addend).trunc(PRODUCT_BITS);
        m.drive(&addend, &accumulate.mux(&sum, &Expr::slit(0, PRODUCT_BITS)), None, None);
    }
    m.drive(&product, &sum, None, None);
    let scaled = scale_product(&mut m, "norm", &product, &sel);
    let normalised = m.reg("normalised", &scaled.saturate(8));
    // exp: (root^2 >> 6) * 175 >> 7, plus the offset, shifted by the octaves, rounded.
    let square = m.reg("square", &(product.slice(6, 14) * Expr::lit(EXP_SLOPE, 8)));
    let mantissa = m.reg("mantissa", &(square.slice(7, 15) + Expr::lit(EXP_OFFSET, 15)).trunc(15));
    let octaves = m.delay("octaves", &octaves_1, 3);
    let kept = m.delay("kept", &kept_1, 3);
    let shifted = m.wire("shifted", &mantissa.shr(&octaves));
    let exponential = (&shifted + Expr::lit(128, 8)).slice(8, 8);
    let masked = m.reg("exponential", &kept.mux(&exponential, &Expr::lit(0, 8)));
    let direct_5 = m.delay("direct", &direct, 5);
    let operand = m.output_reg("operand", Ty::signed(8), "int8 operand in cycle 6");
    let mut sources = vec![direct_5, normalised.as_unsigned(), masked];
    if selector {
        let kept_5 = m.reg("kept_5", &kept);
        sources.push(Expr::concat(&[Expr::lit(0, 1), kept_5.mux(&Expr::lit(127, 7), &Expr::lit(0, 7))]));
        let word = m.output_reg("word_5", Ty::signed(16), "residual of the package");
        // Shares add up to no more than one, so a mean of 16-bit values needs no saturation.
        m.drive(&word, &scaled.trunc(16), None, None);
    }
    let chosen = select(&source, &sources).as_signed();
    m.drive(&operand, &chosen, None, None);
    design.add(m.finish())
}
