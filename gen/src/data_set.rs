//! The images that a configuration names.

use crate::error::GenError;
use crate::files;
use heatvit_model::config::{Config, DataKind};
use heatvit_model::data::{CANVAS, CLASSES, Digits, Sample};
use std::path::{Path, PathBuf};

/// An image with its class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Pixels, row by row, channels side by side.
    pub pixels: Vec<u8>,
    /// Class.
    pub label: usize,
    /// Whether there is some of the subject on each patch, where the data set knows.
    pub subject: Option<Vec<bool>>,
}

impl From<Sample> for Image {
    fn from(sample: Sample) -> Self {
        let subject = Some(sample.coverage.iter().map(|pixels| *pixels > 0).collect());
        Self { pixels: sample.pixels, label: usize::from(sample.label), subject }
    }
}

/// An opened data set.
#[derive(Clone, Debug)]
pub struct DataSet {
    digits: Digits,
}

/// Seed of the epoch whose drawings calibrate the quantizer.
const CALIBRATION_EPOCH: u64 = 0x00ca_1b4a;

impl DataSet {
    /// Opens the configuration's data set, or `path` in its place.
    ///
    /// # Errors
    /// No data set, an unreadable one, or one whose images do not fit the network.
    pub fn open(config_path: &Path, config: &Config, path: Option<&Path>) -> Result<Self, GenError> {
        let needs = |problem: String, remedy: &str| GenError::Needs {
            config: config_path.display().to_string(),
            problem,
            remedy: remedy.to_owned(),
        };
        let Some(data) = &config.data else {
            return Err(needs("the configuration names no images".to_owned(), "add a table [data]"));
        };
        let DataKind::Digits = data.kind;
        let m = &config.model;
        if (m.height, m.width, m.channels) != (CANVAS, CANVAS, 1) || m.classes != CLASSES {
            let problem = format!(
                "the digits are {CANVAS}x{CANVAS}x1 with {CLASSES} classes, [model] says {}x{}x{} with {}",
                m.height, m.width, m.channels, m.classes
            );
            return Err(needs(problem, "change [model] or [data]"));
        }
        let path = path.map_or_else(|| beside(config_path, &data.file), Path::to_owned);
        let digits = Digits::from_bytes(&files::read(&path)?);
        let digits = digits.map_err(|e| GenError::file(&path, e.to_string(), "name another data file"))?;
        Ok(Self { digits })
    }

    /// The first `count` images of the test set, or all of it.
    pub fn test(&self, count: Option<usize>) -> Vec<Image> {
        self.digits.test().take(count.unwrap_or(usize::MAX)).map(Image::from).collect()
    }

    /// Training images for the quantizer; more than an epoch holds come from the next ones.
    pub fn calibration(&self, count: usize) -> Vec<Image> {
        (CALIBRATION_EPOCH..).flat_map(|epoch| self.digits.train_epoch(epoch)).take(count).map(Image::from).collect()
    }

    /// The digits themselves, for training.
    pub fn digits(&self) -> &Digits {
        &self.digits
    }
}

/// A path of a configuration: relative to the configuration file.
pub fn beside(config_path: &Path, written: &str) -> PathBuf {
    config_path.parent().unwrap_or(Path::new("")).join(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../configs/digits.toml");

    #[test]
    fn the_digits_open_by_the_configurations_path() {
        let path = Path::new(DIGITS);
        let config = crate::pipeline::load_config(path).unwrap();
        let set = DataSet::open(path, &config, None).unwrap();
        assert_eq!((set.test(None).len(), set.test(Some(7)).len()), (1080, 7));
        assert_eq!(set.calibration(1300).len(), 1300);
        assert_eq!(set.calibration(5), set.calibration(1300)[..5]);
    }

    #[test]
    fn a_network_for_other_images_is_refused() {
        let text = "[model]\npreset = \"deit_tiny\"\n[data]\nkind = \"digits\"\nfile = \"x\"\n";
        let config = Config::parse("a.toml", text).unwrap();
        let error = DataSet::open(Path::new("a.toml"), &config, None).unwrap_err().to_string();
        assert_eq!(
            error,
            "a.toml: the digits are 36x36x1 with 10 classes, [model] says 224x224x3 with 1000; change [model] or [data]"
        );
    }
}
