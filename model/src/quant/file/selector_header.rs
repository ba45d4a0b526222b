//! The constants of a selector in the metadata of a quantized file.

use crate::quant::{GeluParams, PackageRule, RowScale, Selector};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SelectorHeader {
    pub(super) block: usize,
    pub(super) local_sel: u32,
    pub(super) local_gelu: GeluParams,
    pub(super) mean: RowScale,
    pub(super) mix_sel: u32,
    pub(super) mix_gelu: GeluParams,
    pub(super) squeeze_sel: u32,
    pub(super) squeeze_gelu: GeluParams,
    pub(super) keep_sel: u32,
    pub(super) weigh_sel: u32,
    pub(super) weigh_gelu: GeluParams,
    pub(super) weight_sel: u32,
    pub(super) threshold: u32,
    pub(super) package: PackageRule,
}

impl SelectorHeader {
    pub(super) fn of(s: &Selector) -> Self {
        Self {
            block: s.block,
            local_sel: s.local.sel,
            local_gelu: s.local_gelu,
            mean: s.mean,
            mix_sel: s.mix.sel,
            mix_gelu: s.mix_gelu,
            squeeze_sel: s.squeeze.sel,
            squeeze_gelu: s.squeeze_gelu,
            keep_sel: s.keep.sel,
            weigh_sel: s.weigh.sel,
            weigh_gelu: s.weigh_gelu,
            weight_sel: s.weight.sel,
            threshold: s.threshold,
            package: s.package,
        }
    }
}
