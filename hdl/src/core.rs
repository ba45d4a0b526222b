//! The pipeline between the stream of beats and the logits: loader, streamer, memories, array, post-processing.
//!
//! Cycle names: `_tN` is N cycles after the streamer's (or loader's) outputs, `_sN` is N cycles after the row's
//! sums leave the array, `_pN` is N cycles after its accumulated total.

mod array_part;
mod load_path;
mod memories;
mod post_control;
mod post_stage;
mod select_stage;
mod sequencer;
mod stream_control;
mod stream_stage;

pub use array_part::array_part;
pub use sequencer::sequencer;

use crate::control::{Operation, count_registers, field, flag, loader, op_fields};
use crate::parameters::Parameters;
use crate::pipeline::{Outputs, place};
use crate::post::PostEntry;
use crate::schedule::descriptor::{COUNT_REGISTERS, Field, Opcode, Target, flags};
use crate::stream::{queue, unpacker};
use heatvit_rtl::{Design, Expr, ModuleBuilder, ModuleId, Ty};
use load_path::{LoadPorts, load_path};
use post_control::FromLoader;
use post_stage::{PostPorts, post_stage};
use select_stage::{Selecting, place_selector};
use stream_control::StreamPorts;
use stream_stage::stream_stage;

/// A write into a memory of words of R lanes.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) enable: Expr,
    pub(crate) mask: Option<Expr>,
    pub(crate) address: Expr,
    pub(crate) data: Expr,
}

/// What is read from the memories and the row tables, declared before what drives it.
pub(crate) struct Reads {
    pub(crate) operand: Expr,
    pub(crate) normed: Expr,
    pub(crate) scores: Expr,
    pub(crate) keys: Expr,
    pub(crate) values: Expr,
    pub(crate) logits: Expr,
    pub(crate) norm: Expr,
    pub(crate) maximum: Expr,
}

impl Reads {
    fn declare(m: &mut ModuleBuilder, parameters: &Parameters) -> Self {
        let (rows, columns) = (parameters.rows, parameters.columns);
        let mut wire = |name: &str, ty: Ty| m.declare(name, ty);
        Self {
            operand: wire("operand_word", Ty::bits(8 * rows)),
            normed: wire("residual_word", Ty::bits(16 * rows)),
            scores: wire("score_word", Ty::bits(16 * rows)),
            keys: wire("key_word", Ty::bits(8 * rows)),
            values: wire("value_word", Ty::bits(8 * rows)),
            logits: wire("logit_word", Ty::bits(16 * columns)),
            norm: wire("row_norm", Ty::bits(42)),
            maximum: wire("row_maximum", Ty::signed(16)),
        }
    }
}

/// A 16-bit constant.
pub(crate) fn literal(value: u32) -> Expr {
    Expr::lit(u64::from(value), 16)
}

