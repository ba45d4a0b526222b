//! Row sums of the exponentials and their reciprocals.

use super::reciprocal::{RECIPROCAL_CYCLES, reciprocal};
use crate::parameters::Parameters;
use crate::pipeline::{adder_tree, child, delay_line, flag_line};
use crate::selector::FACTOR_BITS;
use heatvit_rtl::{Design, Expr, MemoryStyle, ModuleBuilder, ModuleId, Ty, WritePort};

/// Bits of a row sum: 127 * 1024.
pub const SUM_BITS: u32 = 17;

/// Sums the exponentials as they stream into the array on the first output tile, and has the row's scale
/// in a table before the product of that row leaves the accumulators.
pub fn row_scale(design: &mut Design, parameters: &Parameters) -> ModuleId {
    let rows = parameters.rows;
    let row_bits = parameters.row_depth().ilog2();
    let id = reciprocal(design, parameters.has_selector());
    let unit = child(design, id);
    let mut m = ModuleBuilder::new(
        "row_scale",
        "Sums each row of exponentials while it streams into the array; 1/sum (times a constant)\n\
         is in the table before the row's product needs it: softmax without a normalising pass.",
    );
    let operand = m.input("operand", Ty::signed(8).lanes(rows), "exponentials");
    let valid = m.input("valid", Ty::bit(), "a chunk of a row streams by");
    let row = m.input("row", Ty::bits(row_bits), "the row");
    let bank = m.input("bank", Ty::bit(), "bank of the table");
    let first = m.input("first", Ty::bit(), "first chunk of the row");
    let last = m.input("last", Ty::bit(), "last chunk of the row");
    let gain = m.input("gain", Ty::bits(17), "mantissa of the constant");
    let exponent = m.input("exponent", Ty::signed(8), "exponent of the constant");
    let read_address = m.input("read_address", Ty::bits(row_bits + 1), "bank and row to look up");
    let one = Expr::lit(1, 1);
    let levels = rows.ilog2();
    let terms: Vec<Expr> = m.elements(&operand).iter().map(|e| e.slice(0, 7)).collect();
    let chunk = adder_tree(&mut m, "chunk", &terms);
    let control = Expr::concat(&[last, first, bank, row]);
    let control = delay_line(design, &mut m, "control", &control, levels);
    let valid = flag_line(design, &mut m, "valid", &valid, levels);
    let row_at = control.slice(0, row_bits);
    // Two cycles: read the sum so far, add.
    let sum = m.reg_declare("sum", Ty::bits(SUM_BITS));
    let control_2 = m.delay("control_sum", &control, 2);
    let valid_2 = m.delay_flag("valid_sum", &valid, 2);
    let last_2 = control_2.bit(row_bits + 2);
    let write = m.wire("write", &(&valid_2 & !&last_2));
    let kept = m.memory(
        "sums",
        (SUM_BITS, parameters.row_depth()),
        MemoryStyle::Distributed,
        None,
        Some(WritePort { enable: write, address: control_2.slice(0, row_bits), data: sum.clone(), mask: None }),
        (&valid, &row_at),
        "sums so far",
    );
    let chunk_1 = m.reg("chunk_1", &chunk);
    let first_1 = m.reg("first_1", &control.bit(row_bits + 1));
    let base = first_1.mux(&Expr::lit(0, SUM_BITS), &kept);
    m.drive(&sum, &(base + chunk_1).trunc(SUM_BITS), None, None);
    let complete = m.wire_doc("complete", &(&valid_2 & &last_2), "`sum` is the sum of row `sum_row`");
    let sum_row = m.wire("sum_row", &control_2.slice(0, row_bits));
    let at_sum = levels + 2;
    let gain = delay_line(design, &mut m, "gain", &gain, at_sum);
    let exponent = delay_line(design, &mut m, "exponent", &exponent, at_sum);
    let lend = parameters.has_selector().then(|| lend(&mut m));
    let (mut mult, mut sel) = (None, None);
    let mut instance = m.instance("reciprocal", id, &unit);
    if let Some((inputs, product)) = &lend {
        for (name, value) in inputs {
            instance = instance.input(name, value);
        }
        instance = instance.output_to("product_out", product);
    }
    instance
        .input("sum", &sum)
        .input("gain", &gain)
        .input("exponent", &exponent)
        .output("mult", "mult", &mut mult)
        .output("sel", "sel", &mut sel)
        .done();
    let [mult, sel] = [mult, sel].map(|wire| wire.expect("declared by the instance"));
    let target = Expr::concat(&[control_2.bit(row_bits), sum_row]);
    let target = delay_line(design, &mut m, "target", &target, RECIPROCAL_CYCLES);
    let store = flag_line(design, &mut m, "store", &complete, RECIPROCAL_CYCLES);
    let scale = m.memory(
        "scales",
        (19, 2 * parameters.row_depth()),
        MemoryStyle::Distributed,
        None,
        Some(WritePort { enable: store, address: target, data: Expr::concat(&[sel, mult]), mask: None }),
        (&one, &read_address),
        "shift selector and multiplier of each row, two banks",
    );
    m.output_as("mult_out", &scale.slice(0, 17), "multiplier, one cycle after the address");
    m.output_as("sel_out", &scale.slice(17, 2), "shift selector, one cycle after the address");
    design.add(m.finish())
}

/// Ports through which the selector borrows the multiplier.
fn lend(m: &mut ModuleBuilder) -> ([(&'static str, Expr); 3], Expr) {
    let factor = |m: &mut ModuleBuilder, name| m.input(name, Ty::bits(FACTOR_BITS), "the selector's factor");
    let lent = m.input("lent", Ty::bit(), "the multiplier is the selector's");
    let inputs = [("lent", lent), ("factor_a", factor(m, "factor_a")), ("factor_b", factor(m, "factor_b"))];
    let product = m.output("product_out", Ty::bits(2 * FACTOR_BITS - 1), "product of the factors, a cycle later");
    (inputs, product)
}
