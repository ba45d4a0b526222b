//! Designs on which the simulator once differed from the interpreter, found by the random search or by readers.

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

/// An array that is written in place takes its own lanes of an earlier row as the high half of a word.
#[test]
fn a_word_that_moves_into_its_high_half() {
    const BY: u32 = 10;
    const MANY: u32 = 170;
    let mut design = Design::new();
    let mut m = ModuleBuilder::new("lane", "");
    let (west, new) = (m.input("west", Ty::bits(32), ""), m.input("fresh", Ty::bits(28), ""));
    let east = m.reg("east", &Expr::concat_low_first(&[new, west]));
    m.output_as("to_east", &east.trunc(32), "");
    m.output_as("low", &east.slice(40, 8), "");
    let id = design.add(m.finish());
    let child = design.module(id).clone();
    let mut m = ModuleBuilder::new("top", "");
    let new = m.input("fresh", Ty::bits(28).lanes(MANY), "");
    let first = m.input("first", Ty::bits(32).lanes(BY), "");
    let along = m.declare("along", Ty::bits(32).lanes(MANY + BY));
    (0..).zip(m.elements(&first)).for_each(|(lane, element)| m.assign_part(&along, lane, &element));
    let low = m.output("low", Ty::bits(8).lanes(MANY), "");
    let lanes = m.array("lanes", id, &child, MANY).lanes("fresh", &new);
    lanes.lanes_at("west", &along, 0, 1).lanes_at("to_east", &along, BY, 1).lanes("low", &low).done();
    design.add(m.finish());
    verify(&design).unwrap();
    lockstep(&design, 100, 1).unwrap();
}

/// Two wide registers of one module, of which one is always enabled; `next` says what they take from each other.
fn always_beside_sometimes(next: impl Fn(&Expr, &Expr, &Expr) -> [Expr; 2]) -> Result<(), Box<dyn std::error::Error>> {
    const WIDE: u32 = 128;
    let mut design = Design::new();
    let mut m = ModuleBuilder::new("held", "");
    let (enable, data) = (m.input("enable", Ty::bit(), ""), m.input("data", Ty::bits(WIDE), ""));
    let q = m.reg_en("q", &enable, &data);
    m.output_as("y", &q, "");
    let id = design.add(m.finish());
    let child = design.module(id).clone();
    let mut m = ModuleBuilder::new("top", "");
    let (enable, fresh) = (m.input("enable", Ty::bit(), ""), m.input("fresh", Ty::bits(WIDE), ""));
    let [one, two] = ["one", "two"].map(|name| m.declare(name, Ty::bits(WIDE)));
    let [to_one, to_two] = next(&one, &two, &fresh);
    m.instance("first", id, &child).input("enable", &enable).input("data", &to_one).output_to("y", &one).done();
    let second = m.instance("second", id, &child).input("enable", &Expr::lit(1, 1)).input("data", &to_two);
    second.output_to("y", &two).done();
    m.output_as("both", &Expr::concat_low_first(&[one, two]), "");
    design.add(m.finish());
    verify(&design)?;
    Ok(lockstep(&design, 100, 1)?)
}

#[test]
fn a_wide_register_that_takes_its_own_half_beside_an_enabled_one() {
    let half = |word: &Expr, at: u32| word.slice(at, 64);
    let after = |low: Expr, high: Expr| Expr::concat_low_first(&[low, high]);
    always_beside_sometimes(|_, two, fresh| [fresh.clone(), after(half(fresh, 0), half(two, 0))]).unwrap();
    always_beside_sometimes(|one, two, fresh| [two.clone(), after(half(one, 64), half(fresh, 0))]).unwrap();
}