/// The pipeline.
pub fn core(design: &mut Design, parameters: &Parameters) -> ModuleId {
    let mut m = ModuleBuilder::new(
        "core",
        "The pipeline between the stream of beats and the logits: loader, streamer, memories, array, post-processing.",
    );
    let run_reset = m.input("run_reset", Ty::bit(), "between runs: forget everything");
    let valid = m.input("valid", Ty::bits(4), "head of each port's FIFO is valid");
    let heads = m.input("heads", Ty::bits(128).lanes(4), "heads of the ports' FIFOs");
    let result_address = m.input("result_address", Ty::bits(16), "group of C logits to read");
    let reset = m.declare("reset", Ty::bit());
    let reads = Reads::declare(&mut m, parameters);
    let front = front(design, &mut m, parameters, (&reset, &valid, &heads));
    let swap = m.declare("swap", Ty::bit());
    let retire = m.declare("retire", Ty::bit());
    let store_ready = m.declare("store_ready", Ty::bit());
    let descriptor = m.declare("descriptor", Ty::bits(512));
    let counts = m.declare("counts", Ty::bits(16 * COUNT_REGISTERS));
    let select = m.declare("run_selector", Ty::bit());
    let selecting = Selecting::declare(&mut m, parameters);
    let selector = selecting.as_ref().map(|wires| {
        place_selector(design, &mut m, parameters, wires, [&reset, &select, &descriptor, &counts, &reads.scores])
    });
    let loading = load_control(
        design,
        &mut m,
        parameters,
        &front,
        &LoadControl {
            reset: &reset,
            swap: &swap,
            retire: &retire,
            store_ready: &store_ready,
            descriptor: &descriptor,
            beat: &heads,
            counts: &counts,
            selector: selector.as_ref(),
        },
    );
    m.assign(&select, &loading.control["run_selector"]);
    let stream = stream_stage(
        design,
        &mut m,
        parameters,
        &reads,
        &StreamPorts {
            reset: &reset,
            push: &loading.control["push"],
            entry: &op_fields(&descriptor),
            counts: &counts,
            loaded: &loading.control["loaded"],
        },
        selector.as_ref(),
    );
    m.assign(&swap, &stream.control["swap"]);
    let load = load_path(
        design,
        &mut m,
        parameters,
        &LoadPorts {
            load: &loading.control["load"],
            column: &loading.control["load_column"],
            lanes: &loading.control["load_lanes"],
            source: &field(&descriptor, Field::Flags).slice(flags::STATIONARY, 2),
            vector: &front.unpacker["vector"],
            keys: &reads.keys,
            values: &reads.values,
        },
    );
    let array_id = crate::array::systolic_array(design, parameters);
    let array = place(
        design,
        &mut m,
        "systolic",
        array_id,
        &[
            ("operand", &stream.operand),
            ("swap", &stream.swap_at_array),
            ("weight", &load.weight),
            ("load", &load.load),
            ("load_column", &load.column),
        ],
    );
    let post = post_stage(
        design,
        &mut m,
        parameters,
        &reads,
        &PostPorts {
            loader: FromLoader {
                reset: &reset,
                push: &loading.control["push"],
                entry: &PostEntry::pack(&descriptor, parameters.has_selector()),
                shift: &loading.control["shift"],
                commit: &loading.control["commit"],
                vector: &front.unpacker["vector"],
            },
            sums: &array["sums"],
            stream: &stream,
            load_address: &loading.control["load_address"],
            fills: &loading.fills,
            result_address: &result_address,
            selecting: selecting.as_ref().zip(selector.as_ref()),
        },
    );
    m.assign(&retire, &post.retire);
    m.assign(&store_ready, &post.store_ready);
    m.assign(&front.queues_ready, &(&stream.queue_ready & &post.queue_ready));
    settle(&mut m, &reset, &run_reset, &stream.control["valid"], parameters);
    m.output_as("pop", &front.unpacker["pop"], "drop the heads of all FIFOs");
    m.output_as("program_done", &loading.control["done"], "the program has ended and its products are retired");
    m.output_as("bad_descriptor", &loading.control["refused"], "the loader refuses a descriptor");
    m.output_as("result_data", &reads.logits, "C logits, two cycles after the address");
    if let Some(unit) = &selector {
        m.output_as("stage_counts", &unit["stage_counts"], "rows after each selector");
    }
    design.add(m.finish())
}

/// Once cleared, the pipeline stays cleared until the rows that were under way have left it.
fn settle(m: &mut ModuleBuilder, reset: &Expr, run_reset: &Expr, streaming: &Expr, parameters: &Parameters) {
    let latencies = parameters.latencies();
    let length = literal(latencies.to_post() + latencies.finalize + 2);
    let zero = literal(0);
    let draining = m.reg_declare("draining", Ty::bits(16));
    let busy = m.wire("busy", &draining.ne(&zero));
    let less = (&draining - literal(1)).slice(0, 16);
    m.drive(&draining, &streaming.mux(&length, &busy.mux(&less, &zero)), None, Some(0));
    let held = m.reg_declare("held", Ty::bit());
    m.drive(&held, &(run_reset | (&held & &busy)), None, Some(1));
    m.assign(reset, &held);
}

