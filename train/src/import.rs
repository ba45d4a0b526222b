//! A trained network from its file, to compare it with other engines.

use burn::module::Param;
use burn::nn::{LayerNorm, Linear};
use burn::tensor::{Device, Tensor, TensorData};
use heatvit_model::data::{PATCHES, Sample};
use safetensors::tensor::Dtype;
use safetensors::{SafeTensorError, SafeTensors};

use crate::batch::PATCH_INPUTS;
use crate::network::Network;
use crate::pruned::PrunedNetwork;
use crate::selector::{HeadLinear, Selector};
use crate::{NetworkShape, SelectorSpec, TrainError, shards};

/// Logits of `samples`, one after the other, by the framework's forward pass with the weights of a file
/// that [`crate::train`] wrote for the same shape.
pub fn logits(shape: &NetworkShape, weights: &[u8], samples: &[Sample]) -> Result<Vec<f32>, TrainError> {
    let file = File { tensors: SafeTensors::deserialize(weights)?, device: Device::flex() };
    let network = file.network(shape)?;
    let chunks = samples.chunks(shards::EVALUATION_BATCH);
    Ok(chunks.flat_map(|chunk| shards::logits(&network, chunk)).collect())
}

/// The dense network of a file, to be taught by.
pub(crate) fn teacher(shape: &NetworkShape, dense: &[u8]) -> Result<Network, TrainError> {
    let file = File { tensors: SafeTensors::deserialize(dense)?, device: Device::flex() };
    file.network(shape)
}

/// The dense network of a file with random selectors, on a device with gradients.
pub(crate) fn pruned_for_training(
    shape: &NetworkShape,
    spec: &SelectorSpec,
    seed: u64,
    dense: &[u8],
    device: &Device,
) -> Result<PrunedNetwork, TrainError> {
    let file = File { tensors: SafeTensors::deserialize(dense)?, device: device.clone() };
    Ok(PrunedNetwork::new(file.network(shape)?, shape, spec, seed, device))
}

/// The network with selectors of a file, to be run.
pub(crate) fn pruned(shape: &NetworkShape, spec: &SelectorSpec, weights: &[u8]) -> Result<PrunedNetwork, TrainError> {
    let file = File { tensors: SafeTensors::deserialize(weights)?, device: Device::flex() };
    let mut network = PrunedNetwork::new(file.network(shape)?, shape, spec, 0, &file.device);
    for selector in &mut network.selectors {
        file.selector(selector)?;
    }
    Ok(network)
}

/// The thresholds of a file with selectors.
pub(crate) fn thresholds(spec: &SelectorSpec, weights: &[u8]) -> Result<Vec<f64>, TrainError> {
    let file = File { tensors: SafeTensors::deserialize(weights)?, device: Device::flex() };
    let threshold = |block: &usize| {
        let value: f32 = file.tensor::<1>(&format!("selectors.{block}.threshold"), [1])?.into_scalar();
        Ok(f64::from(value))
    };
    spec.stages.iter().map(threshold).collect()
}

struct File<'a> {
    tensors: SafeTensors<'a>,
    device: Device,
}

impl File<'_> {
    fn network(&self, shape: &NetworkShape) -> Result<Network, TrainError> {
        let (embed, hidden) = (shape.embed, shape.hidden);
        let mut network = Network::new(shape, 0, &self.device);
        network.cls_token = self.param("cls_token", [1, embed])?;
        network.pos_embed = self.param("pos_embed", [PATCHES + 1, embed])?;
        self.linear("patch_embed.proj", PATCH_INPUTS, &mut network.patch_embed)?;
        for (index, block) in network.blocks.iter_mut().enumerate() {
            let name = |part: &str| format!("blocks.{index}.{part}");
            self.norm(&name("norm1"), &mut block.norm1)?;
            self.linear(&name("attn.qkv"), embed, &mut block.qkv)?;
            self.linear(&name("attn.proj"), embed, &mut block.proj)?;
            self.norm(&name("norm2"), &mut block.norm2)?;
            self.linear(&name("mlp.fc1"), embed, &mut block.fc1)?;
            self.linear(&name("mlp.fc2"), hidden, &mut block.fc2)?;
        }
        self.norm("norm", &mut network.norm)?;
        self.linear("head", embed, &mut network.head)?;
        Ok(network)
    }

    /// The framework keeps `[inputs, outputs]`, the file `[outputs, inputs]`.
    fn linear(&self, name: &str, inputs: usize, layer: &mut Linear) -> Result<(), TrainError> {
        let [_, outputs] = layer.weight.dims();
        let stored: Tensor<2> = self.tensor(&format!("{name}.weight"), [outputs, inputs])?;
        layer.weight = Param::from_tensor(stored.transpose());
        layer.bias = Some(self.param(&format!("{name}.bias"), [outputs])?);
        Ok(())
    }

    fn selector(&self, selector: &mut Selector) -> Result<(), TrainError> {
        let name = |part: &str| format!("selectors.{}.{part}", selector.block);
        self.heads(&name("mlp1"), &mut selector.mlp1)?;
        for (index, layer) in selector.mlp2.iter_mut().enumerate() {
            self.heads(&name(&format!("mlp2.{index}")), layer)?;
        }
        for (index, layer) in selector.mlp3.iter_mut().enumerate() {
            let [inputs, _] = layer.weight.dims();
            self.linear(&name(&format!("mlp3.{index}")), inputs, layer)?;
        }
        Ok(())
    }

    fn heads(&self, name: &str, layer: &mut HeadLinear) -> Result<(), TrainError> {
        let [copies, inputs, outputs] = layer.weight.dims();
        let stored: Tensor<3> = self.tensor(&format!("{name}.weight"), [copies, outputs, inputs])?;
        layer.weight = Param::from_tensor(stored.swap_dims(1, 2));
        layer.bias = self.param(&format!("{name}.bias"), [copies, 1, outputs])?;
        Ok(())
    }

    fn norm(&self, name: &str, layer: &mut LayerNorm) -> Result<(), TrainError> {
        let shape = layer.gamma.dims();
        layer.gamma = self.param(&format!("{name}.weight"), shape)?;
        layer.beta = Some(self.param(&format!("{name}.bias"), shape)?);
        Ok(())
    }

    fn param<const D: usize>(&self, name: &str, shape: [usize; D]) -> Result<Param<Tensor<D>>, TrainError> {
        Ok(Param::from_tensor(self.tensor(name, shape)?))
    }

    /// Shapes are compared by size only: the file's have leading ones and a convolution's kernel.
    fn tensor<const D: usize>(&self, name: &str, shape: [usize; D]) -> Result<Tensor<D>, TrainError> {
        let view = self.tensors.tensor(name)?;
        let words = view.data().chunks_exact(4);
        let size: usize = shape.iter().product();
        if view.dtype() != Dtype::F32 || words.len() != size {
            return Err(SafeTensorError::TensorInvalidInfo.into());
        }
        let values: Vec<f32> =
            words.map(|word| f32::from_le_bytes(word.try_into().expect("chunks of four bytes"))).collect();
        Ok(Tensor::from_data(TensorData::new(values, shape), &self.device))
    }
}
