//! Does the accelerator prune as the golden model does?

use crate::bench::Case;
use heatvit_hdl::{Parameters, accelerator};
use heatvit_model::quant::{Dims, Extreme, QuantNetwork, random_image, random_with_selectors, validate};
use heatvit_sim::axi::MemoryConfig;

fn memory() -> MemoryConfig {
    MemoryConfig::zcu102(300e6)
}

fn small() -> Dims {
    Dims { tokens: 21, patch_inputs: 16, embed: 32, depth: 2, heads: 2, head_dim: 16, mlp_hidden: 48, classes: 3 }
}

fn network(dims: &Dims, blocks: &[usize], seed: u64) -> QuantNetwork {
    let network = random_with_selectors(dims, blocks, seed, Extreme::None);
    validate(&network).unwrap();
    network
}

/// Images of a network on the smallest accelerator that holds it.
fn equal(network: QuantNetwork, (rows, columns): (u32, u32), images: u64) -> Result<Vec<u64>, String> {
    let parameters = Parameters::for_network(&network, rows, columns);
    let design = accelerator(&parameters);
    heatvit_rtl::verify(&design).map_err(|e| e.to_string())?;
    let patches = (0..images).map(|i| random_image(&network.dims, 100 + i)).collect();
    let dims = network.dims.clone();
    Case::new(network, &parameters, patches)?
        .equal(&design, &memory())
        .map_err(|e| format!("{rows}x{columns}, {dims:?}: {e}"))
}

#[test]
fn a_pruned_network_is_equal_in_every_tensor() {
    equal(network(&small(), &[1], 1), (16, 16), 3).unwrap();
}

#[test]
fn zz_try() {
    for seed in 2..8 {
        for blocks in [&[1][..], &[1, 2], &[1, 2, 3]] {
            let dims = Dims { depth: 4, tokens: 30 + seed as usize, ..small() };
            match equal(network(&dims, blocks, seed), (16, 16), 3) {
                Ok(c) => println!("{seed} {blocks:?} {c:?}"),
                Err(e) => println!("{seed} {blocks:?} FAILED {e}"),
            }
        }
    }
}
