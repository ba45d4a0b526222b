//! Signals, expressions and processes of one instance.

use super::Lower;
use super::sources::{Driven, Driver};
use super::value::Value;
use crate::SimError;
use crate::netlist::{Binary, Kind, NodeId};
use heatvit_rtl::{BinaryOp, Connection, Expr, ExprKind, SignalId, SignalKind, Statement, UnaryOp};
use std::collections::{BTreeMap, HashMap};

/// Values of a process's variables.
pub type Variables = BTreeMap<SignalId, Value>;

/// Bytes of stack below which a step gets more, and how many more.
const STACK_LEFT: usize = 128 << 10;
const STACK_STEP: usize = 4 << 20;

const BIT: Kind = Kind::BIT;

/// Where an expression is evaluated: in an instance, and inside a process with variables that shadow signals.
struct Scope<'a> {
    instance: u32,
    variables: Option<&'a Variables>,
    local: HashMap<usize, Value>,
}

/// Goes one step further along a combinational path, which may be longer than the stack of a thread allows.
fn deeper<T>(step: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(STACK_LEFT, STACK_STEP, step)
}

impl Lower {
    /// The whole value of a signal.
    pub fn signal(&mut self, instance: u32, id: SignalId) -> Result<Value, SimError> {
        let module = self.instances[instance as usize].module;
        let ty = &self.design.module(module).signal(id).ty;
        let (width, signed) = (ty.total_width(), ty.signed && ty.is_scalar());
        self.bits(instance, id, 0, width, signed)
    }

    /// `width` bits of a signal from `low` on; only their drivers are looked at.
    fn bits(&mut self, instance: u32, id: SignalId, low: u32, width: u32, signed: bool) -> Result<Value, SimError> {
        deeper(|| self.bits_of(instance, id, low, width, signed))
    }

    fn bits_of(&mut self, instance: u32, id: SignalId, low: u32, width: u32, signed: bool) -> Result<Value, SimError> {
        if let Some(storage) = self.storage_of(instance, id) {
            return Ok(self.netlist.value_storage(storage, low, width, signed));
        }
        let module = self.instances[instance as usize].module;
        if self.design.module(module).signal(id).kind == SignalKind::Input {
            return self.input_bits(instance, id, low, width, signed);
        }
        let drivers = self.sources[module.index()].drivers(id).to_vec();
        let mut parts = Vec::new();
        let mut at = low;
        for (index, driven) in drivers.iter().enumerate() {
            let (from, to) = (at.max(driven.low), (low + width).min(driven.low + driven.width));
            if from >= to {
                continue;
            }
            if from > at {
                parts.push(self.netlist.value_const(&[], from - at, false));
            }
            let value = self.driven(instance, id, index as u32, driven, (from - driven.low, to - from))?;
            parts.push(value);
            at = to;
        }
        if at < low + width {
            parts.push(self.netlist.value_const(&[], low + width - at, false));
        }
        let joined = if parts.len() == 1 { parts.swap_remove(0) } else { self.netlist.value_concat(&parts) };
        Ok(self.netlist.value_cast(&joined, signed))
    }

    /// Bits of what a driver drives; a child's port is followed for just these bits.
    fn driven(
        &mut self,
        instance: u32,
        id: SignalId,
        index: u32,
        driven: &Driven,
        (low, width): (u32, u32),
    ) -> Result<Value, SimError> {
        if let Driver::Child { instance: array, element, port } = driven.by {
            let child = self.instances[instance as usize].children[array][element as usize];
            return self.bits(child, port, low, width, false);
        }
        let key = (instance, id.index() as u32, index);
        let whole = match self.driven.get(&key) {
            Some(Some(known)) => known.clone(),
            Some(None) => return Err(SimError::Loop { path: self.path_of(instance, id) }),
            None => {
                self.driven.insert(key, None);
                let value = match &driven.by {
                    Driver::Assign(expr) => self.expr(instance, expr)?,
                    Driver::Process(process) => {
                        let variables = self.process(instance, *process, id)?;
                        variables
                            .get(&id)
                            .cloned()
                            .unwrap_or_else(|| self.netlist.value_const(&[], driven.width, false))
                    }
                    Driver::Child { .. } => self.netlist.value_const(&[], driven.width, false),
                };
                self.driven.insert(key, Some(value.clone()));
                value
            }
        };
        if low == 0 && width == whole.width {
            Ok(whole)
        } else {
            Ok(self.netlist.value_slice(&whole, low, width, false))
        }
    }

