//! Why a weight file is refused.

use super::layout::SELECTORS;

/// What to do about a tensor that is missing.
fn add(tensor: &str) -> &'static str {
    if tensor.starts_with(SELECTORS) {
        "export the whole state dict or correct `stages` under [selectors]"
    } else if tensor.ends_with(".attn.qkv.bias") {
        "export the whole state dict or write qkv_bias = false under [model]"
    } else {
        "export the whole state dict of a network with the configured depth"
    }
}

/// What to do about a tensor of another shape.
fn reshape(tensor: &str) -> &'static str {
    if tensor.starts_with(SELECTORS) {
        "correct `head_weights` under [selectors] or the dimensions in the configuration, or use other weights"
    } else {
        "correct the dimensions in the configuration or use other weights"
    }
}

/// One violation of a weight file; the message names the tensor and the remedy.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WeightError {
    /// Not a safetensors file.
    #[error("not a readable safetensors file: {reason}; export the weights again")]
    Container {
        /// What the reader found.
        reason: String,
    },
    /// What PyTorch saves.
    #[error("it is a PyTorch checkpoint, no safetensors file; convert it with scripts/pth-to-safetensors")]
    PyTorch,
    /// A tensor that the configuration needs is absent.
    #[error("tensor `{tensor}` {expected:?} is missing; {}", add(tensor))]
    Missing {
        /// Tensor.
        tensor: String,
        /// Its shape.
        expected: Vec<usize>,
    },
    /// A tensor that the configuration does not know.
    #[error(
        "tensor `{tensor}` is not part of the configured network; correct depth and qkv_bias in the configuration, or use weights of a plain vision transformer"
    )]
    Extra {
        /// Tensor.
        tensor: String,
    },
    /// Names that stand behind another.
    #[error("its names begin with `{prefix}`; write them without it")]
    Prefix {
        /// What they begin with.
        prefix: &'static str,
    },
    /// A network with a second class token.
    #[error(
        "tensor `{tensor}` belongs to a distilled network, whose second class token and head the accelerator does not have; use the weights that were trained without them (deit_tiny_patch16_224 in place of deit_tiny_distilled_patch16_224)"
    )]
    Distilled {
        /// Tensor.
        tensor: String,
    },
    /// A network with a part that would be lost without the tensor.
    #[error(
        "tensor `{tensor}` belongs to a network with {part}, which is not supported; use weights that were trained without it"
    )]
    Unsupported {
        /// Tensor.
        tensor: String,
        /// What it has.
        part: &'static str,
    },
    /// Selectors are configured, the file has none.
    #[error(
        "it holds no token selectors, the configuration has them before the blocks {stages:?}; train them with `heatvit train` (built with --features train) or write enabled = false under [selectors]"
    )]
    NoSelectors {
        /// Configured.
        stages: Vec<usize>,
    },
    /// A selector that the configuration does not know.
    #[error(
        "tensor `{tensor}` belongs to a token selector that is not configured; write `stages` and enabled = true under [selectors], or use weights without selectors"
    )]
    ExtraSelector {
        /// Tensor.
        tensor: String,
    },
    /// A threshold that is no score.
    #[error("`{tensor}` is {value}; a threshold lies in 0..1, correct it in the file or train the selectors again")]
    Threshold {
        /// Tensor.
        tensor: String,
        /// As written.
        value: String,
    },
    /// Wrong shape.
    #[error("tensor `{tensor}` has the shape {found:?}, {expected:?} is needed; {}", reshape(tensor))]
    Shape {
        /// Tensor.
        tensor: String,
        /// Shape found.
        found: Vec<usize>,
        /// Shape needed.
        expected: Vec<usize>,
    },
    /// Wrong element type.
    #[error("tensor `{tensor}` holds {found}; convert it to F32, F16 or BF16")]
    Dtype {
        /// Tensor.
        tensor: String,
        /// Type found.
        found: String,
    },
    /// NaN or infinity.
    #[error("element {index} of tensor `{tensor}` is {value}; weights are finite numbers, train or export them again")]
    NotFinite {
        /// Tensor.
        tensor: String,
        /// Position.
        index: usize,
        /// As written.
        value: String,
    },
    /// The configured dimensions contradict each other.
    #[error(
        "{patch_inputs} inputs of a patch are not {channels} channels of a square; correct patch size or channels in the configuration"
    )]
    Patch {
        /// Inputs of a patch.
        patch_inputs: usize,
        /// Image channels.
        channels: usize,
    },
    /// Metadata of another form.
    #[error("the metadata is not a flat table of texts: {reason}; export the weights again")]
    Metadata {
        /// What the reader found.
        reason: String,
    },
    /// The network to be written is inconsistent.
    #[error(
        "tensor `{tensor}` has {found} elements, its shape needs {expected}; build the network from its dimensions"
    )]
    Length {
        /// Tensor.
        tensor: String,
        /// Elements found.
        found: usize,
        /// Elements needed.
        expected: usize,
    },
}
