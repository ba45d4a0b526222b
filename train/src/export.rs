//! The trained network as a safetensors file in timm's names.

use std::collections::HashMap;

use burn::nn::{LayerNorm, Linear};
use burn::tensor::{Device, Tensor};
use heatvit_model::data::PATCH;
use heatvit_model::golden::selector::SCORE_ONE;
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensorError, SafeTensors};

use crate::TrainError;
use crate::network::Network;
use crate::pruned::PrunedNetwork;
use crate::selector::HeadLinear;

/// Key of the metadata. There is one only, because the file's writer takes a hash map, whose order
/// would change from run to run.
const METADATA_KEY: &str = "heatvit";

/// All tensors of a network with selectors, in f32.
pub(crate) fn pruned_to_safetensors(network: &PrunedNetwork) -> Result<Vec<u8>, TrainError> {
    let mut list = entries(&network.network);
    for selector in &network.selectors {
        let name = |part: &str| format!("selectors.{}.{part}", selector.block);
        heads(&mut list, &name("mlp1"), &selector.mlp1, selector.shared);
        for (index, layer) in selector.mlp2.iter().enumerate() {
            heads(&mut list, &name(&format!("mlp2.{index}")), layer, selector.shared);
        }
        for (index, layer) in selector.mlp3.iter().enumerate() {
            linear(&mut list, &name(&format!("mlp3.{index}")), layer);
        }
        push(&mut list, &name("threshold"), vec![1], Tensor::<1>::full([1], UNCALIBRATED, &Device::flex()));
    }
    serialise(&list, None)
}

/// A file of [`pruned_to_safetensors`] with other thresholds, in 1/512, for the selectors before `blocks`, and with
/// `metadata`, as one JSON string.
pub(crate) fn with_thresholds(
    file: &[u8],
    blocks: &[usize],
    thresholds: &[u32],
    metadata: Option<String>,
) -> Result<Vec<u8>, TrainError> {
    let tensors = SafeTensors::deserialize(file)?;
    let mut list: Vec<Entry> = tensors
        .iter()
        .map(|(name, view)| Entry { name: name.to_owned(), shape: view.shape().to_vec(), bytes: view.data().to_vec() })
        .collect();
    for (block, threshold) in blocks.iter().zip(thresholds) {
        let name = format!("selectors.{block}.threshold");
        let missing = || SafeTensorError::TensorNotFound(name.clone());
        let entry = list.iter_mut().find(|entry| entry.name == name).ok_or_else(missing)?;
        entry.bytes = (*threshold as f32 / SCORE_ONE as f32).to_le_bytes().to_vec();
    }
    serialise(&list, metadata.map(|json| HashMap::from([(METADATA_KEY.to_owned(), json)])))
}

/// The framework keeps `[heads, inputs, outputs]`, the file `[heads, outputs, inputs]`, without the first
/// dimension where all heads share their weights.
fn heads(list: &mut Vec<Entry>, name: &str, layer: &HeadLinear, shared: bool) {
    let weight = layer.weight.val();
    let [copies, inputs, outputs] = weight.dims();
    let copies: Vec<usize> = (!shared).then_some(copies).into_iter().collect();
    let shape = |rest: &[usize]| copies.iter().chain(rest).copied().collect();
    push(list, &format!("{name}.weight"), shape(&[outputs, inputs]), weight.swap_dims(1, 2));
    push(list, &format!("{name}.bias"), shape(&[outputs]), layer.bias.val());
}

/// Threshold of a stage before its calibration.
const UNCALIBRATED: f64 = 0.5;

struct Entry {
    name: String,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

/// All tensors in f32, with `metadata` as one JSON string.
pub(crate) fn to_safetensors(network: &Network, metadata: String) -> Result<Vec<u8>, TrainError> {
    let metadata = HashMap::from([(METADATA_KEY.to_owned(), metadata)]);
    serialise(&entries(network), Some(metadata))
}

fn serialise(entries: &[Entry], metadata: Option<HashMap<String, String>>) -> Result<Vec<u8>, TrainError> {
    let views = entries
        .iter()
        .map(|entry| TensorView::new(Dtype::F32, entry.shape.clone(), &entry.bytes).map(|view| (&entry.name, view)))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(safetensors::serialize(views, metadata)?)
}

fn entries(network: &Network) -> Vec<Entry> {
    let mut list = Vec::new();
    let [tokens, embed] = network.pos_embed.dims();
    push(&mut list, "cls_token", vec![1, 1, embed], network.cls_token.val());
    push(&mut list, "pos_embed", vec![1, tokens, embed], network.pos_embed.val());
    linear(&mut list, "patch_embed.proj", &network.patch_embed);
    // timm embeds patches with a convolution; its flattened weight is ours.
    for entry in &mut list {
        if entry.name == "patch_embed.proj.weight" {
            entry.shape = vec![embed, 1, PATCH, PATCH];
        }
    }
    for (index, block) in network.blocks.iter().enumerate() {
        let name = |part: &str| format!("blocks.{index}.{part}");
        norm(&mut list, &name("norm1"), &block.norm1);
        linear(&mut list, &name("attn.qkv"), &block.qkv);
        linear(&mut list, &name("attn.proj"), &block.proj);
        norm(&mut list, &name("norm2"), &block.norm2);
        linear(&mut list, &name("mlp.fc1"), &block.fc1);
        linear(&mut list, &name("mlp.fc2"), &block.fc2);
    }
    norm(&mut list, "norm", &network.norm);
    linear(&mut list, "head", &network.head);
    list
}

/// The framework keeps `[inputs, outputs]`, timm `[outputs, inputs]`.
fn linear(list: &mut Vec<Entry>, name: &str, layer: &Linear) {
    let weight = layer.weight.val();
    let [inputs, outputs] = weight.dims();
    push(list, &format!("{name}.weight"), vec![outputs, inputs], weight.transpose());
    if let Some(bias) = &layer.bias {
        push(list, &format!("{name}.bias"), vec![outputs], bias.val());
    }
}

fn norm(list: &mut Vec<Entry>, name: &str, layer: &LayerNorm) {
    let gamma = layer.gamma.val();
    let shape = gamma.dims().to_vec();
    push(list, &format!("{name}.weight"), shape.clone(), gamma);
    if let Some(beta) = &layer.beta {
        push(list, &format!("{name}.bias"), shape, beta.val());
    }
}

fn push<const D: usize>(list: &mut Vec<Entry>, name: &str, shape: Vec<usize>, tensor: Tensor<D>) {
    let bytes = tensor.into_data().iter::<f32>().flat_map(f32::to_le_bytes).collect();
    let name = name.to_owned();
    list.push(Entry { name, shape, bytes });
}
