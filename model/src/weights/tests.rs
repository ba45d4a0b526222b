//! Round trips and every refusal with its whole message.

use super::*;
use crate::float::{FloatNetwork, NetworkOptions};
use crate::quant::Dims;
use crate::selector::{HeadWeights, PackageRule, SelectorOptions};
use half::{bf16, f16};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::collections::BTreeMap;

fn dims() -> Dims {
    Dims { tokens: 3, patch_inputs: 4, embed: 6, depth: 2, heads: 2, head_dim: 4, mlp_hidden: 5, classes: 3 }
}

fn options() -> NetworkOptions {
    NetworkOptions { channels: 1, ..NetworkOptions::default() }
}

fn sample() -> Vec<u8> {
    to_bytes(&FloatNetwork::random(&dims(), &options(), 3), &BTreeMap::new()).unwrap()
}

type Parts = BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>;

/// The sample file with its tensors changed by `edit`.
fn edited(edit: impl Fn(&mut Parts)) -> Vec<u8> {
    let bytes = sample();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut parts: Parts = file
        .tensors()
        .into_iter()
        .map(|(name, view)| (name, (view.dtype(), view.shape().to_vec(), view.data().to_vec())))
        .collect();
    edit(&mut parts);
    let views =
        parts.iter().map(|(n, (dtype, shape, data))| (n, TensorView::new(*dtype, shape.clone(), data).unwrap()));
    safetensors::serialize(views, None).unwrap()
}

fn refusal(bytes: &[u8]) -> String {
    from_bytes(bytes, &dims(), &options()).unwrap_err().to_string()
}

#[test]
fn a_network_survives_the_file() {
    let network = FloatNetwork::random(&dims(), &options(), 3);
    let notes = BTreeMap::from([("accuracy".to_owned(), "0.95".to_owned()), ("a".to_owned(), "b".to_owned())]);
    let bytes = to_bytes(&network, &notes).unwrap();
    assert_eq!(bytes, to_bytes(&network, &notes).unwrap());
    assert_eq!(from_bytes(&bytes, &dims(), &options()).unwrap(), network);
    assert_eq!(metadata(&bytes).unwrap(), notes);
}

#[test]
fn half_precision_is_read() {
    let network = FloatNetwork::random(&dims(), &options(), 3);
    for dtype in [Dtype::F16, Dtype::BF16] {
        let bytes = edited(|parts| {
            for part in parts.values_mut() {
                let values = part.2.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b));
                let halves = values.flat_map(|v| match dtype {
                    Dtype::F16 => f16::from_f32(v).to_le_bytes(),
                    _ => bf16::from_f32(v).to_le_bytes(),
                });
                *part = (dtype, part.1.clone(), halves.collect());
            }
        });
        let read = from_bytes(&bytes, &dims(), &options()).unwrap();
        let error = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
        assert!(error(&read.blocks[1].fc1.weight, &network.blocks[1].fc1.weight) < 4e-3);
    }
}

#[test]
fn no_qkv_bias_is_a_zero_bias() {
    let options = NetworkOptions { qkv_bias: false, ..options() };
    let network = FloatNetwork::random(&dims(), &options, 5);
    let bytes = to_bytes(&network, &BTreeMap::new()).unwrap();
    assert_eq!(from_bytes(&bytes, &dims(), &options).unwrap(), network);
    assert_eq!(
        refusal(&bytes),
        "tensor `blocks.0.attn.qkv.bias` [24] is missing; export the whole state dict or write qkv_bias = false under [model]"
    );
}

