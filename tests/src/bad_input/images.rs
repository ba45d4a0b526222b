//! Data files of digits.

use super::{SMALL, messages, refused};

/// Bytes before the first digit.
const HEADER: usize = 8;

/// The committed digits with one change.
fn edited(edit: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = include_bytes!("../../../data/digits/digits.bin").to_vec();
    edit(&mut bytes);
    bytes
}

#[test]
fn data_files() {
    let cases = [
        ("empty", Vec::new()),
        ("bad magic", edited(|b| b[3] = b'2')),
        ("other format", edited(|b| b[6] = 28)),
        ("truncated", edited(|b| b.truncate(1000))),
        ("one byte too many", edited(|b| b.push(0))),
        (
            "no digits",
            edited(|b| {
                b.truncate(HEADER);
                b[4..6].fill(0);
            }),
        ),
        ("label out of range", edited(|b| b[HEADER] = 10)),
        ("pixel out of range", edited(|b| b[HEADER + 1] = 31)),
    ];
    insta::assert_snapshot!(messages(&["eval", SMALL, "--count", "1", "--images"], &cases));
}

#[test]
fn paths() {
    let eval = |path| refused(&["eval", SMALL, "--images", path]);
    insta::assert_snapshot!(eval("missing.bin") + &eval(concat!(env!("CARGO_MANIFEST_DIR"), "/bad")));
}
