//! A short queue of descriptor fields in registers.

use heatvit_rtl::{Design, Expr, ModuleBuilder, ModuleId, Ty, select};

/// Entries: the loader runs at most one tile ahead of the streamer, so four operations cover even one-tile ones.
const DEPTH: u32 = 4;

/// Queue of `DEPTH` entries of `width` bits; the head is visible while `valid`.
pub fn queue(design: &mut Design, name: &str, width: u32) -> ModuleId {
    let bits = DEPTH.ilog2();
    let mut m =
        ModuleBuilder::new(name, &format!("Queue of {DEPTH} operations' fields between the loader and a later stage."));
    let clear = m.input("clear", Ty::bit(), "drop everything");
    let push = m.input("push", Ty::bit(), "append `data`; only while `ready`");
    let data = m.input("data", Ty::bits(width), "fields");
    let pop = m.input("pop", Ty::bit(), "drop the head; only while `valid`");
    let write_at = m.reg_declare("write_at", Ty::bits(bits));
    let read_at = m.reg_declare("read_at", Ty::bits(bits));
    let count = m.reg_declare("count", Ty::bits(bits + 1));
    let zero = Expr::lit(0, bits);
    m.drive(&write_at, &clear.mux(&zero, &(&write_at + &push).trunc(bits)), None, Some(0));
    m.drive(&read_at, &clear.mux(&zero, &(&read_at + &pop).trunc(bits)), None, Some(0));
    let counted = (&(&count + &push) - &pop).trunc(bits + 1).as_unsigned();
    m.drive(&count, &clear.mux(&Expr::lit(0, bits + 1), &counted), None, Some(0));
    let entries: Vec<Expr> =
        (0..DEPTH).map(|i| m.reg_en(&format!("entry_{i}"), &(&push & write_at.eq_lit(u64::from(i))), &data)).collect();
    m.output_as("head", &select(&read_at, &entries), "fields of the oldest operation");
    m.output_as("valid", &count.ne(&Expr::lit(0, bits + 1)), "the head is valid");
    m.output_as("ready", &count.lt(&Expr::lit(u64::from(DEPTH), bits + 1)), "one more entry fits");
    design.add(m.finish())
}
