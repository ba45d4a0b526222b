//! The order in which a program shows its tensors: product by product, output tile by output tile, row by row.

use super::{Orientation, Stream, Stretch};
use heatvit_hdl::schedule::{Padding, Product, Program, Select, Source, Step};
use heatvit_model::golden::{StageCounts, Trace};

/// Name under which the rows after each selector are compared.
pub const TOKEN_COUNTS: &str = "tokens";

/// The part of a tensor in `lanes` lanes from `first` on; padding belongs to none.
fn stretch(tensor: &str, stream: Stream, events: usize, channels: &Padding, first: usize, lanes: usize) -> Stretch {
    let real = (first..first + lanes).take_while(|lane| channels.channel(*lane).is_some()).count();
    Stretch {
        tensor: (real > 0).then(|| tensor.to_owned()),
        stream,
        events,
        row: 0,
        column: channels.channel(first).unwrap_or(0),
        lanes: real,
        orientation: Orientation::AlongRow,
    }
}

/// Operands at the array's edge; those that are copies of another tensor are not compared again.
fn operands(product: &Product, program: &Program, counts: &StageCounts, plan: &mut Vec<Stretch>) {
    let rows = program.layout.rows;
    let (first, terms) = match (&product.source, &product.operand_tensor) {
        (Source::Normed { word }, Some(_)) => (word * rows, Padding::plain(program.embed, rows)),
        (Source::Exponentials { .. }, Some(_)) => (0, Padding::plain(counts.tokens, rows)),
        _ => (0, Padding::plain(0, rows)),
    };
    let tensor = product.operand_tensor.as_deref().unwrap_or("");
    let tiles = product.reduction_tiles(counts, &program.layout);
    for _ in 0..product.output_tiles(counts, &program.layout) {
        plan.extend(
            (0..tiles)
                .map(|k| stretch(tensor, Stream::Operand, product.row_count(counts), &terms, first + k * rows, rows)),
        );
    }
}

fn product(product: &Product, program: &Program, counts: &StageCounts, plan: &mut Vec<Stretch>) {
    operands(product, program, counts, plan);
    let rows = product.row_count(counts);
    let nothing = Padding::plain(0, 1);
    match (&product.source, &product.sums_tensor) {
        (_, Some(sums)) => plan.push(stretch(sums, Stream::RowSum, rows, &Padding::plain(1, 1), 0, 1)),
        // The number of candidates, which scales the mean.
        (Source::Ones { .. }, None) => plan.push(stretch("", Stream::RowSum, rows, &nothing, 0, 1)),
        _ => {}
    }
    let (columns, results) = (program.layout.columns, product.result_lanes(counts, &program.layout));
    plan.extend(
        (0..product.output_tiles(counts, &program.layout))
            .map(|n| stretch(&product.tensor, Stream::Result, rows, &results, n * columns, columns)),
    );
}

/// Scores and decisions token by token, and the package, if one was made, word by word.
fn select(select: &Select, program: &Program, golden: &Trace, counts: &StageCounts, plan: &mut Vec<Stretch>) {
    let one = Padding::plain(1, 1);
    for (part, stream) in [("score", Stream::Score), ("mask", Stream::Mask)] {
        plan.push(stretch(&format!("{}.{part}", select.tensor), stream, counts.candidates_and_class, &one, 0, 1));
    }
    let package = format!("{}.package", select.tensor);
    if golden.get(&package).is_some() {
        let (rows, channels) = (program.layout.rows, Padding::plain(program.embed, program.layout.rows));
        let words = (0..channels.lanes()).step_by(rows);
        plan.extend(words.map(|first| stretch(&package, Stream::Package, 1, &channels, first, rows)));
    }
}

/// Everything that the probes will show of an image; how many tokens pass which selector is as in `golden`.
pub fn stretches(program: &Program, golden: &Trace) -> Vec<Stretch> {
    let mut plan = Vec::new();
    for step in &program.steps {
        match step {
            Step::Product(p) => product(p, program, &program.counts(p.stage, &golden.stages), &mut plan),
            Step::Select(s) => select(s, program, golden, &program.counts(s.stage, &golden.stages), &mut plan),
        }
    }
    let logits = Padding::plain(program.classes, 1);
    plan.push(stretch("logits", Stream::Written, 1, &logits, 0, program.classes));
    if program.selectors > 0 {
        let counts = Padding::plain(program.selectors, 1);
        plan.push(stretch(TOKEN_COUNTS, Stream::Written, 1, &counts, 0, program.selectors));
    }
    plan
}
