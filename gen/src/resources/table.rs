//! The figures as a table for people and as JSON for programs.

use super::tree::{DesignUsage, ModuleUsage};
use super::usage::{Percent, Usage, device};
use crate::summary::grouped;
use serde::Serialize;
use std::collections::BTreeMap;

/// Two designs that differ in one thing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The design without it.
    pub without: DesignUsage,
    /// What it adds.
    pub adds: Usage,
    /// The part of it in each module type, over all instances, most lookup tables first.
    pub by_module: Vec<(String, Usage)>,
    /// The same in % of the design without it.
    pub adds_percent_of_design: Percent,
    /// The same in % of the device.
    pub adds_percent_of_device: Percent,
}

impl Comparison {
    /// Of a design and the same one without something.
    pub fn new(with: &DesignUsage, without: DesignUsage) -> Self {
        let adds = with.total - without.total;
        Self {
            adds,
            by_module: by_module(with, &without),
            adds_percent_of_design: adds.percent_of(&without.total),
            adds_percent_of_device: adds.percent_of(&device()),
            without,
        }
    }
}

/// Everything that `heatvit resources` says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Name of the configuration.
    pub name: String,
    /// What the ZU9EG has.
    pub device: Usage,
    /// The configured design.
    pub design: DesignUsage,
    /// The same in % of the device.
    pub design_percent_of_device: Percent,
    /// What token selectors add; absent in a design that has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selectors: Option<Comparison>,
}

impl Report {
    /// Of a design and, if it has selectors, the same one without them.
    pub fn new(name: &str, design: DesignUsage, without_selectors: Option<DesignUsage>) -> Self {
        Self {
            name: name.to_owned(),
            device: device(),
            design_percent_of_device: design.total.percent_of(&device()),
            selectors: without_selectors.map(|without| Comparison::new(&design, without)),
            design,
        }
    }

    /// The JSON file's text.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("numbers and names only") + "\n"
    }

    /// The table.
    pub fn table(&self) -> String {
        let mut text = line("module", ["instances", "LUT each", "DSP", "LUT", "FF", "RAMB36", "RAMB18"]);
        self.design.modules.iter().filter(|m| m.total != Usage::default()).for_each(|m| text += &module(m));
        text += &total("design", &self.design.total);
        text += &share("% of the ZU9EG", &self.design_percent_of_device);
        if let Some(c) = &self.selectors {
            text += &format!("\n{}", total("without selectors", &c.without.total));
            c.by_module.iter().for_each(|(name, adds)| text += &total(&format!("  {name}"), adds));
            text += &total("selectors add", &c.adds);
            text += &share("% of the design", &c.adds_percent_of_design);
            text += &share("% of the ZU9EG", &c.adds_percent_of_device);
        }
        text + "\nModules without the instances inside them. By Yosys, without optimization across modules: \
                upper bounds of what Vivado needs.\n"
    }
}

/// Module types that take more or less than in the other design.
fn by_module(with: &DesignUsage, without: &DesignUsage) -> Vec<(String, Usage)> {
    let mut adds: BTreeMap<&str, Usage> = with.modules.iter().map(|m| (m.name.as_str(), m.total)).collect();
    for m in &without.modules {
        let entry = adds.entry(&m.name).or_default();
        *entry = *entry - m.total;
    }
    let changed = adds.into_iter().filter(|(_, usage)| *usage != Usage::default());
    let mut changed: Vec<(String, Usage)> = changed.map(|(name, usage)| (name.to_owned(), usage)).collect();
    changed.sort_by_key(|(_, usage)| (-usage.lut, -usage.ff));
    changed
}

fn line(name: &str, columns: [&str; 7]) -> String {
    let columns: String = columns.iter().map(|c| format!("{c:>10}")).collect();
    format!("{name:<24}{columns}\n")
}

fn number(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}", grouped(value.unsigned_abs()))
}

fn module(m: &ModuleUsage) -> String {
    let [instances, each] = [m.instances, m.each.lut].map(number);
    let [dsp, lut, ff, bram36, bram18] = columns(&m.total);
    line(&m.name, [&instances, &each, &dsp, &lut, &ff, &bram36, &bram18])
}

fn columns(usage: &Usage) -> [String; 5] {
    [usage.dsp, usage.lut, usage.ff, usage.bram36, usage.bram18].map(number)
}

fn total(name: &str, usage: &Usage) -> String {
    let [dsp, lut, ff, bram36, bram18] = columns(usage);
    line(name, ["", "", &dsp, &lut, &ff, &bram36, &bram18])
}

/// The block RAMs of both kinds are one share.
fn share(name: &str, percent: &Percent) -> String {
    let [dsp, lut, ff, bram] = [percent.dsp, percent.lut, percent.ff, percent.bram]
        .map(|share| share.map_or("-".to_owned(), |share| format!("{share:.2} %")));
    line(name, ["", "", &dsp, &lut, &ff, &bram, ""])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(lut: i64) -> DesignUsage {
        let total = Usage { dsp: 128, lut, ff: 20_000, bram36: 10, bram18: 4, carry8: 9 };
        let m = ModuleUsage { name: "core".to_owned(), instances: 2, each: total, total, each_with_children: total };
        DesignUsage { total, modules: vec![m] }
    }

    #[test]
    fn the_table_shows_modules_sums_and_the_difference() {
        let report = Report::new("digits", usage(11_000), Some(usage(10_000)));
        let expected = "\
module                   instances  LUT each       DSP       LUT        FF    RAMB36    RAMB18
core                             2    11,000       128    11,000    20,000        10         4
design                                             128    11,000    20,000        10         4
% of the ZU9EG                                  5.08 %    4.01 %    3.65 %    1.32 %          

without selectors                                  128    10,000    20,000        10         4
  core                                               0     1,000         0         0         0
selectors add                                        0     1,000         0         0         0
% of the design                                 0.00 %   10.00 %    0.00 %    0.00 %          
% of the ZU9EG                                  0.00 %    0.36 %    0.00 %    0.00 %          
";
        let shown = report.table();
        assert!(shown.starts_with(expected), "{shown}");
        let dense = Report::new("digits", usage(9), None);
        assert!(!dense.table().contains("selectors"));
        let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
        assert_eq!(json["selectors"]["adds"]["lut"], 1000);
        assert_eq!(json["design"]["modules"][0]["instances"], 2);
        assert!(!dense.to_json().contains("selectors"));
    }
}
