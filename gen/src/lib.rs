//! The tool `heatvit`: the pipeline from a configuration to an output folder, the commands around it, and
//! the only code of the project that opens files.

pub mod bench;
pub mod cli;
mod command;
pub mod compare;
pub mod data_set;
mod error;
pub mod evaluate;
mod files;
pub mod layout;
mod memory;
mod named_files;
pub mod package;
pub mod pipeline;
pub mod progress;
pub mod prove;
pub mod report;
pub mod resources;
pub mod simulated;
pub mod summary;
mod threads;
pub mod tokens;
pub mod verify;
pub mod vivado;

pub use cli::run_cli;
pub use error::GenError;
