//! Many designs in one: every module with a prefix of its own.

use crate::{Design, ModuleId, Origin};

/// Adds all modules of a design to another, with a prefix before their names; returns the former's top.
/// Primitives keep their names and are added once.
pub fn add_prefixed(to: &mut Design, from: &Design, prefix: &str) -> Option<ModuleId> {
    let mut new: Vec<ModuleId> = Vec::new();
    for id in from.ids() {
        let mut module = from.module(id).clone();
        let shared = module.origin == Origin::Primitive;
        if let (true, Some(known)) = (shared, to.find(&module.name)) {
            new.push(known);
            continue;
        }
        if !shared {
            module.name = format!("{prefix}{}", module.name);
        }
        for instance in &mut module.instances {
            instance.module = new[instance.module.index()];
        }
        new.push(to.add(module));
    }
    from.top().and_then(|top| new.get(top.index()).copied())
}
