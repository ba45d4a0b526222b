use super::*;
use crate::float::NetworkOptions;
use crate::image::dequantize;
use crate::quant::{Dims, quantize, random_image};
use crate::selector::SelectorOptions;

fn dims() -> Dims {
    Dims { tokens: 17, patch_inputs: 16, embed: 48, depth: 3, heads: 3, head_dim: 16, mlp_hidden: 64, classes: 10 }
}

/// A network with the given stages, quantized on some images and measured on others.
fn report(stages: &[usize]) -> Report {
    let selectors = SelectorOptions { stages: stages.to_vec(), ..SelectorOptions::default() };
    let options = NetworkOptions { channels: 1, selectors, ..NetworkOptions::default() };
    let network = FloatNetwork::random(&dims(), &options, 4);
    let images = |range: std::ops::Range<u64>| range.map(|seed| random_image(&dims(), seed));
    let quantized = quantize(&network, "t", &images(0..6).map(|i| dequantize(&i)).collect::<Vec<_>>()).unwrap();
    let mut calls = 0;
    let report = measure(&network, &quantized, &images(6..10).collect::<Vec<_>>(), || calls += 1);
    assert_eq!(calls, 4);
    report
}

#[test]
fn dense_networks_are_measured_layer_by_layer() {
    let report = report(&[]);
    assert_eq!(report.images, 4);
    for t in &report.tensors {
        assert!(t.operator_db.is_none_or(|db| db > 25.0), "{t:?}");
        assert!(t.accumulated_db.is_none_or(|db| db > 10.0), "{t:?}");
        assert!(t.largest > 0.0 && t.step > 0.0 && t.clipped < 0.02, "{t:?}");
    }
    let named = |name: &str| report.tensors.iter().find(|t| t.name == name).unwrap();
    assert!(named("logits").polynomial_db.unwrap() > 15.0 && named("embed").polynomial_db.is_none());
    assert!(named("blocks.2.residual").accumulated_db < named("blocks.2.residual").operator_db);
    let layers: Vec<&str> = report.layers.iter().map(|l| l.layer.as_str()).collect();
    assert_eq!((layers.len(), layers[0], layers[1], layers[7]), (8, "patch_embed", "blocks.0.attn", "head"));
    // One layer alone loses less than all of them, and the head alone what its operator loses.
    let whole = named("logits").accumulated_db.unwrap();
    assert!(report.layers.iter().all(|l| l.logits_db.unwrap() > whole), "{whole} {:?}", report.layers);
    assert!(report.cosine.least > 0.95 && report.cosine.least <= report.cosine.mean);
    assert!(report.decisions_operator.is_none() && report.decisions_accumulated.is_none());
}

#[test]
fn selectors_are_measured_by_their_decisions() {
    let report = report(&[1, 2]);
    let layers: Vec<&str> = report.layers.iter().map(|l| l.layer.as_str()).collect();
    let second = "selectors.2 blocks.2.attn blocks.2.mlp head";
    assert_eq!(
        layers.join(" "),
        format!("patch_embed blocks.0.attn blocks.0.mlp selectors.1 blocks.1.attn blocks.1.mlp {second}")
    );
    // A selector that decides as the reference loses nothing.
    assert!(report.layers.iter().all(|l| l.logits_db.is_none_or(|db| db > 5.0)), "{:?}", report.layers);
    let (operator, whole) = (report.decisions_operator.unwrap(), report.decisions_accumulated.unwrap());
    assert!(operator.all >= 4 * 16 && operator.all >= whole.all);
    assert!(operator.agreement().unwrap() > 0.9 && whole.agreement().unwrap() > 0.8);
    let table = report.table();
    assert!(table.contains("decisions, operator") && table.contains("selectors.*.score"), "{table}");
}

#[test]
fn equal_arguments_give_equal_reports() {
    assert_eq!(report(&[1]), report(&[1]));
}
