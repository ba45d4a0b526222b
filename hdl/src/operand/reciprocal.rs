//! Reciprocal of a row sum, times a constant, as multiplier and shift.

use crate::pipeline::{bit_length, clamp_mult, delay_line, normalize_mult};
use crate::selector::FACTOR_BITS;
use heatvit_model::poly::recip::recip_table;
use heatvit_rtl::{Bits, Design, Expr, MemoryStyle, ModuleBuilder, ModuleId, Ty};

/// Cycles from the sum to multiplier and selector.
pub const RECIPROCAL_CYCLES: u32 = 7;

/// `heatvit_model::poly::recip`: piecewise linear over 128 segments, one row per cycle.
///
/// With a selector, its multiplier serves another product while nothing divides.
pub fn reciprocal(design: &mut Design, selector: bool) -> ModuleId {
    let mut m = ModuleBuilder::new(
        "reciprocal",
        "gain * 2^exponent / sum as a 17-bit multiplier and a shift selector, seven cycles later.\n\
         The sum is normalised, 1/x is linear in 128 segments, the result is normalised again.",
    );
    let sum = m.input("sum", Ty::bits(17), "row sum of exponentials");
    let gain = m.input("gain", Ty::bits(17), "constant's mantissa, in the cycle of the sum");
    let exponent = m.input("exponent", Ty::signed(8), "constant's exponent, in the cycle of the sum");
    let one = Expr::lit(1, 1);
    // Cycle 1: length of the sum.
    let length = bit_length(&mut m, "length", &sum);
    let length_1 = m.reg("length_1", &length);
    let sum_1 = m.reg("sum_1", &sum);
    // Cycle 2: mantissa of 16 bits, the top one set.
    let up = m.wire("up", &(Expr::lit(17, 5) - &length_1).slice(0, 5));
    let mantissa = m.reg("mantissa", &sum_1.shl(&up).slice(1, 16));
    let length_2 = m.reg("length_2", &length_1);
    // Cycle 3: segment.
    let segments: Vec<Bits> = recip_table()
        .iter()
        .map(|(value, slope)| Bits::new(27, u128::from(*value) | u128::from(*slope) << 17))
        .collect();
    let entry = m.memory(
        "segments",
        (27, 128),
        MemoryStyle::Distributed,
        Some(segments),
        None,
        (&one, &mantissa.slice(8, 7)),
        "value and slope of 1/x in each segment",
    );
    let fraction = m.reg("fraction", &mantissa.slice(0, 8));
    // Cycle 4: value less slope times fraction.
    let drop = m.wire("drop", &(entry.slice(17, 10) * &fraction).shr_const(8));
    let inverse = m.reg("inverse", &(entry.slice(0, 17) - drop).slice(0, 17));
    let gain_4 = delay_line(design, &mut m, "gain", &gain, 4);
    let exponent_4 = delay_line(design, &mut m, "exponent", &exponent, 4);
    let length_4 = m.delay("length_2", &length_2, 2);
    // Cycle 5: times the constant.
    let (mut a, mut b) = (inverse, gain_4);
    if selector {
        let lent = m.input("lent", Ty::bit(), "the multiplier is the selector's");
        let factor_a = m.input("factor_a", Ty::bits(FACTOR_BITS), "the selector's factor");
        let factor_b = m.input("factor_b", Ty::bits(FACTOR_BITS), "the selector's other factor");
        a = lent.mux(&factor_a.extend(17), &a);
        b = lent.mux(&factor_b.extend(17), &b);
    }
    let product = m.reg("product", &(&a * &b));
    if selector {
        m.output_as("product_out", &product.slice(0, 2 * FACTOR_BITS - 1), "product of the factors, a cycle later");
    }
    let shift_5 = m.reg("shift_5", &(length_4.to_signed() - Expr::slit(1, 2) - &exponent_4).resize(10));
    let empty_5 = m.delay("empty", &length_4.eq_lit(0), 1);
    // Cycle 6: cut to 17 bits. Cycle 7: normalise.
    let cut = m.reg("cut", &clamp_mult(&product.shr_const(16)));
    let shift = m.reg("shift", &shift_5);
    let empty_7 = m.delay("empty_5", &empty_5, 2);
    let (mult, sel) = normalize_mult(&mut m, "normal", &cut, &shift);
    m.output_as("mult", &empty_7.mux(&Expr::lit(0, 17), &mult), "multiplier");
    m.output_as("sel", &empty_7.mux(&Expr::lit(0, 2), &sel), "shift selector");
    design.add(m.finish())
}
