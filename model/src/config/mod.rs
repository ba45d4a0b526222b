//! The configuration: a TOML file as written, checked and completed into one [`Config`] that every consumer
//! reads. Only text comes in; paths stay as written, relative to the file, for whoever opens files.

mod accelerator;
mod error;
mod fine_tune;
mod input;
mod model;
mod section;
mod selectors;
mod train;

pub use accelerator::{AcceleratorConfig, Capacity, MemoryConfig};
pub use error::{ConfigError, Place};
pub use fine_tune::FineTuneConfig;
pub use input::InputConfig;
pub use model::{GeluConfig, MAX_TOKENS, ModelConfig, Preset, SoftmaxConfig};
pub use selectors::SelectorConfig;
pub use train::TrainConfig;

use crate::float::NetworkOptions;
use crate::image::Normalisation;
use crate::picture::Preprocess;
use crate::quant::file::Origin;
use crate::selector::SelectorOptions;
use section::{Section, Source};
use serde::{Deserialize, Serialize};

/// A kind of data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataKind {
    /// The handwritten digits on a cluttered canvas of 36x36 pixels.
    Digits,
    /// A folder of JPEG and PNG files.
    Folder,
}

/// `[data]`: where images come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataConfig {
    /// What the file holds.
    pub kind: DataKind,
    /// Path of the file or folder, as written.
    pub file: String,
    /// A list of the folder's pictures with their classes; path as written.
    pub labels: Option<String>,
}

/// `[weights]`: where weights come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightsConfig {
    /// Float safetensors with timm's names; path as written.
    pub float: String,
    /// The same with a fine-tuned backbone and token selectors; path as written.
    pub pruned: Option<String>,
}

/// Most images that the quantizer is calibrated on: they are held in memory.
pub const MAX_CALIBRATION_IMAGES: usize = 100_000;

/// `[quantize]`: static scales from sample images.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuantizeConfig {
    /// Training images that are run to choose the activation scales.
    pub calibration_images: usize,
}

/// Everything that a configuration file says, completed by defaults and checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// The network's name: the file's stem, where the file has no `name`.
    pub name: String,
    /// Architecture.
    pub model: ModelConfig,
    /// How pictures become images.
    pub input: InputConfig,
    /// Images, where the file names any.
    pub data: Option<DataConfig>,
    /// Weights, where the file names any.
    pub weights: Option<WeightsConfig>,
    /// Quantization.
    pub quantize: QuantizeConfig,
    /// Hardware.
    pub accelerator: AcceleratorConfig,
    /// Memory behind the hardware.
    pub memory: MemoryConfig,
    /// Training.
    pub train: TrainConfig,
    /// Fine-tuning with selectors.
    pub fine_tune: FineTuneConfig,
    /// Token selectors.
    pub selectors: SelectorConfig,
}

impl Config {
    /// Reads, checks and completes a configuration. `file` is the name for messages; its stem names the network unless the
    /// text does.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line.
    ///
    /// # Example
    /// ```
    /// use heatvit_model::config::Config;
    /// let text = "[model]\nimage = 8\nchannels = 1\npatch = 4\nembed = 32\ndepth = 1\nheads = 2\nclasses = 3\n";
    /// let config = Config::parse("tiny.toml", text).unwrap();
    /// assert_eq!((config.name.as_str(), config.model.tokens(), config.accelerator.rows), ("tiny", 5, 16));
    /// let error = Config::parse("tiny.toml", &text.replace("heads", "haeds")).unwrap_err();
    /// assert_eq!(error.to_string(), "tiny.toml:7: unknown key `model.haeds`; did you mean `heads`?");
    /// ```
    pub fn parse(file: &str, text: &str) -> Result<Self, ConfigError> {
        let source = Source::new(file, text);
        let table = source.parse()?;
        let mut root = Section::root(&source, &table);
        let name = name(&mut root)?.unwrap_or_else(|| stem(file).to_owned());
        let model = model::model(root.child("model")?)?;
        let selectors = selectors::selectors(root.child("selectors")?, &model)?;
        let config = Self {
            name,
            input: input::input(root.child("input")?, &model)?,
            data: data(root.child("data")?)?,
            weights: weights(root.child("weights")?, selectors.enabled)?,
            quantize: quantize(root.child("quantize")?)?,
            accelerator: accelerator::accelerator(root.child("accelerator")?, &model)?,
            memory: accelerator::memory(root.child("memory")?)?,
            train: train::train(root.child("train")?)?,
            fine_tune: fine_tune::fine_tune(root.child("fine_tune")?)?,
            model,
            selectors,
        };
        root.finish()?;
        Ok(config)
    }

