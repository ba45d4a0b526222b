//! One lane of post-processing.

use crate::array::ACC_BITS;
use crate::pipeline::rescale;
use crate::stream::{BIAS_BITS, MULT_BITS};
use heatvit_rtl::{Design, Expr, ModuleBuilder, ModuleId, Ty};

/// A lane: rescaled total (`heatvit_model::fixed::rescale`), plus the residual, or through GELU
/// (`heatvit_model::poly::gelu`). A suffix `_N` names the cycle in which an input is used.
pub fn post_lane(design: &mut Design, lane_bits: u32) -> ModuleId {
    let mut m = ModuleBuilder::new(
        "post_lane",
        "One lane of post-processing: requantization, residual addition, GELU.\n\
         A suffix _N names the cycle after the accumulator's total; results are valid in cycle 13.",
    );
    let index = m.input("index", Ty::bits(lane_bits), "number of this lane");
    let total = m.input("total_0", Ty::signed(ACC_BITS), "accumulator");
    let bias = m.input("bias_0", Ty::signed(BIAS_BITS), "bias of the channel");
    let lane_mult = m.input("mult_0", Ty::bits(MULT_BITS), "multiplier of the channel");
    let use_row = m.input("use_row_0", Ty::bit(), "scale by the row, not by the channel");
    let row_mult = m.input("row_mult_0", Ty::bits(MULT_BITS), "multiplier of the row");
    let sel = m.input("sel_2", Ty::bits(2), "shift selector");
    let residual = m.input("residual_4", Ty::signed(16), "residual stream");
    let is_residual_4 = m.input("is_residual_4", Ty::bit(), "add the residual");
    let is_residual_5 = m.input("is_residual_5", Ty::bit(), "square the new residual");
    let is_score = m.input("is_score_5", Ty::bit(), "mask lanes at or beyond the limit");
    let limit = m.input("limit_5", Ty::bits(16), "number of real lanes");
    let knee = m.input("knee_5", Ty::bits(12), "GELU: where the polynomial ends");
    let kappa = m.input("kappa_7", Ty::bits(16), "GELU: coefficient of the square");
    let delta = m.input("delta_8", Ty::bits(15), "GELU: delta1, 14 fraction bits");
    let shift_10 = m.input("shift_10", Ty::bits(4), "GELU: shift of the result");
    let zero = m.input("zero_10", Ty::signed(8), "GELU: result for an input of zero");
    let shift_11 = m.input("shift_11", Ty::bits(4), "the same, a cycle later");
    let gelu = m.input("gelu_12", Ty::bit(), "the result is GELU's");

    // Cycles 1..4: total plus bias, times multiplier, shifted.
    let bias = use_row.mux(&Expr::slit(0, BIAS_BITS), &bias);
    let acc = m.reg("acc", &(&total + &bias).trunc(ACC_BITS));
    let mult = m.reg("mult", &use_row.mux(&row_mult, &lane_mult));
    let scaled = rescale(&mut m, "scale", &acc, &mult, &sel);
    // Cycle 5: residual addition and saturation to 16 bits.
    let addend = is_residual_4.mux(&residual, &Expr::slit(0, 16));
    let value_5 = m.reg("value_5", &(&scaled + addend).saturate(16));
    let beyond = m.wire("beyond", &(&is_score & index.ge(&limit)));
    let score = beyond.mux(&Expr::slit(-32767, 16), &value_5);
    let score = m.output_as("score", &score, "cycle 5: value, lowest where masked");
    // Cycles 6 and 7: one squarer for the row statistics and for GELU.
    let magnitude = m.wire("magnitude", &value_5.msb().mux(&-&value_5, &value_5).slice(0, 16));
    let below = m.wire("below", &knee.gt(&magnitude).mux(&(&knee - &magnitude).slice(0, 12), &Expr::lit(0, 12)));
    let root = m.reg("root", &is_residual_5.mux(&value_5, &below.to_signed().extend(16)));
    let square = m.reg("square_7", &(&root * &root));
    let value_6 = m.reg("value_6", &score);
    let value_7 = m.reg("value_7", &value_6);
    m.output_as("square", &square.slice(0, 31), "cycle 7: square of the new residual");
    m.output_as("stream", &value_7, "cycle 7: the new residual");
    // Cycles 8..12: l = delta1 - kappa * w^2, y = x * (1 +- l) / 2 + zero, which goes with the half that rounds.
    let drop = m.reg("drop_8", &(square.slice(8, 16) * &kappa).slice(16, 16));
    let value_8 = m.reg("value_8", &value_7);
    let curve = m.wire("curve", &(&delta - &drop));
    let unit = Expr::slit(1 << 14, 16);
    let gate = m.reg("gate_9", &value_8.msb().mux(&(&unit - &curve), &(&unit + &curve)));
    let value_9 = m.reg("value_9", &value_8);
    let product = m.reg("product_10", &(&value_9 * &gate).trunc(34));
    let offset = Expr::concat(&[zero.as_unsigned(), Expr::lit(1 << 14, 15)]).as_signed();
    let half = m.wire("half", &offset.extend(38).shl(&shift_10));
    let rounding = m.wire("rounding", &(&half - product.msb().to_signed()));
    let rounded = m.reg("rounded_11", &(&product + &rounding).trunc(39));
    let shifted = m.reg("shifted_12", &rounded.shr_const(15).shr(&shift_11));
    let value_12 = m.delay("value", &value_9, 3);
    // Cycle 13: results.
    let byte = m.output_reg("byte_out", Ty::signed(8), "cycle 13: int8 result");
    m.drive(&byte, &gelu.mux(&shifted.saturate(8), &value_12.saturate(8)), None, None);
    let word = m.output_reg("word_out", Ty::signed(16), "cycle 13: int16 result");
    m.drive(&word, &value_12, None, None);
    design.add(m.finish())
}
