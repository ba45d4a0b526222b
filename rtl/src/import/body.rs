//! Kernels: names resolved, loops unrolled, statements lowered, use of variables checked.

use super::ImportError;
use super::circuit::{Scope, Type};
use super::lower::{self, Refusal};
use super::names::{Name, Names, Role, number};
use super::node::Node;
use crate::{Bits, Expr, SignalId, Statement};
use rust_hdl_core::ast::{
    VerilogBlock, VerilogBlockOrConditional, VerilogConditional, VerilogExpression, VerilogLoop, VerilogMatch,
    VerilogOpUnary, VerilogStatement,
};
use std::collections::BTreeSet;

/// What has happened to the kernel's own signals on the way to a statement.
#[derive(Clone, Debug, Default)]
struct Flow {
    assigned: BTreeSet<SignalId>,
    read: BTreeSet<SignalId>,
}

/// A kernel being read.
pub struct Kernel<'s> {
    scope: &'s Scope,
    names: &'s Names,
    loops: Vec<(String, usize)>,
    flow: Flow,
    /// Children whose clock is connected.
    clocked: BTreeSet<String>,
}

type Result<T> = std::result::Result<T, ImportError>;

/// Lowers a kernel. Afterwards every signal that it has to drive is assigned on every path, nothing is
/// read before it is assigned on that path, and nothing is assigned once it has been read: so each
/// signal has one value throughout, and its statements may be taken out on their own.
pub fn lower_kernel(scope: &Scope, names: &Names, body: &VerilogBlock) -> Result<Vec<Statement>> {
    let mut kernel = Kernel { scope, names, loops: Vec::new(), flow: Flow::default(), clocked: BTreeSet::new() };
    let statements = kernel.block(body)?;
    kernel.complete()?;
    Ok(statements)
}

fn shown(name: &str) -> String {
    name.replace('$', ".")
}

