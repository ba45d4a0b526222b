//! The order in which a program shows its tensors: product by product, output tile by output tile, row by row.

use super::{Orientation, Stream, Stretch};
use heatvit_hdl::schedule::{Padding, Product, Program, Source};

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
fn operands(product: &Product, program: &Program, plan: &mut Vec<Stretch>) {
    let rows = program.layout.rows;
    let terms = match (&product.source, &product.operand_tensor) {
        (Source::Normed, Some(_)) => Padding::plain(program.embed, rows),
        (Source::Exponentials { .. }, Some(_)) => Padding::plain(program.layout.tokens, rows),
        _ => Padding::plain(0, rows),
    };
    let tensor = product.operand_tensor.as_deref().unwrap_or("");
    for _ in 0..product.output_tiles {
        plan.extend(
            (0..product.reduction_tiles)
                .map(|k| stretch(tensor, Stream::Operand, product.rows, &terms, k * rows, rows)),
        );
    }
}

/// Everything that the probes will show of an image.
pub fn stretches(program: &Program) -> Vec<Stretch> {
    let mut plan = Vec::new();
    let columns = program.layout.columns;
    for product in &program.products {
        operands(product, program, &mut plan);
        if let Some(sums) = &product.sums_tensor {
            plan.push(stretch(sums, Stream::RowSum, product.rows, &Padding::plain(1, 1), 0, 1));
        }
        plan.extend(
            (0..product.output_tiles).map(|n| {
                stretch(&product.tensor, Stream::Result, product.rows, &product.results, n * columns, columns)
            }),
        );
    }
    let logits = Padding::plain(program.classes, 1);
    plan.push(stretch("logits", Stream::Written, 1, &logits, 0, program.classes));
    plan
}
