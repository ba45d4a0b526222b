//! Triangular input delay: row `r` of a segment leaves `r` cycles after it entered.

use super::segment::SEGMENT_ROWS;
use crate::pipeline::register_lanes;
use heatvit_rtl::{Design, ModuleBuilder, ModuleId, Ty};

/// Delays row `r` of 16 by `r` cycles.
pub fn skew(design: &mut Design) -> ModuleId {
    if let Some(id) = design.find("skew") {
        return id;
    }
    let mut m = ModuleBuilder::new(
        "skew",
        "Delays row r by r cycles, so that every row meets the cascade of the rows above it.",
    );
    let ty = Ty::signed(8).lanes(SEGMENT_ROWS);
    let rows = m.input("rows", ty.clone(), "one vector per cycle");
    let skewed = m.output("skewed", ty.clone(), "row r of the vector r cycles earlier");
    let first = m.element(&rows, 0).as_unsigned();
    m.assign_part(&skewed, 0, &first);
    let mut previous = rows;
    for stage in 1..SEGMENT_ROWS {
        let delayed = m.declare(&format!("delayed_{stage}"), Ty::signed(8).lanes(SEGMENT_ROWS - stage));
        // `previous` holds rows stage-1..16, this stage keeps rows stage..16.
        register_lanes(
            design,
            &mut m,
            &format!("stage_{stage}"),
            (&previous, 1),
            (&delayed, 0),
            (8, SEGMENT_ROWS - stage),
        );
        let exit = m.element(&delayed, 0).as_unsigned();
        m.assign_part(&skewed, stage, &exit);
        previous = delayed;
    }
    design.add(m.finish())
}
