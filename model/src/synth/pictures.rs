//! Pictures for those who have no photographs: noise with the spectrum of photographs.

use super::noise::Noise;
use crate::image::ImageShape;
use std::f64::consts::TAU;

/// Waves of a picture.
const WAVES: usize = 160;
/// Most periods of a wave over the picture.
const PERIODS: f64 = 40.0;
/// Share of its contrast that a picture has in colours.
const COLOUR: f64 = 0.35;

/// Pixels of the picture number `index` of a series, row by row, channels side by side: plane waves whose amplitude
/// falls as 1/frequency, as in photographs, the brightness of all channels mostly together.
pub fn picture(shape: &ImageShape, seed: u64, index: u64) -> Vec<u8> {
    let noise = &mut Noise::new(seed, (1 << 32) + index);
    let (height, width) = (shape.height as f64, shape.width as f64);
    let mut values = vec![0.0f64; shape.height * shape.width * shape.channels];
    for _ in 0..WAVES {
        // Uniform in the logarithm of the frequency: equal amplitudes then give a 1/f spectrum.
        let periods = 0.3 * libm::pow(PERIODS / 0.3, noise.uniform());
        let (direction, phase) = (TAU * noise.uniform(), TAU * noise.uniform());
        let (y, x) = (periods * libm::sin(direction) / height, periods * libm::cos(direction) / width);
        let bright = noise.normal(1.0);
        let colour: Vec<f64> = (0..shape.channels).map(|_| bright + noise.normal(COLOUR)).collect();
        for (at, pixel) in values.chunks_mut(shape.channels).enumerate() {
            let angle = TAU * (y * (at / shape.width) as f64 + x * (at % shape.width) as f64) + phase;
            let wave = libm::cos(angle);
            pixel.iter_mut().zip(&colour).for_each(|(v, c)| *v += c * wave);
        }
    }
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    let power = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / values.len().max(1) as f64;
    // Photographs have a mean near the middle and a contrast of about a fifth of the range.
    let (level, contrast) = (noise.normal(20.0) + 118.0, 55.0 / libm::sqrt(power.max(1e-12)));
    values.iter().map(|v| ((v - mean) * contrast + level).round().clamp(0.0, 255.0) as u8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_repeat_and_neighbours_are_alike() {
        let shape = ImageShape { height: 48, width: 64, channels: 3, patch: 16 };
        let pixels = picture(&shape, 1, 0);
        assert_eq!(pixels, picture(&shape, 1, 0));
        assert_ne!(pixels, picture(&shape, 1, 1));
        let difference = |step: usize| {
            let pairs = pixels.iter().zip(&pixels[3 * step..]);
            pairs.map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / pixels.len() as f64
        };
        assert!(difference(1) * 1.5 < difference(20), "{} {}", difference(1), difference(20));
    }
}
