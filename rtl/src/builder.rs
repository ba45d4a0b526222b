//! Construction of one module.

use crate::{
    Assign, Bits, Connection, Direction, Expr, ExprKind, Instance, Memory, MemoryStyle, Module, ModuleId, Origin,
    Primitive, Process, ReadPort, Register, Signal, SignalId, SignalKind, Statement, Ty, WritePort,
};

/// Builds a [`Module`]. Handles to signals are [`Expr`]s; the verifier, not the builder, finds mistakes.
#[derive(Debug)]
pub struct ModuleBuilder {
    module: Module,
}

impl ModuleBuilder {
    /// Starts a module with a name and a head comment.
    pub fn new(name: &str, doc: &str) -> Self {
        let module = Module {
            name: name.to_owned(),
            doc: doc.to_owned(),
            origin: Origin::Builder,
            primitive: None,
            signals: Vec::new(),
            assigns: Vec::new(),
            processes: Vec::new(),
            registers: Vec::new(),
            memories: Vec::new(),
            instances: Vec::new(),
        };
        Self { module }
    }

    /// Records where the module comes from.
    pub fn origin(&mut self, origin: Origin) {
        self.module.origin = origin;
    }

    /// Marks the module as a vendor primitive's behaviour.
    pub fn primitive(&mut self, primitive: Primitive) {
        self.module.origin = Origin::Primitive;
        self.module.primitive = Some(primitive);
    }

    fn signal(&mut self, name: &str, ty: Ty, kind: SignalKind, port: Option<Direction>, doc: &str) -> Expr {
        let id = SignalId(self.module.signals.len() as u32);
        let (width, signed) = (ty.total_width(), ty.signed && ty.is_scalar());
        self.module.signals.push(Signal { name: name.to_owned(), ty, kind, port, doc: doc.to_owned() });
        Expr::new(ExprKind::Signal(id), width, signed)
    }

    /// The signal behind a handle.
    ///
    /// # Panics
    /// When the expression is not a plain signal: a mistake of the module's author.
    pub fn id(&self, handle: &Expr) -> SignalId {
        handle.as_signal().expect("a signal handle is needed here")
    }

    /// Declares an input port.
    pub fn input(&mut self, name: &str, ty: Ty, doc: &str) -> Expr {
        self.signal(name, ty, SignalKind::Input, Some(Direction::Input), doc)
    }

    /// Declares an output port that is driven like a wire (assign, process or instance output).
    pub fn output(&mut self, name: &str, ty: Ty, doc: &str) -> Expr {
        self.signal(name, ty, SignalKind::Wire, Some(Direction::Output), doc)
    }

    /// Declares an output port and assigns it.
    pub fn output_as(&mut self, name: &str, value: &Expr, doc: &str) -> Expr {
        let port = self.output(name, value.ty(), doc);
        self.assign(&port, value);
        port
    }

    /// Declares a wire that is driven later.
    pub fn declare(&mut self, name: &str, ty: Ty) -> Expr {
        self.signal(name, ty, SignalKind::Wire, None, "")
    }

    /// Names an expression.
    pub fn wire(&mut self, name: &str, value: &Expr) -> Expr {
        let wire = self.declare(name, value.ty());
        self.assign(&wire, value);
        wire
    }

    /// Names an expression and says what it is.
    pub fn wire_doc(&mut self, name: &str, value: &Expr, doc: &str) -> Expr {
        let wire = self.wire(name, value);
        let id = self.id(&wire);
        self.module.signals[id.index()].doc = doc.to_owned();
        wire
    }

    /// Drives a wire; the value is resized to nothing: widths must agree.
    pub fn assign(&mut self, target: &Expr, value: &Expr) {
        let target = self.id(target);
        self.module.assigns.push(Assign { target, part: None, value: value.clone() });
    }

