//! One design per rule, with the whole message.

use crate::{Bits, Design, Expr, MemoryStyle, Module, ModuleBuilder, Statement, Ty, WritePort, verify};

/// A module `m` with inputs `a` (8 bits), `b` (1 bit) and what `build` adds.
fn module(build: impl FnOnce(&mut ModuleBuilder, &Expr, &Expr)) -> Module {
    let mut m = ModuleBuilder::new("m", "");
    let a = m.input("a", Ty::bits(8), "");
    let b = m.input("b", Ty::bit(), "");
    build(&mut m, &a, &b);
    m.finish()
}

fn message(build: impl FnOnce(&mut ModuleBuilder, &Expr, &Expr)) -> String {
    let mut design = Design::new();
    design.add(module(build));
    verify(&design).expect_err("the design breaks a rule").to_string()
}

/// A child with input `x` and outputs `y` (combinational) and `z` (registered), all 4 bits.
fn with_child(build: impl FnOnce(&mut ModuleBuilder, crate::ModuleId, &Module)) -> Result<(), crate::VerifyError> {
    let mut design = Design::new();
    let mut child = ModuleBuilder::new("child", "");
    let x = child.input("x", Ty::bits(4), "");
    child.output_as("y", &!&x, "");
    let z = child.output_reg("z", Ty::bits(4), "");
    child.drive(&z, &x, None, None);
    let id = design.add(child.finish());
    let child = design.module(id).clone();
    let mut m = ModuleBuilder::new("m", "");
    build(&mut m, id, &child);
    design.add(m.finish());
    verify(&design)
}

#[test]
fn a_design_needs_a_top() {
    assert_eq!(verify(&Design::new()).unwrap_err().to_string(), "the design has no top module; add one");
}

#[test]
fn names_are_legal_and_differ() {
    let named = |name: &'static str| message(|m, a, _| drop(m.wire(name, a)));
    assert_eq!(
        named("Process"),
        "module `m`: `Process` is a keyword of Verilog, SystemVerilog or VHDL; choose another name"
    );
    assert_eq!(named("2nd"), "module `m`: `2nd` is no Verilog identifier; choose another name");
    assert_eq!(named("clk"), "module `m`: `clk` is the implicit clock or reset; choose another name");
    assert_eq!(
        named("A"),
        "module `m`: `A` is used twice in the module (letter case does not count); choose another name"
    );
    let mut design = Design::new();
    design.add(ModuleBuilder::new("unit", "").finish());
    design.add(ModuleBuilder::new("Unit", "").finish());
    assert_eq!(
        verify(&design).unwrap_err().to_string(),
        "module `Unit`: `Unit` is the name of two modules (letter case does not count); choose another name"
    );
}

#[test]
fn expressions_stay_within_their_operands() {
    assert_eq!(
        message(|m, a, _| drop(m.wire("w", &a.slice(4, 8)))),
        "module `m`, expression of `a`: bits 4..12 of a value of 8 bits; slice within it"
    );
    assert_eq!(
        message(|m, a, _| drop(m.wire("w", &a.mux(a, a)))),
        "module `m`, expression of `a`: a condition of 8 bits; compare it with a number"
    );
    assert_eq!(
        message(|m, a, _| drop(m.wire("w", &a.shr(&a.as_signed())))),
        "module `m`, expression of `a`: a shift by a signed amount; make the amount unsigned"
    );
    assert_eq!(
        message(|m, a, _| drop(m.wire("w", &a.shr_const(8)))),
        "module `m`, signal `w`: has no bits; give it a width of at least 1"
    );
}

#[test]
fn widths_agree() {
    let wire = |m: &mut ModuleBuilder| m.declare("w", Ty::bits(9));
    assert_eq!(
        message(|m, a, _| {
            let w = wire(m);
            m.assign(&w, a);
        }),
        "module `m`, assignment to `w`: 8 bits where 9 are needed; extend or truncate the value"
    );
    assert_eq!(
        message(|m, a, _| drop(m.reg_en("r", a, a))),
        "module `m`, enable of register `r`: 8 bits where 1 are needed; extend or truncate the value"
    );
    assert_eq!(
        message(|m, a, b| {
            let w = wire(m);
            m.process(vec![Statement::Assign(m.id(&w), a.clone())]);
            m.output_as("y", b, "");
        }),
        "module `m`, assignment to `w`: 8 bits where 9 are needed; extend or truncate the value"
    );
}

