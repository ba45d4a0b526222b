//! What cannot be simulated is an error of its kind; nothing panics.

use heatvit_rtl::{Design, Expr, MemoryStyle, ModuleBuilder, ModuleId, Ty, WritePort, verify};
use heatvit_sim::{Engine as _, Reference, SimError, Simulator};

/// A module whose output depends on its input within the cycle.
fn inverter(design: &mut Design) -> ModuleId {
    let mut m = ModuleBuilder::new("inverter", "");
    let a = m.input("a", Ty::bits(4), "");
    m.output_as("y", &!&a, "");
    design.add(m.finish())
}

/// The signal at which a design's loop was found; the verifier finds the loop, too.
fn looped(design: &Design) -> String {
    assert!(verify(design).is_err());
    match Simulator::new(design) {
        Err(SimError::Loop { path }) => path,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("no loop was found"),
    }
}

#[test]
fn a_wire_that_reads_itself() {
    let mut m = ModuleBuilder::new("wire", "");
    let a = m.declare("a", Ty::bits(4));
    m.assign(&a, &(&a + Expr::lit(1, 4)).trunc(4));
    m.output_as("y", &a, "");
    let mut design = Design::new();
    design.add(m.finish());
    assert_eq!(looped(&design), "a");
}

#[test]
fn a_loop_through_an_instance() {
    let mut design = Design::new();
    let id = inverter(&mut design);
    let child = design.module(id).clone();
    let mut m = ModuleBuilder::new("ring", "");
    let a = m.declare("a", Ty::bits(4));
    m.instance("i", id, &child).input("a", &a).output_to("y", &a).done();
    m.output_as("y", &a, "");
    design.add(m.finish());
    let path = looped(&design);
    assert!(["i.y", "y"].contains(&path.as_str()), "{path}");
}

/// Each element hands its value to the next one, and the last one to the first.
#[test]
fn a_loop_through_an_instance_array() {
    let mut design = Design::new();
    let id = inverter(&mut design);
    let child = design.module(id).clone();
    let mut m = ModuleBuilder::new("ring", "");
    let links = m.declare("links", Ty::bits(4).lanes(5));
    let inputs = m.declare("inputs", Ty::bits(4).lanes(5));
    let turned: Vec<Expr> = [4, 0, 1, 2, 3].into_iter().map(|i| m.element(&links, i)).collect();
    m.assign(&inputs, &Expr::concat_low_first(&turned));
    m.array("i", id, &child, 5).lanes("a", &inputs).lanes("y", &links).done();
    m.output_as("y", &m.element(&links, 2), "");
    design.add(m.finish());
    let path = looped(&design);
    assert!(path.contains("i[") || path == "inputs", "{path}");
}

/// The address of a read port may depend on the data that it read before, but its enable not on itself.
#[test]
fn a_loop_beside_a_memory_is_found_and_one_through_its_register_is_none() {
    let memory = |looped: bool| {
        let mut m = ModuleBuilder::new("walk", "");
        let enable = m.declare("enable", Ty::bit());
        let data = m.reg_declare("data", Ty::bits(3));
        let own = if looped { enable.clone() } else { data.bit(0) };
        m.assign(&enable, &!own);
        let port = WritePort { enable: enable.clone(), address: data.clone(), data: !&data, mask: None };
        let read = m.memory("words", (3, 8), MemoryStyle::Auto, None, Some(port), (&enable, &data), "");
        m.drive(&data, &read, None, None);
        m.output_as("y", &data, "");
        let mut design = Design::new();
        design.add(m.finish());
        design
    };
    assert_eq!(looped(&memory(true)), "enable");
    let sound = memory(false);
    verify(&sound).unwrap();
    heatvit_sim::lockstep(&sound, 50, 1).unwrap();
}

#[test]
fn names_that_are_not_there() {
    let mut design = Design::new();
    inverter(&mut design);
    let mut simulator = Simulator::new(&design).unwrap();
    for path in ["", ".", "b", "a.b", "a[0]", "i.a", "i[7].a", "é"] {
        assert!(matches!(simulator.peek(path), Err(SimError::NoSignal { .. })), "{path}");
        assert!(matches!(simulator.memory(path), Err(SimError::NoMemory { .. })), "{path}");
        assert!(matches!(simulator.input(path), Err(SimError::NoPort { direction: "input", .. })), "{path}");
        assert!(matches!(simulator.output(path), Err(SimError::NoPort { direction: "output", .. })), "{path}");
    }
    assert!(matches!(simulator.input("y"), Err(SimError::NoPort { .. })), "an output is no input");
    assert!(matches!(simulator.output("rst"), Err(SimError::NoPort { .. })), "an input is no output");
    let error = simulator.peek("i.a").unwrap_err().to_string();
    assert_eq!(error, "no signal `i.a` in the design; paths look like `array.pairs[3].low`");
}

#[test]
fn an_empty_design() {
    assert!(matches!(Simulator::new(&Design::new()), Err(SimError::NoTop)));
    assert!(matches!(Reference::new(&Design::new()), Err(SimError::NoTop)));
}

/// The verifier lets all of these through; nothing is allocated for them.
#[test]
fn designs_that_are_too_large() {
    let refused = |design: &Design| match Simulator::new(design) {
        Err(SimError::TooLarge { what, .. }) => what,
        other => panic!("{:?}", other.err()),
    };
    let mut m = ModuleBuilder::new("memory", "");
    let address = m.input("address", Ty::bits(31), "");
    let one = Expr::lit(1, 1);
    let read = m.memory("words", (128, 1 << 31), MemoryStyle::Auto, None, None, (&one, &address), "");
    m.output_as("y", &read, "");
    let mut design = Design::new();
    design.add(m.finish());
    verify(&design).unwrap();
    assert_eq!(refused(&design), "bytes of memories");

    let mut design = Design::new();
    let mut m = ModuleBuilder::new("leaf", "");
    m.reg("r", &Expr::lit(1, 1));
    let mut id = design.add(m.finish());
    for level in 0..4 {
        let mut m = ModuleBuilder::new(&format!("level_{level}"), "");
        m.array("below", id, &design.module(id).clone(), 60_000).done();
        id = design.add(m.finish());
    }
    verify(&design).unwrap();
    assert_eq!(refused(&design), "instances");
}