    fn input_bits(
        &mut self,
        instance: u32,
        id: SignalId,
        low: u32,
        width: u32,
        signed: bool,
    ) -> Result<Value, SimError> {
        let Some((parent, array, element)) = self.instances[instance as usize].parent else {
            return Ok(self.netlist.value_const(&[], width, signed));
        };
        let module = self.design.module(self.instances[parent as usize].module);
        let connection = module.instances[array].connections.iter().find(|(port, _)| *port == id).map(|(_, c)| c);
        match connection.cloned() {
            Some(Connection::Input(expr)) => {
                let whole = self.expr(parent, &expr)?;
                let slice = self.netlist.value_slice(&whole, low, width, signed);
                Ok(slice)
            }
            Some(Connection::Lanes { signal, offset, stride }) => {
                let child = self.design.module(self.instances[instance as usize].module);
                let port = child.signal(id).ty.total_width();
                self.bits(parent, signal, (offset + element * stride) * port + low, width, signed)
            }
            Some(Connection::Output(_)) | None => Ok(self.netlist.value_const(&[], width, signed)),
        }
    }

    /// An expression of at most 64 bits (of a wider one, its low 64).
    pub fn node(&mut self, instance: u32, expr: &Expr) -> Result<NodeId, SimError> {
        let value = self.expr(instance, expr)?;
        Ok(self.netlist.value_node(&value))
    }

    /// An expression in an instance.
    pub fn expr(&mut self, instance: u32, expr: &Expr) -> Result<Value, SimError> {
        let mut scope = Scope { instance, variables: None, local: HashMap::new() };
        self.eval(&mut scope, expr)
    }

    fn eval(&mut self, scope: &mut Scope<'_>, expr: &Expr) -> Result<Value, SimError> {
        let key = expr.node_id();
        let known = match scope.variables {
            Some(_) => scope.local.get(&key),
            None => self.exprs.get(&(scope.instance, key)),
        };
        if let Some(known) = known {
            return Ok(known.clone());
        }
        let value = deeper(|| self.eval_new(scope, expr))?;
        match scope.variables {
            Some(_) => scope.local.insert(key, value.clone()),
            None => self.exprs.insert((scope.instance, key), value.clone()),
        };
        Ok(value)
    }

    fn eval_new(&mut self, scope: &mut Scope<'_>, expr: &Expr) -> Result<Value, SimError> {
        let (width, signed) = (expr.width(), expr.is_signed());
        let instance = scope.instance;
        let shadow = |id: &SignalId| scope.variables.and_then(|v| v.get(id)).cloned();
        let operands = match expr.kind() {
            ExprKind::Const(bits) => return Ok(self.netlist.value_const(bits.limbs(), width, signed)),
            ExprKind::Signal(id) => {
                return match shadow(id) {
                    Some(value) => Ok(self.netlist.value_cast(&value, signed)),
                    None => self.bits(instance, *id, 0, width, signed),
                };
            }
            ExprKind::Element(id, index) => {
                return match shadow(id) {
                    Some(value) => Ok(self.netlist.value_slice(&value, index * width, width, signed)),
                    None => self.bits(instance, *id, index * width, width, signed),
                };
            }
            ExprKind::Slice(a, low) => {
                // A slice of a plain signal looks at the drivers of just these bits.
                if let (ExprKind::Signal(id), true) = (a.kind(), low + width <= a.width())
                    && shadow(id).is_none()
                {
                    return self.bits(instance, *id, *low, width, signed);
                }
                vec![a]
            }
            ExprKind::Extend(a) | ExprKind::Cast(a) | ExprKind::Unary(_, a) => vec![a],
            ExprKind::Binary(_, a, b) => vec![a, b],
            ExprKind::Mux(c, a, b) => vec![c, a, b],
            ExprKind::Concat(parts) => parts.iter().rev().collect(),
            ExprKind::Select(selector, options) => std::iter::once(selector).chain(options).collect(),
        };
        let values: Vec<Value> = operands.into_iter().map(|e| self.eval(scope, e)).collect::<Result<_, _>>()?;
        self.set_origin(instance, expr.node_id());
        let n = &mut self.netlist;
        Ok(match (expr.kind(), values.as_slice()) {
            (ExprKind::Slice(_, low), [a]) => n.value_slice(a, *low, width, signed),
            (ExprKind::Extend(_), [a]) => {
                let wide = n.value_extend(a, width);
                n.value_cast(&wide, signed)
            }
            (ExprKind::Cast(_), [a]) => n.value_cast(a, signed),
            (ExprKind::Unary(op, _), [a]) => self.unary(*op, a, width, signed),
            (ExprKind::Binary(op, ..), [a, b]) => self.binary(*op, a, b, width, signed),
            (ExprKind::Mux(..), [c, a, b]) => {
                let condition = n.value_node(c);
                let mux = n.value_mux(condition, a, b);
                n.value_cast(&mux, signed)
            }
            (ExprKind::Select(..), [selector, options @ ..]) => {
                let chosen = self.select(selector, options, width, signed);
                self.netlist.value_cast(&chosen, signed)
            }
            _ => n.value_concat(&values),
        })
    }

