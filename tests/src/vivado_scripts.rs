//! Does the recorder accept the Vivado flow, and does it find planted errors? (scripts/check-tcl runs it, with
//! tclint, on every emitted folder.)

use heatvit_gen::layout::{BOARD_BASE, Layout};
use heatvit_gen::vivado;
use heatvit_model::config::Config;
use std::path::Path;
use std::process::Command;

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

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
    let ports = block.replace("module heatvit_block", "module heatvit_top").replace(" interrupt,", " irq,");
    write("rtl/heatvit_top.v", ports.split("\n  heatvit_top top (").next().unwrap().to_owned());
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

#[test]
fn planted_errors_are_found() {
    let mutants = [
        ("build.tcl", "create_project -force", "create_projekt -force", "unknown command create_projekt"),
        (
            "build.tcl",
            "-norecurse [file join $here vivado",
            "-recursive [file join $here vivado",
            "no option -recursive",
        ),
        ("build.tcl", "vivado heatvit_block.v", "vivado heatvit_blok.v", "no such file"),
        ("build.tcl", "wait_on_run $name", "wait_on_run", "wait_on_run takes 1 to 1 arguments, not 0"),
        ("build.tcl", "$reports power.txt", "$report power.txt", "can't read \"report\""),
        ("settings.tcl", "rtl/heatvit_top.v", "rtl/heatvit_tap.v", "no such file"),
        ("settings.tcl", "set clock_mhz", "set clock_khz", "can't read \"clock_mhz\""),
        ("vivado/block_design.tcl", "accelerator/rst", "accelerator/reset", "has no pin reset"),
        (
            "vivado/block_design.tcl",
            "accelerator/m_axi_p$port ps",
            "accelerator/m_axi_q$port ps",
            "has no pin m_axi_q0",
        ),
        ("vivado/block_design.tcl", "ps/pl_ps_irq0", "ps/pl_ps_irq9", "has no pin pl_ps_irq9"),
        ("vivado/block_design.tcl", "PSU__USE__IRQ0", "PSU__USE__IRQ", "unknown property CONFIG.PSU__USE__IRQ"),
        ("vivado/block_design.tcl", "-reference heatvit_block", "-reference heatvit_blok", "no such module"),
        ("vivado/block_design.tcl", "[get_bd_pins reset/ext_reset_in]", "", "takes 2 to 99 arguments, not 1"),
        ("vivado/heatvit_block.v", "m_axi_p3_rlast,", "m_axi_p3_last,", "heatvit_top has no port m_axi_p3_last"),
        ("vivado/synth_only.tcl", "get_ports clk", "get_ports clock", "has no port clock"),
        ("constraints/heatvit.xdc", "-setup 0.100", "-setup", "takes 2 to 2 arguments"),
        ("constraints/heatvit.xdc", "BITSTREAM.GENERAL.COMPRESS", "BITSTREAM.COMPRESS", "unknown property"),
    ];
    for (file, from, to, finding) in mutants {
        let mutated = folder(|path, text| {
            if path != file {
                return text;
            }
            assert!(text.contains(from), "{file} has no {from}");
            text.replacen(from, to, 1)
        });
        let found = record(mutated.path()).expect_err(&format!("{from} -> {to} in {file} is not found"));
        assert!(found.contains(finding), "{from} -> {to} in {file}: {found}");
    }
}
