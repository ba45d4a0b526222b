//! One kernel, several drivers.
//!
//! A kernel is one block of statements for all its signals. As one process every output would depend on
//! every input, and two blocks that talk to each other would look like combinational loops. So the next
//! states stay together in one process (nobody reads them within the cycle), and each other signal gets
//! the statements that assign it: an assignment where it has a single one, else a process.

use crate::{ModuleBuilder, SignalId, Statement};
use std::collections::BTreeSet;

/// Adds the drivers of a kernel's targets; `next_states` marks those that only registers read.
pub fn add_drivers(module: &mut ModuleBuilder, body: &[Statement], next_states: &BTreeSet<SignalId>) {
    let mut targets = Vec::new();
    crate::interpret::driver::assigned(body, &mut targets);
    for target in targets.iter().filter(|t| !next_states.contains(t)) {
        let own = only(body, &|id| id == *target);
        match own.as_slice() {
            [Statement::Assign(_, value)] => module.assign_signal(*target, value),
            _ => module.process(own),
        }
    }
    let states = only(body, &|id| next_states.contains(&id));
    if !states.is_empty() {
        module.process(states);
    }
}

/// The statements that assign the wanted signals, in order.
fn only(body: &[Statement], wanted: &dyn Fn(SignalId) -> bool) -> Vec<Statement> {
    body.iter().filter_map(|statement| part(statement, wanted)).collect()
}

fn part(statement: &Statement, wanted: &dyn Fn(SignalId) -> bool) -> Option<Statement> {
    match statement {
        Statement::Assign(target, _) => wanted(*target).then(|| statement.clone()),
        Statement::If(condition, then, otherwise) => {
            let (then, otherwise) = (only(then, wanted), only(otherwise, wanted));
            match (then.is_empty(), otherwise.is_empty()) {
                (true, true) => None,
                (true, false) => Some(Statement::If(!condition, otherwise, then)),
                _ => Some(Statement::If(condition.clone(), then, otherwise)),
            }
        }
        Statement::Case(subject, arms, default) => {
            let mut arms: Vec<_> = arms.iter().map(|(code, arm)| (code.clone(), only(arm, wanted))).collect();
            let default = only(default, wanted);
            if default.is_empty() {
                arms.retain(|(_, arm)| !arm.is_empty());
            }
            let empty = arms.is_empty() && default.is_empty();
            (!empty).then(|| Statement::Case(subject.clone(), arms, default))
        }
    }
}
