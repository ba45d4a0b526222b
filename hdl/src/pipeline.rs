//! Pieces that every pipeline uses: delay lines and the rescaling multiplier.

use heatvit_rtl::{Design, Direction, Expr, Module, ModuleBuilder, ModuleId, Ty, select};

/// Clones a child module out of the design so that a parent under construction can refer to it.
pub fn child(design: &Design, id: ModuleId) -> Module {
    design.module(id).clone()
}

/// A `width`-bit register without reset, the element of delay lines.
fn register(design: &mut Design, width: u32) -> ModuleId {
    let name = format!("register_{width}");
    if let Some(id) = design.find(&name) {
        return id;
    }
    let mut m =
        ModuleBuilder::new(&name, &format!("A register of {width} bits without reset: one stage of a delay line."));
    let d = m.input("d", Ty::bits(width), "value");
    let q = m.output_reg("q", Ty::bits(width), "value of the previous cycle");
    m.drive(&q, &d, None, None);
    design.add(m.finish())
}

/// `value` as it was `stages` cycles ago; a chain of `stages` registers named `<name>_line`.
pub fn delay_line(design: &mut Design, m: &mut ModuleBuilder, name: &str, value: &Expr, stages: u32) -> Expr {
    if stages == 0 {
        return value.clone();
    }
    let width = value.width();
    let id = register(design, width);
    let stage = child(design, id);
    let chain = m.declare(&format!("{name}_chain"), Ty::bits(width).lanes(stages + 1));
    m.assign_part(&chain, 0, &value.as_unsigned());
    m.array(&format!("{name}_line"), id, &stage, stages).lanes("d", &chain).lanes_at("q", &chain, 1, 1).done();
    let last = m.element(&chain, stages);
    if value.is_signed() { last.as_signed() } else { last }
}

/// `lanes` registers of `width` bits side by side: the parts `from..from + count` of `source`
/// one cycle later, in the parts `to..to + count` of `target`.
pub fn register_lanes(
    design: &mut Design,
    m: &mut ModuleBuilder,
    name: &str,
    (source, from): (&Expr, u32),
    (target, to): (&Expr, u32),
    (width, count): (u32, u32),
) {
    let id = register(design, width);
    let stage = child(design, id);
    m.array(name, id, &stage, count).lanes_at("d", source, from, 1).lanes_at("q", target, to, 1).done();
}

/// Rounding shift amounts of a rescaling multiplier: 16, 20, 24, 28 (`heatvit_model::fixed`).
pub const SHIFTS: [u32; 4] = [16, 20, 24, 28];

/// `round_shift(x * mult, 16 + 4 * sel)`, three cycles later; 29 bits for a 27-bit `x`.
/// Equals `heatvit_model::fixed::rescale`: half away from zero.
///
/// `sel` must be valid one cycle after `x` and `mult`.
pub fn rescale(m: &mut ModuleBuilder, name: &str, x: &Expr, mult: &Expr, sel_after_1: &Expr) -> Expr {
    let product = m.reg(&format!("{name}_product"), &(x.as_signed() * mult.to_signed()));
    scale_product(m, name, &product, sel_after_1)
}

/// The second half of [`rescale`], for a signed product that is already registered: two cycles.
pub fn scale_product(m: &mut ModuleBuilder, name: &str, product: &Expr, sel: &Expr) -> Expr {
    let rounded = round_up(m, name, product, sel);
    let sel_d1 = m.reg(&format!("{name}_sel"), sel);
    let width = rounded.width() - SHIFTS[0];
    let options: Vec<Expr> = SHIFTS.iter().map(|s| rounded.shr_const(*s).resize(width)).collect();
    m.reg(&format!("{name}_shifted"), &select(&sel_d1, &options))
}

/// Adds half of the last place, less one for negative products, so that the floor shift that
/// follows rounds half away from zero.
fn round_up(m: &mut ModuleBuilder, name: &str, product: &Expr, sel: &Expr) -> Expr {
    let halves: Vec<Expr> = SHIFTS.iter().map(|s| Expr::lit(1 << (s - 1), SHIFTS[3])).collect();
    let half = m.wire(&format!("{name}_half"), &select(sel, &halves));
    let bias = m.wire(&format!("{name}_bias"), &(half.to_signed() - product.msb().to_signed()));
    let width = product.width().max(SHIFTS[3] + 2);
    m.reg(&format!("{name}_rounded"), &(product + bias).trunc(width))
}

/// Sum of `terms`, one register level per halving; `log2(len)` cycles later.
pub fn adder_tree(m: &mut ModuleBuilder, name: &str, terms: &[Expr]) -> Expr {
    fold_tree(m, name, terms, &|a, b| a + b)
}

/// Maximum of `terms`, one register level per halving.
pub fn max_tree(m: &mut ModuleBuilder, name: &str, terms: &[Expr]) -> Expr {
    fold_tree(m, name, terms, &|a, b| a.gt(b).mux(a, b))
}

