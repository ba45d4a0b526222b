//! The integer model of a network, prepared to be run on many images.

use super::executor::{Divide, Executor};
use super::forward::{Buffers, Forward};
use super::level::Level;
use super::multiply::Product;
use super::observer::{Observer, Wanted};
use super::trace::Trace;
use crate::poly::recip::recip_table;
use crate::poly::rsqrt::rsqrt_table;
use crate::quant::{Block, QuantNetwork, Selector};
use rayon::prelude::*;
use std::sync::{Mutex, PoisonError};

/// Tables of the polynomial units.
pub(super) struct Tables {
    pub(super) rsqrt: [(u32, u32); 96],
    pub(super) recip: [(u32, u32); 128],
}

/// Products of a block.
pub(super) struct BlockProducts {
    pub(super) qkv: [Product; 3],
    pub(super) proj: Product,
    pub(super) fc1: Product,
    pub(super) fc2: Product,
}

impl BlockProducts {
    fn of(b: &Block) -> Self {
        Self {
            qkv: [&b.q, &b.k, &b.v].map(Product::of),
            proj: Product::of(&b.proj),
            fc1: Product::of(&b.fc1),
            fc2: Product::of(&b.fc2),
        }
    }
}

/// Products of a selector.
pub(super) struct SelectorProducts {
    pub(super) local: Product,
    pub(super) mix: Product,
    pub(super) squeeze: Product,
    pub(super) keep: Product,
    pub(super) weigh: Product,
    pub(super) weight: Product,
}

impl SelectorProducts {
    fn of(s: &Selector) -> Self {
        let [local, mix, squeeze, keep, weigh, weight] = s.linears().map(Product::of);
        Self { local, mix, squeeze, keep, weigh, weight }
    }
}

/// A network in the form in which it is run. It takes two bytes per weight beside the network's own.
///
/// Results are the same for any number of threads and on any processor.
pub struct Model<'n> {
    pub(super) network: &'n QuantNetwork,
    pub(super) embed: Product,
    pub(super) blocks: Vec<BlockProducts>,
    pub(super) selectors: Vec<SelectorProducts>,
    pub(super) head: Product,
    pub(super) tables: Tables,
    level: Level,
    /// Memory of runs that are over.
    idle: Mutex<Vec<Buffers>>,
}

impl<'n> Model<'n> {
    /// Prepares a network that [`crate::quant::validate`] accepts.
    pub fn new(network: &'n QuantNetwork) -> Self {
        Self::with_level(network, Level::best())
    }

    /// The same for chosen instructions.
    pub(crate) fn with_level(network: &'n QuantNetwork, level: Level) -> Self {
        Self {
            network,
            embed: Product::of(&network.embed),
            blocks: network.blocks.iter().map(BlockProducts::of).collect(),
            selectors: network.selectors.iter().map(SelectorProducts::of).collect(),
            head: Product::of(&network.head),
            tables: Tables { rsqrt: rsqrt_table(), recip: recip_table() },
            level,
            idle: Mutex::default(),
        }
    }

    /// The instructions that its products run on.
    pub fn instructions(&self) -> &'static str {
        self.level.name()
    }

    /// Runs an image and shows every tensor to `observer`. `patches` is `[tokens][patch_inputs]`, row 0 zero.
    pub fn observe(&self, patches: &[i8], divide: Divide, observer: &mut impl Observer) {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let free = idle().pop();
        let mut buffers = free.unwrap_or_default();
        let how = Executor { level: self.level, divide };
        Forward { model: self, how, observer, buffers: &mut buffers }.run(patches);
        idle().push(buffers);
    }

    /// Every tensor of an image.
    pub fn run(&self, patches: &[i8], divide: Divide) -> Trace {
        let mut trace = Trace::default();
        self.observe(patches, divide, &mut trace);
        trace
    }

    /// The logits, scores, masks and counts of tokens of an image.
    pub fn decide(&self, patches: &[i8], divide: Divide) -> Trace {
        let wanted = |name: &str| name == "logits" || name.ends_with(".mask") || name.ends_with(".score");
        let mut observer = Wanted::new(wanted);
        self.observe(patches, divide, &mut observer);
        observer.trace
    }

    /// Logits of many images, in their order, on all threads.
    pub fn run_all(&self, images: &[Vec<i8>]) -> Vec<Vec<i32>> {
        let divide = Divide::for_images(images.len());
        images.par_iter().map(|patches| self.decide(patches, divide).logits().to_vec()).collect()
    }
}

/// Every tensor of one image; who has more images than one prepares a [`Model`] once.
pub fn run(network: &QuantNetwork, patches: &[i8]) -> Trace {
    Model::new(network).run(patches, Divide::Images)
}
