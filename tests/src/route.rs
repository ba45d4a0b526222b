//! Does the tool lead from a configuration to compared tensors? A tiny network with random weights goes through the
//! commands, in process.

use crate::bad_input::heatvit;
use heatvit_gen::package::manifest::Manifest;
use heatvit_gen::pipeline::{Request, Stage, build, load_config, open_images};
use heatvit_gen::prove::{all_patches, run_edited};
use heatvit_model::float::{FloatNetwork, NetworkOptions};
use heatvit_model::weights;
use heatvit_rtl::{Design, Expr};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Ten tokens, one block; every operation of a large network occurs, most dimensions divide nothing.
pub const TINY: &str = "image = 36\nchannels = 1\npatch = 12\nembed = 40\ndepth = 1\nheads = 2\nhead_dim = 12\n\
                    mlp_ratio = 1.5\nclasses = 10\n";
/// Another network: more blocks, one head, other widths.
const OTHER: &str =
    "image = 36\nchannels = 1\npatch = 18\nembed = 24\ndepth = 2\nheads = 1\nmlp_ratio = 2\nclasses = 10\n";
/// Room for both.
const CAPACITY: &str = "[accelerator.capacity]\ntokens = 12\npatch_inputs = 324\nembed = 48\nheads = 2\nhead_dim = 24\n\
                        mlp_hidden = 64\nclasses = 10\n";

/// A configuration file `<name>.toml` in a folder, with random weights beside it.
pub fn configure(folder: &Path, name: &str, model: &str, accelerator: &str) -> PathBuf {
    let file = folder.join(format!("{name}.toml"));
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/digits/digits.bin");
    let text = format!(
        "[model]\n{model}[data]\nkind = \"digits\"\nfile = '{data}'\n[weights]\nfloat = \"{name}.safetensors\"\n\
         [quantize]\ncalibration_images = 8\n[accelerator]\nrows = 16\ncolumns = 8\n{accelerator}"
    );
    std::fs::write(&file, text).unwrap();
    let m = load_config(&file).unwrap().model;
    let options = NetworkOptions { channels: m.channels, eps: m.eps, ..NetworkOptions::default() };
    let network = FloatNetwork::random(&m.dims(), &options, 7);
    let bytes = weights::to_bytes(&network, &BTreeMap::new()).unwrap();
    std::fs::write(folder.join(format!("{name}.safetensors")), bytes).unwrap();
    file
}

pub fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn manifest(folder: &Path) -> Manifest {
    Manifest::from_json(&std::fs::read(folder.join("manifest.json")).unwrap()).unwrap()
}

#[test]
fn run_writes_simulates_and_compares() {
    let folder = tempfile::tempdir().unwrap();
    let config = configure(folder.path(), "tiny", TINY, "");
    let (out, json) = (folder.path().join("out"), folder.path().join("figures.json"));
    let arguments = ["run", path(&config), "--count", "3", "--out", path(&out), "--json", path(&json)];
    let (exit, text, err) = heatvit(&arguments);
    assert_eq!((exit, err.as_str()), (0, ""), "{text}");
    let names: Vec<&str> = text.lines().map(|line| line[..18].trim_end()).collect();
    let expected = "output|images|mismatches|calibrated on|accuracy|MACs per image|cycles per image|array utilization|images/s|simulator";
    assert_eq!(names.join("|"), expected);
    assert!(text.contains("\nimages             3\nmismatches         0 in "), "{text}");
    let figures: serde_json::Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    assert_eq!((&figures["images"], &figures["mismatches"]), (&3.into(), &0.into()));
    for (outer, inner) in [
        ("accuracy", "float int8 rtl"),
        ("macs", "dense executed_mean"),
        ("cycles", "mean min max"),
        ("sim", "cycles_per_second build_seconds"),
    ] {
        for key in inner.split(' ') {
            assert!(figures[outer][key].is_number(), "{outer}.{key}");
        }
    }
    for key in ["tensors_compared", "array_utilization", "clock_mhz", "fps"] {
        assert!(figures[key].is_number(), "{key}");
    }
    // What the program issues is what the network's dimensions ask for.
    assert_eq!(figures["macs"]["dense"].as_f64(), figures["macs"]["executed_mean"].as_f64());
    let (_, evaluated, _) = heatvit(&["eval", path(&config), "--count", "3"]);
    let macs = |text: &str| text.lines().find(|l| l.starts_with("MACs")).map(str::to_owned);
    assert_eq!(macs(&evaluated), macs(&text));
}

