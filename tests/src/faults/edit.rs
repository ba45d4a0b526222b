//! Small edits of one module of an elaborated design.

use heatvit_rtl::rewrite::{drivers, replace, value_of};
use heatvit_rtl::{Connection, Design, Expr, ExprKind, Memory, Module, ModuleId, SignalId};

/// A module under edit. Every method panics where it would change nothing: a fault that is not planted proves nothing.
pub struct Edit<'d> {
    design: &'d mut Design,
    id: ModuleId,
}

impl<'d> Edit<'d> {
    /// The module `name` of a design.
    pub fn new(design: &'d mut Design, name: &str) -> Self {
        let id = design.find(name).unwrap_or_else(|| panic!("no module `{name}`"));
        Self { design, id }
    }

    fn module(&mut self) -> &mut Module {
        self.design.module_mut(self.id)
    }

    fn signal(&self, name: &str) -> SignalId {
        let module = self.design.module(self.id);
        module.find(name).unwrap_or_else(|| panic!("no signal `{name}` in `{}`", module.name))
    }

    /// A signal's value.
    pub fn whole(&self, name: &str) -> Expr {
        value_of(self.design.module(self.id), self.signal(name))
    }

    /// Bits of a signal.
    pub fn bits(&self, name: &str, low: u32, width: u32) -> Expr {
        self.whole(name).slice(low, width)
    }

    /// Changes everything that drives a signal.
    pub fn change(&mut self, name: &str, edit: impl Fn(&Expr) -> Expr) {
        let signal = self.signal(name);
        let mut changed = false;
        for driver in drivers(self.module(), signal) {
            let new = edit(driver);
            assert_eq!(new.width(), driver.width(), "the fault keeps the width of `{name}`");
            changed |= new != *driver;
            *driver = new;
        }
        assert!(changed, "nothing changes in `{name}`");
    }

    /// Drives a signal with another value.
    pub fn drive(&mut self, name: &str, value: &Expr) {
        self.change(name, |old| if old.is_signed() { value.as_signed() } else { value.as_unsigned() });
    }

    /// Drives a signal with zero.
    pub fn zero(&mut self, name: &str) {
        self.change(name, |old| if old.is_signed() { Expr::slit(0, old.width()) } else { Expr::lit(0, old.width()) });
    }

    /// Exchanges nodes of what drives a signal.
    pub fn nodes(&mut self, name: &str, edit: impl Fn(&Expr) -> Option<Expr>) {
        self.change(name, |old| replace(old, &edit));
    }

    /// Exchanges a constant in what drives a signal.
    pub fn constant(&mut self, name: &str, old: u64, new: u64) {
        self.nodes(name, |e| match e.kind() {
            ExprKind::Const(bits) if bits.low_u64() == old => {
                let value = Expr::lit(new, e.width());
                Some(if e.is_signed() { value.as_signed() } else { value })
            }
            _ => None,
        });
    }

    /// Swaps the choices of the outermost multiplexer that drives a signal.
    pub fn swap_choices(&mut self, name: &str) {
        self.nodes(name, |e| match e.kind() {
            ExprKind::Mux(c, a, b) => Some(c.mux(b, a)),
            _ => None,
        });
    }

    /// Drives one part of a signal with lanes with another value.
    pub fn part(&mut self, name: &str, part: u32, value: &Expr) {
        let target = self.signal(name);
        let found = self.module().assigns.iter_mut().find(|a| a.target == target && a.part == Some(part));
        found.unwrap_or_else(|| panic!("no part {part} of `{name}` is assigned")).value = value.clone();
    }

    /// Removes a register's enable.
    pub fn always_enable(&mut self, name: &str) {
        let signal = self.signal(name);
        let register = self.module().registers.iter_mut().find(|r| r.signal == signal);
        let enable = register.unwrap_or_else(|| panic!("no register `{name}`")).enable.take();
        assert!(enable.is_some(), "`{name}` has an enable");
    }

    /// Keeps a register as it is for ever.
    pub fn never_enable(&mut self, name: &str) {
        let signal = self.signal(name);
        let register = self.module().registers.iter_mut().find(|r| r.signal == signal);
        register.unwrap_or_else(|| panic!("no register `{name}`")).enable = Some(Expr::lit(0, 1));
    }

    /// A memory.
    pub fn memory(&mut self, name: &str) -> &mut Memory {
        let found = self.module().memories.iter_mut().find(|m| m.name == name);
        found.unwrap_or_else(|| panic!("no memory `{name}`"))
    }

    /// Changes what an input of an instance is tied to.
    pub fn input(&mut self, instance: &str, port: &str, edit: impl Fn(&Expr) -> Expr) {
        let place = self.design.module(self.id).instances.iter().position(|i| i.name == instance);
        let place = place.unwrap_or_else(|| panic!("no instance `{instance}`"));
        let child = self.design.module(self.id).instances[place].module;
        let port = self.design.module(child).find(port).unwrap_or_else(|| panic!("no port `{port}`"));
        let connections = &mut self.module().instances[place].connections;
        match connections.iter_mut().find(|(p, _)| *p == port) {
            Some((_, Connection::Input(value))) => {
                let new = edit(value);
                assert!(new != *value && new.ty() == value.ty(), "nothing changes, or the type does");
                *value = new;
            }
            _ => panic!("the port is not tied to an expression"),
        }
    }
}

/// An address plus one.
pub fn next(address: &Expr) -> Expr {
    (address + Expr::lit(1, 1)).trunc(address.width())
}
