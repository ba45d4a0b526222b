//! Weights of a product's rows in integers, such that its outputs vary least from the real ones.
//!
//! With the covariances H of the inputs, a row whose weights are off by `e` has outputs that are off by `e H e` on
//! average, beside their mean, which the bias corrects. With `H = L D L'` that is `sum_k d_k (e_k + sum_(j>k) e_j L_jk)^2`:
//! decided from the last weight to the first, each can take up what is known of the errors behind it. This is what GPTQ
//! (arXiv:2210.17323) does, in the form of QuIP (arXiv:2307.13304).

use super::moments::Moments;

/// Part of the mean variance that is added to every variance, so that no channel is without.
const DAMPING: f64 = 0.01;

/// What is known of the inputs of a product.
pub(super) struct Inputs {
    /// Mean of every channel.
    pub means: Vec<f64>,
    /// What rounding to codes takes from it; empty where that is not known.
    pub offsets: Vec<f64>,
    /// `d_k`.
    pivots: Vec<f64>,
    /// Row `j` of `L` left of the diagonal; empty rows for inputs without covariances.
    lower: Vec<Vec<f32>>,
}

/// A row in integers.
pub(super) struct Row {
    /// -127..=127.
    pub weights: Vec<i8>,
    /// Mean square of what its outputs are off by, in squared steps of the row.
    pub error: f64,
}

/// The nearest integer of a weight in steps.
pub(super) fn nearest(weight: f64) -> i8 {
    weight.round().clamp(-127.0, 127.0) as i8
}

/// Brings a matrix, given by its rows up to the diagonal, to the form `L D L'`: `L` left of the diagonal, `D` on it.
fn factor(rows: &mut [Vec<f64>]) {
    for k in 0..rows.len() {
        let pivot = rows[k][k];
        let column: Vec<f64> = rows[k + 1..].iter().map(|row| row[k]).collect();
        for row in &mut rows[k + 1..] {
            let factor = row[k] / pivot;
            row[k] = factor;
            row[k + 1..].iter_mut().zip(&column).for_each(|(value, other)| *value -= factor * other);
        }
    }
}

impl Inputs {
    /// Factors the covariances of a tensor.
    pub fn of(moments: &Moments) -> Self {
        let mut variances = moments.variances();
        let channels = variances.len();
        let mean = variances.iter().sum::<f64>() / channels.max(1) as f64;
        // Any scale serves a tensor that never changes.
        let damping = if mean > 0.0 { DAMPING * mean } else { 1.0 };
        variances.iter_mut().for_each(|v| *v += damping);
        // Few rows overrate covariances: those of as many rows as channels are halved.
        let shrink = moments.rows() / (moments.rows() + channels as f64);
        let row = |k: usize| Some(moments.covariances(k)?.map(|c| shrink * c).chain([variances[k]]).collect());
        let rows: Option<Vec<Vec<f64>>> = (0..channels).map(row).collect();
        let Some(mut rows) = rows else {
            let lower = vec![Vec::new(); channels];
            return Self { means: moments.means(), offsets: Vec::new(), pivots: variances, lower };
        };
        factor(&mut rows);
        let pivots = rows.iter_mut().filter_map(Vec::pop).collect();
        let lower = rows.into_iter().map(|row| row.into_iter().map(|l| l as f32).collect()).collect();
        Self { means: moments.means(), offsets: Vec::new(), pivots, lower }
    }

    /// Of the rows of one tensor.
    #[cfg(test)]
    pub fn of_rows(values: &[f32], cols: usize) -> Self {
        let mut moments = Moments::default();
        moments.add(values, cols);
        Self::of(&moments)
    }

    /// Rounds a row to multiples of `step`. Weights that are zero stay zero: they may stand where heads do not meet.
    pub fn round(&self, row: &[f32], step: f64) -> Row {
        let exact: Vec<f32> = row.iter().map(|w| (f64::from(*w) / step) as f32).collect();
        let (mut wanted, mut weights, mut error) = (exact.clone(), vec![0; row.len()], 0.0);
        for k in (0..row.len()).rev() {
            if row[k] != 0.0 {
                weights[k] = nearest(f64::from(wanted[k]));
            }
            let off = exact[k] - f32::from(weights[k]);
            error += self.pivots[k] * f64::from(wanted[k] - f32::from(weights[k])).powi(2);
            wanted.iter_mut().zip(&self.lower[k]).for_each(|(w, factor)| *w += off * factor);
        }
        Row { weights, error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_is_factored() {
        // L = [1, 0; 0.5, 1], D = (4, 3).
        let mut rows = vec![vec![4.0], vec![2.0, 4.0]];
        factor(&mut rows);
        assert_eq!(rows, [vec![4.0], vec![0.5, 3.0]]);
    }

    #[test]
    fn an_error_is_made_up_for_by_inputs_that_go_along() {
        // Both inputs are nearly the same, so what counts is the sum of their weights.
        let values: Vec<f32> =
            (0..2000).map(|i| ((i / 2) as f32 * 0.7).sin() + 0.01 * (i as f32 * 1.3).sin()).collect();
        let known = Inputs::of_rows(&values, 2);
        assert_eq!(known.round(&[10.4, 20.4], 1.0).weights, [11, 20]);
        assert_eq!(known.round(&[0.0, 20.4], 1.0).weights, [0, 20]);
        // Inputs that have nothing to do with each other are rounded one by one.
        let values: Vec<f32> = (0..2000).map(|i| (i as f32 * 1.3 + (i % 2) as f32 * 0.9).sin()).collect();
        let unrelated: Vec<f32> =
            values.chunks(2).enumerate().flat_map(|(i, v)| [v[0], (i as f32 * 2.1).cos()]).collect();
        assert_eq!(Inputs::of_rows(&unrelated, 2).round(&[10.4, 20.4], 1.0).weights, [10, 20]);
    }

    #[test]
    fn the_error_is_that_of_the_outputs() {
        let values: Vec<f32> = (0..3000).map(|i| (i as f32 * 0.37).sin() + (i as f32 * 0.11).cos()).collect();
        let row = [3.3, -7.6, 12.45];
        let mut moments = Moments::default();
        moments.add(&values, 3);
        let rounded = Inputs::of(&moments).round(&row, 1.0);
        let off: Vec<f64> = row.iter().zip(&rounded.weights).map(|(w, q)| f64::from(w - f32::from(*q))).collect();
        let (variances, rows) = (moments.variances(), moments.rows());
        let alone: f64 = variances.iter().zip(&off).map(|(variance, off)| variance * off * off).sum();
        let damping = DAMPING * variances.iter().sum::<f64>() / 3.0 * off.iter().map(|off| off * off).sum::<f64>();
        let outputs: Vec<f64> =
            values.chunks(3).map(|x| x.iter().zip(&off).map(|(x, off)| f64::from(*x) * off).sum()).collect();
        let mean = outputs.iter().sum::<f64>() / outputs.len() as f64;
        let variance = outputs.iter().map(|o| (o - mean).powi(2)).sum::<f64>() / outputs.len() as f64;
        let expected = (rows * variance + 3.0 * alone) / (rows + 3.0) + damping;
        assert!((rounded.error / expected - 1.0).abs() < 0.01, "{} {expected}", rounded.error);
    }
}
