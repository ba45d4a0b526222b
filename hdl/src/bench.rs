//! A design in the interpreter with ports by name and numbers as values.

use crate::parameters::Parameters;
use heatvit_rtl::{Bits, Design, Interpreter};

/// Edges after which a test is taken to hang.
const PATIENCE: u64 = 200_000;

/// A design under test.
pub struct Bench<'d> {
    sim: Interpreter<'d>,
    /// Clock edges since construction.
    pub now: u64,
}

impl<'d> Bench<'d> {
    /// Elaborates and resets for a few cycles.
    pub fn new(design: &'d Design) -> Self {
        let mut bench = Self { sim: Interpreter::new(design).expect("the design has a top"), now: 0 };
        if design.top().is_some_and(|top| design.needs_reset(top)) {
            bench.reset();
        }
        bench
    }

    /// Three cycles of reset and one more for its registered copy.
    pub fn reset(&mut self) {
        self.set("rst", 1);
        (0..3).for_each(|_| self.step());
        self.set("rst", 0);
        self.step();
    }

    pub fn set(&mut self, name: &str, value: u128) {
        // Wider than any port that is not a whole word of logits.
        self.sim.set_input(name, &Bits::new(128, value)).unwrap_or_else(|e| panic!("{e}"));
    }

    pub fn set_bits(&mut self, name: &str, value: &Bits) {
        self.sim.set_input(name, value).unwrap_or_else(|e| panic!("{e}"));
    }

    pub fn bits(&mut self, name: &str) -> Bits {
        self.sim.output(name).unwrap_or_else(|e| panic!("{e}"))
    }

    pub fn get(&mut self, name: &str) -> u128 {
        let bits = self.bits(name);
        let limb = |i: usize| u128::from(bits.limbs().get(i).copied().unwrap_or(0));
        limb(0) | limb(1) << 64
    }

    pub fn flag(&mut self, name: &str) -> bool {
        self.get(name) != 0
    }

    pub fn step(&mut self) {
        self.sim.step();
        self.now += 1;
        assert!(self.now < PATIENCE, "the test hangs");
    }

    /// Raises an input for one cycle.
    pub fn pulse(&mut self, name: &str) {
        self.set(name, 1);
        self.step();
        self.set(name, 0);
    }
}

/// Parameters that matter here: the number of columns.
pub fn parameters(columns: u32) -> Parameters {
    Parameters {
        rows: 64,
        columns,
        max_tokens: 64,
        a_words: 64,
        k_words: 64,
        v_words: 64,
        s_words: 64,
        x_words: 64,
        out_words: 64,
        selector_heads: 0,
    }
}

/// What the models put on a handshake's valid or ready: true with the given probability.
pub fn chance(rng: &mut rand_chacha::ChaCha8Rng, probability: f64) -> bool {
    use rand::Rng;
    rng.random_bool(probability)
}
