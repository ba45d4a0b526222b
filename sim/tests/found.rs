//! Designs on which the random search once found the simulator to differ from the interpreter.

use heatvit_rtl::{Design, Expr, MemoryStyle, ModuleBuilder, ModuleId, Ty, WritePort, verify};
use heatvit_sim::lockstep;

/// Elements of the chain.
const LINKS: u32 = 17;
/// Bits of a word: more than a limb.
const WIDTH: u32 = 90;

/// A memory whose last word read decides whether `west` is passed on; `west` is also the address.
fn link(design: &mut Design) -> ModuleId {
    let mut m = ModuleBuilder::new("link", "");
    let (enable, west) = (m.input("enable", Ty::bit(), ""), m.input("west", Ty::bit(), ""));
    let data = m.input("data", Ty::bits(WIDTH), "");
    let port = WritePort { enable: !&west, address: west.clone(), data, mask: None };
    let word = m.memory("words", (WIDTH, 2), MemoryStyle::Auto, None, Some(port), (&enable, &west), "");
    m.reg("passed", &west);
    m.output_as("east", &(&word & west.extend(WIDTH)).bit(0), "");
    design.add(m.finish())
}

/// All modules of a chain read a wide word in every cycle, but one beside it only sometimes: the words lie in one batch, which
/// has one place or two for all of them.
#[test]
fn wide_words_that_are_always_read_beside_one_that_is_not() {
    let mut design = Design::new();
    let id = link(&mut design);
    let child = design.module(id).clone();
    let mut m = ModuleBuilder::new("top", "");
    let (enable, west) = (m.input("enable", Ty::bit(), ""), m.input("west", Ty::bit(), ""));
    let data = m.input("data", Ty::bits(WIDTH), "");
    let along = m.declare("along", Ty::bit().lanes(LINKS + 1));
    m.assign_part(&along, 0, &west);
    let chain = m.array("links", id, &child, LINKS).input("enable", &Expr::lit(1, 1)).input("data", &data);
    chain.lanes_at("west", &along, 0, 1).lanes_at("east", &along, 1, 1).done();
    let beside = m.declare("beside", Ty::bit());
    let single = m.instance("single", id, &child).input("enable", &enable).input("west", &west);
    single.input("data", &data).output_to("east", &beside).done();
    m.output_as("other", &beside, "");
    design.add(m.finish());
    verify(&design).unwrap();
    lockstep(&design, 100, 1).unwrap();
}

/// A word is read while the register that takes it says so: each waits for what the other one held.
#[test]
fn a_wide_word_whose_register_enables_it() {
    let mut m = ModuleBuilder::new("top", "");
    let (go, address) = (m.input("go", Ty::bit(), ""), m.input("address", Ty::bit(), ""));
    let data = m.input("data", Ty::bits(WIDTH), "");
    let held = m.reg_declare("held", Ty::bits(WIDTH));
    let port = WritePort { enable: Expr::lit(1, 1), address: !&address, data, mask: None };
    let word = m.memory("words", (WIDTH, 2), MemoryStyle::Auto, None, Some(port), (&held.bit(0), &address), "");
    m.drive(&held, &word, Some(&go), Some(1));
    m.output_as("y", &(held ^ word), "");
    let mut design = Design::new();
    design.add(m.finish());
    verify(&design).unwrap();
    lockstep(&design, 200, 1).unwrap();
}

/// Two registers of a module differ in their reset alone, so both take what is computed once.
#[test]
fn registers_that_differ_in_their_reset() {
    let mut design = Design::new();
    let mut m = ModuleBuilder::new("lane", "");
    let (a, b) = (m.input("a", Ty::bits(8), ""), m.input("b", Ty::bits(8), ""));
    let sum = (&a + &b).trunc(8);
    let (plain, cleared) = (m.reg("plain", &sum), m.reg_reset("cleared", &sum, 0));
    m.output_as("y", &(plain ^ cleared), "");
    let id = design.add(m.finish());
    let child = design.module(id).clone();
    let mut m = ModuleBuilder::new("top", "");
    let a = m.input("a", Ty::bits(8).lanes(LINKS), "");
    let b = m.input("b", Ty::bits(8), "");
    let y = m.output("y", Ty::bits(8).lanes(LINKS), "");
    m.array("lanes", id, &child, LINKS).lanes("a", &a).input("b", &b).lanes("y", &y).done();
    design.add(m.finish());
    verify(&design).unwrap();
    lockstep(&design, 100, 1).unwrap();
}