#[test]
fn refusals_name_tensor_and_remedy() {
    let extra = edited(|p| {
        p.insert("extra.bias".to_owned(), (Dtype::F32, vec![1], vec![0; 4]));
    });
    assert_eq!(
        refusal(&extra),
        "tensor `extra.bias` is not part of the configured network; correct depth and qkv_bias in the configuration, or \
         use weights of a plain vision transformer"
    );
    let behind = edited(|p| *p = std::mem::take(p).into_iter().map(|(n, v)| (format!("model.{n}"), v)).collect());
    assert_eq!(refusal(&behind), "its names begin with `model.`; write them without it");
    // Without these tensors it would be another network. One with the mean of all tokens has no `norm`.
    let mean = "the mean of all tokens in place of the class token";
    for (tensor, part) in
        [("blocks.0.ls1.gamma", "LayerScale"), ("blocks.1.ls2.gamma", "LayerScale"), ("fc_norm.weight", mean)]
    {
        let file = edited(|p| {
            p.insert(tensor.to_owned(), (Dtype::F32, vec![1], vec![0; 4]));
            p.remove("norm.weight");
        });
        assert_eq!(
            refusal(&file),
            format!(
                "tensor `{tensor}` belongs to a network with {part}, which is not supported; use weights that were trained without it"
            )
        );
    }
    // A distilled network has one position more, too; that is not what is said about it.
    let distilled = edited(|p| {
        p.insert("dist_token".to_owned(), (Dtype::F32, vec![1, 1, 6], vec![0; 24]));
        *p.get_mut("pos_embed").unwrap() = (Dtype::F32, vec![1, 4, 6], vec![0; 96]);
    });
    assert_eq!(
        refusal(&distilled),
        "tensor `dist_token` belongs to a distilled network, whose second class token and head the accelerator does not \
         have; use the weights that were trained without them (deit_tiny_patch16_224 in place of \
         deit_tiny_distilled_patch16_224)"
    );
    let shape = edited(|p| p.get_mut("head.weight").unwrap().1 = vec![6, 3]);
    assert_eq!(
        refusal(&shape),
        "tensor `head.weight` has the shape [6, 3], [3, 6] is needed; correct the dimensions in the configuration or use other weights"
    );
    let dtype = edited(|p| p.get_mut("norm.bias").unwrap().0 = Dtype::I32);
    assert_eq!(refusal(&dtype), "tensor `norm.bias` holds I32; convert it to F32, F16 or BF16");
    let nan = edited(|p| p.get_mut("norm.bias").unwrap().2[4..8].copy_from_slice(&f32::NAN.to_le_bytes()));
    assert_eq!(
        refusal(&nan),
        "element 1 of tensor `norm.bias` is NaN; weights are finite numbers, train or export them again"
    );
    let patch = from_bytes(&sample(), &dims(), &NetworkOptions { channels: 3, ..options() }).unwrap_err().to_string();
    assert_eq!(
        patch,
        "4 inputs of a patch are not 3 channels of a square; correct patch size or channels in the configuration"
    );
}

#[test]
fn the_largest_number_is_found_by_its_tensor() {
    let mut network = FloatNetwork::random(&dims(), &options(), 3);
    network.blocks[1].fc1.bias[2] = -1e6;
    assert_eq!(largest(&network), ("blocks.1.mlp.fc1.bias".to_owned(), 1e6));
}

/// With selectors: heads of four channels.
fn selector_dims() -> Dims {
    Dims { embed: 12, heads: 3, head_dim: 4, ..dims() }
}

fn selector_options(head_weights: HeadWeights) -> NetworkOptions {
    let selectors = SelectorOptions { stages: vec![0, 1], head_weights, package: PackageRule::Merged };
    NetworkOptions { selectors, ..options() }
}

fn selector_sample(head_weights: HeadWeights) -> FloatNetwork {
    FloatNetwork::random(&selector_dims(), &selector_options(head_weights), 3)
}

#[test]
fn selectors_survive_the_file_under_their_names_and_shapes() {
    for (head_weights, heads) in [(HeadWeights::Separate, Some(3)), (HeadWeights::Shared, None)] {
        let mut network = selector_sample(head_weights);
        network.selectors[1].threshold = 0.375;
        let bytes = to_bytes(&network, &BTreeMap::new()).unwrap();
        assert_eq!(from_bytes(&bytes, &selector_dims(), &selector_options(head_weights)).unwrap(), network);
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let per_head = [
            ("mlp1.weight", vec![2, 4]),
            ("mlp1.bias", vec![2]),
            ("mlp2.0.weight", vec![2, 4]),
            ("mlp2.0.bias", vec![2]),
            ("mlp2.1.weight", vec![1, 2]),
            ("mlp2.1.bias", vec![1]),
            ("mlp2.2.weight", vec![2, 1]),
            ("mlp2.2.bias", vec![2]),
        ];
        for (name, shape) in per_head {
            let shape: Vec<usize> = heads.into_iter().chain(shape).collect();
            assert_eq!(file.tensor(&format!("selectors.1.{name}")).unwrap().shape(), shape, "{name}");
        }
        let common = [
            ("mlp3.0.weight", vec![1, 3]),
            ("mlp3.0.bias", vec![1]),
            ("mlp3.1.weight", vec![3, 1]),
            ("mlp3.1.bias", vec![3]),
            ("threshold", vec![1]),
        ];
        for (name, shape) in common {
            assert_eq!(file.tensor(&format!("selectors.0.{name}")).unwrap().shape(), shape, "{name}");
        }
    }
}

