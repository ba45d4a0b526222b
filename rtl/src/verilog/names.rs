//! Names that the printer adds beside those of the module.

use crate::Module;
use std::collections::BTreeSet;

/// Names in use within a module.
#[derive(Debug)]
pub struct Names(BTreeSet<String>);

impl Names {
    /// All names of the module.
    pub fn of(module: &Module) -> Self {
        let signals = module.signals.iter().map(|s| &s.name);
        let memories = module.memories.iter().map(|m| &m.name);
        let instances = module.instances.iter().map(|i| &i.name);
        Self(signals.chain(memories).chain(instances).map(|name| name.to_lowercase()).collect())
    }

    /// `wanted`, or `wanted` with the first free number.
    pub fn fresh(&mut self, wanted: &str) -> String {
        let free = |name: &String| !self.0.contains(&name.to_lowercase());
        let numbered = (2u32..).map(|i| format!("{wanted}_{i}"));
        let name = std::iter::once(wanted.to_owned()).chain(numbered).find(free).expect("numbers do not run out");
        self.0.insert(name.to_lowercase());
        name
    }
}
