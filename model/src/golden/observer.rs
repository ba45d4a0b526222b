//! Who sees the tensors of a run.

use super::trace::{StageCounts, Tensor, Trace};
use std::fmt::Arguments;

/// Sees every tensor of a run, in program order.
pub trait Observer {
    /// A tensor: its name as in docs/tensors.md, columns, row-major elements. Whoever does not need the elements does
    /// not ask for them, and they cost nothing.
    fn tensor(&mut self, name: Arguments<'_>, cols: usize, elements: &mut dyn Iterator<Item = i32>);

    /// What a selector stage leaves.
    fn stage(&mut self, counts: StageCounts);
}

impl Observer for Trace {
    fn tensor(&mut self, name: Arguments<'_>, cols: usize, elements: &mut dyn Iterator<Item = i32>) {
        let data: Vec<i32> = elements.collect();
        self.tensors.push(Tensor { name: name.to_string(), rows: data.len() / cols, cols, data });
    }

    fn stage(&mut self, counts: StageCounts) {
        self.stages.push(counts);
    }
}

/// Keeps the tensors whose names are wanted, and all stages.
#[derive(Clone, Debug)]
pub struct Wanted<F> {
    /// What was kept.
    pub trace: Trace,
    wanted: F,
}

impl<F: Fn(&str) -> bool> Wanted<F> {
    /// Nothing yet.
    pub fn new(wanted: F) -> Self {
        Self { trace: Trace::default(), wanted }
    }
}

impl<F: Fn(&str) -> bool> Observer for Wanted<F> {
    fn tensor(&mut self, name: Arguments<'_>, cols: usize, elements: &mut dyn Iterator<Item = i32>) {
        let text = name.to_string();
        if (self.wanted)(&text) {
            self.trace.tensor(name, cols, elements);
        }
    }

    fn stage(&mut self, counts: StageCounts) {
        self.trace.stage(counts);
    }
}
