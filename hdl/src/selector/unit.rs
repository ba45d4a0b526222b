//! The selector: control, scoring, divider and tables.

use super::control::selector_control;
use super::divider::{DIVIDER_BITS, divider};
use super::scoring::{PRODUCT_BITS, SIGMOID_BITS, scoring};
use super::tables::{SHARE_BITS, WEIGHT_BITS, count_log, drop_table, offset_table};
use crate::parameters::Parameters;
use crate::pipeline::{Outputs, place};
use heatvit_rtl::{Design, Expr, ModuleBuilder, ModuleId, Ty};

/// Bits of the factors of the shared multiplier.
pub const FACTOR_BITS: u32 = SIGMOID_BITS;
/// Bits of a slot's number.
pub const SLOT_BITS: u32 = 5;
/// Bits of a logit in memory S.
pub const LOGIT_LANE: u32 = 16;

/// Cycles from an address at the outputs to the memories' data.
const DATA: u32 = 3;
/// Cycles from the memories' data to a word of the package.
const PACKAGE: u32 = 5;
/// Cycles from a slot to its head's number: two words are read, the second is registered.
const HEAD: u32 = 1 + DATA + 2;
/// Pairs of bits of a score and of a share.
const SCORE_STEPS: u64 = 5;
const SHARE_STEPS: u64 = 8;
/// A score's unit is 1/512: ten bits.
const SCORE_BITS: u32 = 10;

struct Ports {
    reset: Expr,
    run: Expr,
    last_slot: Expr,
    last_head: Expr,
    row_words: Expr,
    threshold: Expr,
    make_package: Expr,
    rows: Expr,
    candidates: Expr,
    word: Expr,
    product: Expr,
    gather_row: Expr,
}

impl Ports {
    fn declare(m: &mut ModuleBuilder, parameters: &Parameters) -> Self {
        let row_bits = parameters.row_depth().ilog2();
        let (heads, wide) = (parameters.selector_heads, Ty::bits(16));
        Self {
            reset: m.input("reset", Ty::bit(), "forget everything"),
            run: m.input("run", Ty::bit(), "stays high until `done`"),
            last_slot: m.input("last_slot", wide.clone(), "cycles from one token to the next, less one"),
            last_head: m.input("last_head", Ty::bits(SLOT_BITS), "heads, less one"),
            row_words: m.input("row_words", wide.clone(), "words a row of the residual stream"),
            threshold: m.input("threshold", Ty::bits(SCORE_BITS), "tokens with at least this score are kept, 1/512"),
            make_package: m.input("make_package", Ty::bit(), "dropped tokens leave a package"),
            rows: m.input("rows", wide.clone(), "rows of the residual stream"),
            candidates: m.input("candidates", wide, "the same without a package token"),
            word: m.input("word", Ty::bits(LOGIT_LANE * heads), "low lanes of memory S, three cycles after `address`"),
            product: m.input("product", Ty::bits(PRODUCT_BITS), "factor_a * factor_b, a cycle later"),
            gather_row: m.input("gather_row", Ty::bits(row_bits), "row to look up"),
        }
    }
}

/// The selector. Its nets' logits are in memory S, two words a token: keep less drop logits, head weights.
pub fn selector(design: &mut Design, parameters: &Parameters) -> ModuleId {
    let mut m = ModuleBuilder::new(
        "selector",
        "The token selector behind its nets: scores, decisions, the package token's shares, token counts.\n\
         It borrows a multiplier for the scores and those of LayerNorm for the package.",
    );
    let ports = Ports::declare(&mut m, parameters);
    let divided = m.declare("divided", Ty::bit());
    let quotient = m.declare("quotient", Ty::bits(super::divider::QUOTIENT_BITS));
    let score = m.wire_doc("score", &quotient.slice(0, SCORE_BITS), "with `decided`: score of the token, 1/512");
    let enough = m.wire("enough", &score.ge(&ports.threshold));
    let some = Expr::concat(&[score.slice(1, SCORE_BITS - 1), score.bit(0) | score.eq_lit(0)]);
    let weight = m.wire("weight", &some.extend(WEIGHT_BITS));
    let control = control(design, &mut m, &ports, [&divided, &enough, &weight]);
    let (terms, divide) = score_terms(design, &mut m, parameters, &ports, &control);
    let table = drops(design, &mut m, parameters, &control, &quotient);
    let scoring = &control["scoring"];
    let id = divider(design);
    let unit = place(
        design,
        &mut m,
        "divider",
        id,
        &[
            ("start", &(&divide | &control["divide"])),
            ("steps", &scoring.mux(&Expr::lit(SCORE_STEPS, 4), &Expr::lit(SHARE_STEPS, 4))),
            ("numerator", &scoring.mux(&terms["numerator_4"], &table["found_weight"])),
            ("denominator", &scoring.mux(&terms["denominator_4"], &control["weight_sum"])),
        ],
    );
    debug_assert_eq!(DIVIDER_BITS, WEIGHT_BITS);
    m.assign(&divided, &unit["valid"]);
    m.assign(&quotient, &unit["quotient"]);
    reads(&mut m, &control, &table);
    counts(design, &mut m, parameters, &ports, &control);
    m.output_as("active", &control["active"], "the read path is the selector's");
    m.output_as("done", &control["done"], "the counts are set (one cycle)");
    m.output_as("factor_a", &terms["factor_a_2"], "for the multiplier");
    m.output_as("factor_b", &terms["factor_b_2"], "for the multiplier");
    design.add(m.finish())
}

