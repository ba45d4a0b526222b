//! A waveform read back by another crate shows the values that the simulator had.

use heatvit_rtl::{Design, Expr, ModuleBuilder, Ty};
use heatvit_sim::{Simulator, Wave};
use std::io::Cursor;
use wellen::{LoadOptions, viewers};

fn counters() -> Design {
    let mut design = Design::new();
    let mut m = ModuleBuilder::new("counter", "");
    let step = m.input("step", Ty::bits(8), "");
    let count = m.output_reg("count", Ty::bits(8), "");
    let next = m.wire("next", &(&count + &step).trunc(8));
    m.drive(&count, &next, None, None);
    let child = m.finish();
    let id = design.add(child.clone());
    let mut m = ModuleBuilder::new("counters", "");
    let steps = m.declare("steps", Ty::bits(8).lanes(3));
    m.assign(&steps, &Expr::concat_low_first(&[Expr::lit(1, 8), Expr::lit(2, 8), Expr::lit(3, 8)]));
    let counts = m.output("counts", Ty::bits(8).lanes(3), "");
    m.array("lanes", id, &child, 3).lanes("step", &steps).lanes("count", &counts).done();
    design.add(m.finish());
    design
}

#[test]
fn waveform_reads_back() {
    let mut simulator = Simulator::new(&counters()).unwrap();
    for _ in 0..5 {
        simulator.try_step().unwrap();
    }
    let mut wave = Wave::new(&mut simulator, Cursor::new(Vec::new()), 5, |p| p != "steps").unwrap();
    for cycle in 5..9 {
        wave.sample(&mut simulator, cycle).unwrap();
        simulator.try_step().unwrap();
    }
    let file = wave.finish().unwrap().into_inner();
    let header = viewers::read_header(Cursor::new(file), &LoadOptions::default()).unwrap();
    let hierarchy = header.hierarchy;
    let body = viewers::read_body(header.body, &hierarchy, None).unwrap();
    // The file begins at time 0 with unknown values.
    assert_eq!(body.time_table, [0, 5, 6, 7, 8]);
    let mut source = body.source;
    for lane in 0..3u64 {
        for (name, ahead) in [("count", 0), ("next", 1)] {
            let scope = format!("lanes[{lane}]");
            let variable = hierarchy.lookup_var(&["top", &scope], name).unwrap();
            let signal = hierarchy[variable].signal_ref();
            let loaded = source.load_signals(&[signal], &hierarchy, false);
            let changes: Vec<(u32, String)> = loaded[0]
                .iter_changes()
                .map(|(t, v)| (t, v.to_bit_string().unwrap()))
                .filter(|(t, _)| *t > 0)
                .collect();
            let expected: Vec<(u32, String)> =
                (0..4u32).map(|t| (t + 1, format!("{:08b}", (u64::from(t) + 5 + ahead) * (lane + 1)))).collect();
            assert_eq!(changes, expected, "{scope}.{name}");
        }
    }
}
