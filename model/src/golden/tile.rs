//! The inner loop: sums of four rows and sixteen outputs, all in registers while they grow.

use super::lanes::{Lanes, WIDTH};
use super::packed::Line;
use super::rows::Pair;

/// Rows of a tile. With more of them the sums leave the sixteen registers of AVX2; with fewer, weights are loaded too
/// often.
pub(super) const TILE_ROWS: usize = 4;

/// Sums over all pairs of inputs.
#[inline(always)]
pub(super) fn tile<L: Lanes>(
    lanes: L,
    rows: [&[Pair]; TILE_ROWS],
    panel: &[Line],
    start: &[i32; WIDTH],
) -> [[i32; WIDTH]; TILE_ROWS] {
    // Lengths that the compiler sees to be equal cost no bounds check inside the loop.
    let rows = rows.map(|row| &row[..panel.len()]);
    let mut sums = [lanes.load(start); TILE_ROWS];
    for (k, line) in panel.iter().enumerate() {
        for (sums, row) in sums.iter_mut().zip(rows) {
            *sums = lanes.add_products(*sums, row[k], line);
        }
    }
    sums.map(|sums| lanes.store(sums))
}
