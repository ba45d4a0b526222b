//! Photographs: from the bytes of a JPEG or PNG file to the pixels that a network takes.
//!
//! The steps are those of DeiT's evaluation as timm and torchvision carry them out with Pillow: decode, convert to RGB
//! (or grey), resize the shorter side, cut out the centre. Every step from the decoded pixels on is in Pillow's integers,
//! so that the result has the same bytes. Takes bytes; opening files is the tool's task.

mod decode;
mod error;
mod preprocess;
mod resample;

pub use error::PictureError;
pub use preprocess::Preprocess;

/// A decoded picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Values of a pixel: 3 (red, green, blue) or 1 (grey).
    pub channels: usize,
    /// `[height][width][channels]`.
    pub data: Vec<u8>,
}

impl Picture {
    /// The same in one channel, by Pillow's weights of ITU-R 601: `(19595 R + 38470 G + 7471 B + 2^15) >> 16`.
    #[must_use]
    pub fn into_grey(self) -> Self {
        if self.channels == 1 {
            return self;
        }
        let grey = |rgb: &[u8; 3]| {
            let [r, g, b] = rgb.map(u32::from);
            ((19_595 * r + 38_470 * g + 7_471 * b + (1 << 15)) >> 16) as u8
        };
        let data = self.data.as_chunks::<3>().0.iter().map(grey).collect();
        Self { channels: 1, data, ..self }
    }
}
