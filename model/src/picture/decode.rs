//! Decoding, by the crates `zune-jpeg` and `png`. What a file is, its first bytes say: collections hold PNGs that are
//! named `.JPEG`.

use super::{Picture, PictureError};
use std::io::Cursor;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// Most pixels of a picture: 2^26, 200 MB as RGB.
const MOST_PIXELS: usize = 1 << 26;
/// Longest side.
const MOST_SIDE: usize = 1 << 16;
/// Bytes that the PNG decoder may allocate besides the picture: its chunks are held whole.
const PNG_WORK_BYTES: usize = 1 << 28;

const JPEG: &[u8] = &[0xff, 0xd8, 0xff];
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Marker "end of image".
const JPEG_END: &[u8] = &[0xff, 0xd9];

impl Picture {
    /// Decodes a JPEG or PNG file to RGB as `Image.open(..).convert("RGB")` of Pillow does: palettes and grey are
    /// expanded, 16 bits cut to the upper 8, transparency is ignored, and so is a note of the camera's orientation.
    ///
    /// # Errors
    /// Bytes of another format, a damaged or cut off file, or absurd dimensions; none of them costs memory.
    pub fn decode(bytes: &[u8]) -> Result<Self, PictureError> {
        match bytes {
            [] => Err(PictureError::Empty),
            _ if bytes.starts_with(JPEG) => jpeg(bytes),
            _ if bytes.starts_with(PNG) => png(bytes),
            _ => Err(PictureError::Format { start: bytes[..bytes.len().min(8)].to_vec() }),
        }
    }
}

fn check_size(width: usize, height: usize) -> Result<(), PictureError> {
    if width.max(height) <= MOST_SIDE && width.saturating_mul(height) <= MOST_PIXELS {
        return Ok(());
    }
    Err(PictureError::Size { width, height, most: MOST_PIXELS })
}

/// Strictly, so that a file that is cut off is refused. Other damage is decoded as well as it can be where the file
/// has its end, which is what libjpeg does.
fn jpeg(bytes: &[u8]) -> Result<Picture, PictureError> {
    let written = bytes.trim_ascii_end();
    let padding = written.iter().rev().take_while(|b| **b == 0).count();
    let has_end = written[..written.len() - padding].ends_with(JPEG_END);
    jpeg_with(bytes, true).or_else(|error| match error {
        PictureError::Jpeg { .. } if has_end => jpeg_with(bytes, false),
        _ => Err(error),
    })
}

fn jpeg_with(bytes: &[u8], strict: bool) -> Result<Picture, PictureError> {
    let refuse = |reason: String| PictureError::Jpeg { reason: reason.replace('\n', " ").trim().to_owned() };
    let options = DecoderOptions::default()
        .set_max_width(MOST_SIDE)
        .set_max_height(MOST_SIDE)
        .jpeg_set_out_colorspace(ColorSpace::RGB)
        .set_strict_mode(strict);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|e| refuse(e.to_string()))?;
    let (width, height) = decoder.dimensions().ok_or_else(|| refuse("it has no dimensions".to_owned()))?;
    check_size(width, height)?;
    let data = decoder.decode().map_err(|e| refuse(e.to_string()))?;
    if data.len() == 3 * width * height {
        Ok(Picture { width, height, channels: 3, data })
    } else {
        Err(refuse(format!("{} values for {width} x {height} pixels", data.len())))
    }
}

fn png(bytes: &[u8]) -> Result<Picture, PictureError> {
    let refuse = |e: png::DecodingError| PictureError::Png { reason: e.to_string() };
    let limits = png::Limits { bytes: PNG_WORK_BYTES };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
    let mut reader = decoder.read_info().map_err(refuse)?;
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    check_size(width, height)?;
    let (colours, _) = reader.output_color_type();
    let mut samples = vec![0; width * height * colours.samples()];
    reader.next_frame(&mut samples).map_err(refuse)?;
    // Reads the rest, so that a file that lacks its end is refused.
    reader.finish().map_err(refuse)?;
    Ok(Picture { width, height, channels: 3, data: to_rgb(samples, colours) })
}

/// Expanded samples without alpha, in three channels.
fn to_rgb(samples: Vec<u8>, colours: png::ColorType) -> Vec<u8> {
    use png::ColorType::{Grayscale, GrayscaleAlpha, Indexed, Rgb, Rgba};
    match colours {
        Rgb => samples,
        Rgba => samples.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect(),
        GrayscaleAlpha => samples.chunks_exact(2).flat_map(|p| [p[0]; 3]).collect(),
        Grayscale | Indexed => samples.iter().flat_map(|p| [*p; 3]).collect(),
    }
}
