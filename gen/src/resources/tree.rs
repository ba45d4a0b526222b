//! From the cells of each module to the modules of a design, with instances and sums.

use super::usage::Usage;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Cells of a module by kind; instances of other modules are among them.
pub type Cells = BTreeMap<String, i64>;

/// A module type of a design.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModuleUsage {
    /// Its name.
    pub name: String,
    /// Instances in the whole design.
    pub instances: i64,
    /// One instance, without the instances inside.
    pub each: Usage,
    /// All instances, each without the instances inside: these add up to the design.
    pub total: Usage,
    /// One instance with everything inside.
    pub each_with_children: Usage,
}

/// A design's modules and their sum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DesignUsage {
    /// Everything.
    pub total: Usage,
    /// Most lookup tables first.
    pub modules: Vec<ModuleUsage>,
}

/// Why cells do not make up a design.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TreeError {
    /// Neither a module nor a primitive whose cost is known.
    #[error("module `{module}` has cells `{cell}`, whose cost is not known")]
    UnknownCell {
        /// Where.
        module: String,
        /// What.
        cell: String,
    },
    /// The top is missing.
    #[error("there is no module `{0}`")]
    NoTop(String),
}

/// Modules in an order in which every one comes behind those that instantiate it.
fn parents_first<'m>(modules: &'m BTreeMap<String, Cells>, top: &'m str) -> Vec<&'m str> {
    fn visit<'m>(
        name: &'m str,
        modules: &'m BTreeMap<String, Cells>,
        seen: &mut BTreeSet<&'m str>,
        order: &mut Vec<&'m str>,
    ) {
        if !seen.insert(name) {
            return;
        }
        for child in modules[name].keys().filter(|c| modules.contains_key(*c)) {
            visit(child, modules, seen, order);
        }
        order.push(name);
    }
    let mut order = Vec::new();
    visit(top, modules, &mut BTreeSet::new(), &mut order);
    order.reverse();
    order
}

/// Puts a design together.
///
/// # Errors
/// A cell that is neither a module nor a known primitive, or no top.
pub fn design(modules: &BTreeMap<String, Cells>, top: &str) -> Result<DesignUsage, TreeError> {
    if !modules.contains_key(top) {
        return Err(TreeError::NoTop(top.to_owned()));
    }
    let order = parents_first(modules, top);
    let mut instances = BTreeMap::from([(top, 1)]);
    for name in &order {
        let count = instances.get(name).copied().unwrap_or(0);
        for (child, times) in &modules[*name] {
            if modules.contains_key(child) {
                *instances.entry(child.as_str()).or_insert(0) += count * times;
            }
        }
    }
    let mut inclusive: BTreeMap<&str, Usage> = BTreeMap::new();
    let mut found = Vec::new();
    for name in order.iter().rev() {
        let each = own(name, modules)?;
        let children = modules[*name].iter().filter_map(|(child, n)| inclusive.get(child.as_str()).map(|u| *u * *n));
        let each_with_children = children.fold(each, |sum, child| sum + child);
        inclusive.insert(name, each_with_children);
        let count = instances[name];
        found.push(ModuleUsage {
            name: (*name).to_owned(),
            instances: count,
            each,
            total: each * count,
            each_with_children,
        });
    }
    found.sort_by(|a, b| (-a.total.lut, -a.total.ff, &a.name).cmp(&(-b.total.lut, -b.total.ff, &b.name)));
    Ok(DesignUsage { total: inclusive[top], modules: found })
}

/// A module's own primitives.
fn own(name: &str, modules: &BTreeMap<String, Cells>) -> Result<Usage, TreeError> {
    let mut usage = Usage::default();
    for (cell, count) in modules[name].iter().filter(|(cell, _)| !modules.contains_key(*cell)) {
        if !Usage::knows(cell) {
            return Err(TreeError::UnknownCell { module: name.to_owned(), cell: cell.clone() });
        }
        usage += Usage::of_cells(cell, *count);
    }
    Ok(usage)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modules(list: &[(&str, &[(&str, i64)])]) -> BTreeMap<String, Cells> {
        let cells = |c: &[(&str, i64)]| c.iter().map(|(kind, n)| ((*kind).to_owned(), *n)).collect();
        list.iter().map(|(name, c)| ((*name).to_owned(), cells(c))).collect()
    }

    #[test]
    fn instances_multiply_down_the_hierarchy() {
        let all = modules(&[
            ("top", &[("column", 8), ("leaf", 1), ("LUT6", 5)]),
            ("column", &[("leaf", 16), ("FDRE", 3)]),
            ("leaf", &[("DSP48E2", 1), ("LUT2", 2)]),
            ("unused", &[("LUT6", 1000)]),
        ]);
        let found = design(&all, "top").unwrap();
        let names: Vec<(&str, i64)> = found.modules.iter().map(|m| (m.name.as_str(), m.instances)).collect();
        assert_eq!(names, [("leaf", 129), ("top", 1), ("column", 8)]);
        assert_eq!(found.total, Usage { dsp: 129, lut: 258 + 5, ff: 24, ..Usage::default() });
        assert_eq!(found.modules.iter().fold(Usage::default(), |sum, m| sum + m.total), found.total);
        assert_eq!(found.modules[2].each_with_children, Usage { dsp: 16, lut: 32, ff: 3, ..Usage::default() });
    }

    #[test]
    fn cells_without_a_known_cost_are_refused() {
        let all = modules(&[("top", &[("LDCE", 1)])]);
        let expected = TreeError::UnknownCell { module: "top".to_owned(), cell: "LDCE".to_owned() };
        assert_eq!(design(&all, "top"), Err(expected));
        assert_eq!(design(&all, "heatvit_top"), Err(TreeError::NoTop("heatvit_top".to_owned())));
    }
}
