//! The metadata of a quantized file.

use super::selector_header::SelectorHeader;
use super::{FORMAT, Origin, VERSION};
use crate::quant::{Block, Dims, GeluParams, NormParams, QuantNetwork, RowScale, ScoreScale};
use serde::{Deserialize, Serialize};

/// Format and version, read before anything else.
#[derive(Deserialize)]
pub(super) struct Stamp {
    pub(super) format: String,
    pub(super) version: u32,
}

/// All scalar constants.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) format: String,
    pub(super) version: u32,
    pub(super) name: String,
    pub(super) dims: Dims,
    pub(super) origin: Origin,
    pub(super) residual_step: f64,
    pub(super) logit_step: f64,
    pub(super) embed_sel: u32,
    pub(super) blocks: Vec<BlockHeader>,
    pub(super) norm: NormParams,
    pub(super) head_sel: u32,
    pub(super) selectors: Vec<SelectorHeader>,
}

/// Those of a block.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BlockHeader {
    pub(super) norm1: NormParams,
    pub(super) q_sel: u32,
    pub(super) k_sel: u32,
    pub(super) v_sel: u32,
    pub(super) scores: ScoreScale,
    pub(super) attend: RowScale,
    pub(super) proj_sel: u32,
    pub(super) norm2: NormParams,
    pub(super) fc1_sel: u32,
    pub(super) gelu: GeluParams,
    pub(super) fc2_sel: u32,
}

impl Header {
    pub(super) fn of(network: &QuantNetwork, origin: &Origin) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            name: network.name.clone(),
            dims: network.dims.clone(),
            origin: origin.clone(),
            residual_step: network.residual_step,
            logit_step: network.logit_step,
            embed_sel: network.embed.sel,
            blocks: network.blocks.iter().map(BlockHeader::of).collect(),
            norm: network.norm,
            head_sel: network.head.sel,
            selectors: network.selectors.iter().map(SelectorHeader::of).collect(),
        }
    }
}

impl BlockHeader {
    fn of(b: &Block) -> Self {
        Self {
            norm1: b.norm1,
            q_sel: b.q.sel,
            k_sel: b.k.sel,
            v_sel: b.v.sel,
            scores: b.scores,
            attend: b.attend,
            proj_sel: b.proj.sel,
            norm2: b.norm2,
            fc1_sel: b.fc1.sel,
            gelu: b.gelu,
            fc2_sel: b.fc2.sel,
        }
    }
}
