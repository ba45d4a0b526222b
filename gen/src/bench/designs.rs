//! The designs that are measured, each with its stimuli.

use super::array_stimuli::array_stimuli;
use super::stimuli::{Recording, Stimuli};
use crate::error::GenError;
use crate::pipeline::{Request, Stage, build, open_images, patches};
use crate::prove::memory;
use crate::simulated::{board, job, place_image};
use heatvit_hdl::schedule::Program;
use heatvit_hdl::{Parameters, accelerator, array_part, control_part};
use heatvit_model::quant::{Dims, Extreme, random_image, random_with_selectors};
use heatvit_rtl::Design;
use heatvit_sim::axi::{Board, MemoryConfig};
use heatvit_sim::{Engine as _, Ports, SimError, Simulator};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::path::PathBuf;

/// Their names, in the order of the table.
pub const NAMES: [&str; 5] = ["array-64", "array-32", "accelerator-64", "digits", "control"];

/// Seed of all random networks, images and stimuli.
const SEED: u64 = 1;
/// Frames of the arrays' stimuli.
const ARRAY_CYCLES: u64 = 20_000;
/// Cycles after which a recorded run counts as hung.
const CYCLE_LIMIT: u64 = 1_000_000;
/// Clock of the configurations; it fixes the bytes a cycle of the memory.
const CLOCK_HZ: f64 = 300e6;
/// A network of DeiT-Tiny's dimensions, but for its blocks.
const TINY: Dims = Dims {
    tokens: 197,
    patch_inputs: 768,
    embed: 192,
    depth: 2,
    heads: 3,
    head_dim: 64,
    mlp_hidden: 768,
    classes: 1000,
};
/// A network of the digits' dimensions.
const DIGITS: Dims =
    Dims { tokens: 82, patch_inputs: 16, embed: 64, depth: 6, heads: 4, head_dim: 16, mlp_hidden: 128, classes: 10 };

/// A design and what its inputs are.
#[derive(Clone, Debug)]
pub struct Subject {
    /// One of [`NAMES`].
    pub name: &'static str,
    /// The design.
    pub design: Design,
    /// Its ports.
    pub ports: Ports,
    /// Its inputs.
    pub stimuli: Stimuli,
}

/// The design of a name, of [`NAMES`].
///
/// # Errors
/// A configuration that is not there or refused, or a design that does not run.
pub fn subject(name: &str) -> Result<Subject, GenError> {
    match name {
        "array-64" => array("array-64", 64),
        "array-32" => array("array-32", 32),
        "accelerator-64" => accelerator_64(),
        "digits" => digits(),
        _ => control(),
    }
}

/// An array of `size` x `size` with its loaders and accumulators.
fn array(name: &'static str, size: u32) -> Result<Subject, GenError> {
    let parameters = Parameters::for_dims(&TINY, size, size);
    let mut design = Design::new();
    array_part(&mut design, &parameters);
    let ports = Ports::of(&design)?;
    let stimuli = array_stimuli(&parameters, &ports, ARRAY_CYCLES, SEED);
    Ok(Subject { name, design, ports, stimuli })
}

/// The whole accelerator with the largest array and DeiT-Tiny's memories, on a network of two blocks with a selector.
fn accelerator_64() -> Result<Subject, GenError> {
    let network = random_with_selectors(&TINY, &[1], SEED, Extreme::None);
    let parameters = Parameters::for_network(&network, 64, 64);
    let program = Program::compile(&network, &parameters).map_err(|e| GenError::stage("bench", e))?;
    let image = random_image(&network.dims, SEED);
    record("accelerator-64", accelerator(&parameters), &program, &image, &MemoryConfig::zcu102(CLOCK_HZ))
}

/// The accelerator of the digits on their first test image.
fn digits() -> Result<Subject, GenError> {
    let request = Request::new(configuration("configs/digits.toml")?);
    let build = build(&request, Stage::Rtl)?;
    let config = build.config()?;
    let images = open_images(&request, config)?.test(Some(1))?;
    let image = images.first().ok_or_else(|| GenError::stage("bench", "a data set without a test image"))?;
    record("digits", build.design()?.clone(), build.program()?, &patches(config, image)?, &memory(config))
}

/// A file of the repository, which is looked for above this folder and above the tool.
fn configuration(file: &str) -> Result<PathBuf, GenError> {
    let (here, tool) = (std::env::current_dir().ok(), std::env::current_exe().ok());
    let above = [here.as_deref(), tool.as_deref()];
    let mut places = above.into_iter().flatten().flat_map(|start| start.ancestors()).map(|folder| folder.join(file));
    places.find(|place| place.is_file()).ok_or_else(|| GenError::Argument {
        argument: "--design digits".to_owned(),
        problem: format!("there is no {file} in this folder or above it"),
        remedy: "run it inside the repository, or measure other designs".to_owned(),
    })
}

/// Control alone, on a network of the digits' dimensions; the selectors decide at random.
fn control() -> Result<Subject, GenError> {
    let network = random_with_selectors(&DIGITS, &[1, 3], SEED, Extreme::None);
    let parameters = Parameters::for_network(&network, 16, 16);
    let program = Program::compile(&network, &parameters).map_err(|e| GenError::stage("bench", e))?;
    let image = random_image(&network.dims, SEED);
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut decide = |board: &mut Recording<Simulator>| -> Result<(), SimError> {
        let (enough, weight) = (board.input("enough")?, board.input("weight")?);
        board.set_u64(enough, u64::from(rng.random_bool(0.7)));
        board.set_u64(weight, rng.random_range(1..1 << 10));
        Ok(())
    };
    let memory = MemoryConfig::zcu102(CLOCK_HZ);
    record_with("control", control_part(&parameters), &program, &image, &memory, &mut decide)
}

fn record(
    name: &'static str,
    design: Design,
    program: &Program,
    image: &[i8],
    memory: &MemoryConfig,
) -> Result<Subject, GenError> {
    record_with(name, design, program, image, memory, &mut |_| Ok(()))
}

/// Runs a program on the simulated board, from the reset to the interrupt, and keeps the inputs. `hook` may drive more
/// of them in each cycle.
fn record_with(
    name: &'static str,
    design: Design,
    program: &Program,
    image: &[i8],
    memory: &MemoryConfig,
    hook: &mut dyn FnMut(&mut Recording<Simulator>) -> Result<(), SimError>,
) -> Result<Subject, GenError> {
    let ports = Ports::of(&design)?;
    let engine = Recording::new(Simulator::new(&design)?, &ports)?;
    let (mut board, layout): (Board<Recording<Simulator>>, _) = board(engine, program, memory)?;
    place_image(&mut board, &layout, program, image);
    let report = board.run_image(&job(&layout), CYCLE_LIMIT, &mut |engine, _| hook(engine))?;
    if report.error != 0 {
        return Err(GenError::stage("bench", format!("{name} ends with error {}", report.error)));
    }
    let stimuli = board.engine().take();
    Ok(Subject { name, design, ports, stimuli })
}
