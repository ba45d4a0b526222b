//! Images through an engine, in parallel; results are in the order of the images for any number of threads.

use crate::data_set::Image;
use crate::error::GenError;
use crate::pipeline::image_shape;
use crate::progress;
use heatvit_model::config::Config;
use heatvit_model::float::{Engine, FloatNetwork, forward};
use heatvit_model::image::float_patches;
use rayon::prelude::*;

/// Applies `engine` to every image, with progress.
///
/// # Errors
/// The error of the first image, in their order, that has one.
pub fn each<T: Send>(
    what: &'static str,
    images: &[Image],
    engine: impl Fn(usize, &Image) -> Result<T, GenError> + Sync,
) -> Result<Vec<T>, GenError> {
    let bar = progress::bar(what, images.len());
    let results: Vec<Result<T, GenError>> = images
        .par_iter()
        .enumerate()
        .map(|(index, image)| {
            let result = engine(index, image);
            bar.inc(1);
            result
        })
        .collect();
    bar.finish_and_clear();
    results.into_iter().collect()
}

/// Accuracy in float arithmetic.
///
/// # Errors
/// An image of another shape.
pub fn float_accuracy(
    network: &FloatNetwork,
    config: &Config,
    images: &[Image],
    engine: Engine,
) -> Result<Option<f64>, GenError> {
    let shape = image_shape(config);
    let classes = each("float", images, |_, image| {
        let patches = float_patches(&image.pixels, &shape).map_err(|e| GenError::stage("network", e))?;
        Ok(class_of(forward(network, engine, &patches).logits()))
    })?;
    Ok(accuracy(images, &classes))
}

/// Place of the largest value; the first of equal ones.
pub fn class_of<T: PartialOrd>(logits: &[T]) -> usize {
    (1..logits.len()).fold(0, |best, i| if logits[i] > logits[best] { i } else { best })
}

/// Share of images whose class was found; `None` without images.
pub fn accuracy(images: &[Image], classes: &[usize]) -> Option<f64> {
    let right = images.iter().zip(classes).filter(|(image, class)| image.label == **class).count();
    (!images.is_empty()).then(|| right as f64 / images.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images() -> Vec<Image> {
        (0..50).map(|label| Image { pixels: Vec::new(), label, subject: None }).collect()
    }

    #[test]
    fn results_keep_the_order_of_images() {
        let labels = each("test", &images(), |_, image| Ok(image.label)).unwrap();
        assert_eq!(labels, (0..50).collect::<Vec<_>>());
        assert_eq!(accuracy(&images(), &labels), Some(1.0));
    }

    #[test]
    fn the_first_error_wins() {
        let fail = |index: usize, _: &Image| -> Result<(), GenError> {
            if index % 20 == 19 { Err(GenError::stage("test", index)) } else { Ok(()) }
        };
        assert!(each("test", &images(), fail).unwrap_err().to_string().contains("19"));
    }

    #[test]
    fn equal_logits_choose_the_first_class() {
        assert_eq!(class_of(&[1, 3, 3, 2]), 1);
        assert_eq!(class_of::<i32>(&[]), 0);
    }
}
