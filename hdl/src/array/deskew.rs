//! Triangular output delay: undoes the column skew.

use super::column::sum_bits;
use crate::parameters::Parameters;
use crate::pipeline::register_lanes;
use heatvit_rtl::{Design, ModuleBuilder, ModuleId, Ty};

/// Delays pair `j` of `pairs` by `pairs - 1 - j` cycles.
pub fn deskew(design: &mut Design, parameters: &Parameters) -> ModuleId {
    let pairs = parameters.pairs();
    let width = 2 * sum_bits(parameters);
    let mut m =
        ModuleBuilder::new("deskew", "Delays early column pairs, so that all sums of a row stand side by side.");
    let ty = Ty::bits(width).lanes(pairs);
    let sums = m.input("sums", ty.clone(), "sums of pair j, j cycles late");
    let aligned = m.output("aligned", ty, "sums of one row");
    let mut previous = sums;
    for stage in 0..pairs {
        let left = pairs - stage;
        let exit = m.element(&previous, left - 1);
        m.assign_part(&aligned, left - 1, &exit);
        if left > 1 {
            let delayed = m.declare(&format!("delayed_{}", stage + 1), Ty::bits(width).lanes(left - 1));
            let name = format!("stage_{}", stage + 1);
            register_lanes(design, &mut m, &name, (&previous, 0), (&delayed, 0), (width, left - 1));
            previous = delayed;
        }
    }
    design.add(m.finish())
}