#[test]
fn two_emissions_are_byte_identical_and_replace_only_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let config = configure(folder.path(), "tiny", TINY, "");
    let [one, two] = ["one", "two"].map(|name| folder.path().join(name));
    for out in [&one, &two, &one] {
        let (exit, _, err) = heatvit(&["gen", path(&config), "--out", path(out)]);
        assert_eq!((exit, err.as_str()), (0, ""));
    }
    assert_eq!(std::fs::read(one.join("manifest.json")).unwrap(), std::fs::read(two.join("manifest.json")).unwrap());
    let manifest = manifest(&one);
    for (name, entry) in &manifest.files {
        let bytes = std::fs::read(one.join(name)).unwrap();
        assert_eq!(bytes, std::fs::read(two.join(name)).unwrap(), "{name}");
        assert_eq!(heatvit_gen::package::manifest::sha256(&bytes), entry.sha256, "{name}");
    }
    // A folder that is not ours stays as it is, for both commands that write.
    let foreign = folder.path().join("thesis");
    std::fs::create_dir(&foreign).unwrap();
    std::fs::write(foreign.join("thesis.tex"), "x").unwrap();
    for command in ["gen", "run"] {
        let (exit, out, err) = heatvit(&[command, path(&config), "--out", path(&foreign)]);
        assert_eq!((exit, out.as_str()), (2, ""));
        assert!(err.ends_with("thesis: the folder exists and holds no manifest of heatvit; choose another --out or remove it yourself\n"), "{err}");
        assert_eq!(std::fs::read_dir(&foreign).unwrap().count(), 1);
    }
}

#[test]
fn a_second_network_runs_on_the_same_verilog() {
    let folder = tempfile::tempdir().unwrap();
    let files = [("first", TINY), ("second", OTHER)].map(|(name, model)| {
        let config = configure(folder.path(), name, model, CAPACITY);
        let out = folder.path().join("out").join(name);
        let (exit, text, err) = heatvit(&["run", path(&config), "--count", "2", "--out", path(&out)]);
        assert_eq!((exit, err.as_str()), (0, ""), "{text}");
        manifest(&out).files
    });
    let verilog = files.each_ref().map(|f| f.iter().filter(|(name, _)| name.ends_with(".v")).collect::<Vec<_>>());
    assert!(verilog[0].len() > 50);
    assert_eq!(verilog[0], verilog[1]);
    assert_ne!(files[0]["images/program.p0.bin"], files[1]["images/program.p0.bin"]);
}

#[test]
fn gen_stops_after_the_stage_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let config = configure(folder.path(), "tiny", TINY, "");
    let out = folder.path().join("out");
    let stages = ["config", "network", "quant", "schedule", "rtl", "verilog", "package"];
    for (count, stage) in (1..).zip(stages) {
        let (exit, text, _) = heatvit(&["gen", path(&config), "--until", stage, "--out", path(&out)]);
        let named: Vec<&str> = text.lines().map(|line| line.split(' ').next().unwrap()).collect();
        assert_eq!(exit, 0);
        assert_eq!(named[..count], stages[..count]);
        assert_eq!((named.len() == count + 1, out.exists()), (stage == "package", stage == "package"));
    }
}

