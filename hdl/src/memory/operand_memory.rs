//! A memory of R-lane words with C-lane writes: A, K, S and X are instances of it.

use crate::parameters::Parameters;
use heatvit_rtl::{Design, Expr, MemoryStyle, ModuleBuilder, ModuleId, Ty, WritePort};

/// Memory of `words` words of `rows` lanes of `lane_bits`; a write covers any set of its `subwords` parts.
/// Without parts (C = R) there is no `mask` port. Read data appear two cycles after the address (block RAM with its output register).
pub fn operand_memory(
    design: &mut Design,
    parameters: &Parameters,
    name: &str,
    lane_bits: u32,
    words: u32,
    doc: &str,
) -> ModuleId {
    let subwords = parameters.subwords();
    let width = parameters.rows * lane_bits;
    let depth = words.max(2);
    let address_bits = depth.next_power_of_two().ilog2();
    let mut m = ModuleBuilder::new(name, doc);
    let write = m.input("write", Ty::bit(), "write the parts in `mask`");
    let mask = (subwords > 1).then(|| m.input("mask", Ty::bits(subwords), "parts of C lanes to be written"));
    let write_address = m.input("write_address", Ty::bits(16), "word");
    let write_data = m.input("write_data", Ty::bits(width), "word");
    let read = m.input("read", Ty::bit(), "read a word");
    let read_address = m.input("read_address", Ty::bits(16), "word");
    let port = WritePort { enable: write, address: write_address.trunc(address_bits), data: write_data, mask };
    let word: Expr = m.memory(
        "words",
        (width, depth),
        MemoryStyle::Block,
        None,
        Some(port),
        (&read, &read_address.trunc(address_bits)),
        "activations",
    );
    let out = m.output_reg("read_data", Ty::bits(width), "two cycles after the address");
    m.drive(&out, &word, None, None);
    design.add(m.finish())
}
