//! Single units that depend on the same watched state, together behind one test of whether any of it changed.
//!
//! Units of one support are a class; what a class needs comes from classes of smaller supports, so that there is always an
//! order. Classes are merged as long as that saves more tests than it costs work, by what changed in the cycles so far.

use super::activity::{Activity, joined};
use super::{Layout, Place, Unit};
use crate::circuit::Circuit;
use crate::netlist::NodeId;
use crate::profile::{Profile, Samples};
use petgraph::graph::DiGraph;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Units that are left out while nothing changes that they depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Limbs of changes, and bits of them; with none, it is never left out.
    pub depends_on: Vec<(Place, u64)>,
    /// In order.
    pub units: Vec<Unit>,
}

/// Cost of a branch and of each limb that it looks at, in units.
const BRANCH: f64 = 1.5;
const LIMB: f64 = 0.8;
/// Samples in which a class may have been active besides those that were taken.
const UNSEEN: f64 = 0.25;

/// Classes that are done together.
#[derive(Clone, Debug)]
struct Group {
    depends_on: Vec<(u32, u64)>,
    /// In which it was to be done.
    active: Samples,
    units: Vec<usize>,
    /// Single units, and classes.
    size: f64,
    classes: f64,
    cost: f64,
    /// Groups that need it, and all that need those, a bit for each.
    users: BTreeSet<usize>,
    reach: Vec<u64>,
}

impl Group {
    fn reaches(&self, other: usize) -> bool {
        self.reach[other / 64] >> (other % 64) & 1 == 1
    }

    /// What it costs on average: its test, and its units as often as something changes.
    fn set_cost(&mut self, samples: f64) {
        self.cost = cost(self.depends_on.len(), self.active, self.size, self.classes, samples);
    }
}

fn cost(limbs: usize, active: Samples, size: f64, classes: f64, samples: f64) -> f64 {
    let often = (f64::from(active.count()) + UNSEEN * classes) / (samples + UNSEEN * classes).max(1.0);
    BRANCH + LIMB * limbs as f64 + size * often
}

/// Gathers quiet units, which are in order, into parts.
pub fn parts(
    circuit: &Circuit,
    layout: &Layout,
    activity: &mut Activity,
    profile: &Profile,
    units: Vec<Unit>,
) -> Vec<Unit> {
    if !profile.is_closed() {
        return units;
    }
    let classes = classes(circuit, layout, activity, &units);
    let mut groups = groups(activity, profile, &units, &classes);
    connect(circuit, &units, &classes, &mut groups);
    find_reach(&mut groups);
    in_order(layout, units, merge(groups, profile.len() as f64))
}

/// The support of each unit and of all that it needs.
fn classes(circuit: &Circuit, layout: &Layout, activity: &mut Activity, units: &[Unit]) -> Vec<u32> {
    let mut made: HashMap<NodeId, u32> = HashMap::new();
    let mut classes = Vec::with_capacity(units.len());
    for unit in units {
        // A branch decides values of different supports together, and all that needs one of them comes after all of them.
        let own = activity.of_unit(circuit, layout, unit);
        let reads = unit.reads(circuit);
        let makers = reads.iter().filter_map(|n| made.get(n));
        let support = makers.fold(own, |all, maker| activity.union(all, Some(*maker))).unwrap_or(0);
        made.extend(unit.makes().iter().map(|id| (*id, support)));
        classes.push(support);
    }
    classes
}

/// A group for each class, by its support.
fn groups(activity: &Activity, profile: &Profile, units: &[Unit], classes: &[u32]) -> Vec<Group> {
    let mut members: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (index, class) in classes.iter().enumerate() {
        members.entry(*class).or_default().push(index);
    }
    let group = |(support, members): (u32, Vec<usize>)| {
        let depends_on = activity.set(support).to_vec();
        let mut group = Group {
            active: profile.with(&depends_on),
            depends_on,
            size: members.iter().map(|m| units[*m].size() as f64).sum(),
            units: members,
            classes: 1.0,
            cost: 0.0,
            users: BTreeSet::new(),
            reach: Vec::new(),
        };
        group.set_cost(profile.len() as f64);
        group
    };
    members.into_iter().map(group).collect()
}

/// Finds out which group needs which.
fn connect(circuit: &Circuit, units: &[Unit], classes: &[u32], groups: &mut [Group]) {
    let sorted: BTreeSet<u32> = classes.iter().copied().collect();
    let number: HashMap<u32, usize> = sorted.into_iter().zip(0..).collect();
    let mut maker = HashMap::new();
    for (unit, class) in units.iter().zip(classes) {
        maker.extend(unit.makes().iter().map(|id| (*id, number[class])));
    }
    for (unit, class) in units.iter().zip(classes) {
        let to = number[class];
        for from in unit.reads(circuit).iter().filter_map(|n| maker.get(n)).filter(|from| **from != to) {
            groups[*from].users.insert(to);
        }
    }
}

/// The order of groups in which everything is made before it is used.
fn order(groups: &[Group]) -> Vec<usize> {
    let mut graph = DiGraph::<(), ()>::new();
    let nodes: Vec<_> = groups.iter().map(|_| graph.add_node(())).collect();
    for (from, group) in groups.iter().enumerate() {
        group.users.iter().for_each(|to| {
            graph.add_edge(nodes[from], nodes[*to], ());
        });
    }
    let sorted = petgraph::algo::toposort(&graph, None).expect("a group's support holds those of all that it needs");
    sorted.into_iter().map(|n| n.index()).collect()
}

