//! The images that a configuration or a command line names: digits, a folder of pictures, or a tensor.

mod folder;
mod list;
mod tensor;

use crate::error::GenError;
use crate::files;
use crate::pipeline::refused;
use folder::Folder;
pub use folder::is_picture;
use heatvit_model::config::{Config, DataConfig, DataKind};
use heatvit_model::data::{CANVAS, CLASSES, Digits, Sample};
use heatvit_model::image::Pixels;
use std::path::{Path, PathBuf};
use tensor::Tensor;

/// What is known about an image besides its pixels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// Class, where the data set knows.
    pub label: Option<usize>,
    /// Whether there is some of the subject on each patch, where the data set knows.
    pub subject: Option<Vec<bool>>,
}

/// An image of the network's size.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// Its pixels.
    pub pixels: Pixels,
    /// What is known about it.
    pub about: About,
}

impl From<Sample> for Image {
    fn from(sample: Sample) -> Self {
        let subject = Some(sample.coverage.iter().map(|pixels| *pixels > 0).collect());
        let about = About { label: Some(usize::from(sample.label)), subject };
        Self { pixels: Pixels::Bytes(sample.pixels), about }
    }
}

/// Images that a command line names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// A folder of pictures, or a file of digits.
    pub images: Option<PathBuf>,
    /// A list of pictures with their classes.
    pub labels: Option<PathBuf>,
    /// A file of normalised images.
    pub tensor: Option<PathBuf>,
}

/// An opened data set. Images are read when they are asked for, so one of any size takes little memory.
#[derive(Clone, Debug)]
pub struct DataSet {
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    /// The digits, and their test set.
    Digits(Box<Digits>, Vec<Image>),
    Folder(Folder),
    Tensor(Tensor),
}

/// Seed of the epoch whose drawings calibrate the quantizer.
const CALIBRATION_EPOCH: u64 = 0x00ca_1b4a;

impl DataSet {
    /// Opens what the command line names, else the configuration's data set.
    ///
    /// # Errors
    /// No data set, an unreadable one, or one whose images do not fit the network.
    pub fn open(config_path: &Path, config: &Config, choice: &Choice) -> Result<Self, GenError> {
        let labels = choice.labels.as_deref();
        let kind = match (&choice.tensor, &choice.images, &config.data) {
            (Some(file), _, _) => Kind::Tensor(Tensor::open(file, labels, config)?),
            (None, Some(path), _) if path.is_dir() => Kind::Folder(Folder::open(path, labels, config)?),
            (None, None, Some(DataConfig { kind: DataKind::Folder, file, labels: list })) => {
                let list = list.as_ref().map(|list| beside(config_path, list));
                let labels = labels.or(list.as_deref());
                Kind::Folder(Folder::open(&beside(config_path, file), labels, config)?)
            }
            (None, Some(path), Some(DataConfig { kind: DataKind::Digits, .. })) => digits(config_path, config, path)?,
            (None, Some(path), _) => {
                files::check(path)?;
                return Err(GenError::file(
                    path,
                    "it is no folder of pictures",
                    "name a folder; a tensor (.npy) is named by --tensor or --calibrate",
                ));
            }
            (None, None, Some(data)) => digits(config_path, config, &beside(config_path, &data.file))?,
            (None, None, None) => {
                let problem = "the configuration names no images";
                return Err(needs(config_path, problem, "add a table [data], or use --images or --tensor"));
            }
        };
        let set = Self { kind };
        match (&set.kind, labels) {
            (Kind::Digits(..), Some(list)) => {
                Err(GenError::file(list, "the digits have their classes in their own file", "leave --labels out"))
            }
            _ => Ok(set),
        }
    }

    /// Number of images of the test set.
    pub fn len(&self) -> usize {
        match &self.kind {
            Kind::Digits(_, test) => test.len(),
            Kind::Folder(folder) => folder.len(),
            Kind::Tensor(tensor) => tensor.len(),
        }
    }

