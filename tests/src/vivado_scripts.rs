//! Do the recorder and tclint accept the Vivado flow, and do they find planted errors? (scripts/check-tcl runs both
//! on every emitted folder.)

mod mutants;

use heatvit_gen::layout::{BOARD_BASE, Layout};
use heatvit_gen::vivado;
use heatvit_model::config::Config;
use mutants::{Mutant, mutants};
use std::path::Path;
use std::process::Command;

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// What finds an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    /// scripts/tcl/record.tcl.
    Recorder,
    /// tclint.
    Tclint,
}

/// The scripts of an output folder with a top module that has the block's ports.
fn folder(mutate: impl Fn(&str, String) -> String) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: String| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    for (path, text) in vivado::STATIC_FILES {
        write(path, mutate(path, text.to_owned()));
    }
    let block = vivado::STATIC_FILES.iter().find(|(path, _)| path.ends_with(".v")).unwrap().1;
    let ports = block.replace("module heatvit_block", "module heatvit_top");
    write("rtl/heatvit_top.v", ports.split("\n  heatvit_top top (").next().unwrap().to_owned() + "\nendmodule\n");
    let config = Config::parse("digits.toml", include_str!("../../configs/digits.toml")).unwrap();
    let settings = vivado::settings(&config, &Layout::new(BOARD_BASE, 4096, 65_536, 2), &["heatvit_top.v".to_owned()]);
    write("settings.tcl", mutate("settings.tcl", settings));
    folder
}

/// Findings of the recorder.
fn record(folder: &Path) -> Result<(), String> {
    let mut tclsh = Command::new("tclsh");
    tclsh.arg(format!("{REPOSITORY}/scripts/tcl/record.tcl")).arg(folder);
    tclsh.args(["build.tcl", "vivado/synth_only.tcl", "constraints/heatvit.xdc"]);
    let output = tclsh.output().expect("tclsh is missing; run scripts/install-tools");
    if output.status.success() { Ok(()) } else { Err(String::from_utf8(output.stderr).unwrap()) }
}

#[test]
fn the_flow_is_accepted() {
    record(folder(|_, text| text).path()).unwrap();
}

/// Findings of tclint, with the files and settings of scripts/check-tcl.
fn lint(folder: &Path) -> Result<(), String> {
    let mut tclint = Command::new(format!("{REPOSITORY}/.tools/bin/tclint"));
    tclint.args(["-c", &format!("{REPOSITORY}/scripts/tcl/tclint.toml")]);
    let files = ["build.tcl", "settings.tcl", "vivado/block_design.tcl", "vivado/synth_only.tcl"];
    tclint.args(files.into_iter().chain(["constraints/heatvit.xdc"]).map(|file| folder.join(file)));
    let output = tclint.output().expect("tclint is missing; run scripts/install-tools");
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    if output.status.success() { Ok(()) } else { Err(text) }
}

/// The folder with an error.
fn planted(mutant: &Mutant) -> tempfile::TempDir {
    folder(|path, text| {
        if path != mutant.file {
            return text;
        }
        assert!(text.contains(mutant.from), "{}: {} has no {}", mutant.name, mutant.file, mutant.from);
        text.replacen(mutant.from, mutant.to, 1)
    })
}

#[test]
fn planted_errors_are_found() {
    let mut complaints = Vec::new();
    let mutants = mutants();
    for mutant in &mutants {
        let folder = planted(mutant);
        let found = match mutant.check {
            Check::Recorder => record(folder.path()),
            Check::Tclint => lint(folder.path()),
        };
        match found {
            Err(text) if text.contains(mutant.finding) => {}
            other => complaints.push(format!("{}: {}: {other:?}", mutant.file, mutant.name)),
        }
    }
    println!("{} errors planted", mutants.len());
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// The script that `scripts/test` runs makes both checks and passes their verdict on.
#[test]
fn the_script_runs_both_checks() {
    let check = |folder: &Path| {
        let output = Command::new(format!("{REPOSITORY}/scripts/check-tcl")).arg(folder).output().unwrap();
        (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let (passed, text) = check(folder(|_, text| text).path());
    assert!(passed, "{text}");
    for wanted in [Check::Recorder, Check::Tclint] {
        let mutants = mutants();
        let mutant = mutants.iter().find(|m| m.check == wanted).unwrap();
        let (passed, text) = check(planted(mutant).path());
        assert!(!passed && text.contains(mutant.finding), "{}: {text}", mutant.name);
    }
}
