//! The figures of a run: a short table for people, JSON for programs.

use crate::tokens::Tokens;
use heatvit_model::quant::Dims;
use serde::Serialize;
use std::time::Instant;

/// Share of images whose class is right, by engine; absent where an engine did not run or labels are missing.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Accuracy {
    /// Exact float arithmetic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub float: Option<f64>,
    /// Float arithmetic with the polynomials of the hardware.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub float_poly: Option<f64>,
    /// The golden int8 model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub int8: Option<f64>,
    /// The simulated design.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtl: Option<f64>,
}

impl Accuracy {
    /// True when no engine has one.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn row(&self) -> String {
        let engines = [("float", self.float), ("float-poly", self.float_poly), ("int8", self.int8), ("RTL", self.rtl)];
        let shown: Vec<String> = engines.iter().filter_map(|(n, a)| a.map(|a| format!("{n} {}", percent(a)))).collect();
        shown.join(", ")
    }
}

/// Multiply-accumulates of matrix products per image.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Macs {
    /// Of the network without selectors.
    pub dense: u64,
    /// Counted from the operations that were run.
    pub executed_mean: f64,
    /// Those of the selectors among them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selectors_mean: Option<f64>,
    /// Share of the dense network's that were not needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saved: Option<f64>,
}

impl Macs {
    /// Of a network that runs every product for every token.
    pub fn dense(d: &Dims) -> Self {
        let attention = 4 * d.embed * d.attention() + 2 * d.tokens * d.attention();
        let block = d.tokens * (attention + 2 * d.embed * d.mlp_hidden);
        let dense = d.tokens * d.patch_inputs * d.embed + d.depth * block + d.embed * d.classes;
        Self { dense: dense as u64, executed_mean: dense as f64, selectors_mean: None, saved: None }
    }

    /// Of a network with selectors: mean of what was executed, and of the selectors' part.
    pub fn pruned(dense: u64, executed_mean: f64, selectors_mean: f64) -> Self {
        let saved = Some(1.0 - executed_mean / dense as f64);
        Self { dense, executed_mean, selectors_mean: Some(selectors_mean), saved }
    }
}

/// Cycles from the start register to the interrupt.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cycles {
    /// Mean over images.
    pub mean: f64,
    /// Fewest.
    pub min: u64,
    /// Most.
    pub max: u64,
    /// Of the network without selectors on the same accelerator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dense: Option<u64>,
    /// Mean of the selectors' operations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selectors_mean: Option<f64>,
    /// Share of the dense network's that were not needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saved: Option<f64>,
}

impl Cycles {
    /// Of a list; `None` when it is empty.
    pub fn of(cycles: &[u64]) -> Option<Self> {
        let (min, max) = (*cycles.iter().min()?, *cycles.iter().max()?);
        let mean = cycles.iter().sum::<u64>() as f64 / cycles.len() as f64;
        Some(Self { mean, min, max, dense: None, selectors_mean: None, saved: None })
    }

    /// Compares with the network without selectors.
    pub fn compare(&mut self, dense: u64, selectors_mean: f64) {
        self.dense = Some(dense);
        self.selectors_mean = Some(selectors_mean);
        self.saved = Some(1.0 - self.mean / dense as f64);
    }
}

/// The simulator's own speed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SimulatorSpeed {
    /// Simulated cycles per second of one thread.
    pub cycles_per_second: f64,
    /// Seconds to compile the design for the simulator.
    pub build_seconds: f64,
}

/// An engine's own speed in an evaluation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EngineSpeed {
    /// Images per second of all threads; reading and preparing the images is part of it.
    pub images_per_second: f64,
    /// Threads.
    pub threads: usize,
}

impl EngineSpeed {
    /// Of so many images since then.
    pub fn since(start: Instant, images: usize) -> Self {
        let images_per_second = images as f64 / start.elapsed().as_secs_f64();
        Self { images_per_second, threads: rayon::current_num_threads() }
    }

    fn text(&self) -> String {
        format!("{:.1} images/s, {} threads", self.images_per_second, self.threads)
    }
}

/// The golden model's own speed in an evaluation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GoldenSpeed {
    /// Of the whole evaluation.
    #[serde(flatten)]
    pub speed: EngineSpeed,
    /// Vector instructions.
    pub instructions: &'static str,
}

/// Everything that `--json` writes.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Images.
    pub images: usize,
    /// Elements that differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mismatches: Option<usize>,
    /// Pairs of image and tensor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tensors_compared: Option<usize>,
    /// Class folders, where the classes come from them and are fewer than the network's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_folders: Option<usize>,
    /// Images that the quantizer was calibrated on, where it was run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibration_images: Option<usize>,
    /// The configuration has token selectors, the weights have none.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub without_selectors: bool,
    /// Accuracy over the same images.
    pub accuracy: Accuracy,
    /// Share of images whose class is among the five largest logits, for networks with more classes than that.
    #[serde(skip_serializing_if = "Accuracy::is_empty")]
    pub accuracy_top5: Accuracy,
    /// What the selectors leave of the tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Tokens>,
    /// Work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub macs: Option<Macs>,
    /// Time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cycles: Option<Cycles>,
    /// Executed MACs over the MACs that the array could have done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub array_utilization: Option<f64>,
    /// The configured clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_mhz: Option<u32>,
    /// Images per second at that clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fps: Option<f64>,
    /// The float engine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub float: Option<EngineSpeed>,
    /// The float engine with polynomials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub float_poly: Option<EngineSpeed>,
    /// The golden model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub golden: Option<GoldenSpeed>,
    /// The simulator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sim: Option<SimulatorSpeed>,
}

