//! The route from a configuration to an output folder: a list of named stages, each of which makes one artefact
//! from those before it.

mod input;
mod stages;
mod weights;

pub use input::{
    Request, calibration_images, float_patches, image_shape, load_config, open_images, patches, quantize_network,
    refused,
};
pub use stages::parameters;
pub use weights::{WeightFile, load_network, load_quantized, load_weights, read_quantized};

use crate::error::GenError;
use crate::package::Package;
use crate::progress;
use clap::ValueEnum;
use heatvit_hdl::Parameters;
use heatvit_hdl::schedule::Program;
use heatvit_model::config::Config;
use heatvit_model::float::FloatNetwork;
use heatvit_model::quant::QuantNetwork;
use heatvit_rtl::Design;
use heatvit_rtl::verilog::VerilogFile;
use indicatif::ProgressBar;

/// A stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Stage {
    /// The configuration, completed and checked.
    Config,
    /// The float network, from the weights file.
    Network,
    /// The quantized network.
    Quant,
    /// The program: operations in order, and the stream of weights.
    Schedule,
    /// The accelerator's design, verified.
    Rtl,
    /// Its Verilog.
    Verilog,
    /// The output folder.
    Package,
}

impl Stage {
    /// Name, as on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Network => "network",
            Self::Quant => "quant",
            Self::Schedule => "schedule",
            Self::Rtl => "rtl",
            Self::Verilog => "verilog",
            Self::Package => "package",
        }
    }
}

/// Makes a stage's artefact; returns what is said about it in one line.
type Step = fn(&Request, &mut Build) -> Result<String, GenError>;

/// The route.
const ROUTE: [(Stage, Step); 7] = [
    (Stage::Config, stages::config),
    (Stage::Network, stages::network),
    (Stage::Quant, stages::quant),
    (Stage::Schedule, stages::schedule),
    (Stage::Rtl, stages::rtl),
    (Stage::Verilog, stages::verilog),
    (Stage::Package, stages::package),
];

/// Everything that the stages have made so far.
#[derive(Clone, Debug, Default)]
pub struct Build {
    config: Option<Config>,
    weights: Option<WeightFile>,
    float: Option<FloatNetwork>,
    quant: Option<QuantNetwork>,
    /// Images that the quantizer was calibrated on, where it was run.
    pub calibrated: Option<usize>,
    parameters: Option<Parameters>,
    program: Option<Program>,
    design: Option<Design>,
    verilog: Option<Vec<VerilogFile>>,
    package: Option<Package>,
    /// The stages that were run, each with a line about its artefact.
    pub log: Vec<(Stage, String)>,
}

/// An artefact, which is there once its stage was run.
fn made<T>(artefact: Option<T>, stage: Stage) -> Result<T, GenError> {
    artefact.ok_or_else(|| GenError::stage(stage.name(), "its artefact is asked for before the stage was run"))
}

/// All these fail only when the stage that makes the artefact was not run.
#[expect(clippy::missing_errors_doc, reason = "said once for all of them")]
impl Build {
    /// The configuration.
    pub fn config(&self) -> Result<&Config, GenError> {
        made(self.config.as_ref(), Stage::Config)
    }

    /// The float network; `None` when the weights file is quantized.
    pub fn float(&self) -> Option<&FloatNetwork> {
        self.float.as_ref()
    }

    /// Whether the configuration had token selectors that the weights do not have.
    pub fn without_selectors(&self) -> bool {
        self.weights.as_ref().is_some_and(|weights| weights.without_selectors)
    }

    /// The quantized network.
    pub fn quant(&self) -> Result<&QuantNetwork, GenError> {
        made(self.quant.as_ref(), Stage::Quant)
    }

    /// What fixes the Verilog.
    pub fn parameters(&self) -> Result<&Parameters, GenError> {
        made(self.parameters.as_ref(), Stage::Schedule)
    }

    /// The program.
    pub fn program(&self) -> Result<&Program, GenError> {
        made(self.program.as_ref(), Stage::Schedule)
    }

    /// The design.
    pub fn design(&self) -> Result<&Design, GenError> {
        made(self.design.as_ref(), Stage::Rtl)
    }

    /// Its Verilog, leaves first.
    pub fn verilog(&self) -> Result<&[VerilogFile], GenError> {
        made(self.verilog.as_ref(), Stage::Verilog).map(Vec::as_slice)
    }

    /// The output folder.
    pub fn package(&self) -> Result<&Package, GenError> {
        made(self.package.as_ref(), Stage::Package)
    }
}

impl Build {
    /// Changes the design in place, if there is one: for planted faults.
    pub fn edit_design(&mut self, edit: impl FnOnce(&mut Design)) {
        if let Some(design) = &mut self.design {
            edit(design);
        }
    }
}

/// Runs the stages up to and including `until`.
///
/// # Errors
/// Refused input, at the first stage that notices.
pub fn build(request: &Request, until: Stage) -> Result<Build, GenError> {
    let route: Vec<_> = ROUTE.into_iter().filter(|(stage, _)| *stage <= until).collect();
    let (mut build, stages) = (Build::default(), route.len());
    for (index, (stage, step)) in route.into_iter().enumerate() {
        // The quantizer has a bar of its own.
        let bar = (stage != Stage::Quant).then(|| progress::stage("building", stage.name(), index, stages));
        let line = step(request, &mut build);
        bar.inspect(ProgressBar::finish_and_clear);
        build.log.push((stage, line?));
    }
    Ok(build)
}
