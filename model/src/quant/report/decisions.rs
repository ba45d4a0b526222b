//! Whether integers and float decide alike.

use crate::golden::Trace;
use serde::Serialize;

/// Distance of a score from the threshold below which a decision counts as a close one.
pub const CLOSE: f64 = 0.05;

/// Decisions about tokens, and how many of them agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Decisions {
    /// Decisions compared.
    pub all: usize,
    /// Of these, equal ones.
    pub equal: usize,
    /// Decisions whose reference score is within [`CLOSE`] of the threshold.
    pub close: usize,
    /// Of these, equal ones.
    pub close_equal: usize,
}

impl Decisions {
    /// Adds those of another image.
    pub fn add(&mut self, other: Self) {
        self.all += other.all;
        self.equal += other.equal;
        self.close += other.close;
        self.close_equal += other.close_equal;
    }

    /// Share of equal decisions; `None` without any.
    pub fn agreement(&self) -> Option<f64> {
        (self.all > 0).then(|| self.equal as f64 / self.all as f64)
    }

    /// The same of close ones.
    pub fn close_agreement(&self) -> Option<f64> {
        (self.close > 0).then(|| self.close_equal as f64 / self.close as f64)
    }

    fn count(&mut self, equal: bool, distance: f64) {
        self.all += 1;
        self.equal += usize::from(equal);
        if distance < CLOSE {
            self.close += 1;
            self.close_equal += usize::from(equal);
        }
    }
}

/// Compares masks of one stage about the same candidates, the class token left out.
pub(super) fn compare(scores: &[f32], threshold: f64, reference: &[f32], got: &[i32]) -> Decisions {
    let mut decisions = Decisions::default();
    for ((score, reference), got) in scores.iter().zip(reference).zip(got).skip(1) {
        decisions.count((*reference > 0.5) == (*got != 0), (f64::from(*score) - threshold).abs());
    }
    decisions
}

/// Compares whole runs, in which earlier decisions may have differed: of every stage those decisions count that both
/// runs have to take, about the same patch of the image. `stages` are blocks and thresholds of the selectors.
pub(super) fn compare_runs(stages: &[(usize, f64)], reference: &Trace<f32>, got: &Trace) -> Decisions {
    let mut decisions = Decisions::default();
    // Which row of the image every candidate comes from.
    let (mut left, mut right): (Option<Vec<usize>>, Option<Vec<usize>>) = (None, None);
    for (block, threshold) in stages {
        let at = |part: &str| format!("selectors.{block}.{part}");
        let (Some(scores), Some(a), Some(b)) =
            (reference.get(&at("score")), reference.get(&at("mask")), got.get(&at("mask")))
        else {
            continue;
        };
        let ours = left.take().unwrap_or_else(|| (0..a.rows).collect());
        let theirs = right.take().unwrap_or_else(|| (0..b.rows).collect());
        for (row, place) in ours.iter().enumerate().skip(1) {
            if let Ok(other) = theirs.binary_search(place) {
                let equal = (a.data[row] > 0.5) == (b.data[other] != 0);
                decisions.count(equal, (f64::from(scores.data[row]) - threshold).abs());
            }
        }
        left = Some(ours.into_iter().zip(&a.data).filter(|(_, kept)| **kept > 0.5).map(|(place, _)| place).collect());
        right = Some(theirs.into_iter().zip(&b.data).filter(|(_, kept)| **kept != 0).map(|(place, _)| place).collect());
    }
    decisions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_candidates() {
        let got = compare(&[0.0, 0.9, 0.52, 0.1], 0.5, &[1.0, 1.0, 1.0, 0.0], &[1, 1, 0, 0]);
        assert_eq!(got, Decisions { all: 3, equal: 2, close: 1, close_equal: 0 });
        assert_eq!((got.agreement(), got.close_agreement()), (Some(2.0 / 3.0), Some(0.0)));
        assert_eq!(Decisions::default().agreement(), None);
    }

    #[test]
    fn runs_are_followed_by_place() {
        let (mut reference, mut got) = (Trace::<f32>::default(), Trace::<i32>::default());
        // Rows: class, a, b, c. The runs differ about b; only a and c reach the second stage in both.
        reference.record("selectors.1.score".to_owned(), 1, &[0.0, 0.8, 0.51, 0.9]);
        reference.record("selectors.1.mask".to_owned(), 1, &[1.0, 1.0, 1.0, 1.0]);
        got.record("selectors.1.mask".to_owned(), 1, &[1, 1, 0, 1]);
        reference.record("selectors.2.score".to_owned(), 1, &[0.0, 0.8, 0.51, 0.2]);
        reference.record("selectors.2.mask".to_owned(), 1, &[1.0, 1.0, 1.0, 0.0]);
        got.record("selectors.2.mask".to_owned(), 1, &[1, 1, 1]);
        let decisions = compare_runs(&[(1, 0.5), (2, 0.5)], &reference, &got);
        assert_eq!(decisions, Decisions { all: 5, equal: 3, close: 1, close_equal: 0 });
    }
}
