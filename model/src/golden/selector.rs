//! What a selector stage does besides products: the mean over the candidates, scores, decisions, the package.
//! Pure functions on integers; the hardware's scoring unit equals [`score`], its package unit [`package`].

use super::product::dot;
use crate::fixed::{rescale, round_shift, saturate};
use crate::poly::plan::plan;
use crate::poly::recip::recip;
use crate::quant::RowScale;
use crate::selector::{MergeRule, Ties};

/// The score that stands for 1.
pub const SCORE_ONE: u32 = 512;

/// Mean of int8 features over the candidates, rows `1..` of `local`; zeros when there is none, whatever
/// the code of zero, because nothing depends on them.
pub fn global_mean(local: &[i32], cols: usize, scale: RowScale, table: &[(u32, u32); 128]) -> Vec<i32> {
    let candidates = (local.len() / cols).saturating_sub(1);
    let factor = recip(127 * candidates as u32, scale.gain, scale.exponent, table);
    let ones = vec![127i16; candidates];
    let mean = |c: usize| {
        let column: Vec<i16> = local.iter().skip(cols + c).step_by(cols).map(|v| *v as i16).collect();
        saturate(rescale(dot(&ones, &column), factor), 8) as i32
    };
    (0..cols).map(mean).collect()
}

/// Score of a row in 1/512, 0..=512: keep probabilities of its heads, averaged by head weights. Both inputs are
/// logits in 1/256, one per head.
pub fn score(keep: &[i32], weight: &[i32]) -> u32 {
    let (mut numerator, mut denominator) = (0, 0);
    for (keep, weight) in keep.iter().zip(weight) {
        // A sigmoid is never 0, so the denominator is not either.
        let (probability, weight) = (plan(*keep), plan(*weight).max(1));
        numerator += round_shift(i64::from(probability) * i64::from(weight), 13) as u32;
        denominator += weight;
    }
    // Without a head there is no score; validation refuses that.
    (SCORE_ONE * numerator).checked_div(denominator).unwrap_or(0)
}

/// Which rows stay; row 0, the class token, always does.
pub fn decide(scores: &[u32], threshold: u32) -> Vec<bool> {
    scores.iter().enumerate().map(|(i, s)| i == 0 || Ties::default().keeps(*s, threshold)).collect()
}

/// Share of a weight in the total, 0..=2^14, cut: shares never add up to more than one, so a mean stays within 16 bits.
pub fn share(weight: u32, total: u32) -> u32 {
    ((u64::from(weight) << 14) / u64::from(total.max(1))) as u32
}

/// A package token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its channels.
    pub row: Vec<i32>,
    /// Sum of the weights that were merged into it.
    pub weight: u32,
}

