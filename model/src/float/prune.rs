//! A selector stage in real numbers: the same tensors and decisions as the golden model's.

use super::FoldedSelector;
use super::forward::{Pass, norm_rows};
use super::product::linear;
use crate::golden::{StageCounts, Trace};
use crate::poly::plan::ONE;
use crate::selector::{MergeRule, PackageRule, Ties};

/// The residual stream and what its rows are.
pub(super) struct Tokens {
    /// `[rows][embed]`: class token, candidates, package.
    pub x: Vec<f32>,
    /// Rows before the package.
    pub candidates_and_class: usize,
    /// Weight of the package, the last row, if there is one.
    pub package: Option<f64>,
}

/// Mean over the candidates, rows `1..`; zeros when there is none.
fn candidate_mean(local: &[f32], cols: usize) -> Vec<f32> {
    let candidates = (local.len() / cols).saturating_sub(1).max(1) as f64;
    let column = |c: usize| local.iter().skip(cols + c).step_by(cols).map(|v| f64::from(*v)).sum::<f64>();
    (0..cols).map(|c| (column(c) / candidates) as f32).collect()
}

/// What a selector decided about the rows of a stream but the package.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Scores.
    pub scores: Vec<f64>,
    /// Whether each row stays; the class token does.
    pub mask: Vec<bool>,
}

impl Decision {
    /// That of a recorded run.
    pub fn of(trace: &Trace<f32>, block: usize) -> Option<Self> {
        let tensor = |part: &str| trace.get(&format!("selectors.{block}.{part}"));
        let scores = tensor("score")?.data.iter().map(|score| f64::from(*score)).collect();
        Some(Self { scores, mask: tensor("mask")?.data.iter().map(|kept| *kept > 0.5).collect() })
    }

    /// Rows that become the package, with their weights: the dropped ones and the incoming package. Empty when none is
    /// dropped.
    fn package(&self, incoming: Option<f64>) -> Vec<(usize, f64)> {
        let dropped = self.scores.iter().zip(&self.mask).enumerate().filter(|(_, (_, kept))| !**kept);
        // Rows that all score 0 give their plain mean.
        let mut parts: Vec<(usize, f64)> = dropped.map(|(row, (s, _))| (row, s.max(1e-30))).collect();
        if !parts.is_empty() {
            parts.extend(incoming.map(|weight| (self.scores.len(), MergeRule::default().weight(weight, 1.0))));
        }
        parts
    }
}

impl Tokens {
    /// Counts the rows as behind a selector that has run; returns the rows of its package, none where it makes none.
    pub(super) fn count(&mut self, s: &FoldedSelector, decision: &Decision) -> Vec<(usize, f64)> {
        self.candidates_and_class = decision.mask.iter().filter(|kept| **kept).count();
        let parts = match s.package {
            PackageRule::Merged => decision.package(self.package),
            PackageRule::None => Vec::new(),
        };
        if !parts.is_empty() {
            self.package = Some(total(&parts));
        }
        parts
    }
}

fn total(parts: &[(usize, f64)]) -> f64 {
    parts.iter().map(|(_, weight)| weight).sum()
}

/// Mean of rows by their weights.
fn mean(x: &[f32], embed: usize, parts: &[(usize, f64)]) -> Vec<f32> {
    let (mut sums, total) = (vec![0.0f64; embed], total(parts));
    for (row, weight) in parts {
        sums.iter_mut().zip(&x[row * embed..]).for_each(|(sum, x)| *sum += weight / total * f64::from(*x));
    }
    sums.into_iter().map(|v| v as f32).collect()
}

