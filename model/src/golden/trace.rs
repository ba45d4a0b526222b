//! Every tensor of a run, in program order.

/// A tensor of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Name as in docs/tensors.md.
    pub name: String,
    /// Rows (tokens).
    pub rows: usize,
    /// Columns (channels, or tokens for scores).
    pub cols: usize,
    /// Row-major elements.
    pub data: Vec<i32>,
}

/// All tensors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// In program order.
    pub tensors: Vec<Tensor>,
}

impl Trace {
    /// Appends a tensor.
    pub fn record(&mut self, name: String, cols: usize, data: &[i32]) {
        self.tensors.push(Tensor { name, rows: data.len() / cols, cols, data: data.to_vec() });
    }

    /// Finds a tensor.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.tensors.iter().find(|t| t.name == name)
    }

    /// The logits.
    pub fn logits(&self) -> &[i32] {
        self.get("logits").map_or(&[], |t| &t.data)
    }
}
