//! `[selectors]`: where tokens are dropped.

use super::error::ConfigError;
use super::model::ModelConfig;
use super::section::{Field, Section};
use crate::selector::{HeadWeights, MAX_HEADS, MAX_STAGES, PackageRule};
use serde::{Deserialize, Serialize};

/// First blocks that stay dense: their tokens have not met each other often enough to be judged.
const DENSE_BLOCKS: u64 = 3;
/// Share that each stage leaves of what the one before left, where `targets` is silent.
const STAGE_TARGET: f64 = 0.7;

/// Token selectors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SelectorConfig {
    /// Whether the network has them.
    pub enabled: bool,
    /// Blocks that they sit before, from 0, rising.
    pub stages: Vec<usize>,
    /// First blocks that no selector may sit before.
    pub dense_blocks: usize,
    /// Share of the dense network's candidates that training keeps behind each stage.
    pub targets: Vec<f64>,
    /// Whether heads have weights of their own.
    pub head_weights: HeadWeights,
    /// What becomes of dropped tokens.
    pub package: PackageRule,
}

/// Blocks rise, behind the dense ones and within the network.
fn check_stages(stages: &Field<Vec<Field<u64>>>, dense: u64, depth: usize) -> Result<(), ConfigError> {
    if stages.value.len() > MAX_STAGES {
        let rule = format!("at most {MAX_STAGES} stages are supported");
        return Err(stages.illegal(rule, "leave some out"));
    }
    let mut before: Option<u64> = None;
    for stage in &stages.value {
        if stage.value >= depth as u64 {
            let rule = format!("the network has the blocks 0..{}", depth - 1);
            return Err(stage.illegal(rule, "name a block of them"));
        }
        if stage.value < dense {
            let rule = format!("the first selectors.dense_blocks ({dense}) blocks stay dense");
            return Err(stage.illegal(rule, "name a later block or lower `dense_blocks`"));
        }
        if before.is_some_and(|b| b >= stage.value) {
            return Err(stage.illegal("blocks rise, each at most once", "sort the list"));
        }
        before = Some(stage.value);
    }
    Ok(())
}

fn check_targets(targets: &Field<Vec<Field<f64>>>, stages: usize) -> Result<(), ConfigError> {
    if targets.value.len() != stages {
        let rule = format!("it has one number for each of the {stages} stages");
        return Err(targets.illegal(rule, "make the lists equally long"));
    }
    match targets.value.windows(2).find(|pair| pair[1].value > pair[0].value) {
        Some(pair) => Err(pair[1].illegal(
            format!("targets are shares of the dense candidates, so none is above the one before ({})", pair[0].value),
            "write falling numbers",
        )),
        None => Ok(()),
    }
}

/// Heads are parts of the embedding, and layers have a half and a quarter of a head's channels.
fn check_heads(stages: &Field<Vec<Field<u64>>>, model: &ModelConfig) -> Result<(), ConfigError> {
    let (embed, heads, dim) = (model.embed, model.heads, model.head_dim);
    if heads * dim != embed {
        let rule = format!("selectors need model.embed ({embed}) = heads ({heads}) x head_dim ({dim})");
        return Err(stages.illegal(rule, "change the dimensions or write enabled = false"));
    }
    if !dim.is_multiple_of(4) {
        let rule = format!("selectors need a head_dim that is a multiple of 4, not {dim}");
        return Err(stages.illegal(rule, "change the number of heads or write enabled = false"));
    }
    if heads > MAX_HEADS {
        let rule = format!("selectors support at most {MAX_HEADS} heads, not {heads}");
        return Err(stages.illegal(rule, "use fewer heads or write enabled = false"));
    }
    Ok(())
}

pub(super) fn selectors(mut section: Section<'_>, model: &ModelConfig) -> Result<SelectorConfig, ConfigError> {
    let enabled = section.flag("enabled")?;
    let dense = section.whole("dense_blocks", 0..=64)?.map_or(DENSE_BLOCKS, |f| f.value);
    let stages = section.wholes("stages", 0..=u64::from(u32::MAX))?;
    let targets = section.reals("targets", 0.01..=1.0)?;
    let head_weights =
        section.word("head_weights", &[("separate", HeadWeights::Separate), ("shared", HeadWeights::Shared)])?;
    let package = section.word("package", &[("merged", PackageRule::Merged), ("none", PackageRule::None)])?;
    let count = stages.as_ref().map_or(0, |f| f.value.len());
    let enabled = enabled.map_or(count > 0, |f| f.value);
    let remedy = "write the blocks that selectors sit before, such as stages = [3, 6, 9], or enabled = false";
    let stages = if enabled { Some(section.require("stages", stages, remedy)?) } else { stages };
    if let Some(stages) = &stages {
        check_stages(stages, dense, model.depth)?;
        if enabled && count == 0 {
            return Err(stages.illegal("enabled selectors have at least one stage", remedy));
        }
        if enabled {
            check_heads(stages, model)?;
        }
    }
    if let Some(targets) = &targets {
        check_targets(targets, count)?;
    }
    section.finish()?;
    let values = |f: Field<Vec<Field<u64>>>| f.value.iter().map(|s| s.value as usize).collect();
    // Three decimals: 0.49, not 0.48999999999999994.
    let target = |stage: i32| (STAGE_TARGET.powi(stage) * 1000.0).round() / 1000.0;
    let default_targets = || (1..=count as i32).map(target).collect();
    Ok(SelectorConfig {
        enabled,
        stages: stages.map_or_else(Vec::new, values),
        dense_blocks: dense as usize,
        targets: targets.map_or_else(default_targets, |f| f.value.iter().map(|t| t.value).collect()),
        head_weights: head_weights.map_or_else(HeadWeights::default, |f| f.value),
        package: package.map_or_else(PackageRule::default, |f| f.value),
    })
}