#[test]
fn a_quantized_file_gives_the_same_folder_but_no_float_accuracy() {
    let folder = tempfile::tempdir().unwrap();
    let config = configure(folder.path(), "tiny", TINY, "");
    let [quantized, one, two] = ["tiny.int8", "one", "two"].map(|name| folder.path().join(name));
    assert_eq!(heatvit(&["quantize", path(&config), "--out", path(&quantized)]).0, 0);
    assert_eq!(heatvit(&["gen", path(&config), "--out", path(&one)]).0, 0);
    let arguments = ["run", path(&config), "--weights", path(&quantized), "--count", "1", "--out", path(&two)];
    let (exit, text, err) = heatvit(&arguments);
    assert_eq!(exit, 0, "{err}");
    assert!(text.contains("accuracy           int8 "), "{text}");
    assert_eq!(manifest(&one), manifest(&two));
}

#[test]
fn sim_traces_the_first_image() {
    let folder = tempfile::tempdir().unwrap();
    let config = configure(folder.path(), "tiny", TINY, "");
    let file = folder.path().join("first.fst");
    let (exit, text, err) = heatvit(&["sim", path(&config), "--count", "1", "--trace", path(&file)]);
    assert_eq!(exit, 0, "{err}");
    assert!(text.lines().last().unwrap().starts_with("waveform           "), "{text}");
    assert!(std::fs::metadata(&file).unwrap().len() > 10_000);
    let (exit, _, err) = heatvit(&["sim", path(&config), "--count", "0"]);
    assert_eq!(exit, 2);
    assert!(err.contains("at least one is needed"), "{err}");
}

/// Puts a function of its value in the place of the first register of a module that is called `signal`.
fn replace(design: &mut Design, module: &str, signal: &str, by: impl Fn(&Expr) -> Expr) {
    let id = design.find(module).unwrap();
    let module = design.module_mut(id);
    let target = module.find(signal).unwrap();
    let register = module.registers.iter_mut().find(|r| r.signal == target).unwrap();
    register.next = by(&register.next);
}

/// Exit code and report of a tiny network's run on an edited design.
fn faulty(edit: impl FnOnce(&mut Design)) -> (u8, String) {
    let folder = tempfile::tempdir().unwrap();
    let config = configure(folder.path(), "tiny", TINY, "");
    let request = Request::new(config);
    let build = build(&request, Stage::Rtl).unwrap();
    let images = open_images(&request, build.config().unwrap()).unwrap().test(Some(1)).unwrap();
    let patches = all_patches(build.config().unwrap(), &images).unwrap();
    let trial = run_edited(&build, &patches, edit).unwrap();
    (trial.exit(), trial.report())
}

#[test]
fn a_planted_fault_is_reported_in_the_networks_terms() {
    // Sums of the array are one too large.
    let (exit, report) = faulty(|design| {
        replace(design, "accumulator_lane", "total", |next| {
            (next + Expr::slit(1 << 10, next.width())).trunc(next.width())
        });
    });
    assert_eq!(exit, 1);
    assert!(report.contains("\n  layer     embed\n  tensor    embed\n  token     "), "{report}");
    assert_eq!(faulty(|_| {}), (0, String::new()));
}

#[test]
fn a_design_that_hangs_ends_in_a_report() {
    let (exit, report) = faulty(|design| replace(design, "fifo", "valid", |next| Expr::lit(0, next.width())));
    assert_eq!(exit, 1);
    assert!(report.contains("\n  error     no interrupt: the design hangs\n  layer     embed\n"), "{report}");
    assert!(report.contains("\n  cycle     never (stream: result)\n"), "{report}");
}

#[test]
fn the_errors_of_the_polynomials_are_the_documented_ones() {
    let (exit, table, _) = heatvit(&["show", "errors"]);
    assert_eq!(exit, 0);
    let documented = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/arithmetic.md")).unwrap();
    assert!(documented.contains(&table), "{table}");
}

#[test]
fn every_setting_is_shown() {
    let digits = concat!(env!("CARGO_MANIFEST_DIR"), "/../configs/digits.toml");
    let (exit, text, _) = heatvit(&["show", "config", digits]);
    assert_eq!(exit, 0);
    insta::assert_snapshot!(text);
}