/// What stands at the head of the stream.
struct Front {
    unpacker: Outputs,
    take_beat: Expr,
    take_vector: Expr,
    align: Expr,
    queues_ready: Expr,
}

fn front(
    design: &mut Design,
    m: &mut ModuleBuilder,
    parameters: &Parameters,
    (reset, valid, heads): (&Expr, &Expr, &Expr),
) -> Front {
    let [take_beat, take_vector, align, queues_ready] =
        ["take_beat", "take_vector", "align", "queues_ready"].map(|name| m.declare(name, Ty::bit()));
    let id = unpacker(design, parameters.rows);
    let mut inputs = vec![("valid", valid), ("heads", heads), ("take_beat", &take_beat), ("take_vector", &take_vector)];
    if parameters.rows < 64 {
        inputs.extend([("clear", reset), ("align", &align)]);
    }
    let unpacker = place(design, m, "unpacker", id, &inputs);
    Front { unpacker, take_beat, take_vector, align, queues_ready }
}

struct LoadControl<'a> {
    reset: &'a Expr,
    swap: &'a Expr,
    retire: &'a Expr,
    store_ready: &'a Expr,
    descriptor: &'a Expr,
    beat: &'a Expr,
    counts: &'a Expr,
    selector: Option<&'a Outputs>,
}

struct Loading {
    control: Outputs,
    fills: [Write; 2],
}

fn load_control(
    design: &mut Design,
    m: &mut ModuleBuilder,
    parameters: &Parameters,
    front: &Front,
    ports: &LoadControl<'_>,
) -> Loading {
    let head = |f: Field| field(ports.beat, f);
    let is = |code: Opcode| head(Field::Opcode).eq_lit(code as u64);
    let fills = m.wire("is_fill", &(is(Opcode::FillOperand) | is(Opcode::FillResidual)));
    let current = |f: Field| field(ports.descriptor, f);
    let [which, outputs, reductions] = [Field::Counts, Field::OutputTiles, Field::ReductionTiles].map(current);
    let bounds = Operation::resolve(m, "load", parameters, ports.counts, [&which, &outputs, &reductions]);
    let flags_now = current(Field::Flags);
    let source = flags_now.slice(flags::STATIONARY, 2);
    let zero = literal(0);
    let in_memory = bounds.count.le(&literal(parameters.max_tokens)) & bounds.limit.le(&literal(parameters.max_tokens));
    let some = bounds.count.ne(&zero) & bounds.output_tiles.ne(&zero) & bounds.reduction_tiles.ne(&zero);
    let (is_select, select_legal, select_done) = match ports.selector {
        Some(unit) => (
            is(Opcode::Select),
            select_stage::legal(m, parameters, [ports.descriptor, ports.counts, &unit["active"]]),
            unit["done"].clone(),
        ),
        None => (Expr::lit(0, 1), Expr::lit(0, 1), Expr::lit(0, 1)),
    };
    let id = loader(design);
    let control = place(
        design,
        m,
        "loader",
        id,
        &[
            ("reset", ports.reset),
            ("beat_valid", &front.unpacker["beat_valid"]),
            ("vector_valid", &front.unpacker["vector_valid"]),
            ("is_nop", &is(Opcode::Nop)),
            ("is_fill", &fills),
            ("is_set_count", &is(Opcode::SetCount)),
            ("is_product", &is(Opcode::Product)),
            ("is_end", &is(Opcode::End)),
            ("is_select", &is_select),
            ("select_legal", &select_legal),
            ("select_done", &select_done),
            ("serial", &head(Field::Serial)),
            ("wide", &current(Field::Opcode).eq_lit(Opcode::FillResidual as u64)),
            ("amount", &head(Field::Amount)),
            ("fill_base", &head(Field::TargetBase)),
            ("legal", &(some & in_memory)),
            ("from_stream", &source.eq_lit(0)),
            ("from_keys", &source.eq_lit(1)),
            ("wait_for", &current(Field::Wait)),
            ("output_tiles", &bounds.output_tiles),
            ("reduction_tiles", &bounds.reduction_tiles),
            ("base", &current(Field::StationaryBase)),
            ("column_step", &current(Field::ColumnStep)),
            ("reduction_step", &current(Field::ReductionStep)),
            ("output_step", &current(Field::OutputStep)),
            ("limit", &bounds.limit),
            ("columns", &literal(parameters.columns)),
            ("column_last", &literal(parameters.columns - 1)),
            ("rows", &literal(parameters.rows)),
            ("vectors", &literal(parameters.parameter_vectors())),
            ("by_row", &flag(&flags_now, flags::BY_ROW)),
            ("queues_ready", &front.queues_ready),
            ("store_ready", ports.store_ready),
            ("swap", ports.swap),
            ("retire", ports.retire),
        ],
    );
    for (wire, port) in [(&front.take_beat, "take_beat"), (&front.take_vector, "take_vector"), (&front.align, "align")]
    {
        m.assign(wire, &control[port]);
    }
    let kept = m.reg_en("current_descriptor", &control["latch"], &ports.beat.as_unsigned());
    m.assign(ports.descriptor, &kept);
    let index = head(Field::Counts).slice(0, COUNT_REGISTERS.ilog2());
    let mut setting = [control["set_count"].clone(), index, head(Field::Amount)];
    if let Some(unit) = ports.selector {
        let write = &unit["count_write"];
        setting = [
            &setting[0] | write,
            write.mux(&unit["count_register"], &setting[1]),
            write.mux(&unit["count"], &setting[2]),
        ];
    }
    let registers_id = count_registers(design);
    let inputs = [("write", &setting[0]), ("index", &setting[1]), ("value", &setting[2])];
    let registers = place(design, m, "registers", registers_id, &inputs);
    m.assign(ports.counts, &registers["counts"]);
    let fills = fills_of(m, parameters, &control, &front.unpacker["vector"], &current(Field::Opcode));
    Loading { control, fills }
}

