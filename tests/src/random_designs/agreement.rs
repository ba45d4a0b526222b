//! Two engines on one design.

use heatvit_rtl::{Design, Direction};
use heatvit_sim::{Engine, PortId, SimError};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Limbs of the widest port.
const LIMBS: usize = 16;

/// Outputs that differ between two fresh engines of a design on random inputs, each with the first cycle in which it does.
///
/// # Errors
/// An engine has not one of the design's ports.
pub fn differing(
    design: &Design,
    a: &mut impl Engine,
    b: &mut impl Engine,
    cycles: u64,
    seed: u64,
) -> Result<Vec<String>, SimError> {
    let top = design.module(design.top().ok_or(SimError::NoTop)?);
    let names = |direction| {
        let ports = top.ports().map(|(_, s)| s).filter(move |s| s.port == Some(direction));
        ports.map(|s| s.name.as_str())
    };
    let pair = |name| -> Result<[PortId; 2], SimError> { Ok([a.input(name)?, b.input(name)?]) };
    let mut inputs = names(Direction::Input).map(pair).collect::<Result<Vec<_>, _>>()?;
    inputs.extend(pair("rst"));
    let pair = |name| -> Result<(&str, [PortId; 2]), SimError> { Ok((name, [a.output(name)?, b.output(name)?])) };
    let mut outputs = names(Direction::Output).map(pair).collect::<Result<Vec<_>, _>>()?;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut found = Vec::new();
    for cycle in 0..cycles {
        for [in_a, in_b] in &inputs {
            let limbs: [u64; LIMBS] = match random.random_range(0..4) {
                0 => [0; LIMBS],
                1 => [u64::MAX; LIMBS],
                _ => random.random(),
            };
            a.set(*in_a, &limbs);
            b.set(*in_b, &limbs);
        }
        outputs.retain(|(name, [out_a, out_b])| {
            let (mut of_a, mut of_b) = ([0; LIMBS], [0; LIMBS]);
            a.get(*out_a, &mut of_a);
            b.get(*out_b, &mut of_b);
            if of_a != of_b {
                found.push(format!("`{name}` in cycle {cycle}: {of_a:x?} and {of_b:x?}"));
            }
            of_a == of_b
        });
        a.step();
        b.step();
    }
    Ok(found)
}
