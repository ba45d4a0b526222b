//! What depends on nothing that changed is left out, and nobody can tell.

use heatvit_rtl::{Design, Expr, ModuleBuilder, Ty};
use heatvit_sim::{Engine, Reference, SimError, Simulator};

/// Cycles after which a run has adapted if it ever does.
const LONG: u64 = 60_000;

/// A chain of additions behind registers that take new values when `take` is high, and a counter.
fn design(links: u32) -> Design {
    let mut m = ModuleBuilder::new("idle", "");
    let take = m.input("take", Ty::bit(), "");
    let value = m.input("value", Ty::bits(16), "");
    let count = m.output_reg("count", Ty::bits(24), "");
    m.drive(&count, &(&count + &Expr::lit(1, 1)).trunc(24), None, Some(0));
    let mut sum = value;
    for link in 0..links {
        let held = m.reg(&format!("held_{link}"), &sum);
        let kept = m.output_reg(&format!("kept_{link}"), Ty::bits(16), "");
        m.drive(&kept, &held, Some(&take), Some(u64::from(link)));
        sum = (&(&kept ^ &held) + &Expr::lit(u64::from(3 * link + 1), 16)).trunc(16);
    }
    m.output_as("sum", &sum, "");
    let mut design = Design::new();
    design.add(m.finish());
    design
}

/// Outputs in every cycle: for long nothing changes but the counter.
fn outputs(engine: &mut impl Engine) -> Result<Vec<[u64; 2]>, SimError> {
    let (take, value, reset) = (engine.input("take")?, engine.input("value")?, engine.input("rst")?);
    let (sum, count) = (engine.output("sum")?, engine.output("count")?);
    let cycle = |cycle: u64| {
        engine.set_u64(take, u64::from(cycle % 500 < 3));
        engine.set_u64(value, cycle / 300);
        engine.set_u64(reset, u64::from(cycle % 7_000 == 41));
        let seen = [engine.get_u64(sum), engine.get_u64(count)];
        engine.step();
        seen
    };
    Ok((0..LONG).map(cycle).collect())
}

#[test]
fn a_long_run_leaves_out_what_is_idle() {
    let design = design(12);
    let (mut reference, mut fast) = (Reference::new(&design).unwrap(), Simulator::new(&design).unwrap());
    let (expected, got) = (outputs(&mut reference).unwrap(), outputs(&mut fast).unwrap());
    assert_eq!(expected.iter().zip(&got).position(|(e, g)| e != g), None);
    assert!(fast.has_adapted());
}

#[test]
fn what_is_busy_is_not_compiled_again() {
    let design = design(0);
    let mut fast = Simulator::new(&design).unwrap();
    outputs(&mut fast).unwrap();
    assert!(!fast.has_adapted());
}
