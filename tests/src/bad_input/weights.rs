//! Float weights and quantized files.

use super::{SMALL, messages, refused};
use heatvit_model::config::Config;
use heatvit_model::float::{FloatNetwork, NetworkOptions};
use heatvit_model::quant::{Dims, Extreme, file, random, random_with_selectors};
use heatvit_model::weights::to_bytes;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::collections::{BTreeMap, HashMap};

const EVAL: [&str; 5] = ["eval", SMALL, "--count", "1", "--weights"];

fn config() -> Config {
    Config::parse("small.toml", include_str!("../../bad/small.toml")).unwrap()
}

fn dims() -> Dims {
    config().model.dims()
}

/// Sound float weights.
fn float() -> Vec<u8> {
    let options = NetworkOptions { channels: 1, ..NetworkOptions::default() };
    to_bytes(&FloatNetwork::random(&dims(), &options, 1), &BTreeMap::new()).unwrap()
}

/// A sound quantized file.
fn quantized(dims: &Dims) -> Vec<u8> {
    file::to_bytes(&random(dims, 1, Extreme::None), &config().origin()).unwrap()
}

/// A sound quantized file with token selectors.
fn with_selectors(stages: &[usize]) -> Vec<u8> {
    let dims = Dims { depth: 2, ..dims() };
    file::to_bytes(&random_with_selectors(&dims, stages, 1, Extreme::None), &config().origin()).unwrap()
}

struct Parts {
    tensors: BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>,
    metadata: HashMap<String, String>,
}

impl Parts {
    fn tensor(&mut self, name: &str) -> &mut (Dtype, Vec<usize>, Vec<u8>) {
        self.tensors.get_mut(name).unwrap()
    }
}

/// A file with one change.
fn edited(bytes: &[u8], edit: impl FnOnce(&mut Parts)) -> Vec<u8> {
    let tensors = SafeTensors::deserialize(bytes).unwrap().tensors().into_iter();
    let tensors = tensors.map(|(n, v)| (n, (v.dtype(), v.shape().to_vec(), v.data().to_vec()))).collect();
    let (_, header) = SafeTensors::read_metadata(bytes).unwrap();
    let mut parts = Parts { tensors, metadata: header.metadata().clone().unwrap() };
    edit(&mut parts);
    let views = parts
        .tensors
        .iter()
        .map(|(n, (dtype, shape, data))| (n, TensorView::new(*dtype, shape.clone(), data).unwrap()));
    safetensors::serialize(views, Some(parts.metadata)).unwrap()
}

/// A file of a header alone, of the length that it claims.
fn header(length: u64, text: &str) -> Vec<u8> {
    [&length.to_le_bytes(), text.as_bytes()].concat()
}

