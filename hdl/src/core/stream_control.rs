//! The streamer with its queue.

use super::{literal, place_queue};
use crate::control::{Operation, stream_field, streamer, target};
use crate::parameters::Parameters;
use crate::pipeline::{Outputs, place};
use crate::schedule::descriptor::{Field, Target, counts, flags};
use heatvit_rtl::{Design, Expr, ModuleBuilder};

/// What comes from the loader's side.
pub(super) struct StreamPorts<'a> {
    pub reset: &'a Expr,
    pub push: &'a Expr,
    pub entry: &'a Expr,
    pub counts: &'a Expr,
    pub loaded: &'a Expr,
}

/// The streamer's outputs, and the operation that it is at.
pub(super) struct StreamControl {
    pub control: Outputs,
    pub queue_ready: Expr,
    /// Head of the queue.
    pub entry: Expr,
    /// Its flags.
    pub flags: Expr,
}

/// Queue and streamer.
pub(super) fn stream_control(
    design: &mut Design,
    m: &mut ModuleBuilder,
    parameters: &Parameters,
    ports: &StreamPorts<'_>,
) -> StreamControl {
    let pop = m.declare("stream_pop", heatvit_rtl::Ty::bit());
    let queue = place_queue(design, m, "stream_queue", [ports.reset, ports.push, ports.entry, &pop]);
    let entry = queue["head"].clone();
    let f = |which: Field| stream_field(&entry, which);
    let flags_now = m.wire("stream_flags", &f(Field::Flags));
    let bounds = Operation::resolve(
        m,
        "stream",
        parameters,
        ports.counts,
        [&f(Field::Counts), &f(Field::OutputTiles), &f(Field::ReductionTiles)],
    );
    let to = target(&flags_now);
    let is_values = m.wire("to_values", &to.eq_lit(Target::Values as u64));
    let whole_words = &is_values | to.eq_lit(Target::Logits as u64);
    let hold = flags_now.slice(flags::HOLD, 2);
    let id = streamer(design);
    let latencies = parameters.latencies();
    let control = place(
        design,
        m,
        "streamer",
        id,
        &[
            ("reset", ports.reset),
            ("operation_valid", &queue["valid"]),
            ("hold_previous", &hold.eq_lit(1)),
            ("hold_second", &hold.eq_lit(2)),
            ("hold_cycles", &literal(latencies.to_post() + latencies.finalize + 2)),
            ("count", &bounds.count),
            ("output_tiles", &bounds.output_tiles),
            ("reduction_tiles", &bounds.reduction_tiles),
            ("source_base", &f(Field::SourceBase)),
            ("source_pitch", &f(Field::SourcePitch)),
            ("shared_tiles", &f(Field::Counts).slice(counts::SHARED_TILES, counts::SHARED_BITS).resize(16)),
            ("target_base", &f(Field::TargetBase)),
            ("target_pitch", &f(Field::TargetPitch)),
            ("target_step", &is_values.mux(&literal(parameters.columns), &literal(1))),
            ("part_last", &whole_words.mux(&literal(0), &literal(parameters.subwords() - 1))),
            ("limit", &bounds.limit),
            ("columns", &literal(parameters.columns)),
            ("rows", &literal(parameters.rows)),
            ("loaded", ports.loaded),
        ],
    );
    m.assign(&pop, &control["pop"]);
    StreamControl { control, queue_ready: queue["ready"].clone(), entry, flags: flags_now }
}
