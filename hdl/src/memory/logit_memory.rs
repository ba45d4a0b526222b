//! The memory of the logits, read by the result writer.

use crate::parameters::Parameters;
use heatvit_rtl::{Design, Expr, MemoryStyle, ModuleBuilder, ModuleId, Ty, WritePort};

/// Groups of C logits of 16 bits. Read data appear two cycles after the address.
pub fn logit_memory(design: &mut Design, parameters: &Parameters) -> ModuleId {
    let width = 16 * parameters.columns;
    let depth = parameters.out_words.max(2);
    let bits = depth.next_power_of_two().ilog2();
    let mut m = ModuleBuilder::new("logit_memory", "Logits, C to a word, until the result writer fetches them.");
    let write = m.input("write", Ty::bit(), "write a word");
    let write_address = m.input("write_address", Ty::bits(16), "word");
    let write_data = m.input("write_data", Ty::bits(width), "C logits");
    let read_address = m.input("read_address", Ty::bits(16), "word");
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
    m.drive(&out, &word, None, None);
    design.add(m.finish())
}
