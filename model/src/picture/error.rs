//! Why a picture is refused.

/// Why bytes are not a picture that can be used. Each message ends with the remedy.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PictureError {
    /// No bytes at all.
    #[error("the picture is empty; copy it again")]
    Empty,
    /// Another format.
    #[error("it is neither a JPEG nor a PNG, it starts with the bytes {start:02x?}; convert it")]
    Format {
        /// First bytes.
        start: Vec<u8>,
    },
    /// Not decodable as JPEG.
    #[error("the JPEG cannot be decoded ({reason}); it is damaged or cut off, copy or convert it again")]
    Jpeg {
        /// What the decoder said.
        reason: String,
    },
    /// Not decodable as PNG.
    #[error("the PNG cannot be decoded ({reason}); it is damaged or cut off, copy or convert it again")]
    Png {
        /// What the decoder said.
        reason: String,
    },
    /// More pixels than are decoded.
    #[error("the picture has {width} x {height} pixels, at most {most} are decoded; make it smaller")]
    Size {
        /// Columns.
        width: usize,
        /// Rows.
        height: usize,
        /// Most pixels.
        most: usize,
    },
    /// A network with neither grey nor coloured images.
    #[error("pictures have 1 or 3 channels, the network takes {channels}; give it its input with --tensor")]
    Channels {
        /// Channels of the network.
        channels: usize,
    },
}
