//! Pictures as network input.

use burn::tensor::{Device, Int, Tensor, TensorData};
use heatvit_model::data::{CANVAS, CLASSES, GRID, PATCH, PATCHES, Sample};

/// Values of a patch.
pub(crate) const PATCH_INPUTS: usize = PATCH * PATCH;

/// Some pictures, each as the same number of patches.
pub(crate) struct Batch {
    /// `[images, patches, PATCH_INPUTS]`.
    pub(crate) patches: Tensor<3>,
    /// Place of each patch in its image, `[images * patches]`.
    pub(crate) places: Tensor<1, Int>,
    /// Target distribution, `[images, CLASSES]`.
    pub(crate) targets: Tensor<2>,
}

impl Batch {
    /// Converts `samples`; `shown` names the patches of each that the network sees.
    pub(crate) fn new(samples: &[Sample], shown: &[Vec<usize>], smoothing: f64, device: &Device) -> Self {
        let images = samples.len();
        let count = shown.first().map_or(0, Vec::len);
        let mut values = Vec::with_capacity(images * count * PATCH_INPUTS);
        for (sample, places) in samples.iter().zip(shown) {
            for &place in places {
                push_patch(&mut values, &sample.pixels, place);
            }
        }
        let places: Vec<i32> = shown.iter().flatten().map(|&place| place as i32).collect();
        let spread = (smoothing / CLASSES as f64) as f32;
        let targets: Vec<f32> = samples
            .iter()
            .flat_map(|sample| {
                (0..CLASSES).map(move |class| {
                    let hit = f32::from(class == usize::from(sample.label));
                    hit * (1.0 - smoothing as f32) + spread
                })
            })
            .collect();
        Self {
            patches: Tensor::from_data(TensorData::new(values, [images, count, PATCH_INPUTS]), device),
            places: Tensor::from_data(TensorData::new(places, [images * count]), device),
            targets: Tensor::from_data(TensorData::new(targets, [images, CLASSES]), device),
        }
    }

    /// Converts `samples` with all their patches.
    pub(crate) fn whole(samples: &[Sample], device: &Device) -> Self {
        let shown = vec![(0..PATCHES).collect(); samples.len()];
        Self::new(samples, &shown, 0.0, device)
    }
}

/// Appends one patch row by row, pixels from 0..=255 to -1..=1.
fn push_patch(values: &mut Vec<f32>, pixels: &[u8], place: usize) {
    let (top, left) = (place / GRID * PATCH, place % GRID * PATCH);
    for row in top..top + PATCH {
        let start = row * CANVAS + left;
        for &pixel in &pixels[start..start + PATCH] {
            values.push((f32::from(pixel) / 255.0 - 0.5) / 0.5);
        }
    }
}
