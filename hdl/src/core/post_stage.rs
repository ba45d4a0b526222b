//! From the sums of the array to the memories: accumulators, post-processing, row tables, write-back.

use super::memories::{MemoryPorts, memories};
use super::post_control::{FromLoader, PostControl, Row, post_control};
use super::select_stage::{Selecting, gathered, value_channel};
use super::stream_stage::Stream;
use super::{Reads, Write, goes_to, merge};
use crate::array::accumulator;
use crate::control::{flag, target};
use crate::operand::row_scale;
use crate::parameters::Parameters;
use crate::pipeline::{Outputs, delay_line, flag_line, place};
use crate::post::{INVERSE_BITS, PostEntry, norm_table, post_path, row_max};
use crate::schedule::descriptor::{Target, flags};
use heatvit_rtl::{Design, Expr, ModuleBuilder, Ty};

/// What comes from the other stages.
pub(super) struct PostPorts<'a> {
    pub loader: FromLoader<'a>,
    pub sums: &'a Expr,
    pub stream: &'a Stream,
    pub load_address: &'a Expr,
    pub fills: &'a [Write; 2],
    pub result_address: &'a Expr,
    pub selecting: Option<(&'a Selecting, &'a Outputs)>,
}

/// What goes back.
pub(super) struct Post {
    pub queue_ready: Expr,
    pub store_ready: Expr,
    pub retire: Expr,
}

/// The stage.
pub(super) fn post_stage(
    design: &mut Design,
    m: &mut ModuleBuilder,
    parameters: &Parameters,
    reads: &Reads,
    ports: &PostPorts<'_>,
) -> Post {
    let handed = post_control(design, m, parameters, &ports.loader, &ports.stream.control);
    let PostControl { row, entry, complete, store, .. } = &handed;
    let id = accumulator(design, parameters);
    let totals = place(
        design,
        m,
        "accumulator",
        id,
        &[
            ("sums", ports.sums),
            ("row", &row.row),
            ("valid", &row.valid),
            ("first", &row.first_reduction),
            ("last", &row.last_reduction),
        ],
    );
    let scale = scale_of_rows(design, m, parameters, ports, (row, entry));
    let id = post_path(design, parameters);
    let residual = m.declare("residual_p4", Ty::bits(16 * parameters.columns));
    let path = place(
        design,
        m,
        "post_path",
        id,
        &[
            ("entry_a2", &entry.path),
            ("limit_a2", &row.limit),
            ("totals_0", &totals["totals"]),
            ("bias_0", &store["bias"]),
            ("mult_0", &store["mult"]),
            ("row_mult_0", &scale[0]),
            ("row_sel_0", &scale[1]),
            ("residual_4", &residual),
        ],
    );
    let shared = Shared { row, entry, complete, path: &path, residual: &residual };
    write_back(design, m, parameters, reads, ports, &shared);
    Post {
        queue_ready: handed.queue_ready.clone(),
        store_ready: store["ready"].clone(),
        retire: handed.retire(design, m, parameters),
    }
}

/// Multiplier and shift selector of the row in cycle p0: from the row table, or the operation's one.
fn scale_of_rows(
    design: &mut Design,
    m: &mut ModuleBuilder,
    parameters: &Parameters,
    ports: &PostPorts<'_>,
    (row, entry): (&Row, &PostEntry),
) -> [Expr; 2] {
    let [bank, first, last, at_row] = &ports.stream.at_array;
    let look_up = Expr::concat(&[flag(&entry.flags, flags::BANK), row.row.clone()]);
    let look_up = m.reg("row_scale_address", &look_up);
    let id = row_scale(design, parameters);
    let mut inputs = vec![
        ("operand", &ports.stream.operand),
        ("valid", &ports.stream.exp_valid),
        ("row", at_row),
        ("bank", bank),
        ("first", first),
        ("last", last),
        ("gain", &ports.stream.row_scale[0]),
        ("exponent", &ports.stream.row_scale[1]),
        ("read_address", &look_up),
    ];
    if let Some((_, unit)) = ports.selecting {
        inputs.extend([("lent", &unit["active"]), ("factor_a", &unit["factor_a"]), ("factor_b", &unit["factor_b"])]);
    }
    let table = place(design, m, "row_scale", id, &inputs);
    if let Some((wires, _)) = ports.selecting {
        m.assign(&wires.product, &table["product_out"]);
    }
    let one = Expr::concat(&[
        flag(&entry.flags, flags::ONE_SCALE),
        entry.flags.slice(flags::SELECTOR, 2),
        entry.mult.clone(),
    ]);
    let one = delay_line(design, m, "one_scale_p0", &one, 2);
    let chosen = |wanted: Expr, table: &Expr| one.bit(19).mux(&wanted, table);
    [chosen(one.slice(0, 17), &table["mult_out"]), chosen(one.slice(17, 2), &table["sel_out"])]
}

/// What write-back and the row tables share.
struct Shared<'a> {
    row: &'a Row,
    entry: &'a PostEntry,
    complete: &'a Expr,
    path: &'a Outputs,
    residual: &'a Expr,
}

