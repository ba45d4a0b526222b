//! A selector stage of the forward pass: the selector's products, the decision, the shorter stream.

use super::network::{Tables, norm_rows};
use super::product::linear;
use super::selector::{decide, global_mean, package, score};
use super::trace::{StageCounts, Trace};
use crate::layernorm::NormParams;
use crate::poly::gelu::{GeluParams, gelu};
use crate::quant::{Dims, Linear, PackageRule, Selector};

/// The residual stream and what its rows are.
pub(super) struct Tokens {
    /// `[rows][embed]`: class token, candidates, package.
    pub x: Vec<i32>,
    /// Rows before the package.
    pub candidates_and_class: usize,
    /// Weight of the package, the last row, if there is one.
    pub package: Option<u32>,
}

fn activated(input: &[i32], l: &Linear, params: &GeluParams) -> Vec<i32> {
    linear(input, l, 16).iter().map(|v| gelu(*v, params)).collect()
}

/// Scores of all rows but the package.
fn scores(trace: &mut Trace, prefix: &str, s: &Selector, normed: &[i32], d: &Dims, tables: &Tables) -> Vec<u32> {
    let local = activated(normed, &s.local, &s.local_gelu);
    let width = s.local.outputs;
    let global = global_mean(&local, width, s.mean, &tables.recip);
    let both: Vec<i32> = local.chunks(width).flat_map(|row| row.iter().chain(&global)).copied().collect();
    let mix = activated(&both, &s.mix, &s.mix_gelu);
    let squeeze = activated(&mix, &s.squeeze, &s.squeeze_gelu);
    let keep = linear(&squeeze, &s.keep, 16);
    let weigh = activated(normed, &s.weigh, &s.weigh_gelu);
    let weight = linear(&weigh, &s.weight, 16);
    let scores: Vec<u32> = keep.chunks(d.heads).zip(weight.chunks(d.heads)).map(|(k, w)| score(k, w)).collect();
    let signed: Vec<i32> = scores.iter().map(|s| *s as i32).collect();
    let tensors = [
        ("norm", d.embed, normed),
        ("local", width, &local),
        ("global", width, &global),
        ("mix", width, &mix),
        ("squeeze", s.squeeze.outputs, &squeeze),
        ("keep", d.heads, &keep),
        ("weigh", s.weigh.outputs, &weigh),
        ("weight", d.heads, &weight),
        ("score", 1, &signed),
    ];
    for (name, cols, data) in tensors {
        trace.record(format!("{prefix}.{name}"), cols, data);
    }
    scores
}

/// Runs a selector; `norm` is that of the block behind it.
pub(super) fn stage(
    trace: &mut Trace,
    s: &Selector,
    norm: &NormParams,
    d: &Dims,
    tokens: &mut Tokens,
    tables: &Tables,
) {
    let prefix = format!("selectors.{}", s.block);
    let normed = norm_rows(&tokens.x[..tokens.candidates_and_class * d.embed], d.embed, norm, tables);
    let scores = scores(trace, &prefix, s, &normed, d, tables);
    let mask = decide(&scores, s.threshold);
    trace.record(format!("{prefix}.mask"), 1, &mask.iter().map(|kept| i32::from(*kept)).collect::<Vec<_>>());
    let made = match s.package {
        PackageRule::Merged => package(&tokens.x, d.embed, &scores, &mask, tokens.package),
        PackageRule::None => None,
    };
    let incoming = tokens.x.split_off(tokens.candidates_and_class * d.embed);
    let kept = tokens.x.chunks(d.embed).zip(&mask).filter(|(_, kept)| **kept);
    let mut x: Vec<i32> = kept.flat_map(|(row, _)| row).copied().collect();
    tokens.candidates_and_class = x.len() / d.embed;
    match made {
        Some(made) => {
            trace.record(format!("{prefix}.package"), d.embed, &made.row);
            x.extend(made.row);
            tokens.package = Some(made.weight);
        }
        None => x.extend(incoming),
    }
    trace.record(format!("{prefix}.tokens"), d.embed, &x);
    trace.stages.push(StageCounts { tokens: x.len() / d.embed, candidates_and_class: tokens.candidates_and_class });
    tokens.x = x;
}
