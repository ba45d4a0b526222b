//! Signal and error of a tensor, added up over images.

/// Sums of squares of a reference and of what differs from it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sums {
    /// Of the reference.
    pub signal: f64,
    /// Of the difference.
    pub error: f64,
}

impl Sums {
    /// Sums over pairs of reference and approximation.
    pub fn of(pairs: impl Iterator<Item = (f64, f64)>) -> Self {
        pairs.fold(Self::default(), |sums, (reference, got)| Self {
            signal: sums.signal + reference * reference,
            error: sums.error + (got - reference) * (got - reference),
        })
    }

    /// Adds the sums of another image.
    pub fn add(&mut self, other: Self) {
        self.signal += other.signal;
        self.error += other.error;
    }

    /// Signal to quantization noise ratio, `10 log10(signal / error)` in dB; `None` where nothing differs or the
    /// reference is zero.
    pub fn db(&self) -> Option<f64> {
        (self.signal > 0.0 && self.error > 0.0).then(|| 10.0 * libm::log10(self.signal / self.error))
    }
}

/// Cosine of the angle between two vectors; 1 for two zeros.
pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
    let lengths = libm::sqrt(dot(a, a) * dot(b, b));
    if lengths > 0.0 { dot(a, b) / lengths } else { f64::from(u8::from(a == b)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decibels_and_cosines() {
        let mut sums = Sums::of([(10.0, 9.0), (0.0, 0.0)].into_iter());
        sums.add(Sums::of([(10.0, 11.0)].into_iter()));
        assert_eq!(sums, Sums { signal: 200.0, error: 2.0 });
        assert!((sums.db().unwrap() - 20.0).abs() < 1e-12);
        assert_eq!(Sums::default().db(), None);
        assert!((cosine(&[1.0, 0.0], &[1.0, 1.0]) - 0.5f64.sqrt()).abs() < 1e-12);
        assert_eq!((cosine(&[0.0], &[0.0]), cosine(&[0.0], &[1.0])), (1.0, 0.0));
    }
}
