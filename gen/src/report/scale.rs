//! Colours of scores: from dark to light in even steps of lightness, so that they can be told apart without seeing
//! colour, too.

/// Highest score, in its own steps.
pub const ONE: u32 = 512;

/// The scale in ninths (after magma of matplotlib, which is in the public domain).
const ANCHORS: [[u8; 3]; 9] = [
    [24, 15, 61],
    [56, 15, 108],
    [95, 24, 127],
    [136, 34, 129],
    [183, 55, 121],
    [226, 82, 104],
    [249, 124, 94],
    [254, 176, 120],
    [252, 243, 191],
];

/// Colour of a score in 1/512 as `#rrggbb`.
pub fn colour(score: i32) -> String {
    let last = ANCHORS.len() as u32 - 1;
    let place = score.clamp(0, ONE as i32) as u32 * last;
    let (below, part) = ((place / ONE).min(last - 1), place - (place / ONE).min(last - 1) * ONE);
    let (from, to) = (ANCHORS[below as usize], ANCHORS[below as usize + 1]);
    let mix = |c: usize| (u32::from(from[c]) * (ONE - part) + u32::from(to[c]) * part + ONE / 2) / ONE;
    format!("#{:02x}{:02x}{:02x}", mix(0), mix(1), mix(2))
}

/// The whole scale as a CSS gradient to the right.
pub fn gradient() -> String {
    let steps: Vec<String> = (0..ANCHORS.len() as i32).map(|i| colour(i * 64)).collect();
    format!("linear-gradient(90deg,{})", steps.join(","))
}

/// A score for people: the exact value is a multiple of 1/512.
pub fn score(score: i32) -> String {
    format!("{:.3}", f64::from(score) / f64::from(ONE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_ends_at_its_anchors_and_its_lightness_rises() {
        assert_eq!(
            [colour(-5), colour(0), colour(64), colour(512), colour(600)],
            ["#180f3d", "#180f3d", "#380f6c", "#fcf3bf", "#fcf3bf"]
        );
        let luminance = |c: &str| {
            let part = |i: usize| f64::from(u8::from_str_radix(&c[i..i + 2], 16).unwrap());
            0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
        };
        let all: Vec<f64> = (0..=512).map(|s| luminance(&colour(s))).collect();
        assert!(all.windows(2).all(|pair| pair[1] >= pair[0] - 0.5), "{all:?}");
        assert!(all[512] > all[0] + 200.0);
    }
}
