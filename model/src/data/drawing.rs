//! One picture: a digit somewhere on the canvas, among clutter.

use super::clutter::{VISIBLE, clutter};
use super::dice::Dice;
use super::layer::{Layer, ONE, ink};
use super::{CANVAS, PATCHES, RAW_SIDE, Raw};

/// Sides of a drawn digit in pixels: 14^2 is 15.1 % and 21^2 is 34.0 % of the canvas.
const SIDE: (i32, i32) = (14, 21);
/// Brightness of full ink.
const LEVEL: (i32, i32) = (150, 255);

/// Whether a digit is bent a little while it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    /// As written; validation and test.
    None,
    /// Random shear of up to 15 % in each direction; training, because 1,257 raw digits are few.
    Shear,
}

/// A drawn picture without its label; the fields are those of [`super::Sample`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawing {
    /// Grey levels, row by row.
    pub pixels: Vec<u8>,
    /// Digit pixels per patch.
    pub coverage: [u8; PATCHES],
    /// Clutter pixels per patch.
    pub clutter: [u8; PATCHES],
}

/// Draws `raw`: random side, place and brightness, then strokes and fragments of `donors` on at least
/// 30 % of the patches that the digit leaves free. The same arguments draw the same picture everywhere.
pub fn drawing(raw: &Raw, donors: &[&Raw], jitter: Jitter, seed: u64, item: u64) -> Drawing {
    let mut dice = Dice::new(seed, item);
    let level = dice.between(LEVEL.0, LEVEL.1);
    let digit = digit_layer(&mut dice, raw, level, jitter);
    let coverage = digit.count(1);
    let clutter = clutter(&mut dice, &coverage, donors, level);
    let pixels = digit.pixels.iter().zip(&clutter.pixels).map(|(&digit, &clutter)| digit.max(clutter)).collect();
    Drawing { pixels, coverage, clutter: clutter.count(VISIBLE) }
}

/// The digit alone.
fn digit_layer(dice: &mut Dice, raw: &Raw, level: i32, jitter: Jitter) -> Layer {
    let side = dice.between(SIDE.0, SIDE.1);
    let left = dice.between(0, CANVAS as i32 - side);
    let top = dice.between(0, CANVAS as i32 - side);
    let (shear_x, shear_y) = match jitter {
        Jitter::None => (0, 0),
        Jitter::Shear => (i64::from(dice.between(-15, 15)), i64::from(dice.between(-15, 15))),
    };
    // Offsets from the digit's centre in raw pixels, fixed-point.
    let from_centre = |place: i32| i64::from(2 * place + 1 - side) * RAW_SIDE as i64 * ONE / i64::from(2 * side);
    let centre = (RAW_SIDE as i64 - 1) * ONE / 2;
    let mut layer = Layer::new();
    for row in 0..side {
        for column in 0..side {
            let (x, y) = (from_centre(column), from_centre(row));
            let ink = ink(raw, centre + x + y * shear_x / 100, centre + y + x * shear_y / 100);
            let grey = (ink * i64::from(level) / 256) as u8;
            layer.paint(left + column, top + row, grey);
        }
    }
    layer
}
