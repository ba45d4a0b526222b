//! Does every construct of the language mean the same in the interpreter and in the printed Verilog?

use crate::compare::{engines_agree, tools_accept};
use heatvit_rtl::{Bits, Design, Expr, MemoryStyle, ModuleBuilder, ModuleId, Statement, Ty, WritePort, select};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Pairs of widths: equal, unequal, around limbs, beyond 128.
const WIDTHS: [(u32, u32); 12] =
    [(1, 1), (1, 8), (2, 1), (7, 7), (8, 16), (31, 33), (32, 32), (64, 64), (63, 5), (65, 3), (128, 128), (130, 67)];

/// Every operator on one pair of operands.
fn operators(a: &Expr, b: &Expr) -> Vec<Expr> {
    let condition = b.bit(0);
    let shift = b.slice(0, b.width().min(8));
    let mut all = vec![
        a + b,
        a - b,
        a * b,
        a & b,
        a | b,
        a ^ b,
        !a,
        -a,
        a.eq(b),
        a.ne(b),
        a.lt(b),
        a.le(b),
        a.gt(b),
        a.ge(b),
        a.any(),
        a.all(),
        a.parity(),
        a.shl(&shift),
        a.shr(&shift),
        condition.mux(a, b),
        select(&shift.slice(0, shift.width().min(2)), &[a.clone(), b.clone(), a.clone()]),
        Expr::concat(&[a.clone(), b.clone(), a.clone()]),
        a.extend(a.width() + 9),
        a.as_signed().extend(a.width() + 70),
        a.as_unsigned(),
        a.to_signed(),
        a.shl_const(5),
        a.msb(),
    ];
    if a.width() > 2 {
        all.extend([
            a.slice(1, a.width() - 2),
            a.shr_const(2),
            a.trunc(a.width() - 1),
            a.saturate((a.width() - 1).min(40)),
        ]);
        // Cuts through operations: low bits, middle bits, high bits.
        let results = [a + b, a - b, a * b, a & b, !a, -a, condition.mux(a, b), a.shl(&shift), a.shr(&shift)];
        all.extend(results.iter().flat_map(|r| [r.trunc(2), r.slice(1, 2), r.slice(r.width() - 2, 2)]));
    }
    all
}

fn operator_module(design: &mut Design, a: Ty, b: Ty) -> ModuleId {
    let name =
        format!("ops_{}{}_{}{}", if a.signed { "s" } else { "u" }, a.width, if b.signed { "s" } else { "u" }, b.width);
    let mut m = ModuleBuilder::new(&name, "Every operator on one pair of types.");
    let (a, b) = (m.input("a", a, "left"), m.input("b", b, "right"));
    for (i, value) in operators(&a, &b).iter().enumerate() {
        m.output_as(&format!("y{i}"), value, "");
    }
    design.add(m.finish())
}

/// All operator modules and their outputs under one top.
fn operator_design(widths: &[(u32, u32)]) -> Design {
    let mut design = Design::new();
    let mut ids = Vec::new();
    for (a, b) in widths {
        for signs in 0..4 {
            let ty = |width, signed| if signed { Ty::signed(width) } else { Ty::bits(width) };
            ids.push(operator_module(&mut design, ty(*a, signs & 1 == 1), ty(*b, signs & 2 == 2)));
        }
    }
    side_by_side(&mut design, &ids);
    design
}

/// A top that brings the ports of all modules out; outputs are packed, one port a module.
fn side_by_side(design: &mut Design, ids: &[ModuleId]) {
    let mut m = ModuleBuilder::new("top", "Modules side by side.");
    for (k, id) in ids.iter().enumerate() {
        let child = design.module(*id).clone();
        let mut outputs = Vec::new();
        let mut inputs = Vec::new();
        for (_, signal) in child.ports() {
            let ty = if signal.ty.is_scalar() { signal.ty.clone() } else { Ty::bits(signal.ty.total_width()) };
            if signal.port == Some(heatvit_rtl::Direction::Input) {
                inputs.push((signal.name.clone(), m.input(&format!("u{k}_{}", signal.name), ty, "")));
            } else {
                outputs.push((signal.name.clone(), m.declare(&format!("u{k}_{}", signal.name), ty)));
            }
        }
        let mut instance = m.instance(&format!("unit_{k}"), *id, &child);
        for (port, value) in &inputs {
            instance = instance.input(port, value);
        }
        for (port, wire) in &outputs {
            instance = instance.output_to(port, wire);
        }
        instance.done();
        let all: Vec<Expr> = outputs.into_iter().map(|(_, wire)| wire).collect();
        m.output_as(&format!("u{k}_all"), &Expr::concat_low_first(&all), "all outputs");
    }
    design.add(m.finish());
}

