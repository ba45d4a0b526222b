//! A selector stage of the forward pass: the selector's products, the decision, the shorter stream.

use super::forward::{Buffers, Forward, activated, linear, show, show_rows};
use super::model::SelectorProducts;
use super::observer::Observer;
use super::rows::Rows;
use super::selector::{decide, global_mean, package, score};
use super::trace::StageCounts;
use super::units::INT16_MAX;
use crate::quant::{NormParams, PackageRule, Selector};

/// Tensors of a selector.
#[derive(Debug, Default)]
pub(super) struct Features {
    local: Rows,
    /// Local features beside global ones.
    both: Rows,
    mix: Rows,
    squeeze: Rows,
    keep: Rows,
    weigh: Rows,
    weight: Rows,
}

/// Elements as the definitions take them.
fn wide(rows: &Rows) -> Vec<i32> {
    rows.iter().flatten().map(|v| i32::from(*v)).collect()
}

impl<O: Observer> Forward<'_, '_, O> {
    /// Scores of the rows that are normalised.
    fn scores(&mut self, s: &Selector, p: &SelectorProducts) -> Vec<u32> {
        let how = self.how;
        let Buffers { normed, selector: f, .. } = &mut *self.buffers;
        activated(how, normed, &p.local, &s.local_gelu, &mut f.local);
        let global = global_mean(&wide(&f.local), s.local.outputs, s.mean, &self.model.tables.recip);
        let narrow: Vec<i16> = global.iter().map(|v| *v as i16).collect();
        let both: Vec<Vec<i16>> = f.local.iter().map(|row| [row, &narrow].concat()).collect();
        f.both.fill(2 * s.local.outputs, both.iter().map(Vec::as_slice));
        activated(how, &f.both, &p.mix, &s.mix_gelu, &mut f.mix);
        activated(how, &f.mix, &p.squeeze, &s.squeeze_gelu, &mut f.squeeze);
        linear(how, &f.squeeze, &p.keep, INT16_MAX, &mut f.keep);
        activated(how, normed, &p.weigh, &s.weigh_gelu, &mut f.weigh);
        linear(how, &f.weigh, &p.weight, INT16_MAX, &mut f.weight);
        let (keep, weight, heads) = (wide(&f.keep), wide(&f.weight), self.model.network.dims.heads);
        let scores: Vec<u32> = keep.chunks(heads).zip(weight.chunks(heads)).map(|(k, w)| score(k, w)).collect();
        let b = s.block;
        show_rows(self.observer, format_args!("selectors.{b}.norm"), normed);
        show_rows(self.observer, format_args!("selectors.{b}.local"), &f.local);
        show(self.observer, format_args!("selectors.{b}.global"), s.local.outputs, &global);
        let tensors = [&f.mix, &f.squeeze, &f.keep, &f.weigh, &f.weight];
        for (name, rows) in ["mix", "squeeze", "keep", "weigh", "weight"].into_iter().zip(tensors) {
            show_rows(self.observer, format_args!("selectors.{b}.{name}"), rows);
        }
        self.observer.tensor(format_args!("selectors.{b}.score"), 1, &mut scores.iter().map(|s| *s as i32));
        scores
    }

    /// Runs a selector; `norm` is that of the block behind it.
    pub(super) fn stage(&mut self, s: &Selector, products: &SelectorProducts, norm: &NormParams) {
        let embed = self.model.network.dims.embed;
        self.norm(self.buffers.tokens.candidates_and_class, norm);
        let scores = self.scores(s, products);
        let mask = decide(&scores, s.threshold);
        show(self.observer, format_args!("selectors.{}.mask", s.block), 1, &mask);
        let tokens = &mut self.buffers.tokens;
        let stream: Vec<i32> = tokens.x.iter().map(|x| i32::from(*x)).collect();
        let made = match s.package {
            PackageRule::Merged => package(&stream, embed, &scores, &mask, tokens.package),
            PackageRule::None => None,
        };
        let incoming = tokens.x.split_off(tokens.candidates_and_class * embed);
        let kept = tokens.x.chunks(embed).zip(&mask).filter(|(_, kept)| **kept);
        let mut x: Vec<i16> = kept.flat_map(|(row, _)| row).copied().collect();
        tokens.candidates_and_class = x.len() / embed;
        match made {
            Some(made) => {
                show(self.observer, format_args!("selectors.{}.package", s.block), embed, &made.row);
                x.extend(made.row.iter().map(|v| *v as i16));
                tokens.package = Some(made.weight);
            }
            None => x.extend(incoming),
        }
        show(self.observer, format_args!("selectors.{}.tokens", s.block), embed, &x);
        let counts = StageCounts { tokens: x.len() / embed, candidates_and_class: tokens.candidates_and_class };
        self.observer.stage(counts);
        tokens.x = x;
    }
}
