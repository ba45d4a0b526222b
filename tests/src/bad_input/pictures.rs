//! Pictures, lists of classes, and tensors of images.

use super::refused;
use heatvit_model::config::Config;
use heatvit_model::float::FloatNetwork;
use heatvit_model::npy;
use heatvit_model::weights::to_bytes;
use std::collections::BTreeMap;
use std::path::Path;

/// A sound configuration of a small network with three channels.
const PHOTOS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/bad/photos.toml");
const CHINA: &[u8] = include_bytes!("../../../data/photos/china.jpg");
const CAMERA: &[u8] = include_bytes!("../../../data/photos/camera.png");

/// A folder with sound weights in `weights` and an empty folder `set`.
fn place() -> tempfile::TempDir {
    let config = Config::parse("photos.toml", include_str!("../../bad/photos.toml")).unwrap();
    let network = FloatNetwork::random(&config.model.dims(), &config.network_options(), 1);
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("weights"), to_bytes(&network, &BTreeMap::new()).unwrap()).unwrap();
    std::fs::create_dir(place.path().join("set")).unwrap();
    place
}

/// The message about `eval` in float arithmetic with these options, in which `@` is the folder.
fn eval(place: &Path, options: &[&str]) -> String {
    let folder = place.to_str().unwrap();
    let options: Vec<String> = options.iter().map(|o| o.replace('@', folder)).collect();
    let weights = format!("{folder}/weights");
    let start = ["eval", PHOTOS, "--engine", "float", "--weights", &weights];
    let arguments: Vec<&str> = start.into_iter().chain(options.iter().map(String::as_str)).collect();
    let said = refused(&arguments).replace(folder, "@");
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

/// The lines about these cases, which write a file each.
fn messages(file: &str, options: &[&str], cases: &[(&str, Vec<u8>)]) -> String {
    let place = place();
    std::fs::write(place.path().join("set/sound.jpg"), CHINA).unwrap();
    let said = cases.iter().map(|(case, bytes)| {
        std::fs::write(place.path().join(file), bytes).unwrap();
        format!("{case}: {}", eval(place.path(), options))
    });
    said.collect()
}

#[test]
fn pictures() {
    let mut wide = CHINA.to_vec();
    let frame = wide.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    wide[frame + 5..frame + 9].fill(0xff);
    let cases = [
        ("empty", Vec::new()),
        ("neither", b"GIF89a, say".to_vec()),
        ("truncated JPEG", CHINA[..CHINA.len() / 2].to_vec()),
        ("JPEG without any scan", CHINA[..200].to_vec()),
        ("absurd dimensions", wide),
        ("truncated PNG", CAMERA[..CAMERA.len() / 2].to_vec()),
        ("PNG without its end", CAMERA[..CAMERA.len() - 12].to_vec()),
    ];
    insta::assert_snapshot!(messages("set/picture.png", &["--images", "@/set"], &cases));
}

#[test]
fn lists() {
    let cases = [
        ("empty", b"\n\n".to_vec()),
        ("no class", b"sound.jpg\n".to_vec()),
        ("no number", b"sound.jpg one\n".to_vec()),
        ("class out of range", b"sound.jpg 3\nsound.jpg 10\n".to_vec()),
        ("no such picture", b"missing.jpg 3\n".to_vec()),
        ("no text", vec![0xff, 0xfe, 0, 1]),
    ];
    insta::assert_snapshot!(messages("list", &["--images", "@/set", "--labels", "@/list"], &cases));
}

#[test]
fn tensors() {
    let sound = npy::to_bytes(&[2, 3, 32, 32], &[0.0; 2 * 3 * 32 * 32]);
    let edited = |from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let at = sound.windows(from.len()).position(|w| w == from.as_bytes()).unwrap();
        let mut bytes = sound.clone();
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        bytes
    };
    let mut nan = sound.clone();
    let last = nan.len() - 4;
    nan[last..].copy_from_slice(&f32::NAN.to_le_bytes());
    let cases = [
        ("empty", Vec::new()),
        ("other type", edited("'<f4'", "'<f8'")),
        ("Fortran order", edited("False", "True ")),
        ("truncated", sound[..sound.len() - 1].to_vec()),
        ("header cut off", sound[..40].to_vec()),
        ("absurd shape", edited("(2, 3, 32, 32)", "(99999999999,)")),
        ("another network", edited("(2, 3, 32, 32)", "(2, 32, 32, 3)")),
        ("no image", npy::to_bytes(&[0, 3, 32, 32], &[])),
        ("one image without its dimension", npy::to_bytes(&[3, 32, 32], &[0.0; 3 * 32 * 32])),
        ("NaN", nan),
    ];
    insta::assert_snapshot!(messages("x.npy", &["--tensor", "@/x.npy"], &cases));
}

#[test]
fn paths() {
    let place = place();
    let said = |options: &[&str]| eval(place.path(), options);
    let none = said(&[]) + &said(&["--images", "@/set"]) + &said(&["--images", "@/missing"]);
    let files =
        said(&["--images", "@/weights"]) + &said(&["--tensor", "@/set"]) + &said(&["--tensor", "@/missing.npy"]);
    std::fs::write(place.path().join("list"), "3\n").unwrap();
    std::fs::write(place.path().join("x.npy"), npy::to_bytes(&[2, 3, 32, 32], &[0.0; 2 * 3 * 32 * 32])).unwrap();
    insta::assert_snapshot!(none + &files + &said(&["--tensor", "@/x.npy", "--labels", "@/list"]));
}
