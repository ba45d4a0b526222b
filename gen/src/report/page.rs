//! The page as a whole.

use super::card::card;
use super::text::escape;
use super::{Report, chart, figures, scale};
use heatvit_model::selector::PackageRule;

const STYLE: &str = include_str!("style.css");

/// The page.
pub fn render(report: &Report) -> String {
    let name = escape(&report.name);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{name} · heatvit</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n{PATTERNS}<main>\n{head}{tiles}{charts}{pictures}{foot}</main>\n\
         </body>\n</html>\n",
        head = head(report, &name),
        tiles = figures::tiles(report),
        charts = charts(report),
        pictures = pictures(report),
        foot = foot(report),
    )
}

/// Hatching, for all pictures. It must not be `display: none`: that would hide what refers to it.
const PATTERNS: &str = "<svg class=\"defs\" width=\"0\" height=\"0\" aria-hidden=\"true\"><defs>\
    <pattern id=\"hatch\" width=\"3.2\" height=\"3.2\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
    <rect class=\"hv\" width=\"3.2\" height=\"3.2\"/><rect class=\"hl\" width=\".9\" height=\"3.2\"/></pattern>\
    </defs></svg>\n";

fn head(report: &Report, name: &str) -> String {
    let facts = report.facts.iter().map(|(key, value)| (*key, escape(value))).chain(selectors(report));
    let facts: String = facts.map(|(key, value)| format!("<div><dt>{key}</dt><dd>{value}</dd></div>")).collect();
    let lead = match (report.selectors.len(), report.cards.len()) {
        (0, _) => "The network has no token selectors: every image keeps all its tokens in every block.",
        _ => "What the token selectors look at, and what they let go.",
    };
    format!(
        "<header class=\"top\"><p class=\"eyebrow\">heatvit run</p><h1>{name}</h1><p class=\"lead\">{lead}</p><dl>{facts}</dl></header>\n"
    )
}

fn selectors(report: &Report) -> Option<(&'static str, String)> {
    let blocks: Vec<String> = report.selectors.iter().map(|s| s.block.to_string()).collect();
    let (last, rest) = blocks.split_last()?;
    let text = if rest.is_empty() {
        format!("before block {last}")
    } else {
        format!("before blocks {} and {last}", rest.join(", "))
    };
    Some(("Selectors", text))
}

fn charts(report: &Report) -> String {
    let charts = chart::histograms(report) + &chart::shares(report);
    if charts.is_empty() { charts } else { format!("<section class=\"charts\">{charts}</section>\n") }
}

fn pictures(report: &Report) -> String {
    let (shown, all) = (report.cards.len(), report.summary.images);
    let of = if shown == all { format!("all {all}") } else { format!("the first {shown} of {all}") };
    let cards: String = report.cards.iter().map(|c| card(report, c)).collect();
    let (class, legend) =
        if report.selectors.is_empty() { ("cards dense", String::new()) } else { ("cards", legend(report)) };
    format!("<section><h2>Images <small>{of}</small></h2>\n{legend}<div class=\"{class}\">\n{cards}</div></section>\n")
}

/// Width of a number on the scale, in scores.
const LABEL: u32 = 90;

/// The colours of scores with the thresholds, and the looks of patches.
fn legend(report: &Report) -> String {
    let mut thresholds: Vec<u32> = report.selectors.iter().map(|s| s.threshold).collect();
    thresholds.sort_unstable();
    thresholds.dedup();
    let place = |t: u32| 100.0 * f64::from(t.min(scale::ONE)) / f64::from(scale::ONE);
    let lines = thresholds.iter().map(|t| format!("<span class=\"mark\" style=\"left:{:.2}%\"></span>", place(*t)));
    // Numbers that would lie on each other are written side by side.
    let labels = thresholds.chunk_by(|a, b| b - a < LABEL).map(|near| {
        let middle = near.iter().map(|t| place(*t)).sum::<f64>() / near.len() as f64;
        let values: Vec<String> = near.iter().map(|t| scale::threshold(*t)).collect();
        format!("<b style=\"left:{middle:.2}%\">{}</b>", values.join(", "))
    });
    let marks: String = lines.chain(labels).collect();
    let swatch = |class: &str, text: &str| {
        format!(
            "<li><svg class=\"p v\" viewBox=\"0 0 20 20\" aria-hidden=\"true\"><path class=\"pic\" d=\"M0 0h20v20h-20z\"/>\
             <path class=\"{class}\" d=\"M0 0h20v20h-20z\"/></svg>{text}</li>"
        )
    };
    format!(
        "<div class=\"legend\"><div class=\"scale\"><span>score</span>\
         <span class=\"ramp\" style=\"background:{gradient}\"><span class=\"end\">0</span><span class=\"end\">1</span>{marks}</span>\
         <span>kept from the threshold on</span></div><ul>{kept}{dropped}{gone}</ul></div>\n",
        gradient = scale::gradient(),
        kept = swatch("k", "kept"),
        dropped = swatch("d", "dropped by this stage"),
        gone = swatch("g", "dropped before"),
    )
}

fn foot(report: &Report) -> String {
    let tokens = match report.selectors.first().map(|s| s.package) {
        None => "",
        Some(PackageRule::Merged) => {
            " Tokens count the class token and, where patches were dropped, the token that carries what is left of them."
        }
        Some(PackageRule::None) => " Tokens count the class token; nothing is left of dropped patches.",
    };
    let scores = match tokens {
        "" => "",
        _ => " Scores are those of the integer model, in steps of 1/512; point at a patch to read its own.",
    };
    format!(
        "<footer><p>Written by heatvit {version}.{tokens}{scores}</p></footer>\n",
        version = env!("CARGO_PKG_VERSION")
    )
}
