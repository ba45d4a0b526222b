//! What a network was quantized for and its integers do not show.

use serde::{Deserialize, Serialize};
use std::fmt::Debug;

/// The keys of a configuration that are part of every integer of a quantized network. With others, the same integers
/// would be another network, or see other pixels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// Image height in pixels.
    pub height: usize,
    /// Image width in pixels.
    pub width: usize,
    /// Image channels.
    pub channels: usize,
    /// Side of a patch in pixels.
    pub patch: usize,
    /// Normalisation that the patch embedding has absorbed: the mean of each channel.
    pub mean: Vec<f64>,
    /// Its deviation of each channel.
    pub deviation: Vec<f64>,
    /// Added to the variance in LayerNorm.
    pub eps: f64,
    /// Factor of the polynomial GELU.
    pub delta1: f64,
}

/// A key whose value is not that of another origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The key, as a configuration has it.
    pub key: &'static str,
    /// The value here.
    pub here: String,
    /// The value there.
    pub there: String,
}

/// A difference, if there is one.
fn compare<T: PartialEq + Debug>(key: &'static str, here: &T, there: &T) -> Option<Difference> {
    (here != there).then(|| Difference { key, here: format!("{here:?}"), there: format!("{there:?}") })
}

impl Origin {
    /// The keys that differ, in the order of the configuration.
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        let all = [
            compare("model.height", &self.height, &other.height),
            compare("model.width", &self.width, &other.width),
            compare("model.channels", &self.channels, &other.channels),
            compare("model.patch", &self.patch, &other.patch),
            compare("model.eps", &self.eps, &other.eps),
            compare("model.gelu.delta1", &self.delta1, &other.delta1),
            compare("input.mean", &self.mean, &other.mean),
            compare("input.deviation", &self.deviation, &other.deviation),
        ];
        all.into_iter().flatten().collect()
    }
}
