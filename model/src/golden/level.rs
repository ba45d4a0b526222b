//! Which instructions the kernels are compiled for, chosen when the program runs.
//!
//! Crate pulp proves by a token that the processor has the instructions, so nothing here is `unsafe`. Every level
//! computes the same integers; the tests run each that the machine has.

use super::lanes::{Lanes, Plain};
#[cfg(target_arch = "x86_64")]
use pulp::x86::{V3, V4};

/// A set of instructions that kernels exist for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Level {
    /// What every processor of the compiled architecture has.
    Plain,
    /// AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2(V3),
    /// AVX-512 with byte and word instructions.
    #[cfg(target_arch = "x86_64")]
    Avx512(V4),
}

/// A computation on lanes. `run` has to be `#[inline(always)]`, or it is not compiled for the level's instructions.
pub(super) trait Task {
    /// Its result.
    type Output;
    /// Computes it.
    fn run<L: Lanes>(self, lanes: L) -> Self::Output;
}

impl Level {
    /// The levels of this machine, the fastest first.
    pub(crate) fn available() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let vectors = [V4::try_new().map(Self::Avx512), V3::try_new().map(Self::Avx2)];
        #[cfg(not(target_arch = "x86_64"))]
        let vectors: [Option<Self>; 0] = [];
        vectors.into_iter().flatten().chain([Self::Plain])
    }

    /// The fastest level of this machine.
    pub(crate) fn best() -> Self {
        Self::available().next().unwrap_or(Self::Plain)
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "baseline",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => "AVX-512",
        }
    }

    /// Runs a task with this level's instructions.
    pub(super) fn run<T: Task>(self, task: T) -> T::Output {
        match self {
            Self::Plain => task.run(Plain),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(simd) => simd.vectorize(
                #[inline(always)]
                || task.run(simd),
            ),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(simd) => simd.vectorize(
                #[inline(always)]
                || task.run(simd),
            ),
        }
    }
}
