//! The pixels of an image, as bytes or as real numbers, and the normalisation between both.

use super::{ImageError, ImageShape, float_patches, patches};

/// Pixels of an image, `[height][width][channels]`.
#[derive(Clone, Debug, PartialEq)]
pub enum Pixels {
    /// Bytes `255 p`.
    Bytes(Vec<u8>),
    /// Real numbers `2p - 1`.
    Real(Vec<f32>),
}

impl Pixels {
    /// int8 patches; real pixels beyond -1..1 saturate.
    ///
    /// # Errors
    /// The image does not have the shape.
    pub fn patches(&self, shape: &ImageShape) -> Result<Vec<i8>, ImageError> {
        match self {
            Self::Bytes(bytes) => patches(bytes, shape),
            Self::Real(values) => shape.gather(values, |v| quantize_real(*v)),
        }
    }

    /// Patches in real numbers, `2p - 1`.
    ///
    /// # Errors
    /// The image does not have the shape.
    pub fn float_patches(&self, shape: &ImageShape) -> Result<Vec<f32>, ImageError> {
        match self {
            Self::Bytes(bytes) => float_patches(bytes, shape),
            Self::Real(values) => shape.gather(values, |v| *v),
        }
    }

    /// As bytes, to be looked at; what is beyond 0..1 saturates.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::Real(values) => values.iter().map(|v| ((v + 1.0) * 127.5).round() as u8).collect(),
        }
    }
}

/// `127 v` to the nearest integer, halves away from zero, within -127..127.
fn quantize_real(v: f32) -> i8 {
    (127.0 * f64::from(v)).round().clamp(-127.0, 127.0) as i8
}

/// What images were normalised by before a network was trained on them: `(p - mean) / deviation` per channel, with
/// pixels `p` in 0..1.
#[derive(Clone, Debug, PartialEq)]
pub struct Normalisation {
    /// One per channel.
    pub mean: Vec<f64>,
    /// One per channel.
    pub deviation: Vec<f64>,
}

impl Normalisation {
    /// Factor and addend of a channel that turn a pixel `2p - 1` into a normalised one.
    pub fn from_pixels(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.mean.iter().zip(&self.deviation).map(|(mean, deviation)| (0.5 / deviation, (0.5 - mean) / deviation))
    }

    /// The pixels of a normalised image, `[channels][height][width]`.
    ///
    /// # Errors
    /// The image does not have the shape, or a value is not finite.
    pub fn pixels(&self, normalised: &[f32], shape: &ImageShape) -> Result<Pixels, ImageError> {
        shape.check(normalised.len())?;
        if let Some((index, value)) = normalised.iter().enumerate().find(|(_, v)| !v.is_finite()) {
            return Err(ImageError::NotFinite { index, value: value.to_string() });
        }
        let area = shape.height * shape.width;
        let mut pixels = vec![0.0; normalised.len()];
        for (c, (plane, (factor, addend))) in normalised.chunks(area).zip(self.from_pixels()).enumerate() {
            for (at, v) in plane.iter().enumerate() {
                pixels[at * shape.channels + c] = ((f64::from(*v) - addend) / factor) as f32;
            }
        }
        Ok(Pixels::Real(pixels))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: ImageShape = ImageShape { height: 4, width: 2, channels: 3, patch: 2 };

    fn imagenet() -> Normalisation {
        Normalisation { mean: vec![0.485, 0.456, 0.406], deviation: vec![0.229, 0.224, 0.225] }
    }

    #[test]
    fn a_normalised_image_is_the_image_that_it_came_from() {
        let bytes: Vec<u8> = (0..24).map(|i| (i * 97 % 256) as u8).collect();
        let n = imagenet();
        let value = |c: usize, at: usize| (f64::from(bytes[at * 3 + c]) / 255.0 - n.mean[c]) / n.deviation[c];
        let planes: Vec<f32> =
            (0..3).flat_map(|c| (0..8).map(move |at| (c, at))).map(|(c, at)| value(c, at) as f32).collect();
        let (real, bytes) = (n.pixels(&planes, &SHAPE).unwrap(), Pixels::Bytes(bytes));
        assert_eq!(real.patches(&SHAPE).unwrap(), bytes.patches(&SHAPE).unwrap());
        assert_eq!(real.to_bytes(), bytes.to_bytes());
        let pairs = [&real, &bytes].map(|p| p.float_patches(&SHAPE).unwrap());
        assert!(pairs[0].iter().zip(&pairs[1]).all(|(a, b)| (a - b).abs() < 1e-6));
    }

    #[test]
    fn what_no_byte_can_be_saturates_in_integers_only() {
        let far = Pixels::Real((0..24).map(|i| if i % 2 == 0 { 3.0 } else { -3.0 }).collect());
        assert!(far.patches(&SHAPE).unwrap()[12..].iter().all(|v| v.abs() == 127));
        assert!(far.float_patches(&SHAPE).unwrap()[12..].iter().all(|v| v.abs() == 3.0));
    }

    #[test]
    fn refusals_name_the_remedy() {
        let message = |values: &[f32]| imagenet().pixels(values, &SHAPE).unwrap_err().to_string();
        assert_eq!(message(&[0.0; 23]), "the image has 23 values, 4 x 2 x 3 = 24 are needed; resize it");
        let mut values = [0.0; 24];
        values[5] = f32::NAN;
        assert_eq!(message(&values), "value 5 of the image is NaN; inputs are finite numbers, make them again");
    }
}
