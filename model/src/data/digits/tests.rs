use std::collections::BTreeSet;

use super::*;
use crate::data::clutter::PIXELS_PER_PATCH;
use crate::data::{CANVAS, PATCHES};

const FILE: &[u8] = include_bytes!("../../../../data/digits/digits.bin");

fn digits() -> Digits {
    Digits::from_bytes(FILE).unwrap()
}

/// FNV-1a over pictures and labels.
fn digest(samples: impl Iterator<Item = Sample>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for sample in samples {
        for byte in sample.pixels.iter().chain([&sample.label]) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
    hash
}

#[test]
fn the_file_is_the_data_set_of_load_digits() {
    let digits = digits();
    assert_eq!(digits.raws.len(), 1797);
    // The first digit as scikit-learn prints it.
    assert_eq!(digits.raws[0].pixels[..8], [0, 0, 5, 13, 9, 1, 0, 0]);
    assert_eq!(digits.raws[0].pixels[56..], [0, 0, 6, 13, 10, 0, 0, 0]);
    // Its published number of samples per class.
    let mut classes = [0; CLASSES];
    for raw in &digits.raws {
        classes[usize::from(raw.label)] += 1;
    }
    assert_eq!(classes, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
}

#[test]
fn the_parts_share_no_raw_digit() {
    let digits = digits();
    assert_eq!(digits.training_raws().len(), 1257);
    assert_eq!(digits.order.iter().collect::<BTreeSet<_>>().len(), 1797);
    assert_eq!(digits.test().count(), 1080);
    assert_eq!(digits.validation().count(), 540);
    assert_eq!(digits.train_epoch(0).count(), 1257);
}

#[test]
fn every_machine_draws_the_same_pictures() {
    let digits = digits();
    let found = [digest(digits.test()), digest(digits.validation()), digest(digits.train_epoch(0))];
    assert_eq!(found, PUBLISHED, "{found:#x?}");
    assert_ne!(digest(digits.train_epoch(1)), found[2]);
}

const PUBLISHED: [u64; 3] = [0x87e3_072d_2d90_a5a2, 0x87a3_2ff6_ed26_9d53, 0x8533_f2b1_7377_3a5c];

#[test]
fn digits_fill_their_share_and_clutter_its_own() {
    let digits = digits();
    let mut shares = Vec::new();
    for sample in digits.test().chain(digits.validation()).chain(digits.train_epoch(7)) {
        assert_eq!(sample.pixels.len(), CANVAS * CANVAS);
        let covered: u32 = sample.coverage.iter().map(|&c| u32::from(c)).sum();
        // Ink lies within the box of at most 21x21 pixels, and it is never just a dot.
        assert!((30..=441).contains(&covered), "{covered} digit pixels");
        let background = sample.coverage.iter().filter(|&&c| c == 0).count();
        let cluttered =
            (0..PATCHES).filter(|&p| sample.coverage[p] == 0 && sample.clutter[p] >= PIXELS_PER_PATCH).count();
        assert!(cluttered * 100 >= background * 30);
        shares.push(cluttered * 100 / background);
    }
    let mean = shares.iter().sum::<usize>() / shares.len();
    assert!((30..=50).contains(&mean), "{mean} % cluttered on average");
}

#[test]
fn a_damaged_file_is_refused_by_name() {
    let changed = |place: usize, byte: u8| {
        let mut bytes = FILE.to_vec();
        bytes[place] = byte;
        Digits::from_bytes(&bytes).unwrap_err().to_string()
    };
    assert_eq!(
        Digits::from_bytes(b"PK").unwrap_err().to_string(),
        "the data file starts with \"PK\" instead of \"HVD1\"; name a file made by scripts/make-digits"
    );
    assert!(changed(6, 28).starts_with("the data file holds 28x28 pictures of 5 bits"));
    assert!(changed(4, 4).starts_with("the data file has 73685 bytes, 1796 digits need 73644"));
    let again = "the data file is damaged, make it again with scripts/make-digits";
    assert_eq!(changed(HEADER + RECORD, 10), format!("digit 1 has the label 10, legal are 0..=9; {again}"));
    assert_eq!(changed(HEADER + 1, 31), format!("digit 0 has a pixel of 31, legal are 0..=16; {again}"));
    let mut few = FILE[..HEADER + 540 * RECORD].to_vec();
    few[4..6].copy_from_slice(&540_u16.to_le_bytes());
    let error = Digits::from_bytes(&few).unwrap_err();
    assert_eq!(error, DataError::Few { count: 540, needed: 540 });
}
