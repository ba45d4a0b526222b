//! The page's data, out of a run.

use super::{Card, Report, SelectorFacts, Share};
use crate::data_set::Image;
use crate::error::GenError;
use crate::pipeline::{Build, Request, image_shape};
use crate::summary::Summary;
use crate::verify::Outcome;
use heatvit_model::config::Config;
use heatvit_model::quant::Selector;

/// Collects what the page shows of a run; `shown` limits the images with a card, not the figures.
///
/// # Errors
/// A build that does not reach the quantized network.
pub fn gather(
    build: &Build,
    request: &Request,
    (images, outcomes): (&[Image], &[Outcome]),
    summary: &Summary,
    shown: usize,
) -> Result<Report, GenError> {
    let (config, network) = (build.config()?, build.quant()?);
    let stages = network.selectors.len();
    Ok(Report {
        name: config.name.clone(),
        facts: facts(config, request),
        shape: image_shape(config),
        selectors: network.selectors.iter().map(selector).collect(),
        // The speed of the simulator is the host's, not the run's: without it equal runs make equal pages.
        summary: Summary { sim: None, ..summary.clone() },
        rows: (0..stages).map(|s| outcomes.iter().map(|o| o.stages[s].rows).collect()).collect(),
        shares: (0..stages).map_while(|s| share(images, outcomes, s)).collect(),
        cards: images.iter().zip(outcomes).take(shown).enumerate().map(card).collect(),
    })
}

fn selector(s: &Selector) -> SelectorFacts {
    SelectorFacts { block: s.block, threshold: s.threshold, package: s.package }
}

fn card((index, (image, outcome)): (usize, (&Image, &Outcome))) -> Card {
    Card {
        index,
        pixels: image.pixels.to_bytes(),
        label: image.about.label,
        class: outcome.class,
        cycles: outcome.cycles,
        equal: outcome.equal(),
        subject: image.about.subject.clone(),
        stages: outcome.stages.clone(),
    }
}

/// What is kept behind a stage; `None` where the data set does not know the subject, or there is none at all.
fn share(images: &[Image], outcomes: &[Outcome], stage: usize) -> Option<Share> {
    // Patches and kept ones, of the background and of the subject.
    let mut counts = [(0u64, 0u64); 2];
    for (image, outcome) in images.iter().zip(outcomes) {
        for (subject, kept) in image.about.subject.as_ref()?.iter().zip(&outcome.stages[stage].kept) {
            let (all, left) = &mut counts[usize::from(*subject)];
            *all += 1;
            *left += u64::from(*kept);
        }
    }
    let [background, subject] = counts.map(|(all, left)| (all > 0).then(|| left as f64 / all as f64));
    Some(Share { subject: subject?, background: background? })
}

fn facts(config: &Config, request: &Request) -> Vec<(&'static str, String)> {
    let (m, a) = (&config.model, &config.accelerator);
    let colours = if m.channels == 1 { "grey".to_owned() } else { format!("{} channels", m.channels) };
    let mut facts = vec![
        ("Image", format!("{} × {}, {colours}", m.width, m.height)),
        ("Patches", format!("{} of {} × {}", m.tokens() - 1, m.patch, m.patch)),
        ("Network", format!("{} blocks, {} heads, {} channels", m.depth, m.heads, m.embed)),
        ("Accelerator", format!("{} × {} array, {} MHz", a.rows, a.columns, a.clock_mhz)),
    ];
    let weights = request.weights.as_ref().map(|w| w.display().to_string());
    if let Some(weights) = weights.or_else(|| config.weight_file().map(str::to_owned)) {
        let name = weights.rsplit(['/', '\\']).next().unwrap_or(&weights);
        facts.push(("Weights", name.to_owned()));
    }
    facts
}
