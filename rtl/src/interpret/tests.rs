//! Long combinational chains, each element of which depends on the one before.

use super::Interpreter;
use crate::{Bits, Design, Expr, ModuleBuilder, Ty, verify};

const LENGTH: u32 = 512;

/// A full adder's carry through an instance array: asking for one element must not ask for the whole signal.
#[test]
fn a_ripple_through_an_instance_array_is_evaluated() {
    let mut design = Design::new();
    let mut m = ModuleBuilder::new("link", "Adds one.");
    let x = m.input("x", Ty::bits(16), "count");
    m.output_as("y", &(x + Expr::lit(1, 16)).trunc(16), "one more");
    let id = design.add(m.finish());
    let link = design.module(id).clone();
    let mut m = ModuleBuilder::new("top", "A chain.");
    let start = m.input("first_element", Ty::bits(16), "count");
    let chain = m.declare("chain", Ty::bits(16).lanes(LENGTH + 1));
    m.assign_part(&chain, 0, &start);
    m.array("links", id, &link, LENGTH).lanes("x", &chain).lanes_at("y", &chain, 1, 1).done();
    let end = m.element(&chain, LENGTH);
    m.output_as("final_element", &end, "count");
    m.output_as("elements", &chain, "all counts");
    design.add(m.finish());
    verify(&design).unwrap();
    let mut interpreter = Interpreter::new(&design).unwrap();
    for start in [0, 1000] {
        interpreter.set_input("first_element", &Bits::new(16, start)).unwrap();
        assert_eq!(interpreter.output("final_element").unwrap().low_u64() as u128, start + u128::from(LENGTH));
        let all = interpreter.output("elements").unwrap();
        assert!((0..=LENGTH).all(|i| super::value::slice(&all, 16 * i, 16) == Bits::new(16, start + u128::from(i))));
    }
}

/// Within a module, each element uses the one before it twice: it has to be remembered, or the work doubles with it.
#[test]
fn a_ripple_within_a_module_takes_no_exponential_time() {
    let mut design = Design::new();
    let mut m = ModuleBuilder::new("top", "A chain of doublings.");
    let start = m.input("first_element", Ty::bits(16), "first element");
    let chain = m.declare("chain", Ty::bits(16).lanes(LENGTH + 1));
    m.assign_part(&chain, 0, &start);
    for i in 0..LENGTH {
        let before = m.element(&chain, i);
        m.assign_part(&chain, i + 1, &(&before ^ before.shl_const(1).trunc(16)));
    }
    let end = m.element(&chain, LENGTH);
    m.output_as("final_element", &end, "last element");
    m.output_as("elements", &chain, "all elements");
    design.add(m.finish());
    verify(&design).unwrap();
    let mut interpreter = Interpreter::new(&design).unwrap();
    interpreter.set_input("first_element", &Bits::new(16, 0x1234)).unwrap();
    let expected = (0..LENGTH).fold(0x1234u16, |x, _| x ^ (x << 1));
    assert_eq!(interpreter.output("final_element").unwrap(), Bits::new(16, expected.into()));
    assert_eq!(
        super::value::slice(&interpreter.output("elements").unwrap(), 16 * LENGTH, 16),
        Bits::new(16, expected.into())
    );
}
