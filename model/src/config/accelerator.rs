//! `[accelerator]` and `[memory]`: numbers that fix the hardware and the memory behind it. They are only
//! read and checked here; this crate computes nothing with them.

use super::error::ConfigError;
use super::model::{MAX_TOKENS, ModelConfig};
use super::section::Section;
use serde::{Deserialize, Serialize};

/// The largest network that the hardware shall hold. At least the configured one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capacity {
    /// Tokens, with the class token.
    pub tokens: usize,
    /// Inputs of a patch.
    pub patch_inputs: usize,
    /// Embedding channels.
    pub embed: usize,
    /// Attention heads.
    pub heads: usize,
    /// Channels of a head.
    pub head_dim: usize,
    /// Hidden channels of the MLP.
    pub mlp_hidden: usize,
    /// Classes.
    pub classes: usize,
}

/// What fixes the generated Verilog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceleratorConfig {
    /// Array rows R.
    pub rows: u32,
    /// Array columns C.
    pub columns: u32,
    /// Clock of everything, from the processing system.
    pub clock_mhz: u32,
    /// Sizes of the memories.
    pub capacity: Capacity,
}

/// The model of the memory behind the four read ports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryConfig {
    /// Bytes per second of all ports together.
    pub bytes_per_second: u64,
    /// Cycles from an accepted address to its first beat.
    pub latency_cycles: u32,
}

impl MemoryConfig {
    /// Bytes per cycle at a clock: the ports carry 64 at most.
    pub fn bytes_per_cycle(&self, clock_mhz: u32) -> f64 {
        (self.bytes_per_second as f64 / (f64::from(clock_mhz) * 1e6)).min(64.0)
    }
}

fn capacity(mut section: Section<'_>, model: &ModelConfig) -> Result<Capacity, ConfigError> {
    let dims = model.dims();
    let mut at_least = |key: &'static str, needed: usize, most: u64| -> Result<usize, ConfigError> {
        let Some(field) = section.whole(key, 1..=most)? else { return Ok(needed) };
        let value = field.value as usize;
        if value < needed {
            let rule = format!("the configured network needs {needed}");
            return Err(field.illegal(rule, "write at least that, or leave it out"));
        }
        Ok(value)
    };
    let capacity = Capacity {
        tokens: at_least("tokens", dims.tokens, MAX_TOKENS)?,
        patch_inputs: at_least("patch_inputs", dims.patch_inputs, 4096)?,
        embed: at_least("embed", dims.embed, 1024)?,
        heads: at_least("heads", dims.heads, 32)?,
        head_dim: at_least("head_dim", dims.head_dim, 128)?,
        mlp_hidden: at_least("mlp_hidden", dims.mlp_hidden, 4096)?,
        classes: at_least("classes", dims.classes, 4096)?,
    };
    section.finish()?;
    Ok(capacity)
}

pub(super) fn accelerator(mut section: Section<'_>, model: &ModelConfig) -> Result<AcceleratorConfig, ConfigError> {
    let rows = section.whole("rows", 0..=u64::from(u32::MAX))?.unwrap_or_else(|| section.default("rows", 16));
    if ![16, 32, 64].contains(&rows.value) {
        return Err(rows.illegal("the array has 16, 32 or 64 rows", "write one of them"));
    }
    let columns = section.whole("columns", 0..=u64::from(u32::MAX))?;
    let columns = columns.unwrap_or_else(|| section.default("columns", rows.value));
    if !columns.value.is_power_of_two() || !(4..=rows.value).contains(&columns.value) {
        let rule = format!("the columns are a power of two from 4 to accelerator.rows ({})", rows.value);
        let below = if columns.value < 4 { 4 } else { 1u64 << columns.value.min(rows.value).ilog2() };
        return Err(columns.illegal(rule, format!("write {below}, for example")));
    }
    let clock_mhz = section.whole("clock_mhz", 10..=600)?.map_or(300, |f| f.value as u32);
    let capacity = capacity(section.child("capacity")?, model)?;
    section.finish()?;
    Ok(AcceleratorConfig { rows: rows.value as u32, columns: columns.value as u32, clock_mhz, capacity })
}

pub(super) fn memory(mut section: Section<'_>) -> Result<MemoryConfig, ConfigError> {
    if let Some(ports) = section.whole("ports", 0..=64)?
        && ports.value != 4
    {
        return Err(ports.illegal("the accelerator has 4 read ports of 128 bits", "write 4 or leave it out"));
    }
    let bytes = section.whole("bytes_per_second", 1_000_000..=1_000_000_000_000)?;
    let gigabytes = section.real("gigabytes_per_second", 0.001..=1000.0)?;
    let bytes_per_second = match (bytes, gigabytes) {
        (Some(bytes), None) => bytes.value,
        (Some(bytes), Some(_)) => {
            return Err(bytes.illegal("`gigabytes_per_second` is given, too", "keep one of the two"));
        }
        (None, gigabytes) => (gigabytes.map_or(15.36, |f| f.value) * 1e9).round() as u64,
    };
    let latency_cycles = section.whole("latency_cycles", 1..=100_000)?.map_or(64, |f| f.value as u32);
    section.finish()?;
    Ok(MemoryConfig { bytes_per_second, latency_cycles })
}
