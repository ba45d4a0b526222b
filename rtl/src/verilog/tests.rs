//! Snapshots of printed modules.

use crate::{Bits, Design, Expr, MemoryStyle, ModuleBuilder, Primitive, Statement, Ty, WritePort, verify, verilog};

fn printed(design: &Design) -> String {
    verify(design).unwrap();
    verilog::print(design).into_iter().map(|f| format!("==> {}\n{}", f.name, f.text)).collect()
}

/// Sums, products, saturation: context extension only at the root.
#[test]
fn datapath() {
    let mut m = ModuleBuilder::new("multiply_add", "a * b + c, saturated.\nOne cycle.");
    let a = m.input("a", Ty::signed(8), "factor");
    let b = m.input("b", Ty::bits(5), "factor");
    let c = m.input("c", Ty::signed(10), "addend");
    let valid = m.input("valid", Ty::bit(), "operands are valid");
    let product = m.reg_en("product", &valid, &(&a * &b));
    let sum = &product + &c;
    let y = m.output_reg("y", Ty::signed(8), "result");
    m.drive(&y, &sum.saturate(8), None, Some(0));
    m.output_as("high", &(&product - &c).slice(8, 4), "high bits of the difference");
    let mut design = Design::new();
    design.add(m.finish());
    insta::assert_snapshot!(printed(&design));
}

/// Memories: parts, read enable, initial words.
#[test]
fn memories() {
    let mut m = ModuleBuilder::new("storage", "A masked memory and a table.");
    let write = m.input("write", Ty::bit(), "");
    let mask = m.input("mask", Ty::bits(2), "halves");
    let address = m.input("address", Ty::bits(3), "");
    let data = m.input("data", Ty::bits(16), "");
    let port = WritePort { enable: write, address: address.clone(), data, mask: Some(mask) };
    let one = Expr::lit(1, 1);
    let words = m.memory("words", (16, 8), MemoryStyle::Block, None, Some(port), (&one, &address), "by halves");
    let init = (0..6).map(|i| Bits::new(4, 15 - i)).collect();
    let table = m.memory("numbers", (4, 8), MemoryStyle::Distributed, Some(init), None, (&one, &address), "numbers");
    m.output_as("word", &words, "");
    m.output_as("number", &table, "");
    let mut design = Design::new();
    design.add(m.finish());
    insta::assert_snapshot!(printed(&design));
}

/// A constant address that no word has is no index: such a write is lost and such a read gives zero.
#[test]
fn constant_addresses_beyond_the_depth() {
    let mut m = ModuleBuilder::new("beyond", "");
    let enable = m.input("enable", Ty::bit(), "");
    let data = m.input("data", Ty::bits(4), "");
    let at =
        |address| WritePort { enable: enable.clone(), address: Expr::lit(address, 3), data: data.clone(), mask: None };
    for (name, write, read) in [("first", 4, 5), ("second", 5, 4), ("third", 7, 7)] {
        let read = (&enable, &Expr::lit(read, 3));
        let word = m.memory(name, (4, 5), MemoryStyle::Auto, Some(Vec::new()), Some(at(write)), read, "");
        m.output_as(&format!("{name}_word"), &word, "");
    }
    let mut design = Design::new();
    design.add(m.finish());
    insta::assert_snapshot!(printed(&design));
}

/// A shift by a constant has the value that it means, whatever the constant's width; Verilator takes no amounts of
/// more than 32 bits.
#[test]
fn shifts_by_constants() {
    let mut m = ModuleBuilder::new("shifts", "");
    let a = m.input("a", Ty::bits(12), "");
    let s = m.input("s", Ty::signed(12), "");
    let amount = |value| Expr::lit(value, 40);
    m.output_as("left", &a.shl(&amount(5)), "");
    m.output_as("right", &s.shr(&amount(5)), "");
    m.output_as("none", &a.shl(&amount(0)), "");
    m.output_as("left_out", &a.shl(&amount(12)), "");
    m.output_as("right_out", &a.shr(&amount(1 << 33)), "");
    m.output_as("sign", &s.shr(&amount(12)), "");
    let mut design = Design::new();
    design.add(m.finish());
    insta::assert_snapshot!(printed(&design));
}

