//! What is computed for many lanes at once, in the ways in which descriptions write lanes.

use heatvit_rtl::{Design, Expr, MemoryStyle, ModuleBuilder, ModuleId, Ty, WritePort, verify};
use heatvit_sim::lockstep;

const LANES: u32 = 16;

fn compare(mut design: Design, top: ModuleBuilder) -> Result<(), Box<dyn std::error::Error>> {
    design.add(top.finish());
    verify(&design)?;
    Ok(lockstep(&design, 300, 1)?)
}

/// A byte with an enable.
fn held(design: &mut Design) -> ModuleId {
    let mut m = ModuleBuilder::new("held", "");
    let (enable, data) = (m.input("enable", Ty::bit(), ""), m.input("data", Ty::bits(8), ""));
    let q = m.reg_en("q", &enable, &data);
    m.output_as("y", &q, "");
    design.add(m.finish())
}

/// A decoder, bytes beyond a count masked, and words of such bytes in a memory.
#[test]
fn lanes_that_are_written_out() {
    let mut design = Design::new();
    let id = held(&mut design);
    let child = design.module(id).clone();
    let mut m = ModuleBuilder::new("top", "");
    let (go, other) = (m.input("go", Ty::bit(), ""), m.input("other", Ty::bit(), ""));
    let (cursor, count) = (m.input("cursor", Ty::bits(5), ""), m.input("count", Ty::bits(5), ""));
    let words = ["a", "b"].map(|name| m.input(name, Ty::bits(8 * LANES), ""));
    let word = m.wire("word", &other.mux(&words[0], &words[1]));
    let enables = m.declare("enables", Ty::bit().lanes(LANES));
    let data = m.declare("data", Ty::bits(8).lanes(LANES));
    for lane in 0..LANES {
        m.assign_part(&enables, lane, &(&go & cursor.eq_lit(u64::from(lane))));
        let within = count.gt(&Expr::lit(u64::from(lane), 5));
        m.assign_part(&data, lane, &within.mux(&word.slice(8 * lane, 8), &Expr::lit(0, 8)));
    }
    let y = m.output("y", Ty::bits(8).lanes(LANES), "");
    m.array("lanes", id, &child, LANES).lanes("enable", &enables).lanes("data", &data).lanes("y", &y).done();
    let masked = Expr::concat_low_first(&m.elements(&data));
    let port = WritePort { enable: go.clone(), address: cursor.trunc(2), data: masked, mask: None };
    let address = count.trunc(2);
    let read = m.memory("words", (8 * LANES, 4), MemoryStyle::Auto, None, Some(port), (&go, &address), "");
    m.output_as("read", &read, "");
    compare(design, m).unwrap();
}

/// Values that move by ten lanes of one array, or are replaced in all lanes together.
#[test]
fn lanes_that_move_or_are_replaced() {
    const WIDTH: u32 = 60;
    const BY: u32 = 10;
    const MANY: u32 = 170;
    let mut design = Design::new();
    let mut m = ModuleBuilder::new("lane", "");
    let flag = m.input("flag", Ty::bit(), "");
    let (west, new) = (m.input("west", Ty::bits(WIDTH), ""), m.input("fresh", Ty::bits(WIDTH), ""));
    let east = m.reg("east", &flag.mux(&west, &new));
    let sum = m.reg("sum", &(&west + &new).trunc(WIDTH));
    m.output_as("to_east", &east, "");
    m.output_as("low", &(east ^ sum).trunc(8), "");
    let id = design.add(m.finish());
    let child = design.module(id).clone();
    let mut m = ModuleBuilder::new("top", "");
    let (flag, new) = (m.input("flag", Ty::bit(), ""), m.input("fresh", Ty::bits(WIDTH), ""));
    let along = m.declare("along", Ty::bits(WIDTH).lanes(MANY + BY));
    for lane in 0..BY {
        m.assign_part(&along, lane, &(&new + &Expr::lit(u64::from(lane), WIDTH)).trunc(WIDTH));
    }
    let low = m.output("low", Ty::bits(8).lanes(MANY), "");
    let lanes = m.array("lanes", id, &child, MANY).input("flag", &flag).input("fresh", &new);
    lanes.lanes_at("west", &along, 0, 1).lanes_at("to_east", &along, BY, 1).lanes("low", &low).done();
    compare(design, m).unwrap();
}