#[test]
fn containers() {
    let beyond = r#"{"cls_token":{"dtype":"F32","shape":[1,1,32],"data_offsets":[0,1280]}}"#;
    let overlapping = r#"{"cls_token":{"dtype":"F32","shape":[8],"data_offsets":[0,32]},"norm.bias":{"dtype":"F32","shape":[8],"data_offsets":[16,48]}}"#;
    let gap = r#"{"cls_token":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"norm.bias":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#;
    let backwards = r#"{"cls_token":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#;
    let false_shape = r#"{"cls_token":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,16]}}"#;
    let twice = r#"{"cls_token":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"cls_token":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#;
    let data = |text: &str, bytes: usize| [header(text.len() as u64, text), vec![0; bytes]].concat();
    let whole = float();
    let cases = [
        ("empty", Vec::new()),
        ("truncated in the header", whole[..100].to_vec()),
        ("truncated in the data", whole[..whole.len() - 1].to_vec()),
        ("PyTorch, a zip archive", b"PK\x03\x04\0\0\x08\x08\0\0".to_vec()),
        ("PyTorch, a pickle", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 ".to_vec()),
        ("absurd header length", header(u64::MAX, "{}")),
        ("header of 2^40 bytes", header(1 << 40, "{}")),
        ("header is no JSON", header(4, "[1,2")),
        ("tensor beyond the file", header(beyond.len() as u64, beyond)),
        ("overlapping tensors", data(overlapping, 48)),
        ("gap between tensors", data(gap, 12)),
        ("tensor that ends before it starts", data(backwards, 4)),
        ("shape of another length", data(false_shape, 16)),
        ("the same tensor twice", data(twice, 8)),
        ("bytes behind the last tensor", [whole.clone(), vec![0; 4]].concat()),
    ];
    insta::assert_snapshot!(messages(&EVAL, &cases));
}

#[test]
fn float_weights() {
    let file = float();
    let cases = [
        ("wrong type", edited(&file, |p| p.tensor("norm.bias").0 = Dtype::I32)),
        ("wrong shape", edited(&file, |p| p.tensor("head.weight").1 = vec![32, 10])),
        ("missing tensor", edited(&file, |p| drop(p.tensors.remove("blocks.0.mlp.fc1.bias")))),
        (
            "extra tensor",
            edited(&file, |p| drop(p.tensors.insert("extra.bias".to_owned(), (Dtype::F32, vec![1], vec![0; 4])))),
        ),
        (
            "mean of all tokens",
            edited(&file, |p| drop(p.tensors.insert("fc_norm.bias".to_owned(), (Dtype::F32, vec![1], vec![0; 4])))),
        ),
        (
            "LayerScale",
            edited(&file, |p| {
                drop(p.tensors.insert("blocks.0.ls1.gamma".to_owned(), (Dtype::F32, vec![32], vec![0; 128])));
            }),
        ),
        (
            "distilled network",
            edited(&file, |p| drop(p.tensors.insert("dist_token".to_owned(), (Dtype::F32, vec![1], vec![0; 4])))),
        ),
        ("NaN", edited(&file, |p| p.tensor("head.bias").2[4..8].copy_from_slice(&f32::NAN.to_le_bytes()))),
        ("infinity", edited(&file, |p| p.tensor("pos_embed").2[..4].copy_from_slice(&f32::INFINITY.to_le_bytes()))),
    ];
    insta::assert_snapshot!(messages(&EVAL, &cases));
}

#[test]
fn quantized_files() {
    let file = quantized(&dims());
    let text = |from: &str, to: &str| {
        edited(&file, |p| {
            let text = p.metadata.get_mut("heatvit").unwrap();
            assert!(text.contains(from), "{text}");
            *text = text.replacen(from, to, 1);
        })
    };
    let overflow = (1i32 << 26).to_le_bytes();
    let cases = [
        ("-128", edited(&file, |p| p.tensor("blocks.0.attn.k.weight").2[7] = 0x80)),
        ("overflow", edited(&file, |p| p.tensor("patch_embed.proj.bias").2[..4].copy_from_slice(&overflow))),
        ("missing tensor", edited(&file, |p| drop(p.tensors.remove("pos")))),
        ("wrong type", edited(&file, |p| p.tensor("head.bias").0 = Dtype::F32)),
        ("other version", text("\"version\":4", "\"version\":9")),
        ("code of zero", text("\"zero\":-117", "\"zero\":-128")),
        ("step", text("\"logit_step\":0.0009765625", "\"logit_step\":-1.0")),
        ("knee", text("\"t\":", "\"t\":1")),
        ("no metadata", edited(&file, |p| p.metadata.clear())),
        ("other pixels", text("\"mean\":[0.5]", "\"mean\":[0.25]")),
        ("other images", text("\"height\":36,\"width\":36", "\"height\":18,\"width\":72")),
        ("other arithmetic", text("\"eps\":1e-6,\"delta1\":1.0", "\"eps\":0.00001,\"delta1\":0.5")),
        ("another network", quantized(&Dims { classes: 9, ..dims() })),
        ("yet another network", quantized(&Dims { depth: 2, mlp_hidden: 64, ..dims() })),
    ];
    insta::assert_snapshot!(messages(&EVAL, &cases));
}

#[test]
fn quantized_files_with_other_selectors() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("selectors.toml");
    let text = include_str!("../../bad/small.toml").replace("depth = 1", "depth = 2");
    let text = text.replace("../../data", concat!(env!("CARGO_MANIFEST_DIR"), "/../data"));
    let refused = |selectors: &str, stages: &[usize]| {
        std::fs::write(&config, format!("{text}{selectors}\n")).unwrap();
        let command = ["eval", config.to_str().unwrap(), "--count", "1", "--weights"];
        messages(&command, &[(selectors, with_selectors(stages))])
    };
    let none = refused("[selectors]\nenabled = false", &[1]);
    let stages = refused("[selectors]\ndense_blocks = 0\nstages = [1]", &[0, 1]);
    let rule = refused("[selectors]\ndense_blocks = 0\nstages = [1]\npackage = \"none\"", &[1]);
    insta::assert_snapshot!(none + &stages + &rule);
}

#[test]
fn quantized_files_where_float_weights_are_needed() {
    let cases = [("quantized", quantized(&dims()))];
    let eval = messages(&["eval", SMALL, "--engine", "float", "--count", "1", "--weights"], &cases);
    let quantize = messages(&["quantize", SMALL, "--out", "never-written", "--weights"], &cases);
    insta::assert_snapshot!(eval + &quantize);
}

#[test]
fn paths() {
    let missing = refused(&["eval", SMALL, "--weights", "missing.safetensors"]);
    let none = refused(&["eval", SMALL]);
    insta::assert_snapshot!(missing + &none);
}
