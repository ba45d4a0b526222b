//! What accompanies the rows through the array: their places, the operation that they belong to, its parameters.

use super::place_queue;
use crate::control::flag;
use crate::parameters::Parameters;
use crate::pipeline::{Outputs, delay_line, flag_line, place};
use crate::post::PostEntry;
use crate::schedule::descriptor::flags;
use crate::stream::parameter_store;
use heatvit_rtl::{Design, Expr, ModuleBuilder};

/// What comes from the loader.
pub(super) struct FromLoader<'a> {
    pub reset: &'a Expr,
    pub push: &'a Expr,
    pub entry: &'a Expr,
    pub shift: &'a Expr,
    pub commit: &'a Expr,
    pub vector: &'a Expr,
}

/// What travels with a row from the streamer to the array's sums.
pub(super) struct Row {
    pub valid: Expr,
    pub row: Expr,
    pub first_row: Expr,
    pub first_reduction: Expr,
    pub last_reduction: Expr,
    pub first_output: Expr,
    pub last_output: Expr,
    pub last_of_operation: Expr,
    pub address: Expr,
    pub part: Expr,
    pub limit: Expr,
}

fn row_at_sums(design: &mut Design, m: &mut ModuleBuilder, parameters: &Parameters, control: &Outputs) -> Row {
    let latencies = parameters.latencies();
    let cycles = latencies.operand + latencies.array;
    let row_bits = parameters.row_depth().ilog2();
    let part_bits = parameters.subwords().ilog2().max(1);
    let flags = ["first_row", "first_reduction", "last_reduction", "first_output", "last_output", "last_of_operation"];
    let mut parts: Vec<Expr> = flags.iter().map(|name| control[*name].clone()).collect();
    parts.push(control["row"].slice(0, row_bits));
    parts.push(control["part"].slice(0, part_bits));
    parts.push(control["target_address"].clone());
    parts.push(control["output_limit"].clone());
    let all = delay_line(design, m, "row_at_sums", &Expr::concat_low_first(&parts), cycles);
    let bit = |i: u32| all.bit(i);
    let at = flags.len() as u32;
    Row {
        valid: flag_line(design, m, "valid_at_sums", &control["valid"], cycles),
        first_row: bit(0),
        first_reduction: bit(1),
        last_reduction: bit(2),
        first_output: bit(3),
        last_output: bit(4),
        last_of_operation: bit(5),
        row: all.slice(at, row_bits),
        part: all.slice(at + row_bits, part_bits),
        address: all.slice(at + row_bits + part_bits, 16),
        limit: all.slice(at + row_bits + part_bits + 16, 16),
    }
}

/// The row at the array's sums, and all that is known of it.
pub(super) struct PostControl {
    pub row: Row,
    /// The operation's entry.
    pub entry: PostEntry,
    /// The row's sum is its last.
    pub complete: Expr,
    /// Bias and multiplier of every lane.
    pub store: Outputs,
    pub queue_ready: Expr,
    /// The operation's last row is here.
    pop: Expr,
}

impl PostControl {
    /// The operation has had all its effects.
    pub(super) fn retire(&self, design: &mut Design, m: &mut ModuleBuilder, parameters: &Parameters) -> Expr {
        flag_line(design, m, "retire", &self.pop, parameters.latencies().finalize + 2)
    }
}

/// The rows on their way, the queue of operations and the store of parameters.
pub(super) fn post_control(
    design: &mut Design,
    m: &mut ModuleBuilder,
    parameters: &Parameters,
    ports: &FromLoader<'_>,
    control: &Outputs,
) -> PostControl {
    let row = row_at_sums(design, m, parameters, control);
    let pop = m.wire("post_pop", &(&row.valid & &row.last_of_operation));
    let queue = place_queue(design, m, "post_queue", [ports.reset, ports.push, ports.entry, &pop]);
    let entry = PostEntry::unpack(&queue["head"], parameters.has_selector());
    let by_row = flag(&entry.flags, flags::BY_ROW);
    let complete = m.wire("row_complete", &(&row.valid & &row.last_reduction));
    let id = parameter_store(design, parameters);
    let store = place(
        design,
        m,
        "parameter_store",
        id,
        &[
            ("clear", ports.reset),
            ("vector", &ports.vector.as_unsigned()),
            ("shift", ports.shift),
            ("commit", ports.commit),
            ("advance", &(&complete & &row.first_row & !&by_row)),
        ],
    );
    PostControl { row, entry, complete, store, queue_ready: queue["ready"].clone(), pop }
}
