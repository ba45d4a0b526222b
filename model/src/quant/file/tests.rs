//! Quantized files: round trip and refusals with their messages.

use super::*;
use crate::quant::{Dims, Extreme, random, random_with_selectors};
use crate::weights::open;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::collections::{BTreeMap, HashMap};

fn network() -> QuantNetwork {
    let dims =
        Dims { tokens: 4, patch_inputs: 4, embed: 16, depth: 2, heads: 2, head_dim: 8, mlp_hidden: 20, classes: 3 };
    random(&dims, 11, Extreme::None)
}

fn origin() -> Origin {
    Origin {
        height: 4,
        width: 3,
        channels: 1,
        patch: 2,
        mean: vec![0.1 + 0.2],
        deviation: vec![0.7],
        eps: 1e-6,
        delta1: 1.0,
    }
}

type Parts = BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>;

fn edited(edit: impl Fn(&mut Parts, &mut String)) -> String {
    edited_file(&network(), edit)
}

fn edited_file(network: &QuantNetwork, edit: impl Fn(&mut Parts, &mut String)) -> String {
    let bytes = to_bytes(network, &origin()).unwrap();
    let (_, text) = open(&bytes).unwrap();
    let mut text = text.unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap().tensors();
    let mut parts: Parts =
        tensors.into_iter().map(|(n, v)| (n, (v.dtype(), v.shape().to_vec(), v.data().to_vec()))).collect();
    edit(&mut parts, &mut text);
    let views =
        parts.iter().map(|(n, (dtype, shape, data))| (n, TensorView::new(*dtype, shape.clone(), data).unwrap()));
    let info = HashMap::from([("heatvit".to_owned(), text)]);
    from_bytes(&safetensors::serialize(views, Some(info)).unwrap()).unwrap_err().to_string()
}

#[test]
fn a_network_survives_the_file() {
    let mut network = network();
    network.residual_step = 0.1 + 0.2;
    let bytes = to_bytes(&network, &origin()).unwrap();
    assert_eq!(bytes, to_bytes(&network, &origin()).unwrap());
    assert!(is_quantized(&bytes));
    assert!(!is_quantized(&bytes[..40]));
    assert_eq!(from_bytes(&bytes).unwrap(), QuantFile { network, origin: origin() });
}

#[test]
fn minus_128_is_refused() {
    let message = edited(|p, _| p.get_mut("blocks.0.attn.k.weight").unwrap().2[7] = 0x80);
    assert_eq!(
        message,
        "tensor `blocks.0.attn.k.weight` holds the weight -128; weights lie in -127..127, quantize the network again"
    );
    let message = edited(|p, _| p.get_mut("pos").unwrap().2[..2].copy_from_slice(&i16::MIN.to_le_bytes()));
    assert_eq!(message, "`pos[0]` is 32768, the largest legal value is 32767; quantize the network again");
}

#[test]
fn refusals_name_the_tensor() {
    let again = "quantize the network again";
    let missing = edited(|p, _| assert!(p.remove("head.mult").is_some()));
    assert_eq!(missing, format!("tensor `head.mult` is missing; {again}"));
    let extra = edited(|p, _| assert!(p.insert("x".to_owned(), (Dtype::I8, vec![1], vec![1])).is_none()));
    assert_eq!(extra, format!("tensor `x` is not part of the network; {again}"));
    let form = edited(|p, _| p.get_mut("head.bias").unwrap().0 = Dtype::F32);
    assert_eq!(form, format!("tensor `head.bias` is F32 [3], I32 [3] is needed; {again}"));
    let large = edited(|p, _| p.get_mut("head.mult").unwrap().2[2] = 2);
    assert!(large.starts_with("`head.mult[0]` is 1"), "{large}");
    let overflow = edited(|p, _| p.get_mut("head.bias").unwrap().2[..4].copy_from_slice(&(1i32 << 26).to_le_bytes()));
    assert!(overflow.starts_with("output 0 of `head` can reach 67"), "{overflow}");
}

