//! The simulator and the reference interpreter side by side, on random inputs.

use crate::{Engine as _, PortId, Reference, SimError, Simulator};
use heatvit_rtl::{Bits, Design, Direction};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Cycles from one look at a signal in the middle of the design to the next. Each makes the simulator compute everything
/// anew, so that there has to be time in between for what it leaves out.
const PEEK_EVERY: u64 = 16;
/// Cycle before which the simulator adapts to what changed so far.
const ADAPT: u64 = 6;

/// Where the two are not equal.
#[derive(Debug, thiserror::Error)]
pub enum Difference {
    /// The simulator refuses the design or a signal of it.
    #[error(transparent)]
    Refused(#[from] SimError),
    /// A value differs.
    #[error("cycle {cycle}, {place}: the interpreter has {expected:x?}, the simulator {got:x?}")]
    Value {
        /// Cycles since the start.
        cycle: u64,
        /// An output, a signal, or a piece of state after the cycle's edge.
        place: String,
        /// Limbs of the interpreter's value.
        expected: Vec<u64>,
        /// Limbs of the simulator's value.
        got: Vec<u64>,
    },
}

/// Limbs of an input: corners and random ones.
fn limbs(random: &mut ChaCha8Rng, width: u32) -> Vec<u64> {
    let count = width.div_ceil(64) as usize;
    match random.random_range(0..5) {
        0 => vec![0; count],
        1 => vec![u64::MAX; count],
        2 => (0..count).map(|_| random.random_range(0..4)).collect(),
        _ => (0..count).map(|_| random.random()).collect(),
    }
}

fn check(cycle: u64, place: impl FnOnce() -> String, expected: &[u64], got: &[u64]) -> Result<(), Difference> {
    if expected == got {
        return Ok(());
    }
    Err(Difference::Value { cycle, place: place(), expected: expected.to_vec(), got: got.to_vec() })
}

/// Runs a design for `cycles` cycles with random inputs and now and then a reset; compares all outputs before each edge,
/// all registers, read data and words of memories after it, and every few cycles a signal that nobody asked for before.
///
/// # Errors
/// The first difference.
pub fn lockstep(design: &Design, cycles: u64, seed: u64) -> Result<(), Difference> {
    let mut reference = Reference::new(design)?;
    let mut fast = Simulator::new(design)?;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let top = design.module(design.top().ok_or(SimError::NoTop)?);
    let ports = |direction| top.ports().map(|(_, s)| s).filter(move |s| s.port == Some(direction));
    let inputs: Result<Vec<(PortId, u32)>, SimError> =
        ports(Direction::Input).map(|s| Ok((reference.input(&s.name)?, s.ty.total_width()))).collect();
    let (inputs, reset, paths) = (inputs?, reference.input("rst")?, fast.paths());
    for cycle in 0..cycles {
        if cycle == ADAPT {
            fast.adapt()?;
        }
        // Now nearly all inputs change, now hardly any.
        let keeping = [0.0, 0.5, 0.9][random.random_range(0..3)];
        for (port, width) in &inputs {
            if cycle > 0 && random.random_bool(keeping) {
                continue;
            }
            let limbs = limbs(&mut random, *width);
            reference.set(*port, &limbs);
            fast.set(*port, &limbs);
        }
        let resets = u64::from(random.random_bool(0.1));
        reference.set_u64(reset, resets);
        fast.set_u64(reset, resets);
        for signal in ports(Direction::Output) {
            let port = fast.output(&signal.name)?;
            let mut expected = vec![0; signal.ty.total_width().div_ceil(64) as usize];
            let mut got = expected.clone();
            reference.get(port, &mut expected);
            fast.get(port, &mut got);
            check(cycle, || format!("output `{}`", signal.name), &expected, &got)?;
        }
        if cycle % PEEK_EVERY == PEEK_EVERY / 2 && !paths.is_empty() {
            let path = &paths[random.random_range(0..paths.len())];
            let got = fast.peek(path)?;
            let expected = reference.interpreter().peek(path).ok_or(SimError::NoSignal { path: path.clone() })?;
            check(cycle, || format!("signal `{path}`"), expected.limbs(), got.limbs())?;
        }
        reference.step();
        fast.try_step()?;
        let (expected, got) = (reference.interpreter().state(), fast.state());
        for (path, value) in &expected {
            let got = got.get(path).map_or(&[][..], Bits::limbs);
            check(cycle, || format!("state `{path}`"), value.limbs(), got)?;
        }
        check(cycle, || "number of registers".to_owned(), &[expected.len() as u64], &[got.len() as u64])?;
        check_memories(cycle, &mut reference, &fast)?;
    }
    Ok(())
}

/// Compares all words of all memories, also those that no read port shows in this cycle.
fn check_memories(cycle: u64, reference: &mut Reference<'_>, fast: &Simulator) -> Result<(), Difference> {
    let memories = reference.interpreter().memories();
    for (path, words) in &memories {
        let memory = fast.memory(path)?;
        for (index, word) in (0..).zip(*words) {
            check(
                cycle,
                || format!("word {index} of memory `{path}`"),
                word.limbs(),
                fast.word(memory, index).limbs(),
            )?;
        }
    }
    let count = fast.memory_paths().count() as u64;
    check(cycle, || "number of memories".to_owned(), &[memories.len() as u64], &[count])
}