    fn unary(&mut self, op: UnaryOp, a: &Value, width: u32, signed: bool) -> Value {
        let n = &mut self.netlist;
        if a.width > 64 {
            return n.wide_unary(op, a);
        }
        let (kind, id) = (Kind { width, signed }, n.value_node(a));
        let of = Kind { width: a.width, signed: a.signed };
        let node = match op {
            UnaryOp::Not => {
                let ones = n.constant(u64::MAX, kind);
                n.binary(Binary::Xor, id, ones, kind)
            }
            UnaryOp::Neg => {
                let zero = n.constant(0, of);
                n.binary(Binary::Sub, zero, id, kind)
            }
            UnaryOp::ReduceAnd => {
                let ones = n.constant(u64::MAX, of);
                n.binary(Binary::Eq, id, ones, kind)
            }
            UnaryOp::ReduceOr if of.width == 1 => n.cast(id, BIT),
            UnaryOp::ReduceOr => {
                let zero = n.constant(0, of);
                n.binary(Binary::Ne, id, zero, kind)
            }
            UnaryOp::ReduceXor => {
                let bits = n.cast(id, Kind::bits(a.width));
                n.parity(bits)
            }
        };
        Value::node(node, width, signed)
    }

    fn binary(&mut self, op: BinaryOp, a: &Value, b: &Value, width: u32, signed: bool) -> Value {
        let n = &mut self.netlist;
        let shift = matches!(op, BinaryOp::Shl | BinaryOp::Shr);
        if width > 64 || a.width > 64 || (b.width > 64 && !shift) {
            return n.wide_binary(op, a, b, width, signed);
        }
        let amount = if shift && b.width > 64 { n.narrow_amount(b) } else { n.value_node(b) };
        let (x, y, kind) = (n.value_node(a), amount, Kind { width, signed });
        let op = match op {
            BinaryOp::Add => Binary::Add,
            BinaryOp::Sub => Binary::Sub,
            BinaryOp::Mul => Binary::Mul,
            BinaryOp::And => Binary::And,
            BinaryOp::Or => Binary::Or,
            BinaryOp::Xor => Binary::Xor,
            BinaryOp::Eq => Binary::Eq,
            BinaryOp::Ne => Binary::Ne,
            BinaryOp::Lt => Binary::Lt,
            BinaryOp::Le => Binary::Le,
            BinaryOp::Shl => Binary::Shl,
            BinaryOp::Shr => Binary::Shr,
        };
        Value::node(n.binary(op, x, y, kind), width, signed)
    }

