//! Does the whole accelerator compute what the golden model computes?

use heatvit_gen::compare::stretches;
use heatvit_gen::simulated::SimulatedDevice;
use heatvit_gen::verify::{images, report};
use heatvit_hdl::schedule::Program;
use heatvit_hdl::{Parameters, accelerator};
use heatvit_model::quant::{Dims, Extreme, random, random_image, validate};
use heatvit_sim::axi::MemoryConfig;

/// Runs two random images of a random network; the report of the first that differs.
fn equal(dims: &Dims, (rows, columns): (u32, u32), seed: u64, extreme: Extreme) -> Result<(), String> {
    let network = random(dims, seed, extreme);
    validate(&network).map_err(|e| e.to_string())?;
    let parameters = Parameters::for_dims(dims, rows, columns);
    let design = accelerator(&parameters);
    heatvit_rtl::verify(&design).map_err(|e| e.to_string())?;
    let program = Program::compile(&network, &parameters).map_err(|e| e.to_string())?;
    let plan = stretches(&program);
    let patches: Vec<Vec<i8>> = (0..2).map(|i| random_image(dims, seed * 2 + i)).collect();
    let memory = MemoryConfig::zcu102(300e6);
    let outcomes = images(&network, &plan, &patches, || SimulatedDevice::new(&design, &program, &memory))
        .map_err(|e| e.to_string())?;
    match outcomes.iter().position(|o| !o.equal()) {
        Some(i) => Err(format!("seed {seed}, {dims:?}, {rows}x{columns}: {}", report(i, &outcomes[i]))),
        None => Ok(()),
    }
}

#[test]
fn a_small_network_is_equal_in_every_tensor() {
    let dims =
        Dims { tokens: 5, patch_inputs: 16, embed: 32, depth: 1, heads: 2, head_dim: 16, mlp_hidden: 48, classes: 3 };
    equal(&dims, (16, 16), 1, Extreme::None).unwrap();
}
