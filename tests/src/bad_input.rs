//! What does the tool say to input that it refuses? Each file of `bad/` is minimal; its whole message is a
//! snapshot (set INSTA_UPDATE=always to bless new ones).

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
