//! The card of an image: the picture, then for each stage its scores and what it leaves.

use super::panel::{Fate, Grid, repeat};
use super::text::data_uri;
use super::text::percent;
use super::{Card, Report, scale};
use crate::summary::grouped;

/// More stages than these continue below.
const STAGES_IN_A_ROW: usize = 3;

/// A card.
pub fn card(report: &Report, card: &Card) -> String {
    let stages: String = (0..card.stages.len()).map(|stage| pair(report, card, stage)).collect();
    format!(
        "<article class=\"card\" id=\"image-{index}\">\n{header}<div class=\"strip\" style=\"--n:{n}\">{input}{stages}</div>\n</article>\n",
        index = card.index,
        header = header(report, card),
        n = 1 + 2 * card.stages.len().min(STAGES_IN_A_ROW),
        input = input(report, card),
    )
}

fn header(report: &Report, card: &Card) -> String {
    let label = card.label.map_or(String::new(), |label| format!("<li>label <b>{label}</b></li>"));
    let tokens: Vec<String> = std::iter::once(report.shape.tokens())
        .chain(card.stages.iter().map(|s| s.rows))
        .map(|rows| format!("<b>{rows}</b>"))
        .collect();
    let tokens =
        if card.stages.is_empty() { String::new() } else { format!("<li>{} tokens</li>", tokens.join(" → ")) };
    let saved = match report.summary.cycles.as_ref().and_then(|c| c.dense) {
        Some(dense) if !card.stages.is_empty() && dense > 0 => {
            format!(", {} saved", percent(1.0 - card.cycles as f64 / dense as f64))
        }
        _ => String::new(),
    };
    let differs = if card.equal { "" } else { "<li class=\"no\">differs from the integer model</li>" };
    format!(
        "<header><h3>Image {index}</h3><ul>{label}{predicted}{tokens}<li><b>{cycles}</b> cycles{saved}</li>{differs}</ul></header>\n",
        index = card.index,
        predicted = predicted(card),
        cycles = grouped(card.cycles),
    )
}

/// The class that was found, and whether it is the right one where that is known.
fn predicted(card: &Card) -> String {
    let (class, mark, word) = match card.label {
        None => return format!("<li>predicted <b>{}</b></li>", card.class),
        Some(label) if label == card.class => ("yes", "✓", "right"),
        Some(_) => ("no", "✗", "wrong"),
    };
    format!(
        "<li class=\"{class}\">predicted <b>{}</b> <span aria-hidden=\"true\">{mark}</span>\
         <span class=\"sr\">{word}</span></li>",
        card.class
    )
}

fn picture_id(card: &Card) -> String {
    format!("picture-{}", card.index)
}

fn grid<'a>(report: &Report, card: &'a Card) -> Grid<'a> {
    Grid::new(&report.shape, card.subject.as_deref())
}

fn input(report: &Report, card: &Card) -> String {
    let grid = grid(report, card);
    let image = data_uri(&card.pixels, &report.shape).map_or(String::new(), |u| grid.image(&picture_id(card), &u));
    let kind = card.label.map_or(String::new(), |label| format!(", a {label}"));
    let label = format!("Image {}{kind}", card.index);
    format!("<figure class=\"in\">{}<figcaption>input</figcaption></figure>", grid.svg("p", &label, &image))
}

/// Scores and remaining patches of a stage.
fn pair(report: &Report, card: &Card, index: usize) -> String {
    let (grid, stage) = (grid(report, card), &card.stages[index]);
    let count = |fate: Fate| (0..stage.kept.len()).filter(|p| Fate::of(stage, *p) == fate).count();
    let (kept, dropped) = (count(Fate::Kept), count(Fate::Dropped));
    let number = index + 1;
    let column = 2 + 2 * (index % STAGES_IN_A_ROW);
    let scores = grid.svg(
        "p s",
        &format!("Image {}, scores of stage {number}: {} candidates", card.index, kept + dropped),
        &grid.scores(stage),
    );
    let left = grid.svg(
        "p v",
        &format!("Image {}, stage {number} keeps {kept} patches and drops {dropped}", card.index),
        &(repeat(&picture_id(card)) + &grid.veils(stage)),
    );
    format!(
        "<figure style=\"grid-column:{column}\">{scores}<figcaption>stage {number}: score{from}</figcaption></figure>\
         <figure style=\"grid-column:{next}\">{left}<figcaption>{kept} kept, {dropped} dropped</figcaption></figure>",
        next = column + 1,
        from = report
            .selectors
            .get(index)
            .map_or(String::new(), |s| format!(", kept from {}", scale::threshold(s.threshold))),
    )
}