    /// From the pixels that the weights were trained on to those of [`crate::image`].
    pub fn normalisation(&self) -> Normalisation {
        Normalisation { mean: self.input.mean.clone(), deviation: self.input.deviation.clone() }
    }

    /// What is part of every integer of a network quantized for this configuration.
    pub fn origin(&self) -> Origin {
        let (m, i) = (&self.model, &self.input);
        Origin {
            height: m.height,
            width: m.width,
            channels: m.channels,
            patch: m.patch,
            mean: i.mean.clone(),
            deviation: i.deviation.clone(),
            eps: m.eps,
            delta1: m.gelu.delta1,
        }
    }

    /// How pictures become images.
    pub fn preprocess(&self) -> Preprocess {
        let m = &self.model;
        Preprocess { height: m.height, width: m.width, channels: m.channels, resize: self.input.resize }
    }

    /// What the weights of the network look like.
    pub fn network_options(&self) -> NetworkOptions {
        let (m, s) = (&self.model, &self.selectors);
        let selectors = SelectorOptions {
            stages: if s.enabled { s.stages.clone() } else { Vec::new() },
            head_weights: s.head_weights,
            package: s.package,
        };
        NetworkOptions {
            channels: m.channels,
            qkv_bias: m.qkv_bias,
            eps: m.eps,
            delta1: m.gelu.delta1,
            delta2: m.softmax.delta2,
            selectors,
        }
    }

    /// The weight file that is run: the pruned one with selectors, the dense one without.
    pub fn weight_file(&self) -> Option<&str> {
        let weights = self.weights.as_ref()?;
        if self.selectors.enabled { weights.pruned.as_deref() } else { Some(&weights.float) }
    }

    /// The completed configuration as TOML, every default written out; [`Self::parse`] makes the same of it.
    ///
    /// # Errors
    /// None in practice: every field has a TOML form.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }
}

/// The network's name, where the file has one. It is printed into files of several languages.
fn name(root: &mut Section<'_>) -> Result<Option<String>, ConfigError> {
    match root.text("name")? {
        Some(name) if name.value.is_empty() || name.value.chars().any(char::is_control) => {
            Err(name.illegal("a name has characters, and none of them is a control character", "write another one"))
        }
        name => Ok(name.map(|f| f.value)),
    }
}

/// File name without folders and extension.
fn stem(file: &str) -> &str {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    name.strip_suffix(".toml").unwrap_or(name)
}

fn data(mut section: Section<'_>) -> Result<Option<DataConfig>, ConfigError> {
    if !section.present() {
        return Ok(None);
    }
    let kind = section.word("kind", &[("digits", DataKind::Digits), ("folder", DataKind::Folder)])?;
    let kind = section.require("kind", kind, "write kind = \"digits\" or \"folder\"")?.value;
    let file = section.text("file")?;
    let file = section.require("file", file, "write the path of the data file or folder")?.value;
    let labels = section.text("labels")?;
    if let (DataKind::Digits, Some(labels)) = (kind, &labels) {
        return Err(labels.illegal("the digits have their classes in their own file", "leave it out"));
    }
    section.finish()?;
    Ok(Some(DataConfig { kind, file, labels: labels.map(|f| f.value) }))
}

fn weights(mut section: Section<'_>, with_selectors: bool) -> Result<Option<WeightsConfig>, ConfigError> {
    if !section.present() {
        return Ok(None);
    }
    let float = section.text("float")?;
    let float = section.require("float", float, "write the path of a safetensors file")?.value;
    let pruned = section.text("pruned")?;
    let remedy = "write the path of the file with selectors that `train` makes, or selectors.enabled = false";
    let pruned = if with_selectors { Some(section.require("pruned", pruned, remedy)?) } else { pruned };
    section.finish()?;
    Ok(Some(WeightsConfig { float, pruned: pruned.map(|f| f.value) }))
}

fn quantize(mut section: Section<'_>) -> Result<QuantizeConfig, ConfigError> {
    let images = section.whole("calibration_images", 1..=MAX_CALIBRATION_IMAGES as u64)?;
    section.finish()?;
    Ok(QuantizeConfig { calibration_images: images.map_or(128, |f| f.value as usize) })
}

#[cfg(test)]
mod tests;