    /// Drives a wire that is known by its id.
    pub(crate) fn assign_signal(&mut self, target: SignalId, value: &Expr) {
        self.module.assigns.push(Assign { target, part: None, value: value.clone() });
    }

    /// Drives one part (an index of the outermost dimension) of a wire with lanes.
    pub fn assign_part(&mut self, target: &Expr, part: u32, value: &Expr) {
        let target = self.id(target);
        self.module.assigns.push(Assign { target, part: Some(part), value: value.clone() });
    }

    /// One element of a signal with lanes.
    pub fn element(&self, signal: &Expr, index: u32) -> Expr {
        let id = self.id(signal);
        let ty = &self.module.signals[id.index()].ty;
        Expr::new(ExprKind::Element(id, index), ty.width, ty.signed)
    }

    /// All elements of a signal with lanes, in order.
    pub fn elements(&self, signal: &Expr) -> Vec<Expr> {
        let count = self.module.signals[self.id(signal).index()].ty.elements();
        (0..count).map(|i| self.element(signal, i)).collect()
    }

    /// Type of a signal.
    pub fn ty(&self, signal: &Expr) -> Ty {
        self.module.signals[self.id(signal).index()].ty.clone()
    }

    /// Declares a register without next value; see [`Self::drive`].
    pub fn reg_declare(&mut self, name: &str, ty: Ty) -> Expr {
        self.signal(name, ty, SignalKind::Register, None, "")
    }

    /// Declares a register that is an output port.
    pub fn output_reg(&mut self, name: &str, ty: Ty, doc: &str) -> Expr {
        self.signal(name, ty, SignalKind::Register, Some(Direction::Output), doc)
    }

    /// Gives a declared register its next value, enable and reset value.
    pub fn drive(&mut self, register: &Expr, next: &Expr, enable: Option<&Expr>, reset: Option<u64>) {
        let signal = self.id(register);
        let reset = reset.map(|value| Bits::new(register.width(), u128::from(value)));
        self.module.registers.push(Register { signal, next: next.clone(), enable: enable.cloned(), reset });
    }

    /// A register that takes `next` at every edge and is not reset.
    pub fn reg(&mut self, name: &str, next: &Expr) -> Expr {
        let register = self.reg_declare(name, next.ty());
        self.drive(&register, next, None, None);
        register
    }

    /// A register with enable, not reset.
    pub fn reg_en(&mut self, name: &str, enable: &Expr, next: &Expr) -> Expr {
        let register = self.reg_declare(name, next.ty());
        self.drive(&register, next, Some(enable), None);
        register
    }

    /// A register that takes `next` at every edge and is reset to `reset`.
    pub fn reg_reset(&mut self, name: &str, next: &Expr, reset: u64) -> Expr {
        let register = self.reg_declare(name, next.ty());
        self.drive(&register, next, None, Some(reset));
        register
    }

    /// `value` delayed by `stages` registers named `<name>_d1`, `<name>_d2`, ...
    pub fn delay(&mut self, name: &str, value: &Expr, stages: u32) -> Expr {
        (1..=stages).fold(value.clone(), |previous, i| self.reg(&format!("{name}_d{i}"), &previous))
    }

    /// A 1-bit flag delayed by `stages` registers, each reset to 0.
    pub fn delay_flag(&mut self, name: &str, value: &Expr, stages: u32) -> Expr {
        (1..=stages).fold(value.clone(), |previous, i| self.reg_reset(&format!("{name}_d{i}"), &previous, 0))
    }

    /// Adds a combinational process.
    pub fn process(&mut self, body: Vec<Statement>) {
        self.module.processes.push(Process { body });
    }