/// Parts of registers, signed and not, of every host type.
#[test]
fn parts_of_registers() {
    let mut design = Design::new();
    let mut m = ModuleBuilder::new("lane", "");
    let whole = m.input("whole", Ty::bits(60), "");
    for width in [7, 13, 30, 60] {
        let held = m.reg(&format!("held_{width}"), &whole.trunc(width));
        let (half, rest) = (width / 2, width - width / 2);
        let signed = held.slice(half, rest).as_signed();
        let sum = &signed.extend(40) + &held.slice(1, half).to_signed().extend(40);
        m.output_as(&format!("sum_{width}"), &sum.trunc(34), "");
    }
    let id = design.add(m.finish());
    let child = design.module(id).clone();
    let mut m = ModuleBuilder::new("top", "");
    let whole = m.input("whole", Ty::bits(60).lanes(LANES), "");
    let sums = [7, 13, 30, 60].map(|w| (w, m.output(&format!("y_{w}"), Ty::signed(34).lanes(LANES), "")));
    let mut lanes = m.array("lanes", id, &child, LANES).lanes("whole", &whole);
    for (width, sum) in &sums {
        lanes = lanes.lanes(&format!("sum_{width}"), sum);
    }
    lanes.done();
    compare(design, m).unwrap();
}

/// Words put together from signed and unsigned parts, in numbers of lanes that do not fill the last vector.
#[test]
fn lanes_that_end_within_a_vector() {
    for lanes in [8, 9, 14, 15, 17, 28, 31, 33] {
        let mut design = Design::new();
        let mut m = ModuleBuilder::new("lane", "");
        let (narrow, wide) = (m.input("narrow", Ty::bits(7), ""), m.input("wide", Ty::bits(30), ""));
        let (held, flag) = (m.reg("held", &narrow), m.reg("flag", &narrow.bit(3)));
        let signed = m.reg("signed_part", &(narrow.as_signed() + wide.slice(9, 6).as_signed()));
        let word = Expr::concat_low_first(&[signed.clone(), held.slice(1, 5), &flag ^ narrow.bit(0)]);
        let doubled = Expr::concat_low_first(&[signed.clone(), signed]);
        let sum = m.reg("sum_held", &(word.as_signed() + wide.slice(11, 9).as_signed()).extend(26));
        m.output_as("sum", &sum, "");
        m.output_as("long", &Expr::concat_low_first(&[wide.trunc(24), doubled]), "");
        m.output_as("less", &(held.lt(&narrow) & word.slice(0, 7).ne(&held)), "");
        let id = design.add(m.finish());
        let child = design.module(id).clone();
        let mut m = ModuleBuilder::new("top", "");
        let narrow = m.input("narrow", Ty::bits(7).lanes(lanes), "");
        let wide = m.input("wide", Ty::bits(30).lanes(lanes), "");
        let sum = m.output("sum", Ty::signed(26).lanes(lanes), "");
        let long = m.output("long", Ty::bits(40).lanes(lanes), "");
        let less = m.output("less", Ty::bit().lanes(lanes), "");
        let all = m.array("lanes", id, &child, lanes).lanes("narrow", &narrow).lanes("wide", &wide);
        all.lanes("sum", &sum).lanes("long", &long).lanes("less", &less).done();
        compare(design, m).unwrap();
    }
}

/// Comparisons of eight bytes, of which the results are bytes.
#[test]
fn flags_of_long_lanes() {
    for lanes in [8, 17, 31, 33] {
        let mut design = Design::new();
        let mut m = ModuleBuilder::new("lane", "");
        let (a, b) = (m.input("a", Ty::bits(60), ""), m.input("b", Ty::bits(60), ""));
        let (p, q) = (m.reg("p", &a), m.reg("q", &b));
        let e = m.reg("e", &(p.eq(&q) ^ p.lt(&q)));
        m.output_as("y", &(e ^ q.lt(&p)), "");
        let id = design.add(m.finish());
        let child = design.module(id).clone();
        let mut m = ModuleBuilder::new("top", "");
        let [a, b] = ["a", "b"].map(|name| m.input(name, Ty::bits(60).lanes(lanes), ""));
        let y = m.output("y", Ty::bit().lanes(lanes), "");
        m.array("lanes", id, &child, lanes).lanes("a", &a).lanes("b", &b).lanes("y", &y).done();
        compare(design, m).unwrap();
    }
}

