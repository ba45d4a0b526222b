//! What can go wrong in training.

use thiserror::Error;

/// Why nothing was trained.
#[derive(Debug, Error)]
pub enum TrainError {
    /// A key of the configuration has a value that cannot be trained with.
    #[error("{key} = {value} cannot be trained: {remedy}")]
    Config {
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
        /// What to change.
        remedy: String,
    },
    /// The loss became infinite or not a number.
    #[error("the loss became {loss} in epoch {epoch}: lower {table}.learning_rate or raise {table}.warmup_epochs")]
    Diverged {
        /// The table of the configuration whose training it was.
        table: &'static str,
        /// Counted from 1.
        epoch: u32,
        /// The loss.
        loss: f32,
    },
    /// The integer model cannot take the pictures.
    #[error("the pictures do not fit the network: {0}")]
    Picture(String),
    /// A weight file could not be written or read.
    #[error("the weights are not a safetensors file of this network: {0}")]
    Encode(#[from] safetensors::SafeTensorError),
}
