//! One transparent layer of a picture: the digit, or the clutter.

use super::{CANVAS, GRID, PATCH, PATCHES, RAW_SIDE, Raw};

/// One in the fixed-point coordinates (16 fractional bits).
pub(crate) const ONE: i64 = 1 << 16;

/// Grey levels of a layer; 0 is transparent.
pub(crate) struct Layer {
    pub(crate) pixels: Vec<u8>,
}

impl Layer {
    /// A transparent layer.
    pub(crate) fn new() -> Self {
        Self { pixels: vec![0; CANVAS * CANVAS] }
    }

    /// Paints one pixel, keeping the brighter of old and new; outside the canvas nothing happens.
    pub(crate) fn paint(&mut self, x: i32, y: i32, grey: u8) {
        let side = 0..CANVAS as i32;
        if side.contains(&x) && side.contains(&y) {
            let pixel = &mut self.pixels[y as usize * CANVAS + x as usize];
            *pixel = grey.max(*pixel);
        }
    }

    /// Per patch, the number of pixels of at least `threshold`.
    pub(crate) fn count(&self, threshold: u8) -> [u8; PATCHES] {
        let mut counts = [0; PATCHES];
        for (place, &grey) in self.pixels.iter().enumerate() {
            let (x, y) = (place % CANVAS, place / CANVAS);
            counts[y / PATCH * GRID + x / PATCH] += u8::from(grey >= threshold);
        }
        counts
    }
}

/// Ink (0..=256) of a raw digit between its pixels, bilinear; coordinates are fixed-point with raw pixel
/// `i` centred at `i`, and there is no ink outside the digit.
pub(crate) fn ink(raw: &Raw, x: i64, y: i64) -> i64 {
    let (column, row) = (x.div_euclid(ONE), y.div_euclid(ONE));
    let (fx, fy) = (x.rem_euclid(ONE), y.rem_euclid(ONE));
    let at = |column: i64, row: i64| {
        let side = 0..RAW_SIDE as i64;
        if side.contains(&column) && side.contains(&row) {
            i64::from(raw.pixels[row as usize * RAW_SIDE + column as usize])
        } else {
            0
        }
    };
    let upper = at(column, row) * (ONE - fx) + at(column + 1, row) * fx;
    let lower = at(column, row + 1) * (ONE - fx) + at(column + 1, row + 1) * fx;
    // Raw pixels reach 16, so 4 more bits make full ink 256.
    (upper * (ONE - fy) + lower * fy) >> 28
}