#[test]
fn refusals_of_selectors_name_tensor_and_remedy() {
    let network = selector_sample(HeadWeights::Separate);
    let bytes = to_bytes(&network, &BTreeMap::new()).unwrap();
    let refusal =
        |bytes: &[u8], options: &NetworkOptions| from_bytes(bytes, &selector_dims(), options).unwrap_err().to_string();
    assert_eq!(
        refusal(&bytes, &options()),
        "tensor `selectors.0.mlp1.bias` belongs to a token selector that is not configured; write `stages` and \
         enabled = true under [selectors], or use weights without selectors"
    );
    let dense = FloatNetwork::random(&selector_dims(), &options(), 3);
    assert_eq!(
        refusal(&to_bytes(&dense, &BTreeMap::new()).unwrap(), &selector_options(HeadWeights::Separate)),
        "it holds no token selectors, the configuration has them before the blocks [0, 1]; train them with \
         `heatvit train` (built with --features train) or write enabled = false under [selectors]"
    );
    assert_eq!(
        refusal(&bytes, &selector_options(HeadWeights::Shared)),
        "tensor `selectors.0.mlp1.weight` has the shape [3, 2, 4], [2, 4] is needed; correct `head_weights` under \
         [selectors] or the dimensions in the configuration, or use other weights"
    );
    let options = selector_options(HeadWeights::Separate);
    let parts = |edit: &dyn Fn(&mut Parts)| {
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let tensors = file.tensors().into_iter();
        let mut parts: Parts = tensors.map(|(n, v)| (n, (v.dtype(), v.shape().to_vec(), v.data().to_vec()))).collect();
        edit(&mut parts);
        let views =
            parts.iter().map(|(n, (dtype, shape, data))| (n, TensorView::new(*dtype, shape.clone(), data).unwrap()));
        refusal(&safetensors::serialize(views, None).unwrap(), &options)
    };
    assert_eq!(
        parts(&|p| assert!(p.remove("selectors.1.mlp2.1.bias").is_some())),
        "tensor `selectors.1.mlp2.1.bias` [3, 1] is missing; export the whole state dict or correct `stages` under \
         [selectors]"
    );
    let transposed = parts(&|p| p.get_mut("selectors.1.mlp2.2.weight").unwrap().1 = vec![3, 1, 2]);
    assert!(transposed.starts_with("tensor `selectors.1.mlp2.2.weight` has the shape [3, 1, 2], [3, 2, 1] is needed"));
    assert_eq!(
        parts(&|p| p.get_mut("selectors.0.threshold").unwrap().2 = 1.25f32.to_le_bytes().to_vec()),
        "`selectors.0.threshold` is 1.25; a threshold lies in 0..1, correct it in the file or train the selectors again"
    );
    let infinite =
        parts(&|p| p.get_mut("selectors.0.mlp3.1.bias").unwrap().2[4..8].copy_from_slice(&f32::INFINITY.to_le_bytes()));
    assert!(infinite.starts_with("element 1 of tensor `selectors.0.mlp3.1.bias` is inf;"), "{infinite}");
    let third = parts(&|p| {
        p.insert("selectors.2.threshold".to_owned(), (Dtype::F32, vec![1], vec![0; 4]));
    });
    assert!(third.starts_with("tensor `selectors.2.threshold` belongs to a token selector"), "{third}");
    let mut short = network.clone();
    short.selectors[0].mlp1.bias.pop();
    assert_eq!(
        to_bytes(&short, &BTreeMap::new()).unwrap_err().to_string(),
        "tensor `selectors.0.mlp1.bias` has 5 elements, its shape needs 6; build the network from its dimensions"
    );
}

/// A file of a header alone.
fn header_only(header: &str) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes
}

#[test]
fn checkpoints_of_pytorch_are_told_apart() {
    let expected = "it is a PyTorch checkpoint, no safetensors file; convert it with scripts/pth-to-safetensors";
    for start in [&b"PK\x03\x04\0\0\x08\x08"[..], b"\x80\x02\x8a\nl\xfc\x9cF\xf9 ", b"\x80\x05\x95\0\0\0\0\0\0"] {
        assert_eq!(refusal(start), expected);
    }
    // The length of a header that is there may look like one.
    let header = format!("{{}}{}", " ".repeat(0x0580 - 2));
    assert!(refusal(&header_only(&header)).contains("tensor"));
}

#[test]
fn damaged_and_hostile_files_are_refused() {
    let start = "not a readable safetensors file: ";
    let whole = sample();
    for length in [0, 7, 8, 100, whole.len() - 1] {
        assert!(refusal(&whole[..length]).starts_with(start), "{length}");
    }
    assert!(refusal(&u64::MAX.to_le_bytes()).starts_with(start));
    assert!(refusal(&header_only("[1,2")).starts_with(start));
    let huge = r#"{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,18446744073709551600]}}"#;
    assert_eq!(
        refusal(&header_only(huge)),
        "not a readable safetensors file: tensor `a` ends beyond the file; export the weights again"
    );
    let mut flipped = whole.clone();
    for i in 0..200 {
        flipped[i] ^= 0x41;
        let _ = from_bytes(&flipped, &dims(), &options()); // any answer but a panic
        flipped[i] ^= 0x41;
    }
}