impl Summary {
    /// Fills in what follows from cycles, MACs and the array's size.
    pub fn derive(&mut self, array_macs_per_cycle: u64, clock_mhz: u32) {
        self.clock_mhz = Some(clock_mhz);
        let Some(cycles) = &self.cycles else { return };
        self.fps = Some(f64::from(clock_mhz) * 1e6 / cycles.mean);
        let possible = array_macs_per_cycle as f64 * cycles.mean;
        self.array_utilization = self.macs.as_ref().map(|macs| macs.executed_mean / possible);
    }

    /// The JSON file's text.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("numbers only") + "\n"
    }

    /// The table.
    pub fn table(&self) -> String {
        let mut rows: Vec<(&str, String)> = vec![("images", grouped(self.images as u64))];
        if let (Some(mismatches), Some(tensors)) = (self.mismatches, self.tensors_compared) {
            rows.push(("mismatches", format!("{} in {} tensors", grouped(mismatches as u64), grouped(tensors as u64))));
        }
        if let Some(folders) = self.class_folders {
            rows.push(("class folders", format!("{} for the first classes of the network", grouped(folders as u64))));
        }
        rows.extend(self.calibration_images.map(|count| (CALIBRATED, calibrated(count))));
        rows.extend(self.without_selectors.then(|| (WITHOUT_SELECTORS.0, WITHOUT_SELECTORS.1.to_owned())));
        for (name, accuracy) in [("accuracy", &self.accuracy), ("in the first 5", &self.accuracy_top5)] {
            rows.extend((!accuracy.is_empty()).then(|| (name, accuracy.row())));
        }
        rows.extend(self.tokens.iter().flat_map(token_rows));
        if let Some(macs) = &self.macs {
            rows.push(("MACs per image", rounded(macs.executed_mean)));
            rows.extend(against_dense(macs.dense, macs.saved, macs.selectors_mean, macs.executed_mean));
        }
        if let Some(c) = &self.cycles {
            let spread = format!("min {}, max {}", grouped(c.min), grouped(c.max));
            rows.push(("cycles per image", format!("{} ({spread})", rounded(c.mean))));
            rows.extend(c.dense.and_then(|dense| against_dense(dense, c.saved, c.selectors_mean, c.mean)));
        }
        if let Some(utilization) = self.array_utilization {
            rows.push(("array utilization", percent(utilization)));
        }
        if let (Some(fps), Some(clock)) = (self.fps, self.clock_mhz) {
            rows.push(("images/s", format!("{} at {clock} MHz", grouped(fps.round() as u64))));
        }
        for (name, engine) in [("float engine", &self.float), ("float-poly engine", &self.float_poly)] {
            rows.extend(engine.as_ref().map(|speed| (name, speed.text())));
        }
        if let Some(g) = &self.golden {
            rows.push(("golden model", format!("{}, {}", g.speed.text(), g.instructions)));
        }
        if let Some(sim) = &self.sim {
            let speed = grouped(sim.cycles_per_second.round() as u64);
            rows.push(("simulator", format!("{speed} cycles/s, built in {:.2} s", sim.build_seconds)));
        }
        rows.iter().map(|(name, value)| row(name, value)).collect()
    }
}

/// Name of the row about the calibration.
pub const CALIBRATED: &str = "calibrated on";

/// Its value.
pub fn calibrated(images: usize) -> String {
    format!("{} {}", grouped(images as u64), if images == 1 { "image" } else { "images" })
}

/// Name and value of the row about weights without the configured selectors.
const WITHOUT_SELECTORS: (&str, &str) = ("selectors", "none in the weights, the network runs dense");

/// That row where it holds.
pub fn dense_instead(without_selectors: bool) -> String {
    if without_selectors { row(WITHOUT_SELECTORS.0, WITHOUT_SELECTORS.1) } else { String::new() }
}

fn rounded(number: f64) -> String {
    grouped(number.round() as u64)
}

/// What was saved, and what the selectors cost.
fn against_dense(dense: u64, saved: Option<f64>, selectors: Option<f64>, all: f64) -> Option<(&'static str, String)> {
    let (saved, selectors) = (saved?, selectors?);
    let cost = format!("selectors {} ({})", rounded(selectors), percent(selectors / all));
    Some(("", format!("{} saved of {} dense; {cost}", percent(saved), grouped(dense))))
}

