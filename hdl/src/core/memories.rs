//! The activation memories with their write ports.

use super::{Reads, Write, goes_to, merge};
use crate::memory::{logit_memory, operand_memory, value_memory};
use crate::parameters::Parameters;
use crate::pipeline::{Outputs, place};
use crate::schedule::descriptor::Target;
use heatvit_rtl::{Design, Expr, ModuleBuilder, ModuleId, select};

/// What the memories need.
pub(super) struct MemoryPorts<'a> {
    pub reset: &'a Expr,
    /// A row is written in this cycle.
    pub valid: &'a Expr,
    /// Its destination.
    pub to: &'a Expr,
    pub part: &'a Expr,
    pub address: &'a Expr,
    pub row: &'a Expr,
    pub value_pitch: &'a Expr,
    /// Rows for A that go to V as well, and their channel there.
    pub also_values: Option<&'a (Expr, Expr)>,
    pub bytes: &'a Expr,
    pub words: &'a Expr,
    pub fills: &'a [Write; 2],
    pub residual_address: &'a Expr,
    pub residual_part: &'a Expr,
    /// Driven here: the residual of the row and tile in post-processing.
    pub residual: &'a Expr,
    pub operand_address: &'a Expr,
    pub load_address: &'a Expr,
    pub result_address: &'a Expr,
}

impl MemoryPorts<'_> {
    /// Write of C lanes into their part of a word of R lanes.
    fn rows(&self, m: &mut ModuleBuilder, parameters: &Parameters, memory: Target, lanes: &Expr) -> Write {
        let parts = parameters.subwords();
        let enable = self.valid & goes_to(self.to, memory);
        let lanes = lanes.as_unsigned();
        let data = if parts == 1 { lanes } else { Expr::concat(&vec![lanes; parts as usize]) };
        let mask = (parts > 1).then(|| {
            let bits: Vec<Expr> = (0..parts).map(|p| self.part.eq_lit(u64::from(p))).collect();
            Expr::concat_low_first(&bits)
        });
        let enable = m.wire(&format!("write_{memory:?}").to_lowercase(), &enable);
        Write { enable, mask, address: self.address.clone(), data }
    }
}

/// A memory of words of R lanes.
fn wide(
    design: &Design,
    m: &mut ModuleBuilder,
    (name, id): (&str, ModuleId),
    write: &Write,
    read_address: &Expr,
) -> Outputs {
    let one = Expr::lit(1, 1);
    let mut inputs = vec![
        ("write", &write.enable),
        ("write_address", &write.address),
        ("write_data", &write.data),
        ("read", &one),
        ("read_address", read_address),
    ];
    inputs.extend(write.mask.as_ref().map(|mask| ("mask", mask)));
    place(design, m, name, id, &inputs)
}

/// All memories; drives the read wires.
pub(super) fn memories(
    design: &mut Design,
    m: &mut ModuleBuilder,
    parameters: &Parameters,
    reads: &Reads,
    ports: &MemoryPorts<'_>,
) {
    let a = operand_memory(design, parameters, "operand_memory", 8, parameters.a_words, "Memory A: streamed operands.");
    let rows = ports.rows(m, parameters, Target::Operand, ports.bytes);
    let write = merge(&ports.fills[0], &rows);
    let out = wide(design, m, ("operands", a), &write, ports.operand_address);
    m.assign(&reads.operand, &out["read_data"]);
    let k = operand_memory(design, parameters, "key_memory", 8, parameters.k_words, "Memory K: keys.");
    let write = ports.rows(m, parameters, Target::Keys, ports.bytes);
    let out = wide(design, m, ("keys", k), &write, ports.load_address);
    m.assign(&reads.keys, &out["read_data"]);
    let s =
        operand_memory(design, parameters, "score_memory", 16, parameters.s_words, "Memory S: scores of two heads.");
    let write = ports.rows(m, parameters, Target::Scores, ports.words);
    let out = wide(design, m, ("scores", s), &write, ports.operand_address);
    m.assign(&reads.scores, &out["read_data"]);
    values(design, m, parameters, reads, ports);
    residuals(design, m, parameters, reads, ports);
    let id = logit_memory(design, parameters);
    let out = place(
        design,
        m,
        "logits",
        id,
        &[
            ("clear", ports.reset),
            ("write", &(ports.valid & goes_to(ports.to, Target::Logits))),
            ("write_address", ports.address),
            ("write_data", &ports.words.as_unsigned()),
            ("read_address", ports.result_address),
        ],
    );
    m.assign(&reads.logits, &out["read_data"]);
}

fn values(design: &mut Design, m: &mut ModuleBuilder, parameters: &Parameters, reads: &Reads, ports: &MemoryPorts<'_>) {
    let id = value_memory(design, parameters);
    let mut write = ports.valid & goes_to(ports.to, Target::Values);
    let mut channel = ports.address.clone();
    if let Some((also, first)) = ports.also_values {
        write = &write | (ports.valid & also);
        channel = also.mux(first, &channel);
    }
    let out = place(
        design,
        m,
        "values",
        id,
        &[
            ("write", &write),
            ("token", ports.row),
            ("channel", &channel),
            ("pitch", ports.value_pitch),
            ("data", &ports.bytes.as_unsigned()),
            ("read", &Expr::lit(1, 1)),
            ("address", ports.load_address),
        ],
    );
    m.assign(&reads.values, &out["read_data"]);
}

/// Memory X twice, since one row is normalised for the array while another is added to: the same writes
/// go to both copies.
fn residuals(
    design: &mut Design,
    m: &mut ModuleBuilder,
    parameters: &Parameters,
    reads: &Reads,
    ports: &MemoryPorts<'_>,
) {
    let doc = "Memory X: the residual stream; two copies give it a second read port.";
    let id = operand_memory(design, parameters, "residual_memory", 16, parameters.x_words, doc);
    let rows = ports.rows(m, parameters, Target::Residual, ports.words);
    let write = merge(&ports.fills[1], &rows);
    let normed = wide(design, m, ("residual_for_norm", id), &write, ports.operand_address);
    m.assign(&reads.normed, &normed["read_data"]);
    let added = wide(design, m, ("residual_for_sum", id), &write, ports.residual_address);
    let width = 16 * parameters.columns;
    let word = added["read_data"].clone();
    let parts: Vec<Expr> = (0..parameters.subwords()).map(|p| word.slice(p * width, width)).collect();
    let part = if parts.len() == 1 { word } else { select(ports.residual_part, &parts) };
    m.assign(ports.residual, &part);
}
