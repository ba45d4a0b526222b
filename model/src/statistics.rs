//! Figures of lists of numbers.

use num_traits::Float;

/// The mean; 0 of nothing.
pub(crate) fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len().max(1) as f64;
    values.sum::<f64>() / count
}

/// The largest magnitude; 0 of nothing.
pub(crate) fn largest<T: Float>(values: &[T]) -> T {
    values.iter().fold(T::zero(), |m, v| m.max(v.abs()))
}
