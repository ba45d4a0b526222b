//! From pixels to the patches that the network reads: the only place that knows the input scale.
//!
//! A pixel `p` in 0..1 becomes `2p - 1`, and one int8 step is 1/127: 0 is -127, 255 is 127.
//! Elements of a patch are in the order channel, row, column; row 0 of the result belongs to the class
//! token and is zero.

mod pixels;

pub use pixels::{Normalisation, Pixels};

/// Real value of one int8 step.
pub const INPUT_STEP: f64 = 1.0 / 127.0;

/// Layout of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageShape {
    /// Rows of pixels.
    pub height: usize,
    /// Columns of pixels.
    pub width: usize,
    /// Values of a pixel, stored next to each other.
    pub channels: usize,
    /// Side of a patch.
    pub patch: usize,
}

/// Why an image is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ImageError {
    /// Wrong number of pixels.
    #[error("the image has {found} values, {height} x {width} x {channels} = {expected} are needed; resize it")]
    Size {
        /// Values found.
        found: usize,
        /// Values needed.
        expected: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// Channels.
        channels: usize,
    },
    /// The patches do not tile the image.
    #[error("patches of {patch} x {patch} do not tile an image of {height} x {width}; choose a divisor of both")]
    Patch {
        /// Side of a patch.
        patch: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// NaN or infinity.
    #[error("value {index} of the image is {value}; inputs are finite numbers, make them again")]
    NotFinite {
        /// Position in the image.
        index: usize,
        /// As written.
        value: String,
    },
    /// -128 among int8 patches.
    #[error("element {index} of the patches is -128; inputs lie in -127..127, convert the image again")]
    MinusOneTwentyEight {
        /// Position in the patches.
        index: usize,
    },
}

impl ImageShape {
    /// Tokens with the class token.
    pub fn tokens(&self) -> usize {
        1 + (self.height / self.patch) * (self.width / self.patch)
    }

    /// Values of a patch.
    pub fn patch_inputs(&self) -> usize {
        self.channels * self.patch * self.patch
    }

    fn check(&self, found: usize) -> Result<(), ImageError> {
        let &Self { height, width, channels, patch } = self;
        if patch == 0 || !height.is_multiple_of(patch) || !width.is_multiple_of(patch) {
            return Err(ImageError::Patch { patch, height, width });
        }
        let expected = height * width * channels;
        if found == expected { Ok(()) } else { Err(ImageError::Size { found, expected, height, width, channels }) }
    }

    /// Gathers `value(pixel)` patch by patch.
    fn gather<T: Copy + Default, U>(&self, pixels: &[U], value: impl Fn(&U) -> T) -> Result<Vec<T>, ImageError> {
        self.check(pixels.len())?;
        let p = self.patch;
        let mut out = vec![T::default(); self.patch_inputs()];
        for (top, left) in (0..self.height / p).flat_map(|r| (0..self.width / p).map(move |c| (r * p, c * p))) {
            for channel in 0..self.channels {
                for (row, column) in (top..top + p).flat_map(|r| (left..left + p).map(move |c| (r, c))) {
                    out.push(value(&pixels[(row * self.width + column) * self.channels + channel]));
                }
            }
        }
        Ok(out)
    }
}

/// The int8 input of a pixel: `127 (2p - 1)`, halves away from zero.
pub fn quantize_pixel(p: u8) -> i8 {
    let twice = 2 * i32::from(p) - 255;
    let magnitude = (twice.abs() * 254 + 255) / 510;
    (magnitude * twice.signum()) as i8
}

/// int8 patches of an image of bytes.
///
/// # Errors
/// The image does not have the shape.
pub fn patches(pixels: &[u8], shape: &ImageShape) -> Result<Vec<i8>, ImageError> {
    shape.gather(pixels, |p| quantize_pixel(*p))
}

/// Patches in real numbers, `2p - 1`, of an image of bytes: the input of the float engines.
///
/// # Errors
/// The image does not have the shape.
pub fn float_patches(pixels: &[u8], shape: &ImageShape) -> Result<Vec<f32>, ImageError> {
    shape.gather(pixels, |p| (f32::from(*p) / 255.0 - 0.5) / 0.5)
}

/// Real values of int8 patches.
pub fn dequantize(patches: &[i8]) -> Vec<f32> {
    patches.iter().map(|p| (f64::from(*p) * INPUT_STEP) as f32).collect()
}

/// Refuses -128 in patches that come from a file.
///
/// # Errors
/// The first -128.
pub fn check_patches(patches: &[i8]) -> Result<(), ImageError> {
    match patches.iter().position(|p| *p == i8::MIN) {
        Some(index) => Err(ImageError::MinusOneTwentyEight { index }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_round_like_the_real_rule() {
        for p in 0..=255u8 {
            assert_eq!(f64::from(quantize_pixel(p)), (127.0 * (2.0 * f64::from(p) / 255.0 - 1.0)).round(), "{p}");
        }
        assert_eq!([0, 127, 128, 255].map(quantize_pixel), [-127, 0, 0, 127]);
    }

    #[test]
    fn patch_elements_are_channel_row_column() {
        let shape = ImageShape { height: 2, width: 4, channels: 2, patch: 2 };
        let pixels: Vec<u8> = (0..16).collect();
        let order = shape.gather(&pixels, |p| *p).unwrap();
        assert_eq!(order[..8], [0; 8]);
        assert_eq!(order[8..16], [0, 2, 8, 10, 1, 3, 9, 11]);
        assert_eq!(order[16..], [4, 6, 12, 14, 5, 7, 13, 15]);
        assert_eq!((shape.tokens(), shape.patch_inputs()), (3, 8));
    }

    #[test]
    fn bytes_and_floats_agree() {
        let shape = ImageShape { height: 16, width: 16, channels: 1, patch: 4 };
        let pixels: Vec<u8> = (0..=255).collect();
        let int = patches(&pixels, &shape).unwrap();
        let real = float_patches(&pixels, &shape).unwrap();
        assert!(dequantize(&int).iter().zip(&real).all(|(a, b)| (a - b).abs() <= 0.501 / 127.0));
    }

    #[test]
    fn refusals_name_the_remedy() {
        let shape = ImageShape { height: 6, width: 6, channels: 1, patch: 4 };
        let message = patches(&[0; 36], &shape).unwrap_err().to_string();
        assert_eq!(message, "patches of 4 x 4 do not tile an image of 6 x 6; choose a divisor of both");
        let shape = ImageShape { patch: 3, ..shape };
        let message = patches(&[0; 35], &shape).unwrap_err().to_string();
        assert_eq!(message, "the image has 35 values, 6 x 6 x 1 = 36 are needed; resize it");
        assert!(check_patches(&[0, -128]).is_err() && check_patches(&[0, -127]).is_ok());
    }
}
