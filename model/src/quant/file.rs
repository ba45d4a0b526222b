//! The quantized network as one file (docs/weights.md): a safetensors container whose single metadata entry
//! holds format, version and all scalar constants as JSON.

use super::selector_header::SelectorHeader;
use super::{
    Block, Dims, GeluParams, Linear, NormParams, QuantError, QuantNetwork, RowScale, ScoreScale, Selector, validate,
};
use crate::weights::{METADATA_KEY, open};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};

/// Name of the format in the metadata.
const FORMAT: &str = "heatvit-int8";
/// Version that this code reads and writes.
pub const VERSION: u32 = 3;

/// Why a quantized file is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum QuantFileError {
    /// Not a safetensors file.
    #[error("not a readable safetensors file: {reason}; quantize the network again")]
    Container {
        /// What the reader found.
        reason: String,
    },
    /// A safetensors file of something else.
    #[error("the file holds no `{FORMAT}` network; pass float weights to `quantize` first")]
    Format,
    /// Written by another version.
    #[error("the file has version {found}, this program reads version {VERSION}; quantize the network again")]
    Version {
        /// Version found.
        found: u32,
    },
    /// The constants do not parse.
    #[error("the network's constants are not as expected: {reason}; quantize the network again")]
    Constants {
        /// What the reader found.
        reason: String,
    },
    /// A tensor is absent.
    #[error("tensor `{tensor}` is missing; quantize the network again")]
    Missing {
        /// Tensor.
        tensor: String,
    },
    /// A tensor that the constants do not mention.
    #[error("tensor `{tensor}` is not part of the network; quantize the network again")]
    Extra {
        /// Tensor.
        tensor: String,
    },
    /// Wrong type or shape.
    #[error("tensor `{tensor}` is {found}, {expected} is needed; quantize the network again")]
    Form {
        /// Tensor.
        tensor: String,
        /// Type and shape found.
        found: String,
        /// Type and shape needed.
        expected: String,
    },
    /// Values out of range.
    #[error(transparent)]
    Illegal(#[from] QuantError),
}

/// Format and version, read before anything else.
#[derive(Deserialize)]
struct Stamp {
    format: String,
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    version: u32,
    name: String,
    dims: Dims,
    residual_step: f64,
    logit_step: f64,
    embed_sel: u32,
    blocks: Vec<BlockHeader>,
    norm: NormParams,
    head_sel: u32,
    selectors: Vec<SelectorHeader>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BlockHeader {
    norm1: NormParams,
    q_sel: u32,
    k_sel: u32,
    v_sel: u32,
    scores: ScoreScale,
    attend: RowScale,
    proj_sel: u32,
    norm2: NormParams,
    fc1_sel: u32,
    gelu: GeluParams,
    fc2_sel: u32,
}

fn block_header(b: &Block) -> BlockHeader {
    BlockHeader {
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

fn container(e: &dyn std::fmt::Display) -> QuantFileError {
    QuantFileError::Container { reason: e.to_string() }
}

impl QuantNetwork {
    /// The network as a file. Equal networks give equal bytes.
    ///
    /// # Errors
    /// The network is not legal.
    pub fn to_bytes(&self) -> Result<Vec<u8>, QuantFileError> {
        validate(self)?;
        let header = Header {
            format: FORMAT.to_owned(),
            version: VERSION,
            name: self.name.clone(),
            dims: self.dims.clone(),
            residual_step: self.residual_step,
            logit_step: self.logit_step,
            embed_sel: self.embed.sel,
            blocks: self.blocks.iter().map(block_header).collect(),
            norm: self.norm,
            head_sel: self.head.sel,
            selectors: self.selectors.iter().map(SelectorHeader::of).collect(),
        };
        let mut parts: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
        for l in self.linears() {
            let mut part =
                |name: &str, dtype, shape, data| parts.push((format!("{}.{name}", l.name), dtype, shape, data));
            let weight = l.weight.iter().map(|w| *w as u8).collect();
            part("weight", Dtype::I8, vec![l.outputs, l.inputs], weight);
            part("bias", Dtype::I32, vec![l.outputs], l.bias.iter().flat_map(|b| b.to_le_bytes()).collect());
            part("mult", Dtype::U32, vec![l.outputs], l.mult.iter().flat_map(|m| m.to_le_bytes()).collect());
        }
        let pos = self.pos.iter().flat_map(|p| p.to_le_bytes()).collect();
        parts.push(("pos".to_owned(), Dtype::I16, vec![self.dims.tokens, self.dims.embed], pos));
        let mut views = Vec::with_capacity(parts.len());
        for (name, dtype, shape, data) in &parts {
            let view = TensorView::new(*dtype, shape.clone(), data).map_err(|e| container(&e))?;
            views.push((name.as_str(), view));
        }
        let text = serde_json::to_string(&header).map_err(|e| container(&e))?;
        let info = HashMap::from([(METADATA_KEY.to_owned(), text)]);
        safetensors::serialize(views, Some(info)).map_err(|e| container(&e))
    }

    /// Reads a file and checks the network with [`validate`].
    ///
    /// # Errors
    /// The first violation.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, QuantFileError> {
        let (file, text) = open(bytes).map_err(|reason| QuantFileError::Container { reason })?;
        let header = parse_header(text)?;
        let unread = file.names().into_iter().map(str::to_owned).collect();
        let mut reader = Reader { file, unread };
        let network = reader.network(header)?;
        if let Some(tensor) = reader.unread.pop_first() {
            return Err(QuantFileError::Extra { tensor });
        }
        validate(&network)?;
        Ok(network)
    }
}

/// Whether a file holds a quantized network (of any version), not float weights.
pub fn is_quantized(bytes: &[u8]) -> bool {
    let stamp = open(bytes).ok().and_then(|(_, text)| serde_json::from_str::<Stamp>(&text?).ok());
    stamp.is_some_and(|s| s.format == FORMAT)
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

    fn network(&mut self, h: Header) -> Result<QuantNetwork, QuantFileError> {
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
        Ok(QuantNetwork {
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
        })
    }
}