fn fold_tree(m: &mut ModuleBuilder, name: &str, terms: &[Expr], combine: &dyn Fn(&Expr, &Expr) -> Expr) -> Expr {
    let mut level: Vec<Expr> = terms.to_vec();
    let mut depth = 0;
    while level.len() > 1 {
        depth += 1;
        level = level
            .chunks(2)
            .enumerate()
            .map(|(i, pair)| {
                m.reg(&format!("{name}_l{depth}_{i}"), &combine(&pair[0], pair.get(1).unwrap_or(&pair[0])))
            })
            .collect();
    }
    level.swap_remove(0)
}

/// A 1-bit flag `stages` cycles later through registers that are reset to 0.
pub fn flag_line(design: &mut Design, m: &mut ModuleBuilder, name: &str, value: &Expr, stages: u32) -> Expr {
    if stages == 0 {
        return value.clone();
    }
    let id = match design.find("flag_register") {
        Some(id) => id,
        None => design.add(flag_register()),
    };
    let stage = child(design, id);
    let chain = m.declare(&format!("{name}_chain"), Ty::bit().lanes(stages + 1));
    m.assign_part(&chain, 0, value);
    m.array(&format!("{name}_line"), id, &stage, stages).lanes("d", &chain).lanes_at("q", &chain, 1, 1).done();
    m.element(&chain, stages)
}

fn flag_register() -> Module {
    let mut m =
        ModuleBuilder::new("flag_register", "A flag that is 0 after reset: one stage of a line of valid flags.");
    let d = m.input("d", Ty::bit(), "flag");
    let q = m.output_reg("q", Ty::bit(), "flag of the previous cycle");
    m.drive(&q, &d, None, Some(0));
    m.finish()
}

/// Position of the highest 1 plus one; 0 for zero.
pub fn bit_length(m: &mut ModuleBuilder, name: &str, value: &Expr) -> Expr {
    let bits = value.width().ilog2() + 1;
    let mut length = Expr::lit(0, bits);
    for i in 0..value.width() {
        length = value.bit(i).mux(&Expr::lit(u64::from(i) + 1, bits), &length);
    }
    m.wire(name, &length)
}

/// `min(value, 2^17 - 1)` in 17 bits.
pub fn clamp_mult(value: &Expr) -> Expr {
    if value.width() <= 17 {
        return value.extend(17);
    }
    let high = value.shr_const(17).any();
    high.mux(&Expr::lit(0x1_FFFF, 17), &value.trunc(17))
}

/// `heatvit_model::fixed::normalize_mult`: `mantissa * 2^-shift` as (17-bit multiplier, selector), one cycle later.
pub fn normalize_mult(m: &mut ModuleBuilder, name: &str, mantissa: &Expr, shift: &Expr) -> (Expr, Expr) {
    let above = m.wire(&format!("{name}_above"), &(shift - Expr::slit(16, 6)));
    let steps = above.shr_const(2);
    let three = Expr::slit(3, 3);
    let sel = m.wire(&format!("{name}_sel_next"), &steps.gt(&three).mux(&Expr::lit(3, 2), &steps.slice(0, 2)));
    let extra = m.wire(&format!("{name}_extra"), &(&above - Expr::concat(&[sel.clone(), Expr::lit(0, 2)])));
    let gone = extra.gt(&Expr::slit(16, 6));
    let kept = mantissa.shr(&extra.slice(0, 5));
    let scaled = gone.mux(&Expr::lit(0, 17), &kept);
    let too_large = above.msb();
    let mult = m.reg(&format!("{name}_mult"), &too_large.mux(&Expr::lit(0x1_FFFF, 17), &scaled));
    let sel = m.reg(&format!("{name}_sel_out"), &too_large.mux(&Expr::lit(0, 2), &sel));
    (mult, sel)
}

/// The outputs of an instance, by port.
#[derive(Debug)]
pub struct Outputs(std::collections::BTreeMap<String, Expr>);

impl std::ops::Index<&str> for Outputs {
    type Output = Expr;
    fn index(&self, port: &str) -> &Expr {
        match self.0.get(port) {
            Some(wire) => wire,
            None => panic!("the instance has no output `{port}`: a mistake of the module's author"),
        }
    }
}

/// Places a single instance: inputs by name, a wire `<name>_<port>` for every output.
pub fn place(design: &Design, m: &mut ModuleBuilder, name: &str, id: ModuleId, inputs: &[(&str, &Expr)]) -> Outputs {
    let unit = design.module(id);
    let mut instance = m.instance(name, id, unit);
    for (port, value) in inputs {
        instance = instance.input(port, value);
    }
    let mut outputs = Vec::new();
    for (_, signal) in unit.ports().filter(|(_, s)| s.port == Some(Direction::Output)) {
        let mut wire = None;
        instance = instance.output(&signal.name, &format!("{name}_{}", signal.name), &mut wire);
        outputs.extend(wire.map(|w| (signal.name.clone(), w)));
    }
    instance.done();
    Outputs(outputs.into_iter().collect())
}