    /// True without any image.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Class folders, for a data set that takes its classes from them.
    pub fn class_folders(&self) -> Option<usize> {
        match &self.kind {
            Kind::Folder(folder) => folder.classes,
            Kind::Digits(..) | Kind::Tensor(_) => None,
        }
    }

    /// An image of the test set, from 0 to below [`Self::len`].
    ///
    /// # Errors
    /// An unreadable file.
    pub fn image(&self, index: usize) -> Result<Image, GenError> {
        match &self.kind {
            Kind::Digits(_, test) => Ok(test[index].clone()),
            Kind::Folder(folder) => folder.image(index),
            Kind::Tensor(tensor) => tensor.image(index),
        }
    }

    /// An image of a part of the test set: of its first `count` images, or, where folders are classes, of images at equal
    /// distances, so that all classes take part.
    ///
    /// # Errors
    /// An unreadable file.
    pub fn image_of(&self, index: usize, count: usize) -> Result<Image, GenError> {
        let spread = self.class_folders().is_some();
        self.image(if spread { index * self.len() / count } else { index })
    }

    /// A part of the test set, or all of it.
    ///
    /// # Errors
    /// An unreadable file.
    pub fn test(&self, count: Option<usize>) -> Result<Vec<Image>, GenError> {
        let count = self.len().min(count.unwrap_or(usize::MAX));
        (0..count).map(|index| self.image_of(index, count)).collect()
    }

    /// Images for the quantizer: of the digits training images, more than an epoch holds from the next ones; otherwise
    /// images at equal distances, so that all class folders take part.
    ///
    /// # Errors
    /// An unreadable file.
    pub fn calibration(&self, count: usize) -> Result<Vec<Image>, GenError> {
        if let Kind::Digits(digits, _) = &self.kind {
            let epochs = (CALIBRATION_EPOCH..).flat_map(|epoch| digits.train_epoch(epoch));
            return Ok(epochs.take(count).map(Image::from).collect());
        }
        let count = count.min(self.len());
        (0..count).map(|i| self.image(i * self.len() / count)).collect()
    }
}

/// The configuration's digits, for training.
///
/// # Errors
/// Another data set, or an unreadable one.
pub fn open_digits(config_path: &Path, config: &Config) -> Result<Digits, GenError> {
    match DataSet::open(config_path, config, &Choice::default())?.kind {
        Kind::Digits(digits, _) => Ok(*digits),
        Kind::Folder(_) | Kind::Tensor(_) => {
            Err(needs(config_path, "only the digits can be trained on", "write kind = \"digits\" under [data]"))
        }
    }
}

fn digits(config_path: &Path, config: &Config, path: &Path) -> Result<Kind, GenError> {
    let m = &config.model;
    if (m.height, m.width, m.channels) != (CANVAS, CANVAS, 1) || m.classes != CLASSES {
        let problem = format!(
            "the digits are {CANVAS}x{CANVAS}x1 with {CLASSES} classes, [model] says {}x{}x{} with {}",
            m.height, m.width, m.channels, m.classes
        );
        return Err(needs(config_path, &problem, "change [model] or [data]"));
    }
    let digits = Digits::from_bytes(&files::read(path)?);
    let digits = digits.map_err(|e| refused(path, &e))?;
    let test = digits.test().map(Image::from).collect();
    Ok(Kind::Digits(Box::new(digits), test))
}

fn needs(config_path: &Path, problem: &str, remedy: &str) -> GenError {
    GenError::Needs {
        config: config_path.display().to_string(),
        problem: problem.to_owned(),
        remedy: remedy.to_owned(),
    }
}

/// A path of a configuration: relative to the configuration file.
pub fn beside(config_path: &Path, written: &str) -> PathBuf {
    config_path.parent().unwrap_or(Path::new("")).join(written)
}

#[cfg(test)]
mod tests;