impl Kernel<'_> {
    fn complete(&self) -> Result<()> {
        for (name, entry) in self.names {
            match entry {
                Name::ChildClock if !self.clocked.contains(name) => {
                    return Err(self.flow_error(name, "is not connected; connect it to `clock`, or use `dff_setup!`"));
                }
                Name::Signal { value, role: Role::Own | Role::ChildInput, .. } => {
                    let assigned = value.as_signal().is_some_and(|id| self.flow.assigned.contains(&id));
                    if !assigned {
                        return Err(self.flow_error(
                            name,
                            "is not assigned on every path (a latch); assign a default first (`dff_setup!` does for a `DFF`)",
                        ));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn flow_error(&self, name: &str, problem: &'static str) -> ImportError {
        ImportError::Flow { block: self.scope.path.clone(), signal: shown(name), problem }
    }

    fn unsupported(&self, expression: &str, reason: &str, remedy: &str) -> ImportError {
        ImportError::Unsupported {
            block: self.scope.path.clone(),
            expression: expression.to_owned(),
            reason: reason.to_owned(),
            remedy: remedy.to_owned(),
        }
    }

    fn refuse(&self, refusal: Refusal) -> ImportError {
        let block = self.scope.path.clone();
        let Refusal { differs, expression, reason, remedy } = refusal;
        if differs {
            ImportError::Differs { block, expression, reason, remedy }
        } else {
            ImportError::Unsupported { block, expression, reason, remedy }
        }
    }

    fn block(&mut self, body: &VerilogBlock) -> Result<Vec<Statement>> {
        let mut out = Vec::new();
        for statement in body {
            self.statement(statement, &mut out)?;
        }
        Ok(out)
    }

    fn statement(&mut self, statement: &VerilogStatement, out: &mut Vec<Statement>) -> Result<()> {
        match statement {
            VerilogStatement::Assignment(target, value) => self.assignment(target, value, out),
            VerilogStatement::If(conditional) => {
                out.push(self.conditional(conditional)?);
                Ok(())
            }
            VerilogStatement::Match(choice) => {
                out.push(self.choice(choice)?);
                Ok(())
            }
            VerilogStatement::Loop(repeated) => self.unroll(repeated, out),
            VerilogStatement::Macro(body) => body.iter().try_for_each(|s| self.statement(s, out)),
            VerilogStatement::Comment(_) => Ok(()),
            VerilogStatement::SliceAssignment { base, .. } => Err(self.unsupported(
                &self.raw(base),
                "part of a signal is assigned",
                "use one signal for each part, or `replace_bit`",
            )),
            VerilogStatement::Link(_) => Err(self.unsupported(
                "join or link",
                "connections by interface are not read",
                "assign the members one by one",
            )),
        }
    }

    fn unroll(&mut self, repeated: &VerilogLoop, out: &mut Vec<Statement>) -> Result<()> {
        for index in repeated.from.as_usize()..repeated.to.as_usize() {
            self.loops.push((repeated.index.clone(), index));
            let result = repeated.block.iter().try_for_each(|s| self.statement(s, out));
            self.loops.pop();
            result?;
        }
        Ok(())
    }

    fn assignment(
        &mut self,
        target: &VerilogExpression,
        value: &VerilogExpression,
        out: &mut Vec<Statement>,
    ) -> Result<()> {
        let VerilogExpression::Signal(raw) = target else {
            return Err(self.unsupported(&self.raw(target), "it is no signal", "assign to `signal.next`"));
        };
        let key = self.key(raw)?;
        let (target, ty) = match self.names.get(&key) {
            Some(Name::ChildClock) => return self.connect_clock(&key, value),
            Some(Name::Signal { role: Role::Input, .. }) => {
                return Err(
                    self.flow_error(&key, "is an input of this block and is assigned in it; use a `Local` signal")
                );
            }
            Some(Name::Signal { role: Role::ChildOutput, .. }) => {
                return Err(self.flow_error(&key, "is an output of a child and is assigned; assign the child's input"));
            }
            Some(Name::Signal { value, ty, .. }) => (value.clone(), *ty),
            _ => return Err(self.unknown(&key)),
        };
        let node = self.node(value)?;
        let expr = lower::assigned(&node, ty).map_err(|r| self.refuse(r))?;
        let Some(id) = target.as_signal() else { return Err(self.unknown(&key)) };
        if self.flow.read.contains(&id) {
            return Err(
                self.flow_error(&key, "is assigned again after it was read; assign its final value before it is read")
            );
        }
        self.flow.assigned.insert(id);
        out.push(Statement::Assign(id, expr));
        Ok(())
    }

    fn connect_clock(&mut self, key: &str, value: &VerilogExpression) -> Result<()> {
        let source = match value {
            VerilogExpression::Signal(raw) => self.names.get(&self.key(raw)?),
            _ => None,
        };
        if !matches!(source, Some(Name::Clock)) {
            return Err(self.flow_error(key, "is not driven by `clock`; the module has that clock only"));
        }
        self.clocked.insert(key.to_owned());
        Ok(())
    }

    /// Runs the branches from the same point; afterwards holds what holds in all of them.
    fn branches<T>(
        &mut self,
        branches: impl IntoIterator<Item = T>,
        mut each: impl FnMut(&mut Self, T) -> Result<()>,
    ) -> Result<()> {
        let start = self.flow.clone();
        let mut joined: Option<Flow> = None;
        for branch in branches {
            self.flow = start.clone();
            each(self, branch)?;
            let end = std::mem::take(&mut self.flow);
            joined = Some(match joined {
                None => end,
                Some(others) => Flow {
                    assigned: others.assigned.intersection(&end.assigned).copied().collect(),
                    read: others.read.union(&end.read).copied().collect(),
                },
            });
        }
        self.flow = joined.unwrap_or(start);
        Ok(())
    }

    fn conditional(&mut self, conditional: &VerilogConditional) -> Result<Statement> {
        let condition = self.alone(&conditional.test, Type::bits(1))?;
        let mut bodies = Vec::new();
        self.branches([true, false], |kernel, then| {
            let body = match (then, &conditional.otherwise) {
                (true, _) => kernel.block(&conditional.then)?,
                (false, VerilogBlockOrConditional::Block(body)) => kernel.block(body)?,
                (false, VerilogBlockOrConditional::Conditional(statement)) => {
                    let mut out = Vec::new();
                    kernel.statement(statement, &mut out)?;
                    out
                }
                (false, VerilogBlockOrConditional::None) => Vec::new(),
            };
            bodies.push(body);
            Ok(())
        })?;
        let otherwise = bodies.pop().unwrap_or_default();
        let then = bodies.pop().unwrap_or_default();
        Ok(Statement::If(condition, then, otherwise))
    }

    /// A `match`. Rust matches are exhaustive: without `_` the last arm also takes the unused codes.
    fn choice(&mut self, choice: &VerilogMatch) -> Result<Statement> {
        let node = self.node(&choice.test)?;
        let context = node.verilog().join(super::node::Context { width: super::node::LITERAL_WIDTH, signed: false });
        let subject = lower::in_context(&node, &node, None, context).map_err(|r| self.refuse(r))?.expr;
        let mut arms: Vec<(Option<Bits>, Vec<Statement>)> = Vec::new();
        self.branches(&choice.cases, |kernel, case| {
            let pattern = kernel.pattern(&case.condition, subject.width())?;
            arms.push((pattern, kernel.block(&case.block)?));
            Ok(())
        })?;
        let default = match arms.iter().position(|(pattern, _)| pattern.is_none()) {
            Some(at) => {
                arms.truncate(at + 1);
                arms.pop()
            }
            None => arms.pop(),
        };
        let arms = arms.into_iter().filter_map(|(pattern, body)| pattern.map(|p| (p, body))).collect();
        Ok(Statement::Case(subject, arms, default.map(|(_, body)| body).unwrap_or_default()))
    }

    fn pattern(&self, text: &str, width: u32) -> Result<Option<Bits>> {
        let key = text.replace("::", "$").replace(' ', "");
        match (key.as_str(), self.names.get(&key)) {
            ("default", _) => Ok(None),
            ("true" | "false", _) if width == 1 => Ok(Some(Bits::new(1, u128::from(key == "true")))),
            (_, Some(Name::State(code))) => Ok(Some(code.clone())),
            _ => Err(self.unsupported(text, "it is no state", "match on `Enum::State`, on `true`, `false` or `_`")),
        }
    }

    fn alone(&mut self, expression: &VerilogExpression, want: Type) -> Result<Expr> {
        let node = self.node(expression)?;
        lower::alone(&node, Some(want)).map(|value| value.expr).map_err(|r| self.refuse(r))
    }

    /// Name without `.next`, array indices evaluated.
    fn key(&self, raw: &str) -> Result<String> {
        let mut name = raw.trim_start_matches('.').replace('.', "$").replace("::", "$");
        name = name.trim_end_matches("$next").to_owned();
        let mut context = evalexpr::HashMapContext::new();
        for (variable, value) in &self.loops {
            // Loop variables are plain identifiers, which the context always takes.
            let _ = evalexpr::ContextWithMutableVariables::set_value(
                &mut context,
                variable.clone(),
                (*value as i64).into(),
            );
        }
        while let Some(open) = name.find('[') {
            let index = name[open..].find(']').map(|close| open + close).and_then(|close| {
                let value = evalexpr::eval_int_with_context(&name[open + 1..close], &context).ok()?;
                Some((close, value))
            });
            let Some((close, value)) = index else {
                return Err(self.unsupported(raw, "its index is no number", "index by literals and loop variables"));
            };
            name.replace_range(open..=close, &format!("${value}"));
        }
        Ok(name)
    }

    fn unknown(&self, key: &str) -> ImportError {
        ImportError::Name {
            block: self.scope.path.clone(),
            name: shown(key),
            remedy: "use a signal, a `Constant` field, a literal or `Enum::State`",
        }
    }

    fn raw(&self, expression: &VerilogExpression) -> String {
        match expression {
            VerilogExpression::Signal(raw) => shown(raw.trim_end_matches("$next")),
            other => format!("{other:?}"),
        }
    }

    fn signal(&mut self, raw: &str) -> Result<Node> {
        if let Some((_, value)) = self.loops.iter().rev().find(|(variable, _)| variable == raw) {
            return Ok(Node::Literal { value: *value as u128, width: super::node::LITERAL_WIDTH });
        }
        let key = self.key(raw)?;
        match self.names.get(&key) {
            Some(Name::Signal { value, ty, role }) => {
                self.check_read(&key, value, *role)?;
                let text = shown(&key);
                Ok(Node::Signal { text, value: value.clone(), ty: *ty, verilog_signed: ty.is_signed() })
            }
            Some(Name::Constant { value, ty }) => {
                let text = shown(&key);
                Ok(Node::Signal { text, value: value.clone(), ty: *ty, verilog_signed: ty.is_signed() })
            }
            Some(Name::State(code)) => Ok(Node::State { text: key.replace('$', "::"), code: code.clone() }),
            Some(Name::Clock | Name::ChildClock) => {
                Err(self.flow_error(&key, "is a clock and is read as a value; use signals of type `Bit`"))
            }
            None => Err(self.unknown(&key)),
        }
    }

    fn check_read(&mut self, key: &str, value: &Expr, role: Role) -> Result<()> {
        let Some(id) = value.as_signal() else { return Ok(()) };
        match role {
            Role::Input | Role::ChildOutput => Ok(()),
            Role::ChildInput => Err(self
                .flow_error(key, "is an input of a child and is read; read `q`, or a `Local` signal with its value")),
            Role::Own if !self.flow.assigned.contains(&id) => {
                Err(self.flow_error(key, "is read where it is not assigned on every path; assign it first"))
            }
            Role::Own => {
                self.flow.read.insert(id);
                Ok(())
            }
        }
    }

    fn node(&mut self, expression: &VerilogExpression) -> Result<Node> {
        use VerilogExpression as V;
        let boxed = |kernel: &mut Self, e: &V| kernel.node(e).map(Box::new);
        Ok(match expression {
            V::Signal(raw) => self.signal(raw)?,
            V::Literal(literal) => {
                let text = literal.to_string();
                let width = text.split_once('\'').and_then(|(w, _)| w.parse().ok()).unwrap_or(128);
                let bits = number(&text, 128);
                let high = bits.limbs().get(1).copied().unwrap_or(0);
                Node::Literal { value: u128::from(high) << 64 | u128::from(bits.low_u64()), width }
            }
            V::Cast(inner, width) => Node::Cast(boxed(self, inner)?, *width as u32),
            V::Signed(inner) => Node::Signed(boxed(self, inner)?),
            V::Unsigned(inner) => Node::Unsigned(boxed(self, inner)?),
            V::Paren(inner) => Node::Paren(boxed(self, inner)?),
            V::Binary(left, op, right) => Node::Binary(boxed(self, left)?, op.clone(), boxed(self, right)?),
            V::Unary(op, inner) => {
                let op: VerilogOpUnary = op.clone();
                Node::Unary(op, boxed(self, inner)?)
            }
            V::Index(base, index) => Node::Index(boxed(self, base)?, boxed(self, index)?),
            V::Slice(base, width, low) => Node::Slice(boxed(self, base)?, *width as u32, boxed(self, low)?),
            V::IndexReplace(base, index, bit) => {
                Node::Replace(boxed(self, base)?, boxed(self, index)?, boxed(self, bit)?)
            }
        })
    }
}
