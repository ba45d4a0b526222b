//! Designs that are too large to be simulated are refused before anything is allocated for them.

use crate::SimError;
use heatvit_rtl::{Design, SignalKind};

/// Most instances; about a kilobyte of tables stands for each.
const INSTANCES: u64 = 4_000_000;
/// Most bytes of registers, and most bytes of memories: offsets are 32 bits wide, and there are two places for each
/// register.
const BYTES: u64 = 1 << 30;

/// What an instance of a module takes, everything below it included.
#[derive(Clone, Copy, Debug, Default)]
struct Size {
    instances: u64,
    state: u64,
    words: u64,
}

impl Size {
    fn add(&mut self, other: Self, times: u64) {
        let sum = |a: u64, b: u64| a.saturating_add(b.saturating_mul(times));
        self.instances = sum(self.instances, other.instances);
        self.state = sum(self.state, other.state);
        self.words = sum(self.words, other.words);
    }
}

/// Checks the top module.
///
/// # Errors
/// [`SimError::TooLarge`].
pub fn check(design: &Design) -> Result<(), SimError> {
    let mut sizes: Vec<Size> = Vec::new();
    for id in design.ids() {
        let module = design.module(id);
        let mut size = Size { instances: 1, ..Size::default() };
        let holds = |kind| matches!(kind, SignalKind::Register | SignalKind::ReadData | SignalKind::Input);
        for signal in module.signals.iter().filter(|s| holds(s.kind)) {
            size.state = size.state.saturating_add(bytes(signal.ty.total_width()));
        }
        for memory in &module.memories {
            let words = bytes(memory.width).saturating_mul(u64::from(memory.depth));
            size.words = size.words.saturating_add(words);
        }
        // Modules come before those that place them.
        for instance in &module.instances {
            size.add(sizes[instance.module.index()], u64::from(instance.count.unwrap_or(1)));
        }
        sizes.push(size);
    }
    let size = sizes.last().copied().unwrap_or_default();
    let refuse = |what, size, limit| if size > limit { Err(SimError::TooLarge { what, size, limit }) } else { Ok(()) };
    refuse("instances", size.instances, INSTANCES)?;
    refuse("bytes of registers", size.state, BYTES)?;
    refuse("bytes of memories", size.words, BYTES)
}

/// Whole limbs of so many bits, in bytes.
fn bytes(width: u32) -> u64 {
    u64::from(width.div_ceil(64)) * 8
}
