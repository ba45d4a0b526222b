//! Text for HTML, and pictures as text.

use base64::Engine as _;
use heatvit_model::image::ImageShape;

/// Text that may stand between tags and in quoted attributes.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            // Not allowed in HTML at all.
            c if c.is_control() && !c.is_ascii_whitespace() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A share; its sign stays on the line.
pub fn percent(share: f64) -> String {
    crate::summary::percent(share).replace(' ', "\u{a0}")
}

/// A picture as a `data:` address: three channels in colour, of any other number the first one in grey.
/// `None` if the pixels do not have the shape.
pub fn data_uri(pixels: &[u8], shape: &ImageShape) -> Option<String> {
    let (width, height) = (u32::try_from(shape.width).ok()?, u32::try_from(shape.height).ok()?);
    if pixels.len() != shape.width * shape.height * shape.channels {
        return None;
    }
    let (colour, data) = match shape.channels {
        0 => return None,
        3 => (png::ColorType::Rgb, pixels.to_vec()),
        n => (png::ColorType::Grayscale, pixels.iter().copied().step_by(n).collect()),
    };
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(colour);
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&data).ok()?;
    writer.finish().ok()?;
    Some(format!("data:image/png;base64,{}", base64::engine::general_purpose::STANDARD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_leave_its_place() {
        assert_eq!(escape("a<b>&\"c\"'\u{0}é"), "a&lt;b&gt;&amp;&quot;c&quot;&#39;\u{fffd}é");
    }

    fn decode(uri: &str) -> (png::ColorType, Vec<u8>) {
        let text = uri.strip_prefix("data:image/png;base64,").unwrap();
        let bytes = base64::engine::general_purpose::STANDARD.decode(text).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        (reader.info().color_type, pixels)
    }

    #[test]
    fn pictures_come_back_from_their_address() {
        let shape = |channels| ImageShape { height: 2, width: 3, channels, patch: 1 };
        let pixels: Vec<u8> = (0..18).map(|i| i * 14).collect();
        assert_eq!(decode(&data_uri(&pixels, &shape(3)).unwrap()), (png::ColorType::Rgb, pixels.clone()));
        assert_eq!(
            decode(&data_uri(&pixels[..6], &shape(1)).unwrap()),
            (png::ColorType::Grayscale, pixels[..6].into())
        );
        let first: Vec<u8> = pixels[..12].iter().copied().step_by(2).collect();
        assert_eq!(decode(&data_uri(&pixels[..12], &shape(2)).unwrap()), (png::ColorType::Grayscale, first));
        assert_eq!(data_uri(&pixels, &shape(1)), None);
    }
}