fn write_back(
    design: &mut Design,
    m: &mut ModuleBuilder,
    parameters: &Parameters,
    reads: &Reads,
    ports: &PostPorts<'_>,
    shared: &Shared<'_>,
) {
    let (row, entry, path) = (shared.row, shared.entry, shared.path);
    let row_bits = parameters.row_depth().ilog2();
    let to = target(&entry.flags);
    // Cycles p2, p5, p7 and p13 are 4, 7, 9 and 15 cycles after the sums.
    let residual_address = match ports.selecting {
        Some((wires, unit)) => gathered(design, m, (&row.address, &row.row), &entry.gather, wires, unit),
        None => delay_line(design, m, "residual_address_p2", &row.address, 4),
    };
    let residual_part = delay_line(design, m, "residual_part_p4", &row.part, 6);
    let banked = Expr::concat(&[row.first_output.clone(), flag(&entry.flags, flags::BANK), row.row.clone()]);
    let banked_p5 = delay_line(design, m, "row_p5", &banked, 7);
    let is_score = m.wire("is_score", &(shared.complete & goes_to(&to, Target::Scores)));
    let score_p5 = flag_line(design, m, "is_score_p5", &is_score, 7);
    let id = row_max(design, parameters);
    let maximum = place(
        design,
        m,
        "row_max",
        id,
        &[
            ("scores", &path["score_5"]),
            ("valid", &score_p5),
            ("row", &banked_p5.slice(0, row_bits + 1)),
            ("first", &banked_p5.bit(row_bits + 1)),
            ("read_address", &Expr::concat(&[ports.stream.bank_t1.clone(), ports.stream.row_t1.clone()])),
        ],
    );
    m.assign(&reads.maximum, &maximum["read_data"]);
    let is_residual = m.wire("is_residual", &(shared.complete & goes_to(&to, Target::Residual)));
    norms(design, m, parameters, reads, (ports, shared, &is_residual));
    let mut carried = vec![to, row.part.clone(), row.address.clone(), row.row.clone(), entry.value_pitch.clone()];
    if ports.selecting.is_some() {
        let channel = value_channel(m, parameters, shared.complete, [&row.first_row, &row.first_output], entry);
        carried.extend([flag(&entry.flags, flags::ALSO_VALUES), channel]);
    }
    let carried = Expr::concat_low_first(&carried);
    let part_bits = row.part.width();
    let carried = delay_line(design, m, "row_p13", &carried, 15);
    let valid = flag_line(design, m, "valid_p13", shared.complete, 15);
    let valid = m.wire_doc("row_written", &valid, "a row of C results is written to its memory");
    let to_p13 = m.wire_doc("row_target", &carried.slice(0, 3), "its destination: 0 A, 1 K, 2 V, 3 S, 4 X, 5 logits");
    let at = 35 + part_bits + row_bits;
    let also_values = ports.selecting.map(|_| (carried.bit(at), carried.slice(at + 1, 16)));
    let package = ports.selecting.zip(ports.stream.package.as_ref()).map(|((_, unit), words)| Write {
        enable: unit["package_write"].clone(),
        // All parts of the word, as in a fill.
        mask: ports.fills[1].mask.clone(),
        address: unit["package_address"].clone(),
        data: words.as_unsigned(),
    });
    let word_fill = match &package {
        Some(package) => merge(&ports.fills[1], package),
        None => ports.fills[1].clone(),
    };
    let memory_ports = MemoryPorts {
        reset: ports.loader.reset,
        valid: &valid,
        to: &to_p13,
        part: &carried.slice(3, part_bits),
        address: &carried.slice(3 + part_bits, 16),
        row: &carried.slice(19 + part_bits, row_bits).resize(16),
        value_pitch: &carried.slice(19 + part_bits + row_bits, 16),
        bytes: &path["byte_13"],
        words: &path["word_13"],
        also_values: also_values.as_ref(),
        fills: &[ports.fills[0].clone(), word_fill],
        residual_address: &residual_address,
        residual_part: &residual_part,
        residual: shared.residual,
        operand_address: &ports.stream.address_t1,
        load_address: ports.load_address,
        result_address: ports.result_address,
    };
    memories(design, m, parameters, reads, &memory_ports);
}

/// The table of norms: statistics in cycle p7, looked up by the read path.
fn norms(
    design: &mut Design,
    m: &mut ModuleBuilder,
    parameters: &Parameters,
    reads: &Reads,
    (ports, shared, is_residual): (&PostPorts<'_>, &Shared<'_>, &Expr),
) {
    let (row, path) = (shared.row, shared.path);
    let row_bits = parameters.row_depth().ilog2();
    let constants = m.reg_en("norm_constants", is_residual, &shared.entry.norm);
    let carried = Expr::concat(&[row.first_output.clone(), row.last_output.clone(), row.row.clone()]);
    let carried = delay_line(design, m, "row_p7", &carried, 9);
    let valid = flag_line(design, m, "is_residual_p7", is_residual, 9);
    let id = norm_table(design, parameters);
    let of_row = [carried.slice(0, row_bits), carried.bit(row_bits + 1), carried.bit(row_bits)];
    let of_norm = [
        constants.slice(0, 17),
        constants.slice(17, 8).as_signed(),
        constants.slice(25, 32),
        constants.slice(57, 11),
        constants.slice(68, INVERSE_BITS),
    ];
    let mut inputs = vec![
        ("stream", &path["stream_7"]),
        ("squares", &path["square_7"]),
        ("valid", &valid),
        ("read_address", &ports.stream.row_t1),
    ];
    inputs.extend(["row", "first", "last"].into_iter().zip(&of_row));
    inputs.extend(["gain", "exponent", "eps", "channels", "inv_channels"].into_iter().zip(&of_norm));
    if let Some((_, unit)) = ports.selecting {
        inputs.push(("clear", &unit["active"]));
    }
    let table = place(design, m, "norm_table", id, &inputs);
    m.assign(&reads.norm, &table["read_data"]);
}
