//! Training of the vision transformers on the framework burn.
//!
//! [`train`] turns a [`TrainConfig`] and the digits into weights in timm's names, with progress reports
//! and without opening files. The same configuration gives the same bytes on one machine: all
//! randomness is seeded, each batch is split into a fixed number of shards whatever the machine, and
//! their gradients are added in a fixed order.

mod batch;
mod config;
mod error;
mod export;
mod fine_tune;
mod import;
mod init;
mod network;
mod objective;
mod optimizer;
mod prune;
mod pruned;
mod report;
mod selector;
mod shards;
mod survey;
mod thresholds;
mod trainer;

pub use config::{NetworkShape, SelectorSpec};
pub use error::TrainError;
pub use fine_tune::{FineTuneEpoch, FineTuneProgress, FineTuned, fine_tune};
pub use heatvit_model::config::{FineTuneConfig, TrainConfig};
pub use import::logits;
pub use prune::{Form, Pruned, Quantize, prune, settle};
pub use report::{EpochReport, PrunedReport, Report};
pub use selector::Sigmoid;
pub use survey::{Outlook, Survey, masked_forward};
pub use thresholds::{IntegerSurvey, integer_survey};
pub use trainer::{Progress, Trained, train};