fn token_rows(tokens: &Tokens) -> Vec<(&'static str, String)> {
    let stages = tokens.stage_mean.iter().zip(&tokens.stage_deviation);
    let stages: Vec<String> = stages.map(|(mean, deviation)| format!("{mean:.1} (deviation {deviation:.1})")).collect();
    let mut rows = vec![("tokens", format!("{} -> {}", tokens.dense, stages.join(" -> ")))];
    if let (Some(subject), Some(background)) = (tokens.subject_kept, tokens.background_kept) {
        let text = format!("{} on the subject, {} of the background", percent(subject), percent(background));
        rows.push(("patches kept", text));
    }
    rows
}

/// A row of a table.
pub fn row(name: &str, value: &str) -> String {
    format!("{name:<18} {value}\n")
}

/// `0.9712` as `97.12 %`.
pub fn percent(fraction: f64) -> String {
    format!("{:.2} %", 100.0 * fraction)
}

/// A number with a comma before each group of three digits.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let lead = digits.len() % 3;
    let (head, tail) = digits.split_at(lead);
    let groups: Vec<&str> = std::iter::once(head)
        .filter(|h| !h.is_empty())
        .chain((0..tail.len() / 3).map(|i| &tail[3 * i..3 * i + 3]))
        .collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary() -> Summary {
        let mut summary = Summary {
            images: 20,
            mismatches: Some(0),
            tensors_compared: Some(2020),
            accuracy: Accuracy { float: Some(0.95), float_poly: None, int8: Some(0.95), rtl: Some(0.9) },
            macs: Some(Macs { dense: 26_000_000, executed_mean: 26_000_000.0, selectors_mean: None, saved: None }),
            cycles: Cycles::of(&[120_000, 130_000]),
            float: Some(EngineSpeed { images_per_second: 3.04, threads: 1 }),
            golden: Some(GoldenSpeed {
                speed: EngineSpeed { images_per_second: 51.26, threads: 2 },
                instructions: "AVX2",
            }),
            sim: Some(SimulatorSpeed { cycles_per_second: 123_456.7, build_seconds: 0.251 }),
            ..Summary::default()
        };
        summary.derive(256, 300);
        summary
    }

    #[test]
    fn the_table_is_short_and_aligned() {
        assert_eq!(
            summary().table(),
            "images             20\n\
             mismatches         0 in 2,020 tensors\n\
             accuracy           float 95.00 %, int8 95.00 %, RTL 90.00 %\n\
             MACs per image     26,000,000\n\
             cycles per image   125,000 (min 120,000, max 130,000)\n\
             array utilization  81.25 %\n\
             images/s           2,400 at 300 MHz\n\
             float engine       3.0 images/s, 1 threads\n\
             golden model       51.3 images/s, 2 threads, AVX2\n\
             simulator          123,457 cycles/s, built in 0.25 s\n"
        );
    }

    #[test]
    fn a_pruned_network_is_set_against_the_dense_one() {
        let mut summary = summary();
        summary.tokens = Some(Tokens {
            dense: 82,
            stage_mean: vec![46.04, 26.0],
            stage_deviation: vec![7.06, 5.9],
            subject_kept: Some(0.69),
            background_kept: Some(0.17),
        });
        summary.macs = Some(Macs::pruned(26_000_000, 13_000_000.0, 520_000.0));
        if let Some(cycles) = &mut summary.cycles {
            cycles.compare(250_000, 12_500.0);
        }
        let table = summary.table();
        let expected = "tokens             82 -> 46.0 (deviation 7.1) -> 26.0 (deviation 5.9)\n\
             patches kept       69.00 % on the subject, 17.00 % of the background\n\
             MACs per image     13,000,000\n                   \
             50.00 % saved of 26,000,000 dense; selectors 520,000 (4.00 %)\n\
             cycles per image   125,000 (min 120,000, max 130,000)\n                   \
             50.00 % saved of 250,000 dense; selectors 12,500 (10.00 %)\n";
        assert!(table.contains(expected), "{table}");
        let json: serde_json::Value = serde_json::from_str(&summary.to_json()).unwrap();
        assert_eq!(json["tokens"]["stage_mean"][1], 26.0);
        assert_eq!((&json["macs"]["saved"], &json["cycles"]["saved"]), (&0.5.into(), &0.5.into()));
    }

    #[test]
    fn json_has_the_documented_keys_and_leaves_out_the_rest() {
        let json: serde_json::Value = serde_json::from_str(&summary().to_json()).unwrap();
        assert_eq!(json["macs"]["executed_mean"], 26_000_000.0);
        assert_eq!(json["cycles"]["max"], 130_000);
        assert_eq!((&json["golden"]["threads"], &json["golden"]["instructions"]), (&2.into(), &"AVX2".into()));
        assert_eq!(json["array_utilization"], 0.8125);
        let json = Summary { images: 3, ..Summary::default() }.to_json();
        assert_eq!(json, "{\n  \"images\": 3,\n  \"accuracy\": {}\n}\n");
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
