//! Random instance arrays: chains, and grids that are chains of chains.

use super::Generator;
use super::modules::Cell;
use crate::{Design, Expr, ModuleBuilder, ModuleId, Ty};

/// A row of a grid: cells side by side, `west` to `east` through all of them, `north` and `south` with a lane for each.
pub(super) struct Row {
    id: ModuleId,
    cell: Cell,
    columns: u32,
}

/// Longest chain and sides of a grid.
const LONGEST: u32 = 20;
const WIDEST: u32 = 9;
const HIGHEST: u32 = 5;

impl Generator<'_> {
    /// A wire with a lane for each of `count` elements, every lane a value of its own.
    fn lane_each(&mut self, m: &mut ModuleBuilder, name: &str, ty: &Ty, count: u32) -> Expr {
        let lanes = m.declare(name, ty.clone().lanes(count));
        let values: Vec<Expr> = (0..count).map(|_| self.of(&Ty::bits(ty.total_width()))).collect();
        m.assign(&lanes, &Expr::concat_low_first(&values));
        lanes
    }

    /// A wire with `count + 1` lanes of which the first is driven here.
    fn links(&mut self, m: &mut ModuleBuilder, name: &str, ty: &Ty, count: u32) -> Expr {
        let links = m.declare(name, ty.clone().lanes(count + 1));
        let first = self.of(&Ty::bits(ty.total_width()));
        m.assign_part(&links, 0, &first);
        links
    }

    /// Some elements of lanes, and all of them where they are few bits, join the pool.
    fn tap(&mut self, m: &ModuleBuilder, lanes: &Expr, from: u32) {
        let elements = m.ty(lanes).elements();
        for _ in 0..2 {
            let index = from + self.below(elements - from);
            self.pool.push(m.element(lanes, index));
        }
        if from == 0 {
            self.pool.push(lanes.slice(0, lanes.width().min(self.style.widest)));
        }
    }

    /// A chain of cells: `west` to `east`, and sometimes `north` to `south`, through all of them.
    pub(super) fn chain(&mut self, design: &Design, m: &mut ModuleBuilder, cell: &Cell, name: &str) {
        let count = self.within(1..=LONGEST);
        let child = design.module(cell.id).clone();
        let along = self.links(m, &format!("{name}_along"), &cell.passed[0], count);
        let both = self.chance(1, 2);
        let down = if both {
            self.links(m, &format!("{name}_down"), &cell.passed[1], count)
        } else {
            self.lane_each(m, &format!("{name}_down"), &cell.passed[1], count)
        };
        let own = self.lane_each(m, &format!("{name}_own"), &cell.own, count);
        let stride = self.within(1..=2);
        let enables = self.lane_each(m, &format!("{name}_enables"), &Ty::bit(), count * stride);
        let offset = self.below(stride);
        let shared = self.of(&cell.shared);
        let shared_enable = self.bit();
        let mut seen = None;
        let mut array = m
            .array(name, cell.id, &child, count)
            .lanes("west", &along)
            .lanes_at("east", &along, 1, 1)
            .lanes("north", &down)
            .lanes("own", &own)
            .lanes_at("enable", &enables, offset, stride)
            .input("common", &shared)
            .input("shared_enable", &shared_enable)
            .output("seen", &format!("{name}_seen"), &mut seen);
        if both {
            array = array.lanes_at("south", &down, 1, 1);
        }
        array.done();
        self.tap(m, &along, 1);
        if let Some(seen) = seen {
            self.tap(m, &seen, 0);
        }
    }

    /// A module with a row of cells.
    pub(super) fn row(&mut self, design: &mut Design, cell: &Cell) -> Row {
        let columns = self.within(1..=WIDEST);
        let child = design.module(cell.id).clone();
        let name = self.name("row");
        let mut m = ModuleBuilder::new(&name, "");
        let west = m.input("west", cell.passed[0].clone(), "");
        let north = m.input("north", cell.passed[1].clone().lanes(columns), "");
        let own = m.input("own", cell.own.clone().lanes(columns), "");
        let shared = m.input("common", cell.shared.clone(), "");
        let enable = m.input("enable", Ty::bit(), "");
        let enables = m.input("enables", Ty::bit().lanes(columns), "");
        let along = m.declare("along", cell.passed[0].clone().lanes(columns + 1));
        m.assign_part(&along, 0, &west.as_unsigned());
        let south = m.output("south", cell.passed[1].clone().lanes(columns), "");
        let mut seen = None;
        m.array("cells", cell.id, &child, columns)
            .lanes("west", &along)
            .lanes_at("east", &along, 1, 1)
            .lanes("north", &north)
            .lanes("south", &south)
            .lanes("own", &own)
            .lanes("enable", &enables)
            .input("common", &shared)
            .input("shared_enable", &enable)
            .output("seen", "cells_seen", &mut seen)
            .done();
        let last = m.element(&along, columns);
        m.output_as("east", &last, "");
        if let Some(seen) = seen {
            let last = m.element(&seen, columns - 1);
            m.output_as("seen", &last, "");
        }
        Row { id: design.add(m.finish()), cell: cell.clone(), columns }
    }

    /// Rows below one another: `north` to `south` through all of them, lane by lane.
    pub(super) fn grid(&mut self, design: &Design, m: &mut ModuleBuilder, row: &Row) {
        let rows = self.within(1..=HIGHEST);
        let child = design.module(row.id).clone();
        let cell = &row.cell;
        let lane = |ty: &Ty| ty.clone().lanes(row.columns);
        let down = self.links(m, "grid_down", &lane(&cell.passed[1]), rows);
        let west = self.lane_each(m, "grid_west", &cell.passed[0], rows);
        let own = self.lane_each(m, "grid_own", &lane(&cell.own), rows);
        let enable = self.lane_each(m, "grid_enable", &Ty::bit(), rows);
        let enables = self.of(&lane(&Ty::bit()));
        let shared = self.of(&cell.shared);
        let (mut seen, mut east) = (None, None);
        m.array("grid", row.id, &child, rows)
            .lanes("north", &down)
            .lanes_at("south", &down, 1, 1)
            .lanes("west", &west)
            .lanes("own", &own)
            .lanes("enable", &enable)
            .input("enables", &enables)
            .input("common", &shared)
            .output("east", "grid_east", &mut east)
            .output("seen", "grid_seen", &mut seen)
            .done();
        self.tap(m, &down, row.columns);
        for lanes in [east, seen].into_iter().flatten() {
            self.tap(m, &lanes, 0);
        }
    }
}
