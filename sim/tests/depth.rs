//! Combinational paths of any length are simulated; the stack sets no limit.

use heatvit_rtl::{Design, Expr, ModuleBuilder, Ty, verify};
use heatvit_sim::{Engine as _, SimError, Simulator};

/// Wires of a path.
const WIRES: u32 = 10_000;
/// Elements of a path.
const ELEMENTS: u32 = 2_000;

/// The output `y` for an input `a` of 42.
fn answer(design: &Design) -> Result<u64, SimError> {
    let mut simulator = Simulator::new(design)?;
    let (a, y) = (simulator.input("a")?, simulator.output("y")?);
    simulator.set_u64(a, 42);
    Ok(simulator.get_u64(y))
}

/// Each wire is one more than the one before.
#[test]
fn a_path_through_one_module() {
    let mut m = ModuleBuilder::new("wires", "");
    let mut last = m.input("a", Ty::bits(16), "");
    for i in 0..WIRES {
        let next = m.declare(&format!("w{i}"), Ty::bits(16));
        m.assign(&next, &(&last + Expr::lit(1, 16)).trunc(16));
        last = next;
    }
    m.output_as("y", &last, "");
    let mut design = Design::new();
    design.add(m.finish());
    verify(&design).unwrap();
    assert_eq!(answer(&design).unwrap(), u64::from(42 + WIRES));
}

/// Each element of an array hands what it adds to the next one.
#[test]
fn a_path_through_an_instance_array() {
    let mut design = Design::new();
    let mut m = ModuleBuilder::new("increment", "");
    let a = m.input("a", Ty::bits(16), "");
    m.output_as("y", &(&a + Expr::lit(1, 16)).trunc(16), "");
    let id = design.add(m.finish());
    let child = design.module(id).clone();
    let mut m = ModuleBuilder::new("chain", "");
    let a = m.input("a", Ty::bits(16), "");
    let links = m.declare("links", Ty::bits(16).lanes(ELEMENTS));
    let inputs = m.declare("inputs", Ty::bits(16).lanes(ELEMENTS));
    m.assign_part(&inputs, 0, &a);
    for i in 1..ELEMENTS {
        let before = m.element(&links, i - 1);
        m.assign_part(&inputs, i, &before);
    }
    m.array("i", id, &child, ELEMENTS).lanes("a", &inputs).lanes("y", &links).done();
    let last = m.element(&links, ELEMENTS - 1);
    m.output_as("y", &last, "");
    design.add(m.finish());
    verify(&design).unwrap();
    assert_eq!(answer(&design).unwrap(), u64::from(42 + ELEMENTS));
}
