//! Does `heatvit resources` count the design that is built, and do the selectors stay within their share of it?

use crate::bad_input::heatvit;
use crate::route::{TINY, configure, path};
use heatvit_gen::resources::{Usage, device};
use serde_json::Value;

/// Yosys of `scripts/install-tools`.
const YOSYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../.tools/bin/yosys");
const DIGITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../configs/digits.toml");

/// What selectors may add to the dense design of a 16 x 16 array, in %.
const MOST_DSP: f64 = 6.0;
const MOST_LUT: f64 = 12.0;

/// The JSON of a configuration.
fn count(config: &str) -> (Value, String) {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("resources.json");
    let (exit, table, err) = heatvit(&["resources", config, "--yosys", YOSYS, "--json", path(&json)]);
    assert_eq!((exit, err.as_str()), (0, ""));
    (serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap(), table)
}

fn usage(value: &Value) -> Usage {
    serde_json::from_value(value.clone()).unwrap()
}

/// The modules of a design add up to it, and everything is below the top.
fn adds_up(design: &Value) {
    let modules = design["modules"].as_array().unwrap();
    let sum = modules.iter().fold(Usage::default(), |sum, m| sum + usage(&m["total"]));
    assert_eq!(sum, usage(&design["total"]));
    let top = modules.iter().find(|m| m["name"] == "heatvit_top").unwrap();
    assert_eq!((usage(&top["each_with_children"]), &top["instances"]), (sum, &1.into()));
}

/// Slices of the array: every pair of columns has one for each row.
fn array_slices(design: &Value) -> i64 {
    let modules = design["modules"].as_array().unwrap();
    let array = modules.iter().find(|m| m["name"] == "systolic_array").unwrap();
    usage(&array["each_with_children"]).dsp
}

#[test]
fn selectors_add_no_more_than_they_may() {
    let (figures, table) = count(DIGITS);
    let (with, without) = (&figures["design"], &figures["selectors"]["without"]);
    adds_up(with);
    adds_up(without);
    assert_eq!((array_slices(with), array_slices(without)), (128, 128));
    let adds = usage(&figures["selectors"]["adds"]);
    assert_eq!(adds, usage(&with["total"]) - usage(&without["total"]));
    let share = adds.percent_of(&usage(&without["total"]));
    println!("{table}");
    assert!(share.dsp.unwrap() <= MOST_DSP && share.lut.unwrap() <= MOST_LUT, "{share:?}");
    assert!(adds.lut > 0 && adds.ff > 0, "{adds:?}");
    assert_eq!(usage(&figures["device"]), device());
}

#[test]
fn a_dense_configuration_has_no_difference() {
    let folder = tempfile::tempdir().unwrap();
    let (figures, table) = count(path(&configure(folder.path(), "tiny", TINY, "")));
    adds_up(&figures["design"]);
    // 16 rows, 8 columns.
    assert_eq!(array_slices(&figures["design"]), 64);
    assert!(figures["selectors"].is_null() && !table.contains("selectors add"), "{table}");
}

#[test]
fn a_missing_yosys_is_named_with_the_remedy() {
    let (exit, out, err) = heatvit(&["resources", DIGITS, "--yosys", "/no/yosys"]);
    assert_eq!((exit, out.as_str()), (2, ""));
    assert!(
        err.starts_with("error: /no/yosys: cannot be run: ") && err.contains("; run scripts/install-tools"),
        "{err}"
    );
}