/// Writes of fills into A and X, a cycle after the vector.
fn fills_of(
    m: &mut ModuleBuilder,
    parameters: &Parameters,
    control: &Outputs,
    vector: &Expr,
    opcode: &Expr,
) -> [Write; 2] {
    let wide = opcode.eq_lit(Opcode::FillResidual as u64);
    let byte_fill = m.reg_reset("byte_fill", &(&control["fill"] & !&wide), 0);
    let word_fill = m.reg_reset("word_fill", &(&control["fill"] & &wide & &control["fill_upper"]), 0);
    let address = m.reg("fill_address", &control["fill_address"]);
    let vector_1 = m.reg_en("fill_vector", &control["fill"], &vector.as_unsigned());
    let lower = m.reg_en("fill_lower", &control["fill"], &vector_1);
    let all = (parameters.subwords() > 1).then(|| {
        let parts = parameters.subwords();
        Expr::lit((1u64 << parts) - 1, parts)
    });
    let [a, b] = [(byte_fill, vector_1.clone()), (word_fill, Expr::concat(&[vector_1, lower]))]
        .map(|(enable, data)| Write { enable, mask: all.clone(), address: address.clone(), data });
    [a, b]
}

/// Merges a fill with the rows of post-processing: they never come together.
pub(crate) fn merge(fill: &Write, rows: &Write) -> Write {
    Write {
        enable: &fill.enable | &rows.enable,
        mask: fill.mask.as_ref().zip(rows.mask.as_ref()).map(|(f, r)| fill.enable.mux(f, r)),
        address: fill.enable.mux(&fill.address, &rows.address),
        data: fill.enable.mux(&fill.data, &rows.data),
    }
}

/// Whether a flags field names a destination.
pub(crate) fn goes_to(target: &Expr, memory: Target) -> Expr {
    target.eq_lit(memory as u64)
}

/// A queue named `name` for entries like `entry`.
pub(crate) fn place_queue(
    design: &mut Design,
    m: &mut ModuleBuilder,
    name: &str,
    [reset, push, entry, pop]: [&Expr; 4],
) -> Outputs {
    let id = queue(design, name, entry.width());
    place(design, m, name, id, &[("clear", reset), ("push", push), ("data", entry), ("pop", pop)])
}
