//! From a picture of any size to a network's image.

use super::resample::resample;
use super::{Picture, PictureError};
use std::ops::Range;

/// How pictures become images of a network: the shorter side becomes `resize`, the centre is cut out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preprocess {
    /// Rows of the image.
    pub height: usize,
    /// Columns of the image.
    pub width: usize,
    /// Its channels: 3, or 1 for grey.
    pub channels: usize,
    /// Pixels of the picture's shorter side before the cut; at least as many as the image has on its longer side.
    pub resize: usize,
}

/// The middle `wanted` of `length` pixels. torchvision rounds the place as Python does: halves to even.
fn middle(length: usize, wanted: usize) -> Range<usize> {
    let spare = length - wanted;
    let start = spare / 2 + usize::from(spare % 4 == 3);
    start..start + wanted
}

impl Preprocess {
    /// Pixels of an image, `[height][width][channels]`.
    ///
    /// # Errors
    /// Bytes that are no picture, or a network that takes neither grey nor RGB.
    pub fn image(&self, bytes: &[u8]) -> Result<Vec<u8>, PictureError> {
        let picture = match self.channels {
            3 => Picture::decode(bytes)?,
            1 => Picture::decode(bytes)?.into_grey(),
            channels => return Err(PictureError::Channels { channels }),
        };
        Ok(self.apply(&picture).data)
    }

    /// Resizes and cuts; the longer side keeps the proportions, rounded down.
    pub fn apply(&self, picture: &Picture) -> Picture {
        let shorter = picture.width.min(picture.height);
        let side = |length: usize| if length == shorter { self.resize } else { self.resize * length / shorter };
        let size = (side(picture.width), side(picture.height));
        resample(picture, size, middle(size.0, self.width), middle(size.1, self.height))
    }
}

#[cfg(test)]
mod tests {
    use super::middle;

    #[test]
    fn halves_round_to_even() {
        // Python: [round((length - 4) / 2) for length in 4..=11]
        assert_eq!((4..=11).map(|length| middle(length, 4).start).collect::<Vec<_>>(), [0, 0, 1, 2, 2, 2, 3, 4]);
    }
}