fn control(
    design: &mut Design,
    m: &mut ModuleBuilder,
    ports: &Ports,
    [divided, enough, weight]: [&Expr; 3],
) -> Outputs {
    let id = selector_control(design);
    let control = place(
        design,
        m,
        "control",
        id,
        &[
            ("reset", &ports.reset),
            ("run", &ports.run),
            ("last_slot", &ports.last_slot),
            ("row_words", &ports.row_words),
            ("rows", &ports.rows),
            ("candidates", &ports.candidates),
            ("logit_words", &ports.candidates.shl_const(1).slice(0, 16)),
            ("make_package", &ports.make_package),
            ("divided", divided),
            ("enough", enough),
            ("weight", weight),
            ("drain_cycles", &Expr::lit(u64::from(1 + DATA + PACKAGE), 16)),
        ],
    );
    m.wire_doc("score_decided", &control["decided"], "the token in turn has a score");
    m.wire_doc("score_kept", &control["keep"], "it is kept");
    control
}

/// Terms of the scores, and when those of a token are complete.
fn score_terms(
    design: &mut Design,
    m: &mut ModuleBuilder,
    parameters: &Parameters,
    ports: &Ports,
    control: &Outputs,
) -> (Outputs, Expr) {
    let slot = control["slot"].slice(0, SLOT_BITS);
    let valid = &control["slot_valid"];
    let of_slot = |number: u64| valid & slot.eq_lit(number);
    let take_keep = m.delay_flag("take_keep", &of_slot(0), 1 + DATA);
    let take_weight = m.delay_flag("take_weight", &of_slot(1), 1 + DATA);
    let head = m.delay("head", &slot, HEAD);
    let first = m.delay("first", &of_slot(0), HEAD + 3);
    let last = m.delay_flag("last", &(valid & slot.eq(&ports.last_head)), HEAD + 4);
    let id = scoring(design, parameters.selector_heads);
    let head_bits = parameters.selector_heads.next_power_of_two().ilog2().max(1);
    let terms = place(
        design,
        m,
        "scoring",
        id,
        &[
            ("word", &ports.word),
            ("take_keep", &take_keep),
            ("take_weight", &take_weight),
            ("head_0", &head.slice(0, head_bits)),
            ("first_3", &first),
            ("product_3", &ports.product),
        ],
    );
    (terms, last)
}

fn drops(
    design: &mut Design,
    m: &mut ModuleBuilder,
    parameters: &Parameters,
    control: &Outputs,
    quotient: &Expr,
) -> Outputs {
    let row_bits = parameters.row_depth().ilog2();
    let row = |name: &str| control[name].slice(0, row_bits);
    // The divider makes bits in pairs: its quotient has one bit more than the share.
    let share = m.wire("share_of_row", &quotient.slice(1, SHARE_BITS));
    let id = drop_table(design, parameters);
    place(
        design,
        m,
        "drops",
        id,
        &[
            ("write", &control["drop_write"]),
            ("item", &row("drop_item")),
            ("address", &control["drop_address"]),
            ("weight", &control["drop_weight"]),
            ("share_write", &control["share_write"]),
            ("share_item", &row("share_item")),
            ("share", &share),
            ("read_item", &row("item")),
        ],
    )
}

/// Addresses of logits and of dropped rows, factors and write of the package.
fn reads(m: &mut ModuleBuilder, control: &Outputs, table: &Outputs) {
    let score_address = m.reg("logit_address", &control["score_address"]);
    let word = m.reg("word_at_table", &control["package_word"]);
    let row_word = m.wire("row_word", &(&table["found_address"] + &word).slice(0, 16));
    let address = control["scoring"].mux(&score_address, &row_word);
    m.output_as("address", &address, "word of memory S or X");
    let share = m.delay("found_share", &table["found_share"], DATA);
    m.output_as("share", &share, "factor of the word, with its data");
    let later = m.delay_flag("later", &(&control["package_valid"] & !&control["package_first"]), 1 + DATA);
    m.output_as("accumulate", &later, "the word is not the first of a sum, with its data");
    let complete = m.delay_flag("complete", &control["package_last"], 1 + DATA + PACKAGE);
    m.output_as("package_write", &complete, "a word of the package is complete");
    let base = &control["package_address"];
    let target = m.reg("target_0", &(base + &control["package_word"]).slice(0, 16));
    let target = m.delay("target", &target, DATA + PACKAGE);
    m.output_as("package_address", &target, "its place in memory X");
}

fn counts(design: &mut Design, m: &mut ModuleBuilder, parameters: &Parameters, ports: &Ports, control: &Outputs) {
    let row_bits = parameters.row_depth().ilog2();
    let id = offset_table(design, parameters);
    let offsets = place(
        design,
        m,
        "kept_rows",
        id,
        &[
            ("write", &control["offset_write"]),
            ("write_row", &control["offset_row"].slice(0, row_bits)),
            ("offset", &control["offset"]),
            ("row", &ports.gather_row),
        ],
    );
    m.output_as("gather_offset", &offsets["found"], "words from the row's place to where it was found");
    let register = control["count_register"].slice(0, 2);
    m.output_as("count_write", &control["count_write"], "set a count register");
    m.output_as("count_register", &register, "which");
    m.output_as("count", &control["count"], "its value");
    let id = count_log(design);
    let of_stage = &control["count_write"] & register.eq_lit(1);
    let log =
        place(design, m, "log", id, &[("clear", &ports.reset), ("write", &of_stage), ("count", &control["count"])]);
    m.output_as("stage_counts", &log["counts"], "rows after each stage");
}
