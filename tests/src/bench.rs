//! A network, an accelerator and the golden model side by side.

use heatvit_gen::compare::{stretches, uncovered};
use heatvit_gen::progress::CycleBar;
use heatvit_gen::simulated::SimulatedDevice;
use heatvit_gen::verify::{Device, Outcome, outcome, report};
use heatvit_hdl::Parameters;
use heatvit_hdl::schedule::Program;
use heatvit_model::golden::run;
use heatvit_model::quant::{Dims, Extreme, QuantNetwork, random, random_image, validate};
use heatvit_rtl::Design;
use heatvit_sim::axi::MemoryConfig;
use std::time::Duration;

/// A random network with its program for an accelerator.
pub struct Case {
    pub network: QuantNetwork,
    pub program: Program,
    pub patches: Vec<Vec<i8>>,
}

impl Case {
    /// A random network and two random images.
    pub fn random(dims: &Dims, parameters: &Parameters, seed: u64, extreme: Extreme) -> Result<Self, String> {
        let network = random(dims, seed, extreme);
        validate(&network).map_err(|e| e.to_string())?;
        let patches = (0..2).map(|i| random_image(dims, seed * 2 + i)).collect();
        Self::new(network, parameters, patches)
    }

    /// A network and images.
    pub fn new(network: QuantNetwork, parameters: &Parameters, patches: Vec<Vec<i8>>) -> Result<Self, String> {
        let program = Program::compile(&network, parameters).map_err(|e| e.to_string())?;
        Ok(Self { network, program, patches })
    }

    /// The images one after the other on one device, without a reset between them, up to the first that differs.
    pub fn run(&self, design: &Design, memory: &MemoryConfig, limit: Option<u64>) -> Result<Vec<Outcome>, String> {
        let device = SimulatedDevice::new(design, &self.program, memory).map_err(|e| e.to_string())?;
        let mut device = match limit {
            Some(cycles) => device.with_cycle_limit(cycles),
            None => device,
        };
        let mut outcomes: Vec<Outcome> = Vec::new();
        for patches in &self.patches {
            let found = device.run(patches, &CycleBar::hidden()).map_err(|e| e.to_string())?;
            let golden = run(&self.network, patches);
            outcomes.push(outcome(&golden, &stretches(&self.program, &golden), &found, Duration::ZERO));
            if outcomes.last().is_some_and(|o| !o.equal()) {
                break;
            }
        }
        Ok(outcomes)
    }

    /// Runs the images; the report of the first that differs, else the cycles of each.
    pub fn equal(&self, design: &Design, memory: &MemoryConfig) -> Result<Vec<u64>, String> {
        let outcomes = self.run(design, memory, None)?;
        let golden = run(&self.network, &self.patches[0]);
        let unseen = uncovered(&golden, &stretches(&self.program, &golden));
        if !unseen.is_empty() {
            return Err(format!("elements that no probe shows: {unseen:?}"));
        }
        for (i, o) in outcomes.iter().enumerate() {
            if !o.equal() {
                return Err(report(i, o));
            }
        }
        Ok(outcomes.iter().map(|o| o.cycles).collect())
    }
}