impl Pass<'_> {
    fn activate(&self, mut values: Vec<f32>) -> Vec<f32> {
        let delta1 = self.network.options.delta1;
        values.iter_mut().for_each(|v| *v = self.engine.gelu(f64::from(*v), delta1) as f32);
        values
    }

    /// Keep probabilities of the heads of a row, averaged by their weights.
    fn score(&self, keep: &[f32], weight: &[f32]) -> f64 {
        let (mut numerator, mut denominator) = (0.0, 0.0);
        for (keep, weight) in keep.iter().zip(weight) {
            // PLAN reaches 0; the least weight is that of the integers.
            let weight = self.engine.sigmoid(f64::from(*weight)).max(1.0 / f64::from(ONE));
            numerator += self.engine.sigmoid(f64::from(*keep)) * weight;
            denominator += weight;
        }
        numerator / denominator
    }

    /// Scores of all rows but the package.
    fn scores(&mut self, prefix: &str, s: &FoldedSelector, normed: &[f32]) -> Vec<f64> {
        let (embed, heads, width) = (self.network.dims.embed, self.network.dims.heads, s.local.outputs);
        let local = self.activate(linear(normed, &s.local));
        let global = candidate_mean(&local, width);
        let both: Vec<f32> = local.chunks(width).flat_map(|row| row.iter().chain(&global)).copied().collect();
        let mix = self.activate(linear(&both, &s.mix));
        let squeeze = self.activate(linear(&mix, &s.squeeze));
        let keep = linear(&squeeze, &s.keep);
        let weigh = self.activate(linear(normed, &s.weigh));
        let weight = linear(&weigh, &s.weight);
        let scores: Vec<f64> = keep.chunks(heads).zip(weight.chunks(heads)).map(|(k, w)| self.score(k, w)).collect();
        let single: Vec<f32> = scores.iter().map(|s| *s as f32).collect();
        let tensors = [
            ("norm", embed, normed),
            ("local", width, &local),
            ("global", width, &global),
            ("mix", width, &mix),
            ("squeeze", s.squeeze.outputs, &squeeze),
            ("keep", heads, &keep),
            ("weigh", s.weigh.outputs, &weigh),
            ("weight", heads, &weight),
            ("score", 1, &single),
        ];
        for (name, cols, data) in tensors {
            self.record(format!("{prefix}.{name}"), cols, data);
        }
        scores
    }

    /// Runs a selector.
    pub(super) fn stage(&mut self, s: &FoldedSelector, tokens: &mut Tokens) {
        let embed = self.network.dims.embed;
        let rows = &tokens.x[..tokens.candidates_and_class * embed];
        let normed = norm_rows(rows, embed, self.network.options.eps);
        let scores = self.scores(&format!("selectors.{}", s.block), s, &normed);
        let keeps = |(i, score): (usize, &f64)| i == 0 || Ties::default().keeps(*score, f64::from(s.threshold));
        let mask = scores.iter().enumerate().map(keeps).collect();
        self.drop_tokens(s, &Decision { scores, mask }, tokens);
    }

    /// Drops tokens as it was decided.
    pub(super) fn drop_tokens(&mut self, s: &FoldedSelector, decision: &Decision, tokens: &mut Tokens) {
        let embed = self.network.dims.embed;
        let prefix = format!("selectors.{}", s.block);
        let numbers: Vec<f32> = decision.mask.iter().map(|kept| f32::from(u8::from(*kept))).collect();
        self.record(format!("{prefix}.mask"), 1, &numbers);
        let rows = tokens.candidates_and_class;
        let parts = tokens.count(s, decision);
        let package = (!parts.is_empty()).then(|| mean(&tokens.x, embed, &parts));
        let incoming = tokens.x.split_off(rows * embed);
        let kept = tokens.x.chunks(embed).zip(&decision.mask).filter(|(_, kept)| **kept);
        let mut x: Vec<f32> = kept.flat_map(|(row, _)| row).copied().collect();
        match package {
            Some(row) => {
                self.record(format!("{prefix}.package"), embed, &row);
                x.extend(row);
            }
            None => x.extend(incoming),
        }
        self.record(format!("{prefix}.tokens"), embed, &x);
        let counts = StageCounts { tokens: x.len() / embed, candidates_and_class: tokens.candidates_and_class };
        self.trace.stages.push(counts);
        tokens.x = x;
    }
}