/// Words of lanes that are whole host types: computed, held, and the other way round.
#[test]
fn words_of_lanes() {
    for width in [8, 16, 32, 64] {
        let lanes = 640 / width;
        let mut design = Design::new();
        let mut m = ModuleBuilder::new("lane", "");
        let (enable, a) = (m.input("enable", Ty::bit(), ""), m.input("a", Ty::bits(width), ""));
        let b = m.input("b", Ty::bits(width), "");
        let held = m.reg_en("held", &enable, &(&a + &b).trunc(width));
        m.output_as("mixed", &(&held ^ &a), "");
        m.output_as("y", &held, "");
        let id = design.add(m.finish());
        let child = design.module(id).clone();
        let mut m = ModuleBuilder::new("top", "");
        let (go, enable) = (m.input("go", Ty::bit(), ""), m.input("enable", Ty::bit().lanes(lanes), ""));
        let [a, b] = ["a", "b"].map(|name| m.input(name, Ty::bits(width).lanes(lanes), ""));
        let [mixed, y] = ["mixed", "y"].map(|name| m.declare(name, Ty::bits(width).lanes(lanes)));
        let all = m.array("lanes", id, &child, lanes).lanes("enable", &enable).lanes("a", &a).lanes("b", &b);
        all.lanes("mixed", &mixed).lanes("y", &y).done();
        let mut elements = m.elements(&y);
        let (mixed, y) = (Expr::concat_low_first(&m.elements(&mixed)), Expr::concat_low_first(&elements));
        elements.reverse();
        let words = [y.clone(), &y ^ &mixed, Expr::concat_low_first(&elements)];
        for (index, word) in words.into_iter().enumerate() {
            let taken = m.reg_en(&format!("taken_{index}"), &go, &word);
            m.output_as(&format!("word_{index}"), &taken, "");
        }
        let latest = m.reg("latest", &mixed);
        m.output_as("now", &(mixed ^ latest), "");
        compare(design, m).unwrap();
    }
}

/// Registers that take by turns what two arrays hold, behind an enable of each and without.
#[test]
fn lanes_by_turns_from_two_arrays() {
    for width in [8, 16, 27, 50] {
        let mut design = Design::new();
        let mut m = ModuleBuilder::new("source", "");
        let data = m.input("data", Ty::bits(width), "");
        let q = m.reg("q", &data);
        m.output_as("y", &q, "");
        let source = design.add(m.finish());
        let mut m = ModuleBuilder::new("sink", "");
        let (enable, data) = (m.input("enable", Ty::bit(), ""), m.input("data", Ty::bits(width), ""));
        let (direct, seldom) = (m.reg("direct", &data), m.reg_en("seldom", &enable, &data));
        m.output_as("y", &(direct ^ seldom), "");
        let sink = design.add(m.finish());
        let modules = [source, sink].map(|id| design.module(id).clone());
        let mut m = ModuleBuilder::new("top", "");
        let turns = m.declare("turns", Ty::bits(width).lanes(2 * LANES));
        for (name, first) in [("even", 0), ("odd", 1)] {
            let data = m.input(name, Ty::bits(width).lanes(LANES), "");
            let held = m.declare(&format!("{name}_held"), Ty::bits(width).lanes(LANES));
            let sources = m.array(&format!("{name}_sources"), source, &modules[0], LANES);
            sources.lanes("data", &data).lanes("y", &held).done();
            for (lane, element) in (0..).zip(m.elements(&held)) {
                m.assign_part(&turns, 2 * lane + first, &element);
            }
        }
        let enable = m.input("enable", Ty::bit().lanes(2 * LANES), "");
        let y = m.output("y", Ty::bits(width).lanes(2 * LANES), "");
        let sinks = m.array("sinks", sink, &modules[1], 2 * LANES).lanes("enable", &enable).lanes("data", &turns);
        sinks.lanes("y", &y).done();
        compare(design, m).unwrap();
    }
}

/// Memories of many lanes that are read together.
#[test]
fn memories_of_one_enable() {
    let mut design = Design::new();
    let mut m = ModuleBuilder::new("lane", "");
    let (enable, write) = (m.input("enable", Ty::bit(), ""), m.input("write", Ty::bit(), ""));
    let (address, data) = (m.input("address", Ty::bits(3), ""), m.input("data", Ty::signed(11), ""));
    let port = WritePort { enable: write, address: address.clone(), data: data.as_unsigned(), mask: None };
    let word = m.memory("words", (11, 5), MemoryStyle::Auto, None, Some(port), (&enable, &address), "");
    m.output_as("y", &(word.as_signed() + data), "");
    let id = design.add(m.finish());
    let child = design.module(id).clone();
    let mut m = ModuleBuilder::new("top", "");
    let flags = ["enable", "write"].map(|name| m.input(name, Ty::bit(), ""));
    let (address, data) = (m.input("address", Ty::bits(3), ""), m.input("data", Ty::signed(11).lanes(LANES), ""));
    let y = m.output("y", Ty::signed(12).lanes(LANES), "");
    let lanes = m.array("lanes", id, &child, LANES).input("enable", &flags[0]).input("write", &flags[1]);
    lanes.input("address", &address).lanes("data", &data).lanes("y", &y).done();
    compare(design, m).unwrap();
}
