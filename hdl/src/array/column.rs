//! A column pair: all rows of two output channels.

use super::segment::{SEGMENT_ROWS, segment};
use crate::parameters::Parameters;
use crate::pipeline::{adder_tree, child};
use heatvit_rtl::{Design, ModuleBuilder, ModuleId, Ty};

/// Bits of a column's sum: 19 per segment, one more per halving.
pub fn sum_bits(parameters: &Parameters) -> u32 {
    19 + parameters.segments().ilog2()
}

/// `rows / 16` segments and the adder tree over them.
pub fn column(design: &mut Design, parameters: &Parameters) -> ModuleId {
    let segments = parameters.segments();
    let id = segment(design);
    let part = child(design, id);
    let mut m = ModuleBuilder::new(
        "column",
        "Column pair: the dot products of two output channels over all rows, 16 rows a segment.\n\
         Control enters every segment at its row 0 and moves down with the skew of the operands.",
    );
    let rows = Ty::signed(8).lanes(SEGMENT_ROWS).lanes(segments);
    let act = m.input("act", rows.clone(), "skewed activations");
    let weight = m.input("weight", rows.clone(), "skewed load bus");
    let load_lo = m.input("load_lo", Ty::bit(), "load the low channel");
    let load_hi = m.input("load_hi", Ty::bit(), "load the high channel");
    let swap = m.input("swap", Ty::bit(), "activate the shadow weights");
    let act_out = m.output("act_out", rows, "activations for the next column pair");
    let swap_out = m.output_reg("swap_out", Ty::bit(), "swap for the next column pair");
    m.drive(&swap_out, &swap, None, None);
    let (mut low, mut high) = (None, None);
    m.array("segments", id, &part, segments)
        .lanes("act", &act)
        .lanes("weight", &weight)
        .input("load_lo", &load_lo)
        .input("load_hi", &load_hi)
        .input("swap", &swap)
        .lanes("act_out", &act_out)
        .output("low", "segment_low", &mut low)
        .output("high", "segment_high", &mut high)
        .done();
    for (name, sums, doc) in [("low", low, "sum of the low channel"), ("high", high, "sum of the high channel")] {
        let sums = sums.expect("the output was declared above");
        let terms = m.elements(&sums);
        let total = if segments == 1 {
            m.reg(&format!("{name}_sum"), &terms[0])
        } else {
            adder_tree(&mut m, &format!("{name}_sum"), &terms)
        };
        m.output_as(name, &total, doc);
    }
    design.add(m.finish())
}
