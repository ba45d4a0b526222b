//! The memory of the logits, read by the result writer.

use crate::parameters::Parameters;
use heatvit_rtl::{Design, Expr, MemoryStyle, ModuleBuilder, ModuleId, Ty, WritePort};

/// Groups of C logits of 16 bits, written in ascending order. Read data appear two cycles after the address; what the
/// run has not written reads as zero, so a beat's padding depends on no earlier run.
pub fn logit_memory(design: &mut Design, parameters: &Parameters) -> ModuleId {
    let width = 16 * parameters.columns;
    let depth = parameters.out_words.max(2);
    let bits = depth.next_power_of_two().ilog2();
    let mut m = ModuleBuilder::new("logit_memory", "Logits, C to a word, until the result writer fetches them.");
    let clear = m.input("clear", Ty::bit(), "between runs: nothing is written");
    let write = m.input("write", Ty::bit(), "write a word");
    let write_address = m.input("write_address", Ty::bits(16), "word");
    let write_data = m.input("write_data", Ty::bits(width), "C logits");
    let read_address = m.input("read_address", Ty::bits(16), "word");
    let filled = m.reg_declare("filled", Ty::bits(16));
    let next = clear.mux(&Expr::lit(0, 16), &(&write_address + Expr::lit(1, 1)).trunc(16));
    m.drive(&filled, &next, Some(&(&clear | &write)), Some(0));
    let known = m.reg("known", &read_address.lt(&filled));
    let port = WritePort { enable: write, address: write_address.trunc(bits), data: write_data, mask: None };
    let word = m.memory(
        "words",
        (width, depth),
        MemoryStyle::Distributed,
        None,
        Some(port),
        (&Expr::lit(1, 1), &read_address.trunc(bits)),
        "logits",
    );
    let out = m.output_reg("read_data", Ty::bits(width), "two cycles after the address");
    m.drive(&out, &known.mux(&word, &Expr::lit(0, 1).extend(width)), None, None);
    design.add(m.finish())
}
