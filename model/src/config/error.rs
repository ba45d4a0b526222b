//! What is wrong with a configuration, where, and what to do about it. Texts are boxed slices: the error is
//! returned by every reading function and stays small.

use std::fmt;

/// A place in a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// File as the user named it.
    pub file: Box<str>,
    /// Line, counted from 1; absent for a key that is not there.
    pub line: Option<u32>,
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
        message: Box<str>,
    },
    /// A key that nobody reads.
    #[error("{place}: unknown key `{key}`; {}", suggestion(*.nearest, .known))]
    UnknownKey {
        /// Where.
        place: Place,
        /// Full path of the key.
        key: Box<str>,
        /// The most similar known key of the table.
        nearest: Option<&'static str>,
        /// All known keys of the table.
        known: Vec<&'static str>,
    },
    /// A key that is needed is absent.
    #[error("{place}: `{key}` is missing; {remedy}")]
    Missing {
        /// Where.
        place: Place,
        /// Full path of the key.
        key: Box<str>,
        /// What to write.
        remedy: Box<str>,
    },
    /// A value of another type.
    #[error("{place}: `{key}` = {value} is of type {found}; write {expected}")]
    Type {
        /// Where.
        place: Place,
        /// Full path of the key.
        key: Box<str>,
        /// The value as written.
        value: Box<str>,
        /// Its TOML type.
        found: Box<str>,
        /// What is expected.
        expected: Box<str>,
    },
    /// A value that is not legal, alone or beside others.
    #[error("{place}: `{key}` = {value} is not legal: {rule}; {remedy}")]
    Illegal {
        /// Where.
        place: Place,
        /// Full path of the key.
        key: Box<str>,
        /// The value as written.
        value: Box<str>,
        /// The rule that it breaks.
        rule: Box<str>,
        /// What to write instead.
        remedy: Box<str>,
    },
}

fn suggestion(nearest: Option<&str>, known: &[&str]) -> String {
    match nearest {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("known here: {}", known.join(", ")),
    }
}
