//! The selector in the pipeline: what it reads, what it borrows, what follows it.

use super::literal;
use crate::control::{field, flag};
use crate::parameters::Parameters;
use crate::pipeline::{Outputs, delay_line, place};
use crate::post::PostEntry;
use crate::schedule::descriptor::{COUNT_CANDIDATES, COUNT_TOKENS, Field, select};
use crate::selector::{FACTOR_BITS, LOGIT_LANE, SLOT_BITS, selector};
use heatvit_rtl::{Design, Expr, ModuleBuilder, Ty};

/// Wires into the selector that later stages drive.
pub(super) struct Selecting {
    /// Product of its factors.
    pub product: Expr,
    /// Row whose offset is looked up.
    pub gather_row: Expr,
}

impl Selecting {
    pub(super) fn declare(m: &mut ModuleBuilder, parameters: &Parameters) -> Option<Self> {
        parameters.has_selector().then(|| Self {
            product: m.declare("selector_product", Ty::bits(2 * FACTOR_BITS - 1)),
            gather_row: m.declare("gather_row", Ty::bits(parameters.row_depth().ilog2())),
        })
    }
}

fn count(counts: &Expr, register: u16) -> Expr {
    counts.slice(16 * u32::from(register), 16)
}

/// Places the selector.
pub(super) fn place_selector(
    design: &mut Design,
    m: &mut ModuleBuilder,
    parameters: &Parameters,
    wires: &Selecting,
    [reset, run, descriptor, counts, scores]: [&Expr; 5],
) -> Outputs {
    let of = |which: Field| field(descriptor, which);
    let last_head =
        m.wire("last_head", &(of(select::HEADS).slice(0, SLOT_BITS) - Expr::lit(1, SLOT_BITS)).slice(0, SLOT_BITS));
    let id = selector(design, parameters);
    place(
        design,
        m,
        "selector",
        id,
        &[
            ("reset", reset),
            ("run", run),
            ("last_slot", &of(select::LAST_SLOT)),
            ("last_head", &last_head),
            ("row_words", &of(select::ROW_WORDS)),
            ("threshold", &of(select::THRESHOLD).slice(0, 10)),
            ("make_package", &!flag(&of(Field::Flags), select::NO_PACKAGE)),
            ("rows", &count(counts, COUNT_TOKENS)),
            ("candidates", &count(counts, COUNT_CANDIDATES)),
            ("word", &scores.slice(0, LOGIT_LANE * parameters.selector_heads)),
            ("product", &wires.product),
            ("gather_row", &wires.gather_row),
        ],
    )
}

/// Whether the hardware can do what the latched descriptor asks of the selector.
/// Once it runs it changes the counts, and they are not looked at again.
pub(super) fn legal(m: &mut ModuleBuilder, parameters: &Parameters, [descriptor, counts, active]: [&Expr; 3]) -> Expr {
    let of = |which: Field| field(descriptor, which);
    let (heads, last_slot) = (of(select::HEADS), of(select::LAST_SLOT));
    let (rows, candidates) = (count(counts, COUNT_TOKENS), count(counts, COUNT_CANDIDATES));
    let zero = literal(0);
    let some = heads.ne(&zero) & candidates.ne(&zero) & of(select::ROW_WORDS).ne(&zero);
    let fits = heads.le(&literal(parameters.selector_heads)) & rows.le(&literal(parameters.max_tokens));
    // The divider has to be through with a token when the next one is ready; the slot's number has five bits.
    let in_time = last_slot.ge(&heads) & last_slot.ge(&literal(5)) & last_slot.lt(&literal(1 << SLOT_BITS));
    // A package is one row; with it the rows fit the memories, so their low bits decide.
    let bits = parameters.row_depth().ilog2() + 1;
    let extra = (&rows.slice(0, bits) - &candidates.slice(0, bits)).slice(1, bits - 1);
    let package = extra.eq_lit(0) & candidates.slice(bits, 16 - bits).eq_lit(0);
    m.wire("select_legal", &(active | (some & fits & in_time & package)))
}

/// Address of a residual two cycles after its total: of the row itself, or of where the selector found it.
pub(super) fn gathered(
    design: &mut Design,
    m: &mut ModuleBuilder,
    (address, row): (&Expr, &Expr),
    gather: &Expr,
    wires: &Selecting,
    unit: &Outputs,
) -> Expr {
    m.assign(&wires.gather_row, row);
    let gather_s1 = m.reg("gather_s1", gather);
    let offset = m.reg("gather_offset_s2", &gather_s1.mux(&unit["gather_offset"], &literal(0)));
    let address_s2 = delay_line(design, m, "row_address_s2", address, 2);
    let found = m.reg("residual_address_s3", &(&address_s2 + &offset).slice(0, 16));
    m.reg("residual_address_p2", &found)
}

/// Channel in V of a row of results that goes there as well as to A: C further with each output tile.
pub(super) fn value_channel(
    m: &mut ModuleBuilder,
    parameters: &Parameters,
    complete: &Expr,
    [first_row, first_output]: [&Expr; 2],
    entry: &PostEntry,
) -> Expr {
    let channel = m.reg_declare("value_channel", Ty::bits(16));
    let further = (&channel + literal(parameters.columns)).slice(0, 16);
    let next = first_row.mux(&first_output.mux(&entry.value_base, &further), &channel);
    let next = m.wire("value_channel_now", &next);
    m.drive(&channel, &next, Some(complete), None);
    next
}
