//! Every tensor of a run, in program order.

/// A tensor of a run: integers in the golden model, `f32` in the float engines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor<T = i32> {
    /// Name as in docs/tensors.md.
    pub name: String,
    /// Rows (tokens).
    pub rows: usize,
    /// Columns (channels, or tokens for scores).
    pub cols: usize,
    /// Row-major elements.
    pub data: Vec<T>,
}

/// What a selector stage leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageCounts {
    /// Rows, with class and package token.
    pub tokens: usize,
    /// Rows without the package token: the next stage decides about them.
    pub candidates_and_class: usize,
}

/// All tensors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace<T = i32> {
    /// In program order.
    pub tensors: Vec<Tensor<T>>,
    /// One entry per selector stage, in their order.
    pub stages: Vec<StageCounts>,
}

impl<T: Clone> Trace<T> {
    /// Appends a tensor.
    pub fn record(&mut self, name: String, cols: usize, data: &[T]) {
        self.tensors.push(Tensor { name, rows: data.len() / cols, cols, data: data.to_vec() });
    }

    /// Finds a tensor.
    pub fn get(&self, name: &str) -> Option<&Tensor<T>> {
        self.tensors.iter().find(|t| t.name == name)
    }

    /// The logits.
    pub fn logits(&self) -> &[T] {
        self.get("logits").map_or(&[], |t| &t.data)
    }
}
