//! What is fuzzed: every reader of foreign bytes ends in a value or in an error, whatever the bytes are, and a value that
//! was accepted can be used.

use heatvit_model::config::Config;
use heatvit_model::float::{Engine, FloatNetwork, NetworkOptions, forward};
use heatvit_model::golden;
use heatvit_model::npy::Array;
use heatvit_model::picture::{Picture, Preprocess};
use heatvit_model::quant::{Dims, file, random_image};
use heatvit_model::selector::SelectorOptions;
use heatvit_model::weights;

/// Dimensions of the network that weights are read for.
pub fn dims() -> Dims {
    Dims { tokens: 3, patch_inputs: 4, embed: 8, depth: 1, heads: 2, head_dim: 4, mlp_hidden: 4, classes: 3 }
}

/// Its options: with a selector, so that those tensors are read, too.
pub fn options() -> NetworkOptions {
    let selectors = SelectorOptions { stages: vec![0], ..SelectorOptions::default() };
    NetworkOptions { channels: 1, selectors, ..NetworkOptions::default() }
}

/// Float weights. What is read is finite, but may overflow when it is run.
pub fn weights(data: &[u8]) {
    let _ = weights::metadata(data);
    if let Ok(network) = weights::from_bytes(data, &dims(), &options()) {
        let run = |network: &FloatNetwork| forward(network, Engine::Exact, &vec![0.5; 3 * 4]);
        assert_eq!(run(&network).logits().len(), dims().classes);
    }
}

/// Quantized files: an accepted one is run.
pub fn quantized(data: &[u8]) {
    if let Ok(read) = file::from_bytes(data) {
        let image = random_image(&read.network.dims, 1);
        assert_eq!(golden::run(&read.network, &image).logits().len(), read.network.dims.classes);
        let again = file::to_bytes(&read.network, &read.origin).expect("a legal network can be written");
        assert_eq!(file::from_bytes(&again).as_ref(), Ok(&read));
    }
}

/// Arrays: an accepted one has as many elements as its shape says.
pub fn npy(data: &[u8]) {
    if let Ok(array) = Array::from_bytes(data) {
        assert_eq!(array.shape.iter().product::<usize>(), array.len());
        assert_eq!(array.values(0..array.len()).len(), array.len());
    }
}

/// Configurations: an accepted one can be shown.
pub fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(config) = Config::parse("fuzz.toml", text) {
        assert!(config.to_toml().is_ok());
        assert_eq!(config.model.dims().tokens, config.model.tokens());
    }
}

/// Pictures: an accepted one becomes an image.
pub fn picture(data: &[u8]) {
    if let Ok(picture) = Picture::decode(data) {
        let image = Preprocess { height: 8, width: 8, channels: 3, resize: 9 }.apply(&picture);
        assert_eq!(image.data.len(), 8 * 8 * 3);
    }
}
