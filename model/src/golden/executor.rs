//! Who computes what: instructions and threads.

use super::level::Level;
use rayon::prelude::*;

/// Rows that are computed together; a thread's share of a tensor is a multiple.
pub(super) const GROUP: usize = 32;

/// What threads divide among themselves. Results do not depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Divide {
    /// Images: each runs on one thread.
    Images,
    /// The rows of every tensor of an image.
    Rows,
}

impl Divide {
    /// What keeps all threads busy with this number of images.
    pub fn for_images(images: usize) -> Self {
        if images < rayon::current_num_threads() { Self::Rows } else { Self::Images }
    }
}

/// Instructions and threads of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Executor {
    /// Instructions.
    pub level: Level,
    /// Threads.
    pub divide: Divide,
}

impl Executor {
    /// Does independent pieces of work.
    pub(super) fn each<I: Send>(&self, pieces: impl Iterator<Item = I>, work: impl Fn(I) + Send + Sync) {
        match self.divide {
            Divide::Images => pieces.for_each(work),
            Divide::Rows => pieces.collect::<Vec<I>>().into_par_iter().for_each(work),
        }
    }
}
