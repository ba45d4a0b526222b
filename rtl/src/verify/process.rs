//! Rule 8: processes leave no latch and read nothing before it is assigned.

use super::VerifyError;
use crate::interpret::driver::assigned;
use crate::{Expr, Module, SignalId, Statement, walk};
use std::collections::BTreeSet;

/// Checks all processes of a module.
pub fn check(module: &Module) -> Result<(), VerifyError> {
    for process in &module.processes {
        let mut targets = Vec::new();
        assigned(&process.body, &mut targets);
        let flow = Flow { module, targets: targets.iter().copied().collect() };
        let mut definite = BTreeSet::new();
        flow.statements(&process.body, &mut definite)?;
        if let Some(open) = targets.iter().find(|t| !definite.contains(*t)) {
            let signal = module.signal(*open).name.clone();
            return Err(VerifyError::Latch { module: module.name.clone(), signal });
        }
    }
    Ok(())
}

struct Flow<'m> {
    module: &'m Module,
    targets: BTreeSet<SignalId>,
}

impl Flow<'_> {
    fn reads(&self, expr: &Expr, definite: &BTreeSet<SignalId>) -> Result<(), VerifyError> {
        let early = |id: &SignalId| self.targets.contains(id) && !definite.contains(id);
        match walk::reads(self.module, expr).into_iter().map(|(id, ..)| id).find(early) {
            None => Ok(()),
            Some(id) => {
                let signal = self.module.signal(id).name.clone();
                Err(VerifyError::ReadBeforeAssigned { module: self.module.name.clone(), signal })
            }
        }
    }

    fn statements(&self, body: &[Statement], definite: &mut BTreeSet<SignalId>) -> Result<(), VerifyError> {
        for statement in body {
            match statement {
                Statement::Assign(target, value) => {
                    self.reads(value, definite)?;
                    definite.insert(*target);
                }
                Statement::If(condition, then, otherwise) => {
                    self.reads(condition, definite)?;
                    self.branches(&[then, otherwise], definite)?;
                }
                Statement::Case(subject, arms, default) => {
                    self.reads(subject, definite)?;
                    let all: Vec<&Vec<Statement>> = arms.iter().map(|(_, arm)| arm).chain([default]).collect();
                    self.branches(&all, definite)?;
                }
            }
        }
        Ok(())
    }

    /// What every branch assigns is assigned.
    fn branches(&self, all: &[&Vec<Statement>], definite: &mut BTreeSet<SignalId>) -> Result<(), VerifyError> {
        let mut common: Option<BTreeSet<SignalId>> = None;
        for branch in all {
            let mut own = definite.clone();
            self.statements(branch, &mut own)?;
            common = Some(match common {
                None => own,
                Some(others) => others.intersection(&own).copied().collect(),
            });
        }
        *definite = common.unwrap_or_default();
        Ok(())
    }
}