#[test]
fn constants_are_checked() {
    let version = edited(|_, t| *t = t.replace("\"version\":4", "\"version\":9"));
    assert_eq!(version, "the file has version 9, this program reads version 4; quantize the network again");
    let format = edited(|_, t| *t = t.replace("heatvit-int8", "else"));
    assert_eq!(format, "its metadata does not say that it holds a `heatvit-int8` network; quantize the network again");
    let unknown = edited(|_, t| *t = t.replace("\"head_sel\"", "\"tail_sel\""));
    assert!(unknown.starts_with("the network's constants are not as expected: unknown field `tail_sel`"), "{unknown}");
    let depth = edited(|_, t| *t = t.replace("\"depth\":2", "\"depth\":1000000000000"));
    assert_eq!(depth, "tensor `blocks` has 2 elements, 1000000000000 are needed; quantize the network again");
    let tokens = edited(|_, t| *t = t.replace("\"tokens\":4", "\"tokens\":18446744073709551615"));
    assert!(tokens.starts_with("tensor `pos` is I16 [4, 16]"), "{tokens}");
    let heads = edited(|_, t| *t = t.replace("\"heads\":2", "\"heads\":9223372036854775808"));
    assert!(heads.contains("heads x head_dim is out of range"), "{heads}");
    let eps = edited(|_, t| {
        let from = t.rfind("\"eps\":").unwrap() + 6;
        let length = t[from..].find('}').unwrap();
        t.replace_range(from..from + length, "0");
    });
    assert_eq!(eps, "`norm.eps` is 0, at least 1 is needed; quantize the network again");
    let zero = edited(|_, t| {
        let from = t.find("\"zero\":").unwrap() + 7;
        let length = t[from..].find('}').unwrap();
        t.replace_range(from..from + length, "1000");
    });
    assert!(zero.starts_with("`|blocks.0.gelu.zero|` is 1000"), "{zero}");
    let sel = edited(|_, t| *t = t.replacen("\"q_sel\":", "\"q_sel\":1", 1));
    assert!(sel.starts_with("`blocks.0.attn.q.sel` is 1"), "{sel}");
}

#[test]
fn a_file_that_lost_its_metadata_is_no_float_file() {
    let bytes = to_bytes(&network(), &origin()).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap().tensors();
    let bare = safetensors::serialize(tensors, None).unwrap();
    assert!(is_quantized(&bare));
    assert_eq!(from_bytes(&bare), Err(QuantFileError::Format));
}

#[test]
fn origins_differ_by_keys() {
    assert_eq!(origin().differences(&origin()), []);
    let other = Origin { height: 2, width: 6, deviation: vec![0.5], ..origin() };
    let found: Vec<String> =
        origin().differences(&other).iter().map(|d| format!("{} {} {}", d.key, d.here, d.there)).collect();
    assert_eq!(found, ["model.height 4 2", "model.width 3 6", "input.deviation [0.7] [0.5]"]);
    let other = Origin { channels: 3, patch: 4, mean: vec![0.0], eps: 1e-5, delta1: 0.5, ..origin() };
    let keys: Vec<&str> = origin().differences(&other).iter().map(|d| d.key).collect();
    assert_eq!(keys, ["model.channels", "model.patch", "model.eps", "model.gelu.delta1", "input.mean"]);
}

#[test]
fn steps_and_knees_out_of_their_ranges_are_refused() {
    let set = |key: &str, value: &str| {
        edited(|_, t| {
            let from = t.find(&format!("\"{key}\":")).unwrap() + key.len() + 3;
            let length = t[from..].find(',').unwrap();
            t.replace_range(from..from + length, value);
        })
    };
    for key in ["residual_step", "logit_step"] {
        for value in ["0.0", "-1.0", "1e308"] {
            let message = format!("`{key}` is {value}, legal values are 1e-45 to 1e30; quantize the network again");
            assert_eq!(set(key, value), message);
        }
    }
    for value in ["0", "2047", "4096"] {
        let message =
            format!("`blocks.0.gelu.t` is {value}, legal values are 2048 to 4095; quantize the network again");
        assert_eq!(set("t", value), message);
    }
}

#[test]
fn refusals_of_selectors_name_the_tensor() {
    let network = random_with_selectors(&network().dims, &[1], 11, Extreme::None);
    let edited = |edit: &dyn Fn(&mut Parts, &mut String)| edited_file(&network, edit);
    let again = "quantize the network again";
    let missing = edited(&|p, _| assert!(p.remove("selectors.1.mix.bias").is_some()));
    assert_eq!(missing, format!("tensor `selectors.1.mix.bias` is missing; {again}"));
    let form = edited(&|p, _| p.get_mut("selectors.1.mix.weight").unwrap().1 = vec![16, 8]);
    assert_eq!(form, format!("tensor `selectors.1.mix.weight` is I8 [16, 8], I8 [8, 16] is needed; {again}"));
    let extra = edited(&|_, t| {
        let from = t.find("\"selectors\":").unwrap();
        t.replace_range(from.., "\"selectors\":[]}");
    });
    assert_eq!(extra, format!("tensor `selectors.1.keep.bias` is not part of the network; {again}"));
    let threshold = edited(&|_, t| {
        let from = t.find("\"threshold\":").unwrap() + 12;
        let length = t[from..].find(',').unwrap();
        t.replace_range(from..from + length, "514");
    });
    assert_eq!(threshold, format!("`selectors.1.threshold` is 514, the largest legal value is 513; {again}"));
    let rule = edited(&|_, t| *t = t.replace("\"merged\"", "\"mergd\""));
    assert!(rule.contains("unknown variant `mergd`"), "{rule}");
    let heads = edited(&|_, t| *t = t.replace("\"heads\":2", "\"heads\":4"));
    assert!(heads.contains("is needed; quantize the network again"), "{heads}");
}
