//! The report as text.

use super::{Decisions, Report, TensorReport};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Layers that the short table names.
const WORST_LAYERS: usize = 3;

/// A tensor's name without the numbers of block and head.
fn kind(name: &str) -> String {
    let parts = name.split('.').map(|part| if part.parse::<usize>().is_ok() { "*" } else { part });
    parts.collect::<Vec<_>>().join(".").trim_end_matches(".*").to_owned()
}

fn db(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |db| format!("{db:.1}"))
}

/// The tensor with the least ratio.
fn worst<'a>(tensors: &[&'a TensorReport], of: impl Fn(&TensorReport) -> Option<f64>) -> Option<(f64, &'a str)> {
    let known = tensors.iter().filter_map(|t| of(t).map(|db| (db, t.name.as_str())));
    known.min_by(|a, b| a.0.total_cmp(&b.0))
}

fn line(out: &mut String, name: &str, tensors: &[&TensorReport]) {
    let operator = worst(tensors, |t| t.operator_db);
    let least = |of: fn(&TensorReport) -> Option<f64>| db(worst(tensors, of).map(|(value, _)| value));
    let clipped = tensors.iter().map(|t| t.clipped).fold(0.0, f64::max);
    let _ = writeln!(
        out,
        "{name:<24} {:>5} {:>9} {:>9} {:>9} {:>9.4}  {}",
        tensors.len(),
        db(operator.map(|(value, _)| value)),
        least(|t| t.accumulated_db),
        least(|t| t.polynomial_db),
        100.0 * clipped,
        operator.map_or("", |(_, name)| name)
    );
}

fn decisions(out: &mut String, what: &str, decisions: Option<&Decisions>) {
    let Some(d) = decisions else { return };
    let percent = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), |s| format!("{:.2} %", 100.0 * s));
    let _ = writeln!(
        out,
        "{what:<24} {} of {} agree; {} of {} within {} of the threshold",
        percent(d.agreement()),
        d.all,
        percent(d.close_agreement()),
        d.close,
        super::CLOSE
    );
}

impl Report {
    /// A line for each kind of tensor: how many there are, the least ratios among them in dB (operator alone,
    /// accumulated from the image, polynomials against exact functions), the largest share of clipped elements in
    /// percent, and the tensor whose operator is worst. Then logits, layers and decisions.
    pub fn table(&self) -> String {
        let mut kinds: Vec<String> = Vec::new();
        let mut members: BTreeMap<String, Vec<&TensorReport>> = BTreeMap::new();
        for t in &self.tensors {
            let kind = kind(&t.name);
            if !members.contains_key(&kind) {
                kinds.push(kind.clone());
            }
            members.entry(kind).or_default().push(t);
        }
        let mut out = format!(
            "{:<24} {:>5} {:>9} {:>9} {:>9} {:>9}  worst operator\n",
            "tensor", "", "operator", "image", "poly", "clipped %"
        );
        for kind in &kinds {
            line(&mut out, kind, members.get(kind).map_or(&[], |m| m));
        }
        let _ = writeln!(
            out,
            "{:<24} least {:.5}, mean {:.5}",
            "cosine of the logits", self.cosine.least, self.cosine.mean
        );
        let poly = &self.polynomial_cosine;
        let _ = writeln!(out, "{:<24} least {:.5}, mean {:.5}", "polynomials alone", poly.least, poly.mean);
        let _ = writeln!(out, "{:<24} {:.2} % of {} images", "same class", 100.0 * self.same_class, self.images);
        let mut layers: Vec<_> = self.layers.iter().collect();
        layers.sort_by(|a, b| a.logits_db.unwrap_or(f64::INFINITY).total_cmp(&b.logits_db.unwrap_or(f64::INFINITY)));
        let named: Vec<String> =
            layers.iter().take(WORST_LAYERS).map(|l| format!("{} {} dB", l.layer, db(l.logits_db))).collect();
        if !named.is_empty() {
            let _ = writeln!(out, "{:<24} {}", "logits lose most in", named.join(", "));
        }
        decisions(&mut out, "decisions, operator", self.decisions_operator.as_ref());
        decisions(&mut out, "decisions, image", self.decisions_accumulated.as_ref());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_no_numbers() {
        assert_eq!(kind("blocks.11.attn.exp.2"), "blocks.*.attn.exp");
        assert_eq!(kind("selectors.3.score"), "selectors.*.score");
        assert_eq!(kind("norm"), "norm");
    }
}
