//! Reads a quantized file.

use super::header::{BlockHeader, Header, Stamp};
use super::selector_header::SelectorHeader;
use super::{FORMAT, QuantFile, QuantFileError, VERSION};
use crate::quant::{Block, Dims, Linear, QuantNetwork, Selector, validate};
use crate::weights::open;
use safetensors::{Dtype, SafeTensors};
use std::collections::BTreeSet;

/// Reads a file and checks the network with [`validate`].
///
/// # Errors
/// The first violation.
pub fn from_bytes(bytes: &[u8]) -> Result<QuantFile, QuantFileError> {
    let (file, text) = open(bytes).map_err(|reason| QuantFileError::Container { reason })?;
    let header = parse_header(text)?;
    let unread = file.names().into_iter().map(str::to_owned).collect();
    let mut reader = Reader { file, unread };
    let file = reader.file(header)?;
    if let Some(tensor) = reader.unread.pop_first() {
        return Err(QuantFileError::Extra { tensor });
    }
    validate(&file.network)?;
    Ok(file)
}

/// A tensor that no float network has.
const MULTIPLIERS: &str = "patch_embed.proj.mult";

/// Whether a file holds a quantized network (of any version, or one that has lost its metadata), not float weights.
pub fn is_quantized(bytes: &[u8]) -> bool {
    let Ok((file, text)) = open(bytes) else { return false };
    let stamp = text.and_then(|text| serde_json::from_str::<Stamp>(&text).ok());
    stamp.is_some_and(|s| s.format == FORMAT) || file.tensor(MULTIPLIERS).is_ok()
}

fn parse_header(text: Option<String>) -> Result<Header, QuantFileError> {
    let text = text.ok_or(QuantFileError::Format)?;
    let stamp: Stamp = serde_json::from_str(&text).map_err(|_| QuantFileError::Format)?;
    if stamp.format != FORMAT {
        return Err(QuantFileError::Format);
    }
    if stamp.version != VERSION {
        return Err(QuantFileError::Version { found: stamp.version });
    }
    serde_json::from_str(&text).map_err(|e| QuantFileError::Constants { reason: e.to_string() })
}

/// The tensors that are still unread.
struct Reader<'a> {
    file: SafeTensors<'a>,
    unread: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    /// Bytes of a tensor; its form is checked before anything is allocated.
    fn tensor(&mut self, name: &str, dtype: Dtype, shape: &[usize]) -> Result<&'a [u8], QuantFileError> {
        let missing = |_| QuantFileError::Missing { tensor: name.to_owned() };
        let view = self.file.tensor(name).map_err(missing)?;
        if view.dtype() != dtype || view.shape() != shape {
            return Err(QuantFileError::Form {
                tensor: name.to_owned(),
                found: format!("{} {:?}", view.dtype(), view.shape()),
                expected: format!("{dtype} {shape:?}"),
            });
        }
        self.unread.remove(name);
        Ok(view.data())
    }

    fn linear(&mut self, name: String, inputs: usize, outputs: usize, sel: u32) -> Result<Linear, QuantFileError> {
        let weight = self.tensor(&format!("{name}.weight"), Dtype::I8, &[outputs, inputs])?;
        let bias = self.tensor(&format!("{name}.bias"), Dtype::I32, &[outputs])?;
        let mult = self.tensor(&format!("{name}.mult"), Dtype::U32, &[outputs])?;
        Ok(Linear {
            name,
            inputs,
            outputs,
            weight: weight.iter().map(|w| *w as i8).collect(),
            bias: bias.as_chunks::<4>().0.iter().map(|b| i32::from_le_bytes(*b)).collect(),
            mult: mult.as_chunks::<4>().0.iter().map(|b| u32::from_le_bytes(*b)).collect(),
            sel,
        })
    }

    fn block(&mut self, i: usize, h: &BlockHeader, d: &Dims, attention: usize) -> Result<Block, QuantFileError> {
        let name = |part: &str| format!("blocks.{i}.{part}");
        Ok(Block {
            norm1: h.norm1,
            q: self.linear(name("attn.q"), d.embed, attention, h.q_sel)?,
            k: self.linear(name("attn.k"), d.embed, attention, h.k_sel)?,
            v: self.linear(name("attn.v"), d.embed, attention, h.v_sel)?,
            scores: h.scores,
            attend: h.attend,
            proj: self.linear(name("attn.proj"), attention, d.embed, h.proj_sel)?,
            norm2: h.norm2,
            fc1: self.linear(name("mlp.fc1"), d.embed, d.mlp_hidden, h.fc1_sel)?,
            gelu: h.gelu,
            fc2: self.linear(name("mlp.fc2"), d.mlp_hidden, d.embed, h.fc2_sel)?,
        })
    }

    /// Shapes follow from the dimensions; [`validate`] refuses dimensions that selectors cannot have.
    fn selector(&mut self, h: &SelectorHeader, d: &Dims) -> Result<Selector, QuantFileError> {
        let name = |part: &str| format!("selectors.{}.{part}", h.block);
        let (half, quarter, hidden) = (d.embed / 2, d.embed / 4, d.weigh_hidden());
        Ok(Selector {
            block: h.block,
            local: self.linear(name("local"), d.embed, half, h.local_sel)?,
            local_gelu: h.local_gelu,
            mean: h.mean,
            mix: self.linear(name("mix"), 2 * half, half, h.mix_sel)?,
            mix_gelu: h.mix_gelu,
            squeeze: self.linear(name("squeeze"), half, quarter, h.squeeze_sel)?,
            squeeze_gelu: h.squeeze_gelu,
            keep: self.linear(name("keep"), quarter, d.heads, h.keep_sel)?,
            weigh: self.linear(name("weigh"), d.embed, hidden, h.weigh_sel)?,
            weigh_gelu: h.weigh_gelu,
            weight: self.linear(name("weight"), hidden, d.heads, h.weight_sel)?,
            threshold: h.threshold,
            package: h.package,
        })
    }

    fn file(&mut self, h: Header) -> Result<QuantFile, QuantFileError> {
        let d = h.dims;
        let too_large = || QuantFileError::Constants { reason: "heads x head_dim is out of range".to_owned() };
        let attention = d.heads.checked_mul(d.head_dim).ok_or_else(too_large)?;
        let pos = self.tensor("pos", Dtype::I16, &[d.tokens, d.embed])?;
        let embed = self.linear("patch_embed.proj".to_owned(), d.patch_inputs, d.embed, h.embed_sel)?;
        let mut blocks = Vec::with_capacity(h.blocks.len());
        for (i, block) in h.blocks.iter().enumerate() {
            blocks.push(self.block(i, block, &d, attention)?);
        }
        let mut selectors = Vec::with_capacity(h.selectors.len());
        for selector in &h.selectors {
            selectors.push(self.selector(selector, &d)?);
        }
        let head = self.linear("head".to_owned(), d.embed, d.classes, h.head_sel)?;
        let network = QuantNetwork {
            name: h.name,
            dims: d,
            embed,
            pos: pos.as_chunks::<2>().0.iter().map(|b| i16::from_le_bytes(*b)).collect(),
            blocks,
            selectors,
            norm: h.norm,
            head,
            residual_step: h.residual_step,
            logit_step: h.logit_step,
        };
        Ok(QuantFile { network, origin: h.origin })
    }
}
