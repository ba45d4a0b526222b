//! Files that a simulation is to write and cannot.

use super::heatvit;

const DIGITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../configs/digits.toml");

#[test]
fn a_place_that_cannot_be_written_is_refused_before_the_simulation() {
    for option in ["--trace", "--json"] {
        let (exit, out, err) = heatvit(&["sim", DIGITS, option, "/no/such/folder/file"]);
        assert_eq!((exit, out.as_str()), (2, ""));
        assert_eq!(err, "error: /no/such/folder/file: cannot write: no such file or folder; check the path\n");
    }
}

/// Nothing stays of the attempt, and what is there stays as it is.
#[test]
fn trying_a_place_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old.json"), folder.path().join("new.fst"));
    std::fs::write(&old, "kept").unwrap();
    let [json, trace] = [&old, &new].map(|path| path.to_str().unwrap());
    let missing = folder.path().join("missing");
    let options = ["--json", json, "--trace", trace, "--images", missing.to_str().unwrap()];
    let (exit, _, err) = heatvit(&[&["sim", DIGITS], &options[..]].concat());
    assert_eq!(exit, 2, "{err}");
    assert_eq!(std::fs::read_to_string(&old).unwrap(), "kept");
    assert!(!new.exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_no_fault_of_the_design() {
    let (exit, out, err) = heatvit(&["sim", DIGITS, "--count", "1", "--trace", "/dev/full"]);
    assert_eq!(exit, 2, "{out}{err}");
    assert!(err.starts_with("error: /dev/full: cannot write: ") && err.contains("No space left on device"), "{err}");
}