fn find_reach(groups: &mut [Group]) {
    let limbs = groups.len().div_ceil(64);
    for index in order(groups).into_iter().rev() {
        let mut reach = vec![0; limbs];
        for user in &groups[index].users {
            reach[user / 64] |= 1 << (user % 64);
            reach.iter_mut().zip(&groups[*user].reach).for_each(|(all, of)| *all |= of);
        }
        groups[index].reach = reach;
    }
}

/// Groups that are merged one by one.
struct Merging {
    groups: Vec<Option<Group>>,
    samples: f64,
}

/// Merges groups while that saves something.
fn merge(groups: Vec<Group>, samples: f64) -> Vec<Group> {
    let mut merging = Merging { groups: groups.into_iter().map(Some).collect(), samples };
    let count = merging.groups.len();
    // The best partner of each among those after it.
    let mut best: Vec<Option<(f64, usize)>> = (0..count).map(|i| merging.partner(i)).collect();
    loop {
        let found = best.iter().enumerate().filter_map(|(i, b)| b.map(|(saved, j)| (saved, i, j)));
        let Some((_, first, second)) = found.reduce(|a, b| if b.0 > a.0 { b } else { a }) else { break };
        if merging.is_between(first, second) {
            // Another merger has come between them.
            best[first] = merging.partner(first);
            continue;
        }
        merging.join(first, second);
        best[second] = None;
        for (index, best) in best.iter_mut().enumerate() {
            let stale = index == first || best.is_some_and(|(_, j)| j == first || j == second);
            if stale {
                *best = merging.partner(index);
            } else if index < first {
                *best = merging.better(index, first, *best);
            }
        }
    }
    let left = merging.groups.iter().enumerate().filter(|(_, g)| g.is_some()).map(|(i, _)| i);
    let place: HashMap<usize, usize> = left.zip(0..).collect();
    let mut left: Vec<Group> = merging.groups.into_iter().flatten().collect();
    left.iter_mut().for_each(|g| g.users = g.users.iter().filter_map(|u| place.get(u).copied()).collect());
    left
}

impl Merging {
    fn partner(&self, index: usize) -> Option<(f64, usize)> {
        self.groups[index].as_ref()?;
        (index + 1..self.groups.len()).fold(None, |best, other| self.better(index, other, best))
    }

    /// The better partner of a group: another one, or the best one so far, with what merging saves.
    fn better(&self, index: usize, other: usize, best: Option<(f64, usize)>) -> Option<(f64, usize)> {
        let (Some(a), Some(b)) = (&self.groups[index], &self.groups[other]) else { return best };
        let most = best.map_or(0.0, |(most, _)| most);
        // At best there is one test less.
        if BRANCH + LIMB * a.depends_on.len().min(b.depends_on.len()) as f64 <= most {
            return best;
        }
        // The test of both looks at no fewer limbs than that of one.
        let least = a.depends_on.len().max(b.depends_on.len());
        let saved = |limbs| {
            let (size, classes) = (a.size + b.size, a.classes + b.classes);
            a.cost + b.cost - cost(limbs, a.active.union(b.active), size, classes, self.samples)
        };
        if saved(least) <= most {
            return best;
        }
        let saved = saved(joined(&a.depends_on, &b.depends_on).len());
        if saved > most && !self.is_between(index, other) { Some((saved, other)) } else { best }
    }

    /// True when a third group needs one of the two and is needed by the other.
    fn is_between(&self, a: usize, b: usize) -> bool {
        let through = |from: usize, to: usize| {
            let users = self.groups[from].iter().flat_map(|g| &g.users).filter(|user| **user != to);
            users.filter_map(|user| self.groups[*user].as_ref()).any(|user| user.reaches(to))
        };
        through(a, b) || through(b, a)
    }

    /// The second becomes part of the first.
    fn join(&mut self, first: usize, second: usize) {
        let (Some(mut group), Some(taken)) = (self.groups[first].take(), self.groups[second].take()) else { return };
        group.depends_on = joined(&group.depends_on, &taken.depends_on);
        group.active = group.active.union(taken.active);
        group.units.extend(taken.units);
        group.size += taken.size;
        group.classes += taken.classes;
        group.set_cost(self.samples);
        group.users.extend(taken.users);
        group.users.retain(|user| *user != first && *user != second);
        group.reach.iter_mut().zip(&taken.reach).for_each(|(all, of)| *all |= of);
        for own in [first, second] {
            group.reach[own / 64] &= !(1 << (own % 64));
        }
        for other in self.groups.iter_mut().flatten() {
            if other.users.remove(&second) {
                other.users.insert(first);
            }
            if other.reaches(first) || other.reaches(second) {
                other.reach[first / 64] |= 1 << (first % 64);
                other.reach.iter_mut().zip(&group.reach).for_each(|(all, of)| *all |= of);
            }
        }
        self.groups[first] = Some(group);
    }
}

fn in_order(layout: &Layout, units: Vec<Unit>, groups: Vec<Group>) -> Vec<Unit> {
    let mut units: Vec<Option<Unit>> = units.into_iter().map(Some).collect();
    let mut parts = Vec::new();
    for index in order(&groups) {
        let mut members = groups[index].units.clone();
        members.sort_unstable();
        let units: Vec<Unit> = members.into_iter().filter_map(|m| units[m].take()).collect();
        let depends_on = groups[index].depends_on.iter().map(|(limb, bits)| (layout.watch.limb(*limb), *bits));
        parts.push(Unit::Part(Box::new(Part { depends_on: depends_on.collect(), units })));
    }
    parts
}
