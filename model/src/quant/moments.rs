//! Mean and power of the channels that a product reads.

/// Sums over the rows of a tensor, by channel.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Moments {
    rows: f64,
    sums: Vec<f64>,
    squares: Vec<f64>,
}

impl Moments {
    /// Of one tensor.
    pub fn of(values: &[f32], cols: usize) -> Self {
        let (mut sums, mut squares) = (vec![0.0; cols], vec![0.0; cols]);
        for row in values.chunks(cols) {
            for ((sum, square), v) in sums.iter_mut().zip(&mut squares).zip(row) {
                *sum += f64::from(*v);
                *square += f64::from(*v) * f64::from(*v);
            }
        }
        Self { rows: (values.len() / cols.max(1)) as f64, sums, squares }
    }

    /// Adds another tensor.
    pub fn add(&mut self, other: &Self) {
        if self.sums.is_empty() {
            self.clone_from(other);
            return;
        }
        self.rows += other.rows;
        self.sums.iter_mut().zip(&other.sums).for_each(|(a, b)| *a += b);
        self.squares.iter_mut().zip(&other.squares).for_each(|(a, b)| *a += b);
    }

    /// Mean and variance of every channel.
    pub fn mean_variance(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let rows = self.rows.max(1.0);
        let one = move |(sum, square): (&f64, &f64)| {
            let mean = sum / rows;
            (mean, (square / rows - mean * mean).max(0.0))
        };
        self.sums.iter().zip(&self.squares).map(one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_counted_apart() {
        let mut moments = Moments::of(&[1.0, 10.0, 3.0, 10.0], 2);
        moments.add(&Moments::of(&[2.0, 13.0], 2));
        assert_eq!(moments.mean_variance().map(|(m, _)| m).collect::<Vec<_>>(), [2.0, 11.0]);
        let variances: Vec<f64> = moments.mean_variance().map(|(_, v)| v).collect();
        assert!((variances[0] - 2.0 / 3.0).abs() < 1e-9 && (variances[1] - 2.0).abs() < 1e-9);
        let mut empty = Moments::default();
        empty.add(&moments);
        assert_eq!(empty, moments);
    }
}
