//! The charts: tokens per stage over the images, and what is kept of subject and background.

use super::Report;
use super::text::percent;

/// Most bars of a histogram.
const BARS: usize = 42;
/// Width of the drawing.
const WIDTH: usize = 640;
/// Left edge of the plot.
const LEFT: f64 = 84.0;
/// Right edge of the plot.
const RIGHT: f64 = 626.0;
/// Height of a stage's row.
const ROW: usize = 84;
/// Height of its tallest bar.
const TALL: f64 = 54.0;

/// Tokens per stage over all images; empty for a dense network.
pub fn histograms(report: &Report) -> String {
    let (dense, stages) = (report.shape.tokens(), report.rows.len());
    if stages == 0 {
        return String::new();
    }
    let bottom = stages * ROW;
    let rows: String = report.rows.iter().enumerate().map(|(stage, rows)| histogram(stage, rows, dense)).collect();
    let means: Vec<String> = report.rows.iter().map(|rows| format!("{:.1}", mean(rows))).collect();
    format!(
        "<figure class=\"chart\"><figcaption><h3>Tokens behind each stage</h3><p>of {dense}, over {images} images</p>\
         </figcaption><div class=\"scroll\"><svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"Histogram of tokens behind each stage, means {means}\">{axis}{rows}</svg></div></figure>\n",
        images = report.summary.images,
        height = bottom + 26,
        means = means.join(", "),
        axis = axis(dense, bottom),
    )
}

fn mean(rows: &[usize]) -> f64 {
    rows.iter().sum::<usize>() as f64 / rows.len().max(1) as f64
}

/// Place of a number of tokens.
fn x(tokens: f64, dense: usize) -> f64 {
    LEFT + tokens / (dense + 1) as f64 * (RIGHT - LEFT)
}

/// Numbers below the plot: about five round ones and the dense network's.
fn axis(dense: usize, bottom: usize) -> String {
    let step = [1, 2, 5, 10, 20, 50, 100, 200].into_iter().find(|s| dense / s <= 5).unwrap_or(500);
    let round = (0..dense).step_by(step).filter(|t| dense - t > step / 3);
    let tick = |t: usize| {
        let x = x(t as f64 + 0.5, dense);
        format!(
            "<path class=\"tick\" d=\"M{x:.1} 8V{bottom}\"/><text class=\"num\" x=\"{x:.1}\" y=\"{}\">{t}</text>",
            bottom + 18
        )
    };
    round.chain([dense]).map(tick).collect()
}

fn histogram(stage: usize, rows: &[usize], dense: usize) -> String {
    let width = (dense + 1).div_ceil(BARS).max(1);
    let mut bars = vec![0usize; (dense + 1).div_ceil(width)];
    for tokens in rows {
        bars[(*tokens).min(dense) / width] += 1;
    }
    let most = bars.iter().copied().max().unwrap_or(0).max(1);
    let base = ((stage + 1) * ROW) as f64;
    let bar = |(index, count): (usize, &usize)| {
        let (from, to) = (index * width, ((index + 1) * width).min(dense + 1));
        let (left, right) = (x(from as f64, dense) + 0.75, x(to as f64, dense) - 0.75);
        let height = TALL * *count as f64 / most as f64;
        let tokens = if to - from == 1 { from.to_string() } else { format!("{from} to {}", to - 1) };
        format!(
            "<rect class=\"b\" x=\"{left:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\" rx=\"1.5\">\
             <title>{tokens} tokens: {count} images</title></rect>",
            base - height,
            right - left
        )
    };
    let drawn: String = bars.iter().enumerate().filter(|(_, count)| **count > 0).map(bar).collect();
    let (mean, middle) = (mean(rows), x(mean(rows) + 0.5, dense));
    format!(
        "<path class=\"base\" d=\"M{LEFT} {base}H{RIGHT}\"/>{drawn}<path class=\"mean\" d=\"M{middle:.1} {top:.1}V{base}\"/>\
         <text class=\"val\" x=\"{middle:.1}\" y=\"{text:.1}\">{mean:.1}</text>\
         <text class=\"name\" x=\"0\" y=\"{name:.1}\">Stage {number}</text>",
        top = base - TALL - 6.0,
        text = base - TALL - 11.0,
        name = base - 4.0,
        number = stage + 1,
    )
}

/// Share of subject and background that is left behind each stage; empty where it is not known.
pub fn shares(report: &Report) -> String {
    if report.shares.is_empty() {
        return String::new();
    }
    let bar = |class: &str, name: &str, share: f64| {
        format!(
            "<div class=\"share\"><span>{name}</span><span class=\"track\"><i class=\"{class}\" style=\"width:{:.2}%\"></i>\
             </span><b>{}</b></div>",
            100.0 * share,
            percent(share)
        )
    };
    let stages: String = report
        .shares
        .iter()
        .enumerate()
        .map(|(stage, share)| {
            let (subject, background) = (share.subject, share.background);
            let bars = bar("sub", "subject", subject) + &bar("bg", "background", background);
            format!("<h4>Stage {}</h4>{bars}", stage + 1)
        })
        .collect();
    format!(
        "<figure class=\"chart\"><figcaption><h3>Patches kept</h3><p>share that is still a token, by what is on the patch</p>\
         </figcaption>{stages}</figure>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_image_is_in_a_bar() {
        let text = histogram(0, &[5, 5, 6, 82, 82, 82], 82);
        assert_eq!(text.matches("<rect ").count(), 3, "{text}");
        assert!(text.contains("<title>4 to 5 tokens: 2 images</title>"), "{text}");
        assert!(text.contains("<title>82 tokens: 3 images</title>"), "{text}");
        assert!(text.contains(">43.7</text>"), "{text}");
    }

    #[test]
    fn ticks_are_few_and_round() {
        let numbers = |dense| axis(dense, 10).matches("<text").count();
        assert_eq!([2, 5, 82, 197, 512].map(numbers), [3, 6, 6, 5, 7]);
    }
}
