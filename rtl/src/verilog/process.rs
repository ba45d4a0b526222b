//! Combinational processes.

use super::format::{assignment, literal};
use super::item::Item;
use super::printer::{Named, Printer};
use super::term::{Op, TermId};
use crate::interpret::driver::assigned;
use crate::{Bits, SignalId, Statement};
use std::collections::{BTreeSet, HashMap};

/// What belongs to the process that is being printed.
#[derive(Debug, Default)]
pub struct Local {
    /// Signals that the process assigns: their value changes from statement to statement.
    variables: BTreeSet<SignalId>,
    /// Temporaries that hold for the present statement.
    pub named: HashMap<TermId, Named>,
    /// Their assignments, before the present statement.
    before: String,
    /// All temporaries of the process.
    all: Vec<Named>,
    indent: usize,
}

impl Printer<'_> {
    pub(super) fn emit_process(&mut self, index: usize) {
        let process = &self.module.processes[index];
        let mut targets = Vec::new();
        assigned(&process.body, &mut targets);
        targets.iter().for_each(|target| self.done[target.index()] = true);
        self.local = Some(Local { variables: targets.into_iter().collect(), ..Local::default() });
        let body = self.statements(&process.body, 8);
        let local = self.local.take().unwrap_or_default();
        // A default keeps temporaries from being latches; it is always overwritten before it is read.
        let mut defaults = String::new();
        for named in local.all {
            let Named::Temporary(index) = named else { continue };
            let (name, width) = (self.temporaries[index].name.clone(), self.temporaries[index].width);
            defaults.push_str(&assignment(8, &name, "=", &literal(&Bits::zero(width), false)));
            self.locals.push(format!("    reg {};\n", self.head(named)));
        }
        self.items.push(Item::Block(format!("    always @* begin\n{defaults}{body}    end\n")));
    }

    /// Whether a term depends on a variable of the present process.
    pub(super) fn reads_variables(&self, id: TermId) -> bool {
        let Some(local) = &self.local else { return false };
        let mut pending = vec![id];
        let mut seen = BTreeSet::new();
        while let Some(id) = pending.pop() {
            if !seen.insert(id) {
                continue;
            }
            match &self.lowered.terms.get(id).op {
                Op::Part(signal, _) if local.variables.contains(signal) => return true,
                op => pending.extend(op.operands()),
            }
        }
        false
    }

    /// A temporary that is assigned just before the present statement.
    pub(super) fn local_temporary(&mut self, bare: TermId, wanted: &str, text: Option<String>) -> Named {
        let text = text.unwrap_or_else(|| self.root_of(bare));
        let named = self.declare(bare, wanted);
        let Named::Temporary(index) = named else { return named };
        let name = self.temporaries[index].name.clone();
        if let Some(local) = &mut self.local {
            local.before.push_str(&assignment(local.indent, &name, "=", &text));
            local.named.insert(bare, named);
            local.all.push(named);
        }
        named
    }

    /// Ends a statement: its temporaries, then its text.
    fn finish(&mut self, text: &str) -> String {
        match &mut self.local {
            Some(local) => {
                local.named.clear();
                std::mem::take(&mut local.before) + text
            }
            None => text.to_owned(),
        }
    }

    fn begin(&mut self, owner: &str, indent: usize) {
        owner.clone_into(&mut self.owner);
        if let Some(local) = &mut self.local {
            local.indent = indent;
        }
    }

    fn statements(&mut self, body: &[Statement], indent: usize) -> String {
        body.iter().map(|s| self.statement(s, indent)).collect()
    }

    fn statement(&mut self, statement: &Statement, indent: usize) -> String {
        let pad = " ".repeat(indent);
        match statement {
            Statement::Assign(target, value) => {
                let name = self.module.signal(*target).name.clone();
                self.begin(&name, indent);
                let value = self.lowered.term(value);
                let text = self.root(value, Some(*target));
                self.finish(&assignment(indent, &name, "=", &text))
            }
            Statement::If(condition, then, otherwise) => {
                self.begin("condition", indent);
                let condition = self.lowered.term(condition);
                let text = self.plain(condition);
                let head = self.finish(&format!("{pad}if ({text}) begin\n"));
                let then = self.statements(then, indent + 4);
                if otherwise.is_empty() {
                    return format!("{head}{then}{pad}end\n");
                }
                let otherwise = self.statements(otherwise, indent + 4);
                format!("{head}{then}{pad}end else begin\n{otherwise}{pad}end\n")
            }
            Statement::Case(subject, arms, default) => {
                self.begin("subject", indent);
                let subject = self.lowered.term(subject);
                let text = self.plain(subject);
                let mut out = self.finish(&format!("{pad}case ({text})\n"));
                for (constant, arm) in arms {
                    let arm = self.statements(arm, indent + 8);
                    out.push_str(&format!("{pad}    {}: begin\n{arm}{pad}    end\n", literal(constant, false)));
                }
                let default = self.statements(default, indent + 8);
                out + &format!("{pad}    default: begin\n{default}{pad}    end\n{pad}endcase\n")
            }
        }
    }
}
