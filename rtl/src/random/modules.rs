//! Random modules: leaves, modules above them, the top.

use super::Generator;
use crate::{Design, Direction, Expr, ModuleBuilder, ModuleId, Ty};

/// Ports of a leaf that can stand in a chain or a grid.
#[derive(Clone)]
pub(super) struct Cell {
    pub(super) id: ModuleId,
    /// Passed on from one to the next: in a row, in a column.
    pub(super) passed: [Ty; 2],
    /// Every element's own input.
    pub(super) own: Ty,
    /// The input that all share.
    pub(super) shared: Ty,
}

impl Generator<'_> {
    /// A module that passes two values on (`east` follows `west`, `south` follows `north`, through a register or within
    /// the cycle), with an input of its own, a shared one and two enables.
    pub(super) fn cell(&mut self, design: &mut Design) -> Cell {
        let name = self.name("cell");
        let mut m = ModuleBuilder::new(&name, "");
        let (passed, own, shared) = ([self.ty(), self.ty()], self.ty(), self.ty());
        let enables = ["enable", "shared_enable"].map(|port| m.input(port, Ty::bit(), ""));
        self.pool = vec![
            m.input("west", passed[0].clone(), ""),
            m.input("north", passed[1].clone(), ""),
            m.input("own", own.clone(), ""),
            m.input("common", shared.clone(), ""),
        ];
        self.pool.extend(enables.iter().cloned());
        let registers = self.registers(&mut m, 3);
        let planned = (!self.style.known && self.chance(1, 3)).then(|| self.plan_memory(&mut m));
        let inner = self.within(3..=14);
        self.grow(&mut m, inner);
        if self.chance(1, 3) {
            self.process(&mut m);
        }
        for (register, ty) in &registers {
            // Most registers of an array have its enables.
            if self.chance(1, 2) {
                let enable = enables[self.below(2) as usize].clone();
                let next = self.of(ty);
                let reset = (self.chance(1, 2) || self.style.known).then_some(0);
                m.drive(register, &next, Some(&enable), reset);
            } else {
                self.drive_one(&mut m, register, ty);
            }
        }
        for (port, ty) in ["east", "south"].iter().zip(&passed) {
            if self.chance(2, 3) {
                let out = m.output_reg(port, ty.clone(), "");
                self.drive_one(&mut m, &out, ty);
            } else {
                let out = m.output(port, ty.clone(), "");
                let value = self.of(ty);
                m.assign(&out, &value);
            }
        }
        let seen = self.any();
        m.output_as("seen", &seen, "");
        let mut module = m.finish();
        if let Some(planned) = planned {
            self.add_memory(&mut module, planned);
        }
        Cell { id: design.add(module), passed, own, shared }
    }

    /// A module with logic of its own around one leaf.
    pub(super) fn shell(&mut self, design: &mut Design, leaf: ModuleId) -> ModuleId {
        let name = self.name("shell");
        let mut m = ModuleBuilder::new(&name, "");
        self.pool = (0..3)
            .map(|i| {
                let ty = self.ty();
                m.input(&format!("in_{i}"), ty, "")
            })
            .collect();
        let registers = self.registers(&mut m, 2);
        self.grow(&mut m, 4);
        self.place(design, &mut m, leaf, "inner");
        self.grow(&mut m, 4);
        self.drive(&mut m, registers);
        self.show(&mut m, 3);
        design.add(m.finish())
    }

    /// A single instance with random values at its inputs; its outputs join the pool.
    pub(super) fn place(&mut self, design: &Design, m: &mut ModuleBuilder, id: ModuleId, name: &str) {
        let child = design.module(id).clone();
        let inputs: Vec<(String, Expr)> = child
            .ports()
            .filter(|(_, s)| s.port == Some(Direction::Input))
            .map(|(_, s)| (s.name.clone(), self.of(&Ty::bits(s.ty.total_width()))))
            .collect();
        let mut instance = m.instance(name, id, &child);
        for (port, value) in &inputs {
            instance = instance.input(port, value);
        }
        let mut outputs = Vec::new();
        for (_, signal) in child.ports().filter(|(_, s)| s.port == Some(Direction::Output)) {
            // Outputs may stay open.
            if self.chance(1, 8) {
                continue;
            }
            let mut wire = None;
            instance = instance.output(&signal.name, &format!("{name}_{}", signal.name), &mut wire);
            outputs.extend(wire.filter(|w| w.width() <= self.style.widest));
        }
        instance.done();
        self.pool.extend(outputs);
    }

    /// Output ports with values of the pool.
    fn show(&mut self, m: &mut ModuleBuilder, count: u32) {
        for index in 0..count {
            let ty = self.ty();
            let port = m.output(&format!("out_{index}"), ty.clone(), "");
            let value = self.of(&ty);
            m.assign(&port, &value);
        }
    }

    /// The top.
    pub(super) fn top(&mut self, design: &mut Design) {
        let cells: Vec<Cell> = (0..self.within(1..=2)).map(|_| self.cell(design)).collect();
        let shell = self.chance(1, 2).then(|| self.shell(design, cells[0].id));
        let row = self.chance(1, 2).then(|| self.row(design, &cells[0]));
        let leaf = match self.style.leaves {
            [] => None,
            leaves => self.chance(1, 3).then(|| leaves[self.below(leaves.len() as u32) as usize](design)),
        };
        let mut m = ModuleBuilder::new("top", "");
        self.pool = (0..4)
            .map(|i| {
                let ty = self.ty();
                m.input(&format!("in_{i}"), ty, "")
            })
            .collect();
        let registers = self.registers(&mut m, 3);
        let memories: Vec<_> = (0..self.below(3)).map(|_| self.plan_memory(&mut m)).collect();
        self.grow(&mut m, 6);
        for (number, cell) in cells.iter().enumerate() {
            self.chain(design, &mut m, cell, &format!("chain_{number}"));
        }
        if let Some(row) = &row {
            self.grid(design, &mut m, row);
        }
        for (name, id) in [("shell", shell), ("leaf", leaf)] {
            if let Some(id) = id {
                self.place(design, &mut m, id, name);
            }
        }
        if self.chance(1, 2) {
            self.lanes(&mut m);
        }
        if self.chance(1, 2) {
            self.delay(&mut m);
        }
        if self.chance(1, 3) {
            self.process(&mut m);
        }
        self.grow(&mut m, 6);
        self.drive(&mut m, registers);
        self.show(&mut m, 5);
        let mut module = m.finish();
        if let (Some(first), true) = (memories.first(), self.chance(1, 2)) {
            Self::expose(first, &mut module);
        }
        for memory in memories {
            self.add_memory(&mut module, memory);
        }
        design.add(module);
    }
}
