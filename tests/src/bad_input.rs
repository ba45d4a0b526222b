//! What does the tool say to input that it refuses? Each file is minimal or a sound one with one change; its whole
//! message is a snapshot (set INSTA_UPDATE=always to bless new ones).

mod images;
mod outputs;
mod pictures;
mod weights;

use std::path::Path;

/// A sound configuration of a small network on the digits.
const SMALL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/bad/small.toml");

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

/// Messages of a command line that ends in each of these files, one line each: the case, then what was said.
fn messages(command: &[&str], cases: &[(&str, Vec<u8>)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    let said = cases.iter().map(|(case, bytes)| {
        std::fs::write(&file, bytes).unwrap();
        let message = refused(&[command, &[file.to_str().unwrap()]].concat());
        assert_eq!(message.lines().count(), 1, "{case}: {message}");
        format!("{case}: {}", message.replace(file.to_str().unwrap(), "FILE"))
    });
    said.collect()
}

#[test]
fn command_lines() {
    let digits = concat!(env!("CARGO_MANIFEST_DIR"), "/../configs/digits.toml");
    for (arguments, message) in [
        (vec!["gen", digits, "--until", "moon"], "invalid value 'moon' for '--until <STAGE>'"),
        (vec!["run", digits, "--count", "0"], "at least one is needed"),
        (vec!["run", digits, "--count", "-3"], "unexpected argument '-3'"),
        (vec!["sim", digits, "--count", "many"], "a whole number is needed"),
        (vec!["eval", digits, "--count", "1081"], "--count 1081: there are 1080 images; ask for as many at most"),
        (vec!["sim", digits, "--threads", "0"], "at least one is needed"),
        (vec!["run"], "the following required arguments were not provided"),
        (vec!["fly", digits], "unrecognized subcommand 'fly'"),
    ] {
        let (exit, out, err) = heatvit(&arguments);
        assert_eq!((exit, out.as_str()), (2, ""), "{arguments:?}");
        assert!(err.contains(message), "{arguments:?}: {err}");
    }
}
