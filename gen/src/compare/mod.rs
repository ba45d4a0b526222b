//! Comparison of everything that the probes saw with the golden trace, element by element.

mod difference;
mod order;
mod plan;

pub use difference::Difference;
pub use order::{TOKEN_COUNTS, stretches};
pub use plan::{Event, Orientation, Stream, Stretch};

use heatvit_model::golden::{Tensor, Trace};
use std::collections::BTreeMap;

/// Result of one image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Tensors of which at least one element was compared.
    pub tensors: usize,
    /// Elements compared.
    pub elements: usize,
    /// Elements that differ, or that the design never produced.
    pub mismatches: usize,
    /// Tensors with a difference.
    pub tensors_differing: usize,
    /// The difference of the smallest cycle.
    pub first: Option<Difference>,
}

#[derive(Default)]
struct Tally {
    elements: usize,
    mismatches: usize,
}

struct Checker<'a> {
    tensors: BTreeMap<&'a str, &'a Tensor>,
    tallies: BTreeMap<&'a str, Tally>,
    first: Option<Difference>,
}

impl<'a> Checker<'a> {
    fn note(&mut self, difference: Difference) {
        if self.first.as_ref().is_none_or(|f| difference.order() < f.order()) {
            self.first = Some(difference);
        }
    }

    /// Checks one event; `None` stands for an event that never came.
    fn event(&mut self, stretch: &'a Stretch, index: usize, event: Option<&Event>) {
        let Some(name) = stretch.tensor.as_deref() else { return };
        let tensor = self.tensors.get(name).copied();
        for lane in 0..stretch.lanes {
            let (row, column) = stretch.place(index, lane);
            let expected = tensor.filter(|t| row < t.rows && column < t.cols).map(|t| t.data[row * t.cols + column]);
            let got = event.and_then(|e| e.lanes.get(lane).copied());
            let tally = self.tallies.entry(name).or_default();
            tally.elements += 1;
            if expected.is_none() || expected != got {
                tally.mismatches += 1;
                let cycle = event.map(|e| e.cycle);
                let tensor = name.to_owned();
                self.note(Difference { tensor, row, column, stream: stretch.stream, cycle, expected, got });
            }
        }
    }
}

/// Compares the events of one image. Each stream is in order; streams may interleave in any way.
pub fn compare(golden: &Trace, plan: &[Stretch], events: &[Event]) -> Comparison {
    let mut streams: BTreeMap<Stream, Vec<&Event>> = BTreeMap::new();
    for event in events {
        streams.entry(event.stream).or_default().push(event);
    }
    let mut streams: BTreeMap<Stream, _> = streams.into_iter().map(|(s, e)| (s, e.into_iter())).collect();
    let counts = token_counts(golden);
    let tensors = golden.tensors.iter().chain(&counts).map(|t| (t.name.as_str(), t)).collect();
    let mut checker = Checker { tensors, tallies: BTreeMap::new(), first: None };
    for stretch in plan {
        for index in 0..stretch.events {
            let event = streams.get_mut(&stretch.stream).and_then(Iterator::next);
            checker.event(stretch, index, event);
        }
    }
    let mut surplus = 0;
    for (stream, rest) in &mut streams {
        for event in rest.by_ref() {
            surplus += 1;
            checker.note(Difference::surplus(*stream, event));
        }
    }
    let wrong = checker.tallies.values().filter(|t| t.mismatches > 0).count();
    Comparison {
        tensors: checker.tallies.len(),
        elements: checker.tallies.values().map(|t| t.elements).sum(),
        mismatches: checker.tallies.values().map(|t| t.mismatches).sum::<usize>() + surplus,
        tensors_differing: wrong,
        first: checker.first,
    }
}

/// Rows after each selector as a tensor: the words that the design writes behind the logits.
fn token_counts(golden: &Trace) -> Option<Tensor> {
    let data: Vec<i32> = golden.stages.iter().map(|s| s.tokens as i32).collect();
    let name = TOKEN_COUNTS.to_owned();
    (!data.is_empty()).then_some(Tensor { name, rows: 1, cols: data.len(), data })
}

/// Tensors of the trace with an element that the plan never shows, with the number of such elements.
pub fn uncovered(golden: &Trace, plan: &[Stretch]) -> Vec<(String, usize)> {
    let mut seen: BTreeMap<&str, Vec<bool>> =
        golden.tensors.iter().map(|t| (t.name.as_str(), vec![false; t.data.len()])).collect();
    let cols: BTreeMap<&str, usize> = golden.tensors.iter().map(|t| (t.name.as_str(), t.cols)).collect();
    for stretch in plan {
        let Some(name) = stretch.tensor.as_deref() else { continue };
        let (Some(seen), Some(cols)) = (seen.get_mut(name), cols.get(name)) else { continue };
        for (event, lane) in (0..stretch.events).flat_map(|e| (0..stretch.lanes).map(move |l| (e, l))) {
            let (row, column) = stretch.place(event, lane);
            if let Some(element) = seen.get_mut(row * cols + column) {
                *element = true;
            }
        }
    }
    let missing = |seen: &[bool]| seen.iter().filter(|s| !**s).count();
    golden
        .tensors
        .iter()
        .filter_map(|t| seen.get(t.name.as_str()).map(|s| (t.name.clone(), missing(s))))
        .filter(|(_, missing)| *missing > 0)
        .collect()
}

#[cfg(test)]
mod tests;