    /// Adds a memory with one write port (or none: a ROM) and one read port; returns the read data.
    #[expect(clippy::too_many_arguments, reason = "a memory has that many independent parts")]
    pub fn memory(
        &mut self,
        name: &str,
        (width, depth): (u32, u32),
        style: MemoryStyle,
        init: Option<Vec<Bits>>,
        write: Option<WritePort>,
        (read_enable, read_address): (&Expr, &Expr),
        doc: &str,
    ) -> Expr {
        let data = self.signal(&format!("{name}_q"), Ty::bits(width), SignalKind::ReadData, None, "");
        let read = ReadPort { enable: read_enable.clone(), address: read_address.clone(), data: self.id(&data) };
        self.module.memories.push(Memory {
            name: name.to_owned(),
            width,
            depth,
            init,
            style,
            writes: write.into_iter().collect(),
            reads: vec![read],
            doc: doc.to_owned(),
        });
        data
    }

    /// Starts an instance of `child`; ports are connected by name.
    pub fn instance<'a>(&'a mut self, name: &str, id: ModuleId, child: &'a Module) -> InstanceBuilder<'a> {
        let instance = Instance { name: name.to_owned(), module: id, count: None, connections: Vec::new() };
        InstanceBuilder { parent: self, child, instance }
    }

    /// Starts an array of `count` instances of `child`.
    pub fn array<'a>(&'a mut self, name: &str, id: ModuleId, child: &'a Module, count: u32) -> InstanceBuilder<'a> {
        let instance = Instance { name: name.to_owned(), module: id, count: Some(count), connections: Vec::new() };
        InstanceBuilder { parent: self, child, instance }
    }

    /// The finished module.
    pub fn finish(self) -> Module {
        self.module
    }
}

/// Connects the ports of an instance or of an instance array.
#[derive(Debug)]
pub struct InstanceBuilder<'a> {
    parent: &'a mut ModuleBuilder,
    child: &'a Module,
    instance: Instance,
}

impl InstanceBuilder<'_> {
    fn port(&self, name: &str) -> SignalId {
        match self.child.find(name) {
            Some(id) => id,
            None => panic!("module `{}` has no port `{name}`", self.child.name),
        }
    }

    /// Ties an input (of all instances) to an expression.
    pub fn input(mut self, port: &str, value: &Expr) -> Self {
        let port = self.port(port);
        self.instance.connections.push((port, Connection::Input(value.clone())));
        self
    }

    /// Ties the output of a single instance to an existing wire.
    pub fn output_to(mut self, port: &str, wire: &Expr) -> Self {
        let connection = Connection::Output(self.parent.id(wire));
        let port = self.port(port);
        self.instance.connections.push((port, connection));
        self
    }

    /// Gives instance `i` part `i` of a signal with lanes (inputs and outputs).
    pub fn lanes(self, port: &str, signal: &Expr) -> Self {
        self.lanes_at(port, signal, 0, 1)
    }

    /// Gives instance `i` part `offset + i * stride` of a signal with lanes.
    pub fn lanes_at(mut self, port: &str, signal: &Expr, offset: u32, stride: u32) -> Self {
        let signal = self.parent.id(signal);
        let port = self.port(port);
        self.instance.connections.push((port, Connection::Lanes { signal, offset, stride }));
        self
    }

    /// Declares a wire `wire_name` of the output port's type (with one more outer dimension for an array),
    /// ties the output to it and returns the wire through `out`.
    pub fn output(mut self, port: &str, wire_name: &str, out: &mut Option<Expr>) -> Self {
        let id = self.port(port);
        let ty = self.child.signal(id).ty.clone();
        let (ty, array) = match self.instance.count {
            Some(count) => (ty.lanes(count), true),
            None => (ty, false),
        };
        let wire = self.parent.declare(wire_name, ty);
        let signal = self.parent.id(&wire);
        let connection =
            if array { Connection::Lanes { signal, offset: 0, stride: 1 } } else { Connection::Output(signal) };
        self.instance.connections.push((id, connection));
        *out = Some(wire);
        self
    }

    /// Adds the instance to the parent.
    pub fn done(self) {
        self.parent.module.instances.push(self.instance);
    }
}
