//! What is wrong with a configuration, where, and what to do about it.

use std::fmt;

/// A place in a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// File as the user named it.
    pub file: String,
    /// Line, counted from 1; absent for a key that is not there.
    pub line: Option<usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.file),
            None => f.write_str(&self.file),
        }
    }
}

/// Why a configuration is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file is not TOML.
    #[error("{place}: not a TOML file: {message}; correct the syntax")]
    Syntax {
        /// Where.
        place: Place,
        /// The parser's words.
        message: String,
    },
    /// A key that nobody reads.
    #[error("{place}: unknown key `{key}`; {}", suggestion(.nearest.as_ref(), .known))]
    UnknownKey {
        /// Where.
        place: Place,
        /// Full path of the key.
        key: String,
        /// The most similar known key of the table.
        nearest: Option<String>,
        /// All known keys of the table.
        known: Vec<String>,
    },
    /// A key that is needed is absent.
    #[error("{place}: `{key}` is missing; {remedy}")]
    Missing {
        /// Where.
        place: Place,
        /// Full path of the key.
        key: String,
        /// What to write.
        remedy: String,
    },
    /// A value of another type.
    #[error("{place}: `{key}` = {value} is a {found}; write {expected}")]
    Type {
        /// Where.
        place: Place,
        /// Full path of the key.
        key: String,
        /// The value as written.
        value: String,
        /// Its TOML type.
        found: String,
        /// What is expected.
        expected: String,
    },
    /// A value that is not legal, alone or beside others.
    #[error("{place}: `{key}` = {value} is not legal: {rule}; {remedy}")]
    Illegal {
        /// Where.
        place: Place,
        /// Full path of the key.
        key: String,
        /// The value as written.
        value: String,
        /// The rule that it breaks.
        rule: String,
        /// What to write instead.
        remedy: String,
    },
}

fn suggestion(nearest: Option<&String>, known: &[String]) -> String {
    match nearest {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("known here: {}", known.join(", ")),
    }
}
