//! Checks of the whole route, one module per question.

#[cfg(test)]
mod simulator;
