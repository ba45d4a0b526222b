//! Clutter: thin strokes and fragments of other training digits, dimmer than the digit itself.

use super::dice::Dice;
use super::layer::{Layer, ONE, ink};
use super::{GRID, PATCH, PATCHES, Raw};

/// Grey level from which a pixel of clutter counts as visible.
pub(crate) const VISIBLE: u8 = 16;
/// Visible pixels that make a patch a cluttered one.
pub(crate) const PIXELS_PER_PATCH: u8 = 2;
/// Smallest and largest share of the background patches that are cluttered on purpose, in percent.
const SHARE: (i32, i32) = (30, 45);
/// Brightness of clutter in percent of the digit's.
const DIMMING: (i32, i32) = (25, 50);

/// Draws clutter until the drawn share of the background patches (`coverage` 0) carries some.
pub(crate) fn clutter(dice: &mut Dice, coverage: &[u8; PATCHES], donors: &[&Raw], level: i32) -> Layer {
    let mut layer = Layer::new();
    let background: Vec<usize> = (0..PATCHES).filter(|&p| coverage[p] == 0).collect();
    let share = dice.between(SHARE.0, SHARE.1) as usize;
    let wanted = (background.len() * share).div_ceil(100);
    loop {
        let counts = layer.count(VISIBLE);
        let clear: Vec<usize> = background.iter().copied().filter(|&p| counts[p] < PIXELS_PER_PATCH).collect();
        if background.len() - clear.len() >= wanted {
            return layer;
        }
        let patch = clear[dice.index(clear.len())];
        let grey = level * dice.between(DIMMING.0, DIMMING.1) / 100;
        if donors.is_empty() || dice.between(0, 1) == 0 {
            stroke(dice, &mut layer, patch, grey);
        } else {
            fragment(dice, &mut layer, patch, donors, grey);
        }
    }
}

/// One of the four inner pixels of a patch, so that the first step of a stroke stays inside: each stroke
/// makes its patch a cluttered one, which ends the loop above.
fn inner_pixel(dice: &mut Dice, patch: usize) -> (i32, i32) {
    let corner = |index: usize| (index * PATCH) as i32;
    let x = corner(patch % GRID) + dice.between(1, 2);
    let y = corner(patch / GRID) + dice.between(1, 2);
    (x, y)
}

/// A thin, slightly bent line.
fn stroke(dice: &mut Dice, layer: &mut Layer, patch: usize, grey: i32) {
    let (x, y) = inner_pixel(dice, patch);
    let steep = dice.between(0, 1) == 1;
    let major = if dice.between(0, 1) == 1 { 1 } else { -1 };
    let mut slope = dice.between(-256, 256);
    let bend = dice.between(-12, 12);
    let mut minor = 0;
    for step in 0..dice.between(4, 14) {
        let (along, across) = (step * major, minor >> 8);
        let (dx, dy) = if steep { (across, along) } else { (along, across) };
        layer.paint(x + dx, y + dy, grey as u8);
        minor += slope;
        slope = (slope + bend).clamp(-256, 256);
    }
}

/// A square cut out of another training digit, at a size like that of the digits themselves.
fn fragment(dice: &mut Dice, layer: &mut Layer, patch: usize, donors: &[&Raw], grey: i32) {
    let raw = donors[dice.index(donors.len())];
    let (x, y) = inner_pixel(dice, patch);
    let side = dice.between(5, 9);
    // Raw pixels per canvas pixel: a digit of 14 to 21 pixels has 0.57 to 0.38.
    let pitch = i64::from(dice.between(38, 57)) * ONE / 100;
    let left = i64::from(dice.between(0, 4)) * ONE;
    let top = i64::from(dice.between(0, 4)) * ONE;
    for row in 0..side {
        for column in 0..side {
            let ink = ink(raw, left + i64::from(column) * pitch, top + i64::from(row) * pitch);
            let value = (ink * i64::from(grey) / 256) as u8;
            layer.paint(x + column - side / 2, y + row - side / 2, value);
        }
    }
}
