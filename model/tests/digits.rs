//! Does the digits network lose accuracy by its quantization? Float and integers on more drawings than the test set has,
//! quantized on the images that `heatvit quantize` takes.

use heatvit_model::config::Config;
use heatvit_model::data::{Digits, Sample};
use heatvit_model::float::{Engine, FloatNetwork, forward_all};
use heatvit_model::golden::Model;
use heatvit_model::image::{ImageShape, float_patches, patches};
use heatvit_model::quant::quantize;
use heatvit_model::weights;
use std::path::PathBuf;

/// As in the tool.
const CALIBRATION: (u64, usize) = (0x00ca_1b4a, 128);
const SHAPE: ImageShape = ImageShape { height: 36, width: 36, channels: 1, patch: 4 };

fn file(path: &str) -> Vec<u8> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::read(root.join(path)).expect("it is committed")
}

/// The committed network, dense or with selectors.
fn network(selectors: bool) -> FloatNetwork {
    let text = String::from_utf8(file("configs/digits.toml")).expect("it is text");
    let text = text.replace("enabled = true", &format!("enabled = {selectors}"));
    let config = Config::parse("digits.toml", &text).expect("it is legal");
    let weights = if selectors { "weights/digits.pruned.safetensors" } else { "weights/digits.safetensors" };
    weights::from_bytes(&file(weights), &config.model.dims(), &config.network_options()).expect("they fit")
}

fn floats(samples: &[Sample]) -> Vec<Vec<f32>> {
    samples.iter().map(|s| float_patches(&s.pixels, &SHAPE).expect("36x36")).collect()
}

fn percent<T: PartialOrd>(samples: &[Sample], logits: &[Vec<T>]) -> f64 {
    let class = |l: &[T]| (1..l.len()).fold(0, |best, i| if l[i] > l[best] { i } else { best });
    let right = samples.iter().zip(logits).filter(|(s, l)| usize::from(s.label) == class(l)).count();
    100.0 * right as f64 / samples.len() as f64
}

/// On nine drawings of each of the 360 test digits.
fn compare(selectors: bool) {
    let digits = Digits::from_bytes(&file("data/digits/digits.bin")).expect("it is committed");
    let (epoch, count) = CALIBRATION;
    let calibration = floats(&digits.train_epoch(epoch).take(count).collect::<Vec<_>>());
    let samples: Vec<Sample> = digits.test_drawings(9).collect();
    let inputs: Vec<Vec<i8>> = samples.iter().map(|s| patches(&s.pixels, &SHAPE).expect("36x36")).collect();
    let network = network(selectors);
    let quantized = quantize(&network, "digits", &calibration).expect("it is quantizable");
    let float = percent(&samples, &forward_all(&network, Engine::Exact, &floats(&samples)));
    let int8 = percent(&samples, &Model::new(&quantized.network).run_all(&inputs));
    println!("selectors {selectors}: float {float:.2} %, int8 {int8:.2} %, {} drawings", samples.len());
    assert!((float - int8).abs() <= 0.3, "selectors {selectors}: float {float:.2} %, int8 {int8:.2} %");
}

#[test]
fn integers_are_as_accurate_as_float_within_three_tenths_of_a_point() {
    compare(false);
}

#[test]
fn selectors_do_not_change_that() {
    compare(true);
}
