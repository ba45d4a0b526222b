//! Serial division of scores and shares.

use heatvit_rtl::{Design, Expr, ModuleBuilder, ModuleId, Ty};

/// Bits of numerator and denominator.
pub const DIVIDER_BITS: u32 = 18;
/// Bits of the quotient.
pub const QUOTIENT_BITS: u32 = 16;

/// One step of restoring division: the next quotient bit and the remainder, doubled.
fn step(m: &mut ModuleBuilder, name: &str, remainder: &Expr, denominator: &Expr) -> (Expr, Expr) {
    let width = DIVIDER_BITS + 1;
    let difference = m.wire(&format!("{name}_difference"), &(remainder.to_signed() - denominator.to_signed()));
    let fits = m.wire(&format!("{name}_fits"), &!difference.msb());
    let rest = fits.mux(&difference.slice(0, width), remainder);
    (fits, m.wire(&format!("{name}_rest"), &rest.shl_const(1).slice(0, width)))
}

/// `floor(2^(2 steps - 1) * numerator / denominator)`, two bits a cycle; `valid` comes `steps + 1` cycles after
/// `start`. The numerator must not exceed the denominator, which must not be zero.
pub fn divider(design: &mut Design) -> ModuleId {
    let mut m = ModuleBuilder::new(
        "divider",
        "Restoring division, two quotient bits a cycle; the first bit stands for 1.\n\
         The numerator is at most the denominator.",
    );
    let start = m.input("start", Ty::bit(), "begin");
    let steps = m.input("steps", Ty::bits(4), "pairs of quotient bits");
    let numerator = m.input("numerator", Ty::bits(DIVIDER_BITS), "with `start`");
    let denominator = m.input("denominator", Ty::bits(DIVIDER_BITS), "with `start`");
    let width = DIVIDER_BITS + 1;
    let divisor = m.reg_en("divisor", &start, &denominator);
    let remainder = m.reg_declare("remainder", Ty::bits(width));
    let quotient = m.output_reg("quotient", Ty::bits(QUOTIENT_BITS), "with `valid`");
    let left = m.reg_declare("left", Ty::bits(4));
    let zero = Expr::lit(0, 4);
    let running = m.wire("running", &left.ne(&zero));
    let next = running.mux(&(&left - Expr::lit(1, 4)).slice(0, 4), &zero);
    m.drive(&left, &start.mux(&steps, &next), None, Some(0));
    let (high, rest) = step(&mut m, "high", &remainder, &divisor);
    let (low, rest) = step(&mut m, "low", &rest, &divisor);
    m.drive(&remainder, &start.mux(&numerator.extend(width), &rest), None, None);
    let shifted = Expr::concat(&[quotient.slice(0, QUOTIENT_BITS - 2), high, low]);
    m.drive(&quotient, &start.mux(&Expr::lit(0, QUOTIENT_BITS), &shifted), Some(&(&start | &running)), None);
    let valid = m.output_reg("valid", Ty::bit(), "the quotient is complete (one cycle)");
    m.drive(&valid, &left.eq_lit(1), None, Some(0));
    design.add(m.finish())
}
