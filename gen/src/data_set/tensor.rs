//! Images that somebody preprocessed: `float32 [n, channels, height, width]` in NumPy's format, normalised.

use super::list;
use super::{About, Image};
use crate::error::GenError;
use crate::files::{self, Mapped};
use crate::pipeline::{image_shape, refused};
use heatvit_model::config::Config;
use heatvit_model::image::{ImageShape, Normalisation};
use heatvit_model::npy::Array;
use std::path::{Path, PathBuf};

/// A file of images, read in place.
#[derive(Clone, Debug)]
pub(super) struct Tensor {
    path: PathBuf,
    bytes: Mapped,
    images: usize,
    labels: Option<Vec<usize>>,
    shape: ImageShape,
    normalisation: Normalisation,
}

impl Tensor {
    /// Opens a file; the last words of the lines of `labels` are the classes.
    ///
    /// # Errors
    /// An unreadable file, another type or shape, or another number of classes.
    pub fn open(path: &Path, labels: Option<&Path>, config: &Config) -> Result<Self, GenError> {
        let (bytes, m) = (files::map(path)?, &config.model);
        let found = Array::from_bytes(&bytes).map_err(|e| refused(path, &e))?.shape;
        let [images, image @ ..] = found.as_slice() else {
            return Err(wrong_shape(path, &found, config));
        };
        if *image != [m.channels, m.height, m.width] || *images == 0 {
            return Err(wrong_shape(path, &found, config));
        }
        let images = *images;
        let labels = labels.map(|file| list::labels(file, images, m.classes)).transpose()?;
        let (shape, normalisation) = (image_shape(config), config.normalisation());
        Ok(Self { path: path.to_owned(), bytes, images, labels, shape, normalisation })
    }

    pub fn len(&self) -> usize {
        self.images
    }

    /// An image.
    ///
    /// # Errors
    /// A value that is not finite.
    pub fn image(&self, index: usize) -> Result<Image, GenError> {
        let array = Array::from_bytes(&self.bytes).map_err(|e| refused(&self.path, &e))?;
        let length = array.len() / self.images;
        let values = array.values(index * length..(index + 1) * length);
        let pixels = self.normalisation.pixels(&values, &self.shape);
        let pixels = pixels.map_err(|e| refused(&self.path, &format!("image {index}: {e}")))?;
        let label = self.labels.as_ref().map(|labels| labels[index]);
        Ok(Image { pixels, about: About { label, subject: None } })
    }
}

fn wrong_shape(path: &Path, found: &[usize], config: &Config) -> GenError {
    let m = &config.model;
    let needed = format!("[n, {}, {}, {}] with n from 1 is needed", m.channels, m.height, m.width);
    GenError::file(path, format!("its shape is {found:?}, {needed}"), "preprocess the images for this network")
}
