//! Checks of the whole route, one module per question.

pub mod tools;

#[cfg(test)]
mod compare;
#[cfg(test)]
mod language;
#[cfg(test)]
mod units;
