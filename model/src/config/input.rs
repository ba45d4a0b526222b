//! `[input]`: how pictures become images, and which normalisation the weights were trained with.

use super::error::ConfigError;
use super::model::ModelConfig;
use super::section::{Field, Section};
use serde::{Deserialize, Serialize};

/// Mean and deviation of ImageNet's channels, which nearly all networks with three channels were trained with.
const IMAGENET: ([f64; 3], [f64; 3]) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
/// Pixels in 0..1 become -1..1: nothing to adapt.
const PLAIN: f64 = 0.5;

/// From pictures to the network's input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputConfig {
    /// Pixels of a picture's shorter side before the centre is cut out.
    pub resize: usize,
    /// The weights were trained on `(p - mean) / deviation` with pixels `p` in 0..1; one mean per channel.
    pub mean: Vec<f64>,
    /// One deviation per channel.
    pub deviation: Vec<f64>,
}

/// One value per channel, or the default.
fn per_channel(
    section: &mut Section<'_>,
    key: &'static str,
    range: std::ops::RangeInclusive<f64>,
    (channels, imagenet): (usize, &[f64; 3]),
) -> Result<Vec<f64>, ConfigError> {
    let Some(list) = section.reals(key, range)? else {
        return Ok(if channels == imagenet.len() { imagenet.to_vec() } else { vec![PLAIN; channels] });
    };
    if list.value.len() != channels {
        let rule = format!("it has one value for each of the {channels} channels");
        return Err(list.illegal(rule, "write as many values"));
    }
    Ok(list.value.into_iter().map(|f: Field<f64>| f.value).collect())
}

pub(super) fn input(mut section: Section<'_>, model: &ModelConfig) -> Result<InputConfig, ConfigError> {
    let longer = model.height.max(model.width);
    let resize = match section.whole("resize", 1..=16_384)? {
        Some(written) if (written.value as usize) < longer => {
            let rule = format!("the image is cut out of the resized picture and has up to {longer} pixels on a side");
            return Err(written.illegal(rule, format!("write at least {longer}")));
        }
        Some(written) => written.value as usize,
        // DeiT's: 256 for 224.
        None => longer * 256 / 224,
    };
    let mean = per_channel(&mut section, "mean", 0.0..=1.0, (model.channels, &IMAGENET.0))?;
    let deviation = per_channel(&mut section, "deviation", 0.001..=10.0, (model.channels, &IMAGENET.1))?;
    section.finish()?;
    Ok(InputConfig { resize, mean, deviation })
}
