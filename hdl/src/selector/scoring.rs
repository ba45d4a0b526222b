//! From a token's logits to the terms of its score: sigmoids of one head after the other, their products and sums.

use super::divider::DIVIDER_BITS;
use crate::pipeline::child;
use heatvit_rtl::{Design, Expr, ModuleBuilder, ModuleId, Ty, select};

/// Bits of a sigmoid: 8192 stands for 1.
pub const SIGMOID_BITS: u32 = 14;
/// Fraction bits of a sigmoid.
const FRACTION: u32 = SIGMOID_BITS - 1;
/// Bits of a logit.
const LOGIT_BITS: u32 = 16;
/// Bits of the multiplier's result that a product of two sigmoids needs.
pub const PRODUCT_BITS: u32 = 2 * FRACTION + 1;

/// `heatvit_model::poly::plan::plan`: the sigmoid in four straight lines.
pub(super) fn sigmoid(design: &mut Design) -> ModuleId {
    if let Some(id) = design.find("sigmoid") {
        return id;
    }
    let mut m = ModuleBuilder::new(
        "sigmoid",
        "Piecewise linear sigmoid (PLAN): slopes 1/4, 1/8, 1/32 and 0. 256 stands for 1 at the input,\n\
         8192 at the output, a cycle later.",
    );
    let x = m.input("x", Ty::signed(LOGIT_BITS), "logit");
    let magnitude = m.wire("magnitude", &x.msb().mux(&-&x, &x).slice(0, LOGIT_BITS));
    let below = |limit: u64| magnitude.lt(&Expr::lit(limit, LOGIT_BITS));
    let line = |shift: u32, offset: u64| {
        (magnitude.slice(0, SIGMOID_BITS - shift).shl_const(shift) + Expr::lit(offset, SIGMOID_BITS))
            .slice(0, SIGMOID_BITS)
    };
    let one = Expr::lit(1 << FRACTION, SIGMOID_BITS);
    let outer = below(1280).mux(&line(0, 6912), &one);
    let inner = below(256).mux(&line(3, 4096), &line(2, 5120));
    let curve = m.wire("curve", &below(608).mux(&inner, &outer));
    let y = m.output_reg("y", Ty::bits(SIGMOID_BITS), "sigmoid");
    m.drive(&y, &x.msb().mux(&(&one - &curve).slice(0, SIGMOID_BITS), &curve), None, None);
    design.add(m.finish())
}

/// The terms of `heatvit_model::golden::selector::score`. The multiplier stands outside.
pub fn scoring(design: &mut Design, heads: u32) -> ModuleId {
    let id = sigmoid(design);
    let unit = child(design, id);
    let head_bits = heads.next_power_of_two().ilog2().max(1);
    let mut m = ModuleBuilder::new(
        "scoring",
        "Sums over the heads of a token, a head a cycle: keep probability times head weight, and head weight.\n\
         A suffix _N names the cycle after the head's number.",
    );
    let word = m.input("word", Ty::bits(LOGIT_BITS * heads), "low lanes of memory S");
    let take_keep = m.input("take_keep", Ty::bit(), "the word holds keep less drop logits");
    let take_weight = m.input("take_weight", Ty::bit(), "the word holds head weights");
    let head = m.input("head_0", Ty::bits(head_bits), "head");
    let first = m.input("first_3", Ty::bit(), "first head of the token");
    let product = m.input("product_3", Ty::bits(PRODUCT_BITS), "product of the factors of cycle 2");
    let keeps = m.reg_en("keep_word", &take_keep, &word);
    let weights = m.reg_en("weight_word", &take_weight, &word);
    let lane = |word: &Expr| {
        let lanes: Vec<Expr> = (0..heads).map(|h| word.slice(LOGIT_BITS * h, LOGIT_BITS)).collect();
        if heads == 1 { lanes[0].as_signed() } else { select(&head, &lanes).as_signed() }
    };
    let keep_1 = m.reg("keep_1", &lane(&keeps));
    let weight_1 = m.reg("weight_1", &lane(&weights));
    let sigmoids = [("keep", keep_1), ("weight", weight_1)].map(|(name, logit)| {
        let mut y = None;
        m.instance(&format!("{name}_sigmoid"), id, &unit)
            .input("x", &logit)
            .output("y", &format!("{name}_2"), &mut y)
            .done();
        y.expect("declared by the instance")
    });
    // A sigmoid is never zero: the sum of head weights is a denominator.
    let [keep_2, weight_2] = &sigmoids;
    let weight_2 = m.wire(
        "weight_2_some",
        &Expr::concat(&[weight_2.slice(1, SIGMOID_BITS - 1), weight_2.bit(0) | weight_2.eq_lit(0)]),
    );
    m.output_as("factor_a_2", keep_2, "keep probability, 8192 for 1");
    m.output_as("factor_b_2", &weight_2, "head weight, 8192 for 1");
    let weight_3 = m.reg("weight_3", &weight_2);
    let rounded =
        m.wire("rounded", &(&product + Expr::lit(1 << (FRACTION - 1), PRODUCT_BITS)).slice(FRACTION, SIGMOID_BITS));
    for (name, term, doc) in
        [("numerator_4", rounded, "sum of products so far"), ("denominator_4", weight_3, "sum of head weights so far")]
    {
        let sum = m.output_reg(name, Ty::bits(DIVIDER_BITS), doc);
        let base = first.mux(&Expr::lit(0, DIVIDER_BITS), &sum);
        m.drive(&sum, &(base + term).slice(0, DIVIDER_BITS), None, None);
    }
    design.add(m.finish())
}