#[test]
fn operators_agree() {
    engines_agree(&operator_design(&WIDTHS), 200, 3);
}

#[test]
fn tools_accept_operators() {
    tools_accept(&operator_design(&WIDTHS));
}

/// A random expression over what was made before it.
fn random_expression(random: &mut ChaCha8Rng, pool: &[Expr]) -> Expr {
    let mut pick = || pool[random.random_range(0..pool.len())].clone();
    let (a, b, c) = (pick(), pick(), pick());
    let low = random.random_range(0..a.width());
    let width = random.random_range(1..=a.width() - low);
    let value = match random.random_range(0..20) {
        0 => &a + &b,
        1 => &a - &b,
        2 => a.trunc(a.width().min(40)) * b.trunc(b.width().min(40)),
        3 => &a & &b,
        4 => &a | &b,
        5 => &a ^ &b,
        6 => !&a,
        7 => -&a,
        8 => a.lt(&b),
        9 => a.eq(&b),
        10 => a.slice(low, width),
        11 => c.bit(0).mux(&a, &b),
        12 => select(&c.slice(0, c.width().min(2)), &[a, b, c.clone()]),
        13 => Expr::concat(&[a, b]),
        14 => a.extend(a.width() + 3),
        15 => a.as_signed(),
        16 => a.as_unsigned(),
        17 => a.shr(&b.slice(0, b.width().min(6))),
        18 => a.saturate(random.random_range(2..20)),
        _ => (&a + &b).slice(low, width),
    };
    value.trunc(value.width().min(150))
}

fn random_module(design: &mut Design, seed: u64) -> ModuleId {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut m = ModuleBuilder::new(&format!("random_{seed}"), "Random expressions.");
    let mut pool: Vec<Expr> = Vec::new();
    for (i, width) in [1, 5, 16, 33, 64, 70].into_iter().enumerate() {
        pool.push(m.input(&format!("u{i}"), Ty::bits(width), ""));
        pool.push(m.input(&format!("s{i}"), Ty::signed(width), ""));
    }
    pool.push(Expr::lit(5, 4));
    pool.push(Expr::slit(-3, 9));
    for i in 0..60 {
        let value = random_expression(&mut random, &pool);
        pool.push(match random.random_range(0..6) {
            0 => m.wire(&format!("w{i}"), &value),
            1 => m.reg(&format!("r{i}"), &value),
            2 => m.output_as(&format!("y{i}"), &value, ""),
            _ => value,
        });
    }
    for (i, value) in pool.iter().rev().take(6).enumerate() {
        m.output_as(&format!("z{i}"), value, "");
    }
    design.add(m.finish())
}

#[test]
fn random_expressions_agree() {
    let mut design = Design::new();
    let ids: Vec<ModuleId> = (0..40).map(|seed| random_module(&mut design, seed)).collect();
    side_by_side(&mut design, &ids);
    // No lint: random comparisons may be constant, and Verilator says so.
    heatvit_rtl::verify(&design).unwrap();
    engines_agree(&design, 100, 4);
}

/// Case in if, variables that are read after they are assigned, expressions of variables that need names.
fn process_module(design: &mut Design) -> ModuleId {
    let mut m = ModuleBuilder::new("processes", "Combinational statements.");
    let a = m.input("a", Ty::signed(12), "");
    let b = m.input("b", Ty::bits(12), "");
    let mode = m.input("mode", Ty::bits(3), "");
    let x = m.output("x", Ty::signed(14), "");
    let y = m.output("y", Ty::bits(5), "");
    let z = m.declare("z", Ty::signed(24));
    let [xi, yi, zi] = [&x, &y, &z].map(|s| m.id(s));
    let product = &z * &a;
    m.process(vec![
        Statement::Assign(zi, (&a * &b.slice(0, 12).as_signed()).trunc(24)),
        Statement::Assign(yi, Expr::lit(3, 5)),
        Statement::If(
            z.msb(),
            vec![Statement::Assign(xi, (&z + &a).slice(3, 14)), Statement::Assign(yi, (&x - &b).slice(7, 5))],
            vec![Statement::Case(
                mode.clone(),
                vec![
                    (Bits::new(3, 1), vec![Statement::Assign(xi, product.slice(20, 14))]),
                    (Bits::new(3, 4), vec![Statement::Assign(xi, a.saturate(6).extend(14).as_unsigned())]),
                ],
                vec![
                    Statement::Assign(xi, z.shr_const(4).saturate(14).as_unsigned()),
                    Statement::Assign(yi, (&y + &mode).trunc(5)),
                ],
            )],
        ),
    ]);
    m.output_as("z_out", &z, "");
    design.add(m.finish())
}

