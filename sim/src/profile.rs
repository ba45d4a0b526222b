//! What changed in a sample of the cycles so far.

/// A sample is taken in each of the first cycles and then once in so many.
const FIRST: u64 = 64;
const EVERY: u64 = 128;
/// So many are enough. By then, some 57,000 cycles, a run has taken longer than to compile again takes.
const ENOUGH: usize = 512;
/// Limbs of a set of samples.
const LIMBS: usize = ENOUGH / 64;

/// A set of samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Samples([u64; LIMBS]);

impl Samples {
    /// Those that are in one of both.
    pub fn union(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] | other.0[i]))
    }

    /// Their number.
    pub fn count(self) -> u32 {
        self.0.iter().map(|limb| limb.count_ones()).sum()
    }
}

/// Samples of changes.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    samples: Vec<Vec<u64>>,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Open,
    /// No more samples are taken, and those that there are, are used.
    Closed,
    /// No samples are taken or used.
    None,
}

impl Profile {
    /// Whether a sample is to be taken in this cycle.
    pub fn is_due(&self, cycle: u64) -> bool {
        self.state == State::Open && (cycle < FIRST || cycle.is_multiple_of(EVERY))
    }

    /// Whether changes have to be known in this cycle: for a sample in it or in the next one, or for what is left out.
    pub fn needs_changes(&self, cycle: u64) -> bool {
        self.is_closed() || self.is_due(cycle) || self.is_due(cycle + 1)
    }

    /// One that is not used.
    pub fn none() -> Self {
        Self { samples: Vec::new(), state: State::None }
    }

    /// One more sample: limbs of changes.
    pub fn add(&mut self, changes: &[u64]) {
        if !self.is_complete() {
            self.samples.push(changes.to_vec());
        }
    }

    /// Whether there are enough.
    pub fn is_complete(&self) -> bool {
        self.samples.len() == ENOUGH
    }

    /// No more samples are taken; the ones there are, are used.
    pub fn close(&mut self) {
        self.state = State::Closed;
    }

    /// Whether the samples are to be used.
    pub fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// The samples in which one of these bits of limbs was set.
    pub fn with(&self, set: &[(u32, u64)]) -> Samples {
        let mut found = Samples::default();
        for (index, sample) in self.samples.iter().enumerate() {
            let any = set.iter().any(|(limb, bits)| sample[*limb as usize] & bits != 0);
            found.0[index / 64] |= u64::from(any) << (index % 64);
        }
        found
    }
}
