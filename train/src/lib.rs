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
mod import;
mod init;
mod network;
mod optimizer;
mod report;
mod shards;
mod trainer;

pub use config::NetworkShape;
pub use error::TrainError;
pub use heatvit_model::config::TrainConfig;
pub use import::logits;
pub use report::{EpochReport, Report};
pub use trainer::{Progress, Trained, train};