fn storage_module(design: &mut Design, style: MemoryStyle, name: &str) -> ModuleId {
    let mut m = ModuleBuilder::new(name, "Memories and registers.");
    let write = m.input("write", Ty::bit(), "");
    let address = m.input("address", Ty::bits(5), "");
    let mask = m.input("mask", Ty::bits(4), "");
    let data = m.input("data", Ty::bits(48), "");
    let read = m.input("read", Ty::bit(), "");
    let at = m.input("at", Ty::bits(5), "");
    let one = Expr::lit(1, 1);
    let port = |mask: Option<Expr>| WritePort {
        enable: write.clone(),
        address: (&address + &mask.clone().unwrap_or(Expr::lit(1, 1))).trunc(5),
        data: data.clone(),
        mask,
    };
    let plain = m.memory("plain", (48, 32), style, None, Some(port(None)), (&read, &at), "");
    let parts = m.memory("parts", (48, 32), style, None, Some(port(Some(mask.clone()))), (&read, &at), "by parts");
    let short = m.memory("short", (48, 20), style, None, Some(port(None)), (&one, &at.slice(0, 4).extend(5)), "");
    let words: Vec<Bits> = (0..20).map(|i| Bits::new(70, i * 0x0123_4567_89ab_cdef_0123 + 7)).collect();
    let rom = m.memory("rom", (70, 32), style, Some(words.clone()), None, (&read, &at), "constants");
    // No word has the address 20: what is written there is lost.
    let beyond = Expr::lit(20, 5);
    let lost = WritePort { enable: write.clone(), address: beyond.clone(), data: data.resize(70), mask: None };
    let kept = m.memory("kept", (70, 20), style, Some(words), Some(lost), (&read, &at.slice(0, 4).extend(5)), "");
    let outputs =
        [("plain_out", plain), ("parts_out", parts), ("short_out", short), ("rom_out", rom), ("kept_out", kept)];
    for (name, value) in outputs {
        m.output_as(name, &value, "");
    }
    let count = m.output_reg("count", Ty::bits(9), "");
    m.drive(&count, &(&count + &mask).trunc(9), Some(&write), Some(77));
    let free = m.output_reg("free", Ty::signed(9), "");
    m.drive(&free, &count.as_signed(), Some(&read), None);
    let always = m.output_reg("always_reset", Ty::signed(9), "");
    m.drive(&always, &(-&free).trunc(9), None, Some(0x1f0));
    design.add(m.finish())
}

fn lane_module(design: &mut Design) -> ModuleId {
    let mut child = ModuleBuilder::new("step", "Adds and passes on.");
    let x = child.input("x", Ty::signed(6), "");
    let pair = child.input("pair", Ty::bits(3).lanes(2), "");
    let gain = child.input("gain", Ty::bits(4), "");
    let high = child.element(&pair, 1);
    child.output_as("y", &(&x + &high).trunc(6), "");
    let held = child.output_reg("held", Ty::signed(6), "");
    child.drive(&held, &(&x * &gain).trunc(6), None, Some(9));
    child.output_as("flag", &child.element(&pair, 0).any(), "not used by every parent");
    let id = design.add(child.finish());
    let step = design.module(id).clone();
    let mut m = ModuleBuilder::new("lanes", "Instance arrays: chains, strides, single parts.");
    let x = m.input("x", Ty::signed(6), "");
    let pairs = m.input("pairs", Ty::bits(3).lanes(2).lanes(10), "");
    let gain = m.input("gain", Ty::bits(4), "");
    let chain = m.output("chain", Ty::signed(6).lanes(6), "");
    m.assign_part(&chain, 0, &x);
    let held = m.output("held", Ty::signed(6).lanes(5), "");
    m.array("line", id, &step, 5)
        .lanes("x", &chain)
        .lanes_at("pair", &pairs, 1, 2)
        .input("gain", &(&gain + &gain).trunc(4))
        .lanes_at("y", &chain, 1, 1)
        .lanes("held", &held)
        .done();
    let mut y = None;
    let last = m.element(&chain, 5);
    m.instance("single", id, &step)
        .input("x", &last)
        .lanes_at("pair", &pairs, 4, 1)
        .input("gain", &gain)
        .output("y", "single_y", &mut y)
        .done();
    m.output_as("y", &y.unwrap(), "");
    design.add(m.finish())
}

#[test]
fn statements_storage_and_lanes_agree() {
    let mut design = Design::new();
    let ids = [
        process_module(&mut design),
        storage_module(&mut design, MemoryStyle::Block, "block_storage"),
        storage_module(&mut design, MemoryStyle::Distributed, "distributed_storage"),
        storage_module(&mut design, MemoryStyle::Auto, "auto_storage"),
        lane_module(&mut design),
    ];
    side_by_side(&mut design, &ids);
    tools_accept(&design);
    engines_agree(&design, 400, 5);
}
