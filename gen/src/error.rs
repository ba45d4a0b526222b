//! Everything that ends a command with an error, mostly exit code 2: one message that names the file or argument, what is
//! wrong with it and what to do.

use crate::cli::{EXIT_MISMATCH, EXIT_REFUSED};
use heatvit_model::config::ConfigError;
use std::path::Path;

/// Why a command cannot be carried out.
#[derive(Debug, thiserror::Error)]
pub enum GenError {
    /// The configuration is refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file or folder is refused.
    #[error("{path}: {problem}; {remedy}")]
    File {
        /// As the user named it.
        path: String,
        /// What is wrong.
        problem: String,
        /// What to do.
        remedy: String,
    },
    /// The configuration lacks something that this command needs.
    #[error("{config}: {problem}; {remedy}")]
    Needs {
        /// The configuration file.
        config: String,
        /// What is wrong.
        problem: String,
        /// What to do.
        remedy: String,
    },
    /// An argument is refused.
    #[error("{argument}: {problem}; {remedy}")]
    Argument {
        /// The option.
        argument: String,
        /// What is wrong.
        problem: String,
        /// What to do.
        remedy: String,
    },
    /// The design does not run: a defect of the design, as a difference is.
    #[error("the design cannot be simulated: {0}")]
    Simulation(#[from] heatvit_sim::SimError),
    /// A stage of the tool failed on input that passed every check before it.
    #[error("stage `{stage}`: {problem}; this is a defect of heatvit, please report it with the configuration")]
    Stage {
        /// The stage.
        stage: &'static str,
        /// What it said.
        problem: String,
    },
}

impl GenError {
    /// Exit code of a command that ends with this.
    pub fn exit(&self) -> u8 {
        match self {
            Self::Simulation(_) => EXIT_MISMATCH,
            _ => EXIT_REFUSED,
        }
    }

    /// A refused file.
    pub fn file(path: &Path, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::File { path: path.display().to_string(), problem: problem.into(), remedy: remedy.into() }
    }

    /// A stage that failed on checked input.
    pub fn stage(stage: &'static str, problem: impl std::fmt::Display) -> Self {
        Self::Stage { stage, problem: problem.to_string() }
    }
}