    /// Tree of multiplexers over the selector's bits; the last option beyond the end.
    fn select(&mut self, selector: &Value, options: &[Value], width: u32, signed: bool) -> Value {
        let n = &mut self.netlist;
        let Some(last) = options.last().cloned() else { return n.value_const(&[], width, signed) };
        // Only the low 64 bits of a selector count, as in the interpreter.
        let usable = selector.width.min(64);
        let bits = options.len().next_power_of_two().ilog2().min(usable);
        let mut level: Vec<Value> = options.iter().take(1 << bits).cloned().collect();
        level.resize(1 << bits, last.clone());
        for bit in 0..bits {
            let taken = n.value_slice(selector, bit, 1, false);
            let taken = n.value_node(&taken);
            level = level.chunks(2).map(|pair| n.value_mux(taken, &pair[1], &pair[0])).collect();
        }
        let chosen = level.swap_remove(0);
        if usable == bits {
            return chosen;
        }
        let high = n.value_slice(selector, bits, usable - bits, false);
        let (high, kind) = (n.value_node(&high), Kind::bits(usable - bits));
        let zero = n.constant(0, kind);
        let beyond = n.binary(Binary::Ne, high, zero, BIT);
        n.value_mux(beyond, &last, &chosen)
    }

    /// Variables of a process after its statements.
    fn process(&mut self, instance: u32, index: usize, asked: SignalId) -> Result<Variables, SimError> {
        match self.processes.get(&(instance, index)) {
            Some(Some(known)) => return Ok(known.clone()),
            Some(None) => return Err(SimError::Loop { path: self.path_of(instance, asked) }),
            None => {}
        }
        self.processes.insert((instance, index), None);
        let module = self.instances[instance as usize].module;
        let body = self.design.module(module).processes[index].body.clone();
        let mut variables = Variables::new();
        self.execute(instance, &body, &mut variables)?;
        self.processes.insert((instance, index), Some(variables.clone()));
        Ok(variables)
    }

    fn execute(&mut self, instance: u32, body: &[Statement], variables: &mut Variables) -> Result<(), SimError> {
        for statement in body {
            match statement {
                Statement::Assign(target, expr) => {
                    let value = self.within(instance, variables, expr)?;
                    variables.insert(*target, value);
                }
                Statement::If(condition, then, otherwise) => {
                    let condition = self.within(instance, variables, condition)?;
                    let condition = self.netlist.value_node(&condition);
                    self.branch(instance, condition, then, &mut Rest::Body(otherwise), variables)?;
                }
                Statement::Case(subject, arms, default) => {
                    let subject = self.within(instance, variables, subject)?;
                    self.case(instance, &subject, arms, default, variables)?;
                }
            }
        }
        Ok(())
    }

    fn within(&mut self, instance: u32, variables: &Variables, expr: &Expr) -> Result<Value, SimError> {
        let mut scope = Scope { instance, variables: Some(variables), local: HashMap::new() };
        self.eval(&mut scope, expr)
    }

    fn case(
        &mut self,
        instance: u32,
        subject: &Value,
        arms: &[(heatvit_rtl::Bits, Vec<Statement>)],
        default: &[Statement],
        variables: &mut Variables,
    ) -> Result<(), SimError> {
        let Some(((constant, arm), rest)) = arms.split_first() else {
            return self.execute(instance, default, variables);
        };
        let constant = self.netlist.value_const(constant.limbs(), subject.width, subject.signed);
        let equal = self.binary(BinaryOp::Eq, subject, &constant, 1, false);
        let equal = self.netlist.value_node(&equal);
        self.branch(instance, equal, arm, &mut Rest::Arms(subject, rest, default), variables)
    }

    /// Executes both branches and joins their variables.
    fn branch(
        &mut self,
        instance: u32,
        condition: NodeId,
        then: &[Statement],
        rest: &mut Rest<'_>,
        variables: &mut Variables,
    ) -> Result<(), SimError> {
        let mut taken = variables.clone();
        self.execute(instance, then, &mut taken)?;
        match rest {
            Rest::Body(body) => self.execute(instance, body, variables)?,
            Rest::Arms(subject, arms, default) => self.case(instance, subject, arms, default, variables)?,
        }
        for (target, value) in taken {
            let joined = match variables.get(&target) {
                Some(other) => self.netlist.value_mux(condition, &value, other),
                None => value,
            };
            variables.insert(target, joined);
        }
        Ok(())
    }
}

/// What happens when a branch is not taken.
enum Rest<'a> {
    Body(&'a [Statement]),
    Arms(&'a Value, &'a [(heatvit_rtl::Bits, Vec<Statement>)], &'a [Statement]),
}
