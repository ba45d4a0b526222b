//! What does the tool say to input that it refuses? Each file of `bad/` is minimal; its whole message is a
//! snapshot (set INSTA_UPDATE=always to bless new ones).

use crate::route::{TINY, configure, path};
use heatvit_gen::pipeline::load_config;
use heatvit_model::float::{FloatNetwork, NetworkOptions};
use heatvit_model::weights;
use std::collections::BTreeMap;
use std::path::Path;

/// Runs a command line in the folder of bad files; exit code, stdout and stderr.
pub fn heatvit(arguments: &[&str]) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = heatvit_gen::run_cli(std::iter::once("heatvit").chain(arguments.iter().copied()), &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (exit, text(out), text(err))
}

/// The message without the machine's path.
fn refused(arguments: &[&str]) -> String {
    let (exit, out, err) = heatvit(arguments);
    assert_eq!((exit, out.as_str()), (2, ""), "{arguments:?}: {err}");
    err.replace(concat!(env!("CARGO_MANIFEST_DIR"), "/"), "")
}

#[test]
fn configurations() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/bad/config"));
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let messages: String = files.iter().map(|f| refused(&["show", "config", f.to_str().unwrap()])).collect();
    assert_eq!(messages.lines().count(), files.len(), "one line each");
    insta::assert_snapshot!(messages);
}

/// The messages for files that stand in the place of a good one, by the name of the option that names them.
fn refused_files(config: &Path, option: &str, files: &[(&str, Vec<u8>)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut messages = String::new();
    for (name, bytes) in files {
        let file = folder.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        messages += &refused(&["eval", path(config), "--count", "1", option, path(&file)]);
    }
    messages += &refused(&["eval", path(config), option, path(&folder.path().join("missing"))]);
    messages += &refused(&["eval", path(config), option, path(folder.path())]);
    assert_eq!(messages.lines().count(), files.len() + 2, "one line each: {messages}");
    messages.replace(path(folder.path()), "FOLDER").replace(path(config.parent().unwrap()), "CONFIG")
}

/// A float network of the configuration, spoiled, as a file.
fn spoiled(config: &Path, spoil: impl FnOnce(&mut FloatNetwork)) -> Vec<u8> {
    let options = NetworkOptions { channels: 1, ..NetworkOptions::default() };
    let mut network = FloatNetwork::random(&load_config(config).unwrap().model.dims(), &options, 7);
    spoil(&mut network);
    weights::to_bytes(&network, &BTreeMap::new()).unwrap()
}

/// Replaces bytes of a tensor in a safetensors file.
fn poke(file: &[u8], tensor: &str, at: usize, value: u8) -> Vec<u8> {
    let header = 8 + u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    let json: serde_json::Value = serde_json::from_slice(&file[8..header]).unwrap();
    let start = json[tensor]["data_offsets"][0].as_u64().unwrap() as usize;
    let mut file = file.to_vec();
    file[header + start + at] = value;
    file
}

/// Renames something in the header of a safetensors file to a name of the same length.
fn rename(file: &[u8], from: &str, to: &str) -> Vec<u8> {
    let at = file.windows(from.len()).position(|w| w == from.as_bytes()).unwrap();
    let mut file = file.to_vec();
    file[at..at + to.len()].copy_from_slice(to.as_bytes());
    file
}

#[test]
fn weights_files() {
    let folder = tempfile::tempdir().unwrap();
    let config = configure(folder.path(), "tiny", TINY, "");
    let other = configure(folder.path(), "other", &TINY.replace("embed = 40", "embed = 48"), "");
    let good = spoiled(&config, |_| {});
    let int8 = |config: &Path| {
        let file = folder.path().join("int8");
        assert_eq!(heatvit(&["quantize", path(config), "--out", path(&file)]).0, 0);
        std::fs::read(file).unwrap()
    };
    let (quantized, of_other) = (int8(&config), int8(&other));
    let files = [
        ("empty", Vec::new()),
        ("text", b"these are not weights, but text".to_vec()),
        ("cut_off", good[..good.len() - 4].to_vec()),
        ("missing_tensor", rename(&good, "head.weight", "tail.weight")),
        ("not_finite", spoiled(&config, |n| n.patch_embed.weight[3] = f32::NAN)),
        ("other_network", spoiled(&other, |_| {})),
        ("int8_cut_off", quantized[..quantized.len() - 1].to_vec()),
        ("int8_other_network", of_other),
        ("int8_minus_128", poke(&quantized, "head.weight", 5, 0x80)),
        ("int8_multiplier", poke(&quantized, "head.mult", 3, 0xff)),
        ("int8_bias", poke(&quantized, "head.bias", 3, 0x7f)),
    ];
    insta::assert_snapshot!(refused_files(&config, "--weights", &files));
}

#[test]
fn image_files() {
    let folder = tempfile::tempdir().unwrap();
    let config = configure(folder.path(), "tiny", TINY, "");
    let good = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../data/digits/digits.bin")).unwrap();
    let with = |at: usize, value: u8| {
        let mut file = good.clone();
        file[at] = value;
        file
    };
    let files = [
        ("empty", Vec::new()),
        ("picture", b"\x89PNG\r\n\x1a\n".to_vec()),
        ("side", with(6, 9)),
        ("cut_off", good[..good.len() - 1].to_vec()),
        ("label", with(8, 0xff)),
        ("pixel", with(9, 0xff)),
    ];
    insta::assert_snapshot!(refused_files(&config, "--images", &files));
}

#[test]
fn command_lines() {
    let digits = concat!(env!("CARGO_MANIFEST_DIR"), "/../configs/digits.toml");
    for (arguments, message) in [
        (vec!["gen", digits, "--until", "moon"], "invalid value 'moon' for '--until <STAGE>'"),
        (vec!["run", digits, "--count", "0"], "at least one image is needed"),
        (vec!["run", digits, "--count", "-3"], "unexpected argument '-3'"),
        (vec!["sim", digits, "--count", "many"], "a whole number is needed"),
        (vec!["run"], "the following required arguments were not provided"),
        (vec!["fly", digits], "unrecognized subcommand 'fly'"),
    ] {
        let (exit, out, err) = heatvit(&arguments);
        assert_eq!((exit, out.as_str()), (2, ""), "{arguments:?}");
        assert!(err.contains(message), "{arguments:?}: {err}");
    }
}
