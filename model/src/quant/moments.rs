//! Means and covariances of the channels that a product reads.

use crate::float::gram;

/// Channels of a tensor up to which covariances are kept: their memory grows with the square.
const COVARIANCES_MOST: usize = 1024;

/// Sums over the rows of a tensor.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Moments {
    rows: f64,
    /// By channel.
    sums: Vec<f64>,
    /// By channel.
    squares: Vec<f64>,
    /// `[channels][channels]`, products of channels; empty for wide tensors.
    products: Vec<f32>,
}

impl Moments {
    /// Adds the rows of a tensor.
    pub fn add(&mut self, values: &[f32], cols: usize) {
        self.rows += (values.len() / cols) as f64;
        self.sums.resize(cols, 0.0);
        self.squares.resize(cols, 0.0);
        for row in values.chunks(cols) {
            for ((sum, square), v) in self.sums.iter_mut().zip(&mut self.squares).zip(row) {
                *sum += f64::from(*v);
                *square += f64::from(*v) * f64::from(*v);
            }
        }
        if cols <= COVARIANCES_MOST {
            self.products.resize(cols * cols, 0.0);
            self.products.iter_mut().zip(gram(values, cols)).for_each(|(a, b)| *a += b);
        }
    }

    /// Rows seen.
    pub fn rows(&self) -> f64 {
        self.rows
    }

    /// Mean of every channel.
    pub fn means(&self) -> Vec<f64> {
        self.sums.iter().map(|sum| sum / self.rows.max(1.0)).collect()
    }

    /// Variance of every channel.
    pub fn variances(&self) -> Vec<f64> {
        let rows = self.rows.max(1.0);
        let one = |(square, mean): (&f64, f64)| (square / rows - mean * mean).max(0.0);
        self.squares.iter().zip(self.means()).map(one).collect()
    }

    /// Covariances of a channel with all before it; `None` for wide tensors.
    pub fn covariances(&self, channel: usize) -> Option<impl Iterator<Item = f64> + '_> {
        let (rows, cols) = (self.rows.max(1.0), self.sums.len());
        let products = self.products.get(channel * cols..channel * cols + channel)?;
        let mean = self.sums[channel] / rows;
        Some(products.iter().zip(&self.sums).map(move |(product, sum)| f64::from(*product) / rows - mean * sum / rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_counted_apart_and_in_pairs() {
        let mut moments = Moments::default();
        moments.add(&[1.0, 10.0, 3.0, 10.0], 2);
        moments.add(&[2.0, 13.0], 2);
        assert_eq!((moments.rows(), moments.means()), (3.0, vec![2.0, 11.0]));
        let variances = moments.variances();
        assert!((variances[0] - 2.0 / 3.0).abs() < 1e-9 && (variances[1] - 2.0).abs() < 1e-9);
        // (-1)(-1) + (1)(-1) + (0)(2), over three rows.
        let covariances: Vec<f64> = moments.covariances(1).unwrap().collect();
        assert!(covariances.len() == 1 && covariances[0].abs() < 1e-4, "{covariances:?}");
        moments.add(&[5.0, 17.0], 2);
        let covariance = moments.covariances(1).unwrap().next().unwrap();
        assert!((covariance - 27.0 / 8.0).abs() < 1e-4, "{covariance}");
    }

    #[test]
    fn wide_tensors_have_no_covariances() {
        let mut moments = Moments::default();
        moments.add(&vec![1.0; COVARIANCES_MOST + 1], COVARIANCES_MOST + 1);
        assert!(moments.covariances(3).is_none());
    }
}