#[test]
fn memories_fit() {
    let memory = |depth: u32, init: Option<Vec<Bits>>, mask: u32| {
        message(|m, a, b| {
            let mask = (mask > 0).then(|| a.slice(0, mask));
            let write = WritePort { enable: b.clone(), address: a.slice(0, 4), data: a.clone(), mask };
            m.memory("words", (8, depth), MemoryStyle::Auto, init, Some(write), (b, &a.slice(0, 4)), "");
        })
    };
    assert_eq!(
        memory(8, None, 0),
        "module `m`, memory `words`: an address of 4 bits where 3 reach every word; truncate it"
    );
    assert_eq!(
        memory(16, Some(vec![Bits::zero(7)]), 0),
        "module `m`, memory `words`: an initial word of 7 bits; words have 8"
    );
    assert_eq!(memory(16, None, 3), "module `m`, memory `words`: a mask of 3 bits, which does not divide its words");
}

#[test]
fn every_bit_has_one_driver() {
    assert_eq!(
        message(|m, _, _| drop(m.declare("w", Ty::bits(4)))),
        "module `m`: bit 0 of `w` has no driver; assign it"
    );
    let parts = |which: &'static [u32]| {
        message(|m, a, _| {
            let w = m.declare("w", Ty::bits(8).lanes(3));
            which.iter().for_each(|p| m.assign_part(&w, *p, a));
        })
    };
    assert_eq!(parts(&[0, 2]), "module `m`: bit 8 of `w` has no driver; assign it");
    assert_eq!(parts(&[0, 1, 1]), "module `m`: bit 8 of `w` has more than one driver; keep one");
    assert_eq!(parts(&[3]), "module `m`, signal `w`: has 3 parts, and part 3 is assigned; number parts from 0");
    assert_eq!(message(|m, a, _| m.assign(a, a)), "module `m`: `a` is an input and cannot be driven by an assignment");
}

#[test]
fn instances_are_connected() {
    let open = with_child(|m, id, child| m.instance("u", id, child).done());
    assert_eq!(
        open.unwrap_err().to_string(),
        "module `m`, instance `u`: port `x` is an input without a connection; connect it"
    );
    let beyond = with_child(|m, id, child| {
        let lanes = m.input("lanes", Ty::bits(4).lanes(3), "");
        m.array("u", id, child, 2).lanes_at("x", &lanes, 1, 2).done();
    });
    assert_eq!(
        beyond.unwrap_err().to_string(),
        "module `m`, instance `u`: port `x` reaches part 3 of `lanes`, which has 3"
    );
}

#[test]
fn processes_assign_on_every_path_and_before_they_read() {
    let process = |reads_first: bool| {
        message(|m, a, b| {
            let w = m.declare("w", Ty::bits(8));
            let id = m.id(&w);
            let value = if reads_first { (&w + a).trunc(8) } else { a.clone() };
            let body = vec![Statement::Assign(id, value)];
            m.process(if reads_first { body } else { vec![Statement::If(b.clone(), body, vec![])] });
        })
    };
    assert_eq!(
        process(false),
        "module `m`: `w` is not assigned on every path of its process (a latch); assign a default first"
    );
    assert_eq!(process(true), "module `m`: `w` is read in its process before it is assigned; assign it first");
}

#[test]
fn loops_are_found_through_the_hierarchy_and_by_parts() {
    assert_eq!(
        message(|m, a, _| {
            let (v, w) = (m.declare("v", Ty::bits(8)), m.declare("w", Ty::bits(8)));
            m.assign(&v, &(&w & a));
            m.assign(&w, &(&v | a));
        }),
        "module `m`: combinational loop v -> w -> v; put a register into it"
    );
    let around = |port: &'static str| {
        with_child(|m, id, child| {
            let wire = m.declare("wire_back", Ty::bits(4));
            m.instance("u", id, child).input("x", &wire).output_to(port, &wire).done();
        })
    };
    assert_eq!(
        around("y").unwrap_err().to_string(),
        "module `m`: combinational loop wire_back -> wire_back; put a register into it"
    );
    around("z").unwrap();
    with_child(|m, id, child| {
        let x = m.input("x", Ty::bits(4), "");
        let chain = m.declare("chain", Ty::bits(4).lanes(4));
        m.assign_part(&chain, 0, &x);
        m.array("u", id, child, 3).lanes("x", &chain).lanes_at("y", &chain, 1, 1).done();
    })
    .unwrap();
}
