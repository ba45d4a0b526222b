//! The run's key figures as tiles, the same as in the table on the terminal.

use super::Report;
use super::text::percent;
use crate::summary::grouped;

/// All tiles.
pub fn tiles(report: &Report) -> String {
    let tiles = [tokens(report), macs(report), cycles(report), accuracy(report), proof(report)];
    let tiles: String = tiles.into_iter().flatten().collect();
    format!("<section class=\"tiles\" aria-label=\"Key figures\">{tiles}</section>\n")
}

fn tile(name: &str, value: &str, more: &str) -> String {
    format!("<div class=\"tile\"><h3>{name}</h3><p class=\"big\">{value}</p>{more}</div>")
}

fn note(text: &str) -> String {
    format!("<p class=\"note\">{text}</p>")
}

/// A large number, short.
fn short(number: f64) -> String {
    match number {
        n if n >= 1e9 => format!("{:.2} <small>G</small>", n / 1e9),
        n if n >= 1e6 => format!("{:.2} <small>M</small>", n / 1e6),
        n if n >= 1e4 => format!("{:.1} <small>k</small>", n / 1e3),
        n => format!("{n:.0}"),
    }
}

fn tokens(report: &Report) -> Option<String> {
    let tokens = report.summary.tokens.as_ref()?;
    let means: String = tokens.stage_mean.iter().map(|mean| format!(" <small>→</small> {mean:.1}")).collect();
    let deviations: Vec<String> = tokens.stage_deviation.iter().map(|d| format!("{d:.1}")).collect();
    let text = format!("mean over images; standard deviation {}", deviations.join(" and "));
    Some(tile("Tokens", &format!("{}{means}", tokens.dense), &note(&text)).replacen("tile", "tile wide", 1))
}

/// What is left of the dense network's work, the selectors' part apart.
fn against_dense(dense: u64, saved: Option<f64>, selectors: Option<f64>, all: f64) -> Option<String> {
    let (saved, selectors) = (saved?, selectors?);
    let share = |part: f64| 100.0 * (part / dense.max(1) as f64).clamp(0.0, 1.0);
    Some(format!(
        "<div class=\"bar\" aria-hidden=\"true\"><i class=\"net\" style=\"width:{:.2}%\"></i>\
         <i class=\"sel\" style=\"width:{:.2}%\"></i></div>{}",
        share(all - selectors),
        share(selectors),
        note(&format!(
            "<b>{} saved</b> of {} dense; <span class=\"key\">selectors {} ({})</span>",
            percent(saved),
            grouped(dense),
            grouped(selectors.round() as u64),
            percent(selectors / all)
        ))
    ))
}

fn macs(report: &Report) -> Option<String> {
    let m = report.summary.macs.as_ref()?;
    let more = against_dense(m.dense, m.saved, m.selectors_mean, m.executed_mean);
    let plain = || note(&format!("{} per image", grouped(m.executed_mean.round() as u64)));
    Some(tile("MACs", &short(m.executed_mean), &more.unwrap_or_else(plain)))
}

fn cycles(report: &Report) -> Option<String> {
    let c = report.summary.cycles.as_ref()?;
    let more = c.dense.and_then(|dense| against_dense(dense, c.saved, c.selectors_mean, c.mean)).unwrap_or_default();
    let range = format!("{} to {} per image", grouped(c.min), grouped(c.max));
    let speed = match (report.summary.fps, report.summary.clock_mhz) {
        (Some(fps), Some(clock)) => format!("; {} images/s at {clock} MHz", grouped(fps.round() as u64)),
        _ => String::new(),
    };
    Some(tile("Cycles", &short(c.mean), &(more + &note(&(range + &speed)))))
}

fn accuracy(report: &Report) -> Option<String> {
    let a = &report.summary.accuracy;
    let first = a.rtl.or(a.int8).or(a.float)?;
    let named = [("RTL", a.rtl), ("int8", a.int8), ("float", a.float)];
    let text: Vec<String> = named.iter().filter_map(|(n, a)| a.map(|a| format!("{n} {}", percent(a)))).collect();
    Some(tile("Accuracy", &percent(first).replace("%", "<small>%</small>"), &note(&text.join("<br>"))))
}

fn proof(report: &Report) -> Option<String> {
    let (mismatches, tensors) = (report.summary.mismatches?, report.summary.tensors_compared?);
    let text = format!(
        "in {} tensors of {} images, RTL against the integer model",
        grouped(tensors as u64),
        report.summary.images
    );
    Some(tile("Mismatches", &grouped(mismatches as u64), &note(&text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_short() {
        let texts = [950.0, 88_066.0, 21_370_496.0, 1.26e9].map(short);
        assert_eq!(texts, ["950", "88.1 <small>k</small>", "21.37 <small>M</small>", "1.26 <small>G</small>"]);
    }
}
