//! A closed set of modules with one top.

use crate::{Module, ModuleId};

/// Modules in dependency order (children before parents); the last one added is usually the top.
#[derive(Clone, Debug, Default)]
pub struct Design {
    modules: Vec<Module>,
    top: Option<ModuleId>,
}

impl Design {
    /// An empty design.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a module, which becomes the top until another is added. A module may only
    /// instantiate modules that were added before it, so recursion cannot be expressed.
    pub fn add(&mut self, module: Module) -> ModuleId {
        let id = ModuleId(self.modules.len() as u32);
        self.modules.push(module);
        self.top = Some(id);
        id
    }

    /// The module's entry.
    pub fn module(&self, id: ModuleId) -> &Module {
        &self.modules[id.index()]
    }

    /// Mutable access, for fault planting and for tools that rewrite designs.
    pub fn module_mut(&mut self, id: ModuleId) -> &mut Module {
        &mut self.modules[id.index()]
    }

    /// Finds a module by name.
    pub fn find(&self, name: &str) -> Option<ModuleId> {
        self.ids().find(|id| self.module(*id).name == name)
    }

    /// The top module.
    pub fn top(&self) -> Option<ModuleId> {
        self.top
    }

    /// All module ids, children before parents.
    pub fn ids(&self) -> impl Iterator<Item = ModuleId> + use<> {
        (0..self.modules.len() as u32).map(ModuleId)
    }

    /// True when the module or anything below it has state and so needs `clk`.
    pub fn needs_clock(&self, id: ModuleId) -> bool {
        let m = self.module(id);
        !m.registers.is_empty() || !m.memories.is_empty() || m.instances.iter().any(|i| self.needs_clock(i.module))
    }

    /// True when the module or anything below it has reset state and so needs `rst`.
    pub fn needs_reset(&self, id: ModuleId) -> bool {
        let m = self.module(id);
        m.registers.iter().any(|r| r.reset.is_some()) || m.instances.iter().any(|i| self.needs_reset(i.module))
    }
}