/// A tool may find out that an amount is constant only when it has put the modules together, so none is wider than 32 bits.
#[test]
fn shifts_by_wide_amounts() {
    let mut m = ModuleBuilder::new("shifts", "");
    let a = m.input("a", Ty::bits(12), "");
    let s = m.input("s", Ty::signed(16), "");
    let [narrow, wide] = [32, 33].map(|bits| m.input(&format!("by_{bits}"), Ty::bits(bits), ""));
    m.output_as("left", &a.shl(&wide), "");
    m.output_as("right", &s.shr(&wide), "");
    m.output_as("as_it_is", &a.shr(&narrow), "");
    let mut design = Design::new();
    design.add(m.finish());
    insta::assert_snapshot!(printed(&design));
}

/// An index is unsigned in the language; a signed one would be taken with its sign by Verilog, out of the words' range.
#[test]
fn signed_signals_as_addresses() {
    let mut m = ModuleBuilder::new("words", "");
    let address = m.input("address", Ty::signed(3), "");
    let bits = address.as_unsigned();
    let port = WritePort { enable: Expr::lit(1, 1), address: bits.clone(), data: Expr::lit(5, 4), mask: None };
    let words = m.memory("kept", (4, 8), MemoryStyle::Auto, None, Some(port), (&Expr::lit(1, 1), &bits), "");
    m.output_as("word", &words, "");
    let mut design = Design::new();
    design.add(m.finish());
    let text = printed(&design);
    assert!(text.contains("kept[$unsigned(address)] <= 4'd5;"), "{text}");
    assert!(text.contains("kept_q <= kept[$unsigned(address)];"), "{text}");
}

/// A chain of instances with strides, an unused output, a primitive.
#[test]
fn instances() {
    let mut design = Design::new();
    let mut m = ModuleBuilder::new("ADDER", "A vendor's adder.");
    m.primitive(Primitive { parameters: vec![("REG".into(), "1".into())], clock: "CLK".into() });
    let (a, b) = (m.input("A", Ty::bits(4), "left"), m.input("B", Ty::bits(4), "right"));
    let p = m.output_reg("P", Ty::bits(4), "sum");
    m.drive(&p, &(&a + &b).trunc(4), None, None);
    m.output_as("CARRY", &(&a + &b).msb(), "carry of the operands");
    let id = design.add(m.finish());
    let adder = design.module(id).clone();
    let mut m = ModuleBuilder::new("chain", "Running sums.");
    let terms = m.input("terms", Ty::bits(4).lanes(6), "every second one counts");
    let sums = m.output("sums", Ty::bits(4).lanes(4), "sums so far");
    m.assign_part(&sums, 0, &Expr::lit(0, 4));
    m.array("adders", id, &adder, 3).lanes("A", &sums).lanes_at("B", &terms, 1, 2).lanes_at("P", &sums, 1, 1).done();
    design.add(m.finish());
    insta::assert_snapshot!(printed(&design));
}

/// Statements, with a temporary of a variable.
#[test]
fn process() {
    let mut m = ModuleBuilder::new("decision", "Combinational statements.");
    let a = m.input("a", Ty::signed(8), "");
    let mode = m.input("mode", Ty::bits(2), "");
    let (x, y) = (m.output("x", Ty::signed(8), ""), m.output("y", Ty::bits(3), ""));
    let [xi, yi] = [&x, &y].map(|s| m.id(s));
    m.process(vec![
        Statement::Assign(xi, (-&a).trunc(8)),
        Statement::Assign(yi, Expr::lit(0, 3)),
        Statement::Case(
            mode,
            vec![(Bits::new(2, 1), vec![Statement::Assign(yi, (&x + &a).slice(5, 3))])],
            vec![Statement::If(x.msb(), vec![Statement::Assign(xi, a.clone())], vec![])],
        ),
    ]);
    let mut design = Design::new();
    design.add(m.finish());
    insta::assert_snapshot!(printed(&design));
}
