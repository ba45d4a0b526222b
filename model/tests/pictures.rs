//! Do pictures become the same images as with Pillow and torchvision? `oracle/pictures.json` holds what those made of
//! the photographs; `scripts/oracle/run pictures` records it again.

use heatvit_model::picture::{Picture, Preprocess};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Deserialize)]
struct Record {
    photos: BTreeMap<String, Photo>,
}

#[derive(Deserialize)]
struct Photo {
    size: [usize; 2],
    sha256: String,
    images: Vec<Image>,
}

#[derive(Deserialize)]
struct Image {
    resize: usize,
    height: usize,
    width: usize,
    channels: usize,
    sha256: String,
    every_8th: Option<String>,
}

impl Image {
    fn preprocess(&self) -> Preprocess {
        Preprocess { height: self.height, width: self.width, channels: self.channels, resize: self.resize }
    }
}

fn record() -> Record {
    serde_json::from_str(include_str!("oracle/pictures.json")).expect("the record is committed")
}

fn photo(name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../data/photos")).join(name))
        .expect("the photographs are committed")
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn pngs_become_the_same_bytes_as_with_pillow() {
    let mut compared = 0;
    for (name, expected) in record().photos.iter().filter(|(name, _)| name.ends_with(".png")) {
        let bytes = photo(name);
        let picture = Picture::decode(&bytes).unwrap();
        assert_eq!([picture.width, picture.height], expected.size, "{name}");
        assert_eq!(hash(&picture.data), expected.sha256, "{name} decoded");
        for image in &expected.images {
            let found = image.preprocess().image(&bytes).unwrap();
            assert_eq!(found.len(), image.height * image.width * image.channels);
            assert_eq!(hash(&found), image.sha256, "{name} resized to {}", image.resize);
            compared += 1;
        }
    }
    assert_eq!(compared, 12);
}

/// Decoders of JPEG are free in rounding and in how they enlarge the chroma.
#[test]
fn jpegs_differ_from_pillows_by_what_decoders_differ() {
    let (mut worst, mut sum, mut count) = (0, 0u64, 0u64);
    for (name, expected) in record().photos.iter().filter(|(name, _)| name.ends_with(".jpg")) {
        let image = &expected.images[0];
        let found = image.preprocess().image(&photo(name)).unwrap();
        let every_8th = image.every_8th.as_ref().unwrap();
        let recorded =
            every_8th.as_bytes().chunks(2).map(|d| u8::from_str_radix(str::from_utf8(d).unwrap(), 16).unwrap());
        let rows = (0..image.height).step_by(8);
        let places = rows.flat_map(|r| (0..image.width).step_by(8).map(move |c| (r * image.width + c) * 3));
        let values = places.flat_map(|at| &found[at..at + 3]);
        let differences: Vec<u8> = values.zip(recorded).map(|(a, b)| a.abs_diff(b)).collect();
        assert_eq!(differences.len(), 28 * 28 * 3);
        let total: u64 = differences.iter().map(|d| u64::from(*d)).sum();
        let most = *differences.iter().max().unwrap();
        println!("{name}: most {most}, mean {:.4}", total as f64 / differences.len() as f64);
        worst = worst.max(most);
        sum += total;
        count += differences.len() as u64;
    }
    assert_eq!(count, 5 * 28 * 28 * 3);
    assert!(worst <= 3, "{worst} levels");
    assert!((sum as f64 / count as f64) < 0.2, "{sum} of {count}");
}

#[test]
fn a_picture_that_is_one_pixel_high_costs_no_memory() {
    let picture = Picture { width: 60_000, height: 1, channels: 1, data: vec![7; 60_000] };
    let image = Preprocess { height: 224, width: 224, channels: 1, resize: 256 }.apply(&picture);
    assert_eq!((image.width, image.height, image.data), (224, 224, vec![7; 224 * 224]));
}

#[test]
fn damaged_files_are_refused() {
    let refusal = |bytes: &[u8]| Picture::decode(bytes).unwrap_err().to_string();
    assert_eq!(refusal(b""), "the picture is empty; copy it again");
    let gif = "it is neither a JPEG nor a PNG, it starts with the bytes [47, 49, 46, 38, 39, 61]; convert it";
    assert_eq!(refusal(b"GIF89a"), gif);
    for name in [
        "astronaut.jpg",
        "brick.jpg",
        "china.jpg",
        "coffee.jpg",
        "flower.jpg",
        "camera.png",
        "chelsea.png",
        "rocket.png",
    ] {
        let whole = photo(name);
        // Down to the header; the last bytes of a JPEG are its end, which is not missed.
        for length in (8..whole.len() - 16).step_by(whole.len() / 40) {
            let said = refusal(&whole[..length]);
            assert!(
                said.contains("cannot be decoded (") && said.ends_with("copy or convert it again"),
                "{name}: {said}"
            );
        }
        for at in (2..whole.len()).step_by(whole.len() / 200) {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x5a;
            let _ = Picture::decode(&flipped); // any answer but a panic
        }
    }
}

#[test]
fn absurd_dimensions_are_refused_before_they_cost_memory() {
    let mut png = photo("camera.png");
    png[16..24].copy_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
    let header_checksum = crc(&png[12..29]);
    png[29..33].copy_from_slice(&header_checksum.to_be_bytes());
    let said = Picture::decode(&png).unwrap_err().to_string();
    assert_eq!(said, "the picture has 65535 x 65535 pixels, at most 67108864 are decoded; make it smaller");
    let mut jpeg = photo("astronaut.jpg");
    let frame = jpeg.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].fill(0xff);
    assert_eq!(Picture::decode(&jpeg).unwrap_err().to_string(), said);
}

/// CRC-32 as PNG uses it, bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    let bit = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), bit))
}
