//! A round trip, and every refusal with its whole message.

use super::*;

/// A file with this header text, version 1.
fn file(header: &str, data: &[u8]) -> Vec<u8> {
    [MAGIC, &[1, 0], &(header.len() as u16).to_le_bytes(), header.as_bytes(), data].concat()
}

fn refusal(bytes: &[u8]) -> String {
    Array::from_bytes(bytes).unwrap_err().to_string()
}

#[test]
fn a_file_is_what_numpy_writes() {
    // numpy.save of numpy.arange(3, dtype="<f4"), NumPy 2.4.
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }}{}\n", " ".repeat(60));
    let data: Vec<u8> = [0.0f32, 1.0, 2.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    let written = to_bytes(&[3], &[0.0, 1.0, 2.0]);
    assert_eq!(written, file(&header, &data));
    assert_eq!(written.len(), 128 + 12);
    let empty = to_bytes(&[0, 7], &[]);
    assert!(Array::from_bytes(&empty).unwrap().is_empty());
    let scalar = to_bytes(&[], &[5.0]);
    assert_eq!(Array::from_bytes(&scalar).unwrap().values(0..1), [5.0]);
}

#[test]
fn other_versions_and_orders_of_keys_are_read() {
    let header = "{\"shape\": (1, 2), \"fortran_order\": False, \"descr\": \"<f4\"}\n";
    for major in [2, 3] {
        let start = [MAGIC, &[major, 0], &(header.len() as u32).to_le_bytes(), header.as_bytes()].concat();
        let bytes = [start, vec![0; 8]].concat();
        assert_eq!(Array::from_bytes(&bytes).unwrap().shape, [1, 2]);
    }
}

#[test]
fn refusals_name_the_remedy() {
    let text = |descr: &str, order: &str, shape: &str| {
        file(&format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}"), &[0; 24])
    };
    for (bytes, message) in [
        (Vec::new(), "it is no .npy file; write it with numpy.save"),
        (b"\x93NUMPY\x01".to_vec(), "it is no .npy file; write it with numpy.save"),
        (
            b"\x93NUMPY\x09\x00\x00\x00".to_vec(),
            "it has version 9 of the format, versions 1 to 3 are known; write it with numpy.save",
        ),
        (
            b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}".to_vec(),
            "its header of 4294967295 bytes is longer than the file or than 65536 bytes; write it again with numpy.save",
        ),
        (text("<f8", "False", "(6,)"), "its elements are `<f8`, `<f4` is needed; convert it with astype(\"<f4\")"),
        (text(">f4", "False", "(6,)"), "its elements are `>f4`, `<f4` is needed; convert it with astype(\"<f4\")"),
        (text("<f4", "True", "(2, 3)"), "it is in Fortran order; convert it with numpy.ascontiguousarray"),
        (
            text("<f4", "False", "(2, 4)"),
            "the shape [2, 4] needs 32 bytes of data, the file holds 24; it is cut off or padded, write it again",
        ),
        (
            text("<f4", "False", "(18446744073709551615, 18446744073709551615)"),
            "the shape [18446744073709551615, 18446744073709551615] needs far too many bytes of data, the file holds \
             24; it is cut off or padded, write it again",
        ),
        (
            text("<f4", "False", "(4294967296, 4294967296, 0)"),
            "the shape [4294967296, 4294967296, 0] needs far too many bytes of data, the file holds 24; it is cut off or \
             padded, write it again",
        ),
        (
            text("<f4", "False", "(2, -3)"),
            "its header is not the dictionary that numpy.save writes (`` is no dimension); write it again",
        ),
        (
            file("{'descr': '<f4', 'shape': (1,)}", &[0; 4]),
            "its header is not the dictionary that numpy.save writes (the key `fortran_order` is missing); write it \
             again",
        ),
        (
            file("{'descr': '<f4', 'descr': '<f4'}", &[]),
            "its header is not the dictionary that numpy.save writes (the key `descr` is there twice); write it again",
        ),
        (
            file("{'descr': '<f4' 'shape': (1,)}", &[]),
            "its header is not the dictionary that numpy.save writes (`}` is expected before `\\'shape\\': (1,`); write it \
             again",
        ),
        (
            file("{'descr': [('a', '<f4')]}", &[]),
            "its elements are `a record`, `<f4` is needed; convert it with astype(\"<f4\")",
        ),
    ] {
        assert_eq!(refusal(&bytes), message);
    }
}