/// The mean of the dropped rows and of the incoming package, weighted by score; `None` when nothing is dropped.
/// `x` holds a row of `embed` channels per score, and behind them the incoming package if there is one.
pub fn package(x: &[i32], embed: usize, scores: &[u32], mask: &[bool], incoming: Option<u32>) -> Option<Package> {
    let dropped = || scores.iter().zip(mask).enumerate().filter(|(_, (_, kept))| !**kept);
    // A softmax is never 0: with rows that all score 0 the package is their plain mean.
    let mut parts: Vec<(usize, u32)> = dropped().map(|(row, (score, _))| (row, (*score).max(1))).collect();
    if parts.is_empty() {
        return None;
    }
    parts.extend(incoming.map(|weight| (scores.len(), MergeRule::default().weight(weight, SCORE_ONE))));
    let weight: u32 = parts.iter().map(|(_, w)| w).sum();
    let mut sums = vec![0i64; embed];
    for (row, part) in parts {
        let share = i64::from(share(part, weight));
        sums.iter_mut().zip(&x[row * embed..]).for_each(|(sum, x)| *sum += share * i64::from(*x));
    }
    let row = sums.into_iter().map(|sum| round_shift(sum, 14) as i32).collect();
    Some(Package { row, weight })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::poly::recip::recip_table;

    #[test]
    fn one_head_is_its_probability() {
        assert_eq!(score(&[0], &[77]), 256);
        assert_eq!(score(&[32767], &[-32767]), 512, "a weight of 0 counts as 1");
        assert_eq!(score(&[-32767], &[0]), 0);
        assert_eq!(score(&[], &[]), 0);
        for keep in -2000..2000 {
            assert_eq!(score(&[keep], &[1280]), plan(keep) / 16, "{keep}");
        }
    }

    #[test]
    fn scores_stay_within_a_step_of_the_real_fusion() {
        let real = |x: i32| f64::from(plan(x)) / 8192.0;
        for i in 0..5000i32 {
            let logit = |h: i32, salt: i32| (i * 7919 + h * 104_729 + salt).wrapping_mul(31).rem_euclid(4001) - 2000;
            let keep: Vec<i32> = (0..5).map(|h| logit(h, 1)).collect();
            let weight: Vec<i32> = (0..5).map(|h| logit(h, 999)).collect();
            let (mut num, mut den) = (0.0, 0.0);
            for (k, w) in keep.iter().zip(&weight) {
                num += real(*k) * real(*w);
                den += real(*w);
            }
            assert!((f64::from(score(&keep, &weight)) - 512.0 * num / den).abs() < 1.5 || den < 0.01, "{i}");
        }
    }

    #[test]
    fn ties_and_the_class_token_stay() {
        assert_eq!(decide(&[0, 256, 255, 512], 256), [true, true, false, true]);
        assert_eq!(decide(&[512; 3], 513), [true, false, false]);
        assert_eq!(decide(&[0; 3], 0), [true; 3]);
    }

    #[test]
    fn the_mean_leaves_the_class_token_out() {
        let unit = RowScale { gain: 65536, exponent: -16 };
        assert_eq!(global_mean(&[100, 100, 10, -7, 20, -8], 2, unit, &recip_table()), [15, -7]);
        assert_eq!(global_mean(&[100, 100], 2, unit, &recip_table()), [0, 0]);
        assert_eq!(global_mean(&[100, 100, 33, -127], 2, unit, &recip_table()), [33, -127]);
    }

    #[test]
    fn packages_merge_by_all_that_was_merged_before() {
        // Rows: class, dropped, kept, dropped.
        let (scores, mask) = ([9, 100, 500, 100], [true, false, true, false]);
        let x = [7, 7, 100, -30, 1, 1, 200, -31];
        let first = package(&x, 2, &scores, &mask, None).unwrap();
        assert_eq!(first, Package { row: vec![150, -31], weight: 200 });
        // The merged package stands for 200 of 300.
        let x = [7, 7, 0, 300, 150, -31];
        let second = package(&x, 2, &[0, 100], &[true, false], Some(200)).unwrap();
        assert_eq!(second, Package { row: vec![100, 79], weight: 300 });
        assert_eq!(package(&x, 2, &[0, 100], &[true, true], Some(200)), None);
    }

    #[test]
    fn rows_that_all_score_zero_give_the_plain_mean() {
        let x = [0, 10, 20, 60];
        let mask = [true, false, false, false];
        assert_eq!(package(&x, 1, &[0; 4], &mask, None), Some(Package { row: vec![30], weight: 3 }));
    }

    #[test]
    fn a_single_dropped_row_is_its_own_package() {
        for value in [-32767, -1, 0, 1, 12345, 32767] {
            let got = package(&[5, value], 1, &[3, 77], &[true, false], None);
            assert_eq!(got, Some(Package { row: vec![value], weight: 77 }));
        }
    }

    #[test]
    fn shares_are_cut() {
        assert_eq!([share(1, 3), share(2, 3), share(5, 5), share(0, 5), share(0, 0)], [5461, 10922, 16384, 0, 0]);
    }
}
