//! The page as a whole: what has to be on it, for any run.

use super::panel::{Fate, Grid};
use super::*;
use crate::summary::{Accuracy, Cycles, Macs};
use crate::tokens::Tokens;

/// Six patches in two rows; the second stage decides about what the first one left.
fn stages() -> Vec<Stage> {
    let first = Stage {
        kept: vec![true, true, false, false, true, true],
        score: vec![Some(512), Some(256), Some(255), Some(0), Some(400), Some(300)],
        rows: 6,
    };
    let second = Stage {
        kept: vec![true, false, false, false, true, false],
        score: vec![Some(500), Some(100), None, None, Some(333), Some(30)],
        rows: 4,
    };
    vec![first, second]
}

fn report(channels: usize, stages: &[Stage], images: usize) -> Report {
    let card = |index| Card {
        index,
        pixels: (0..4 * 6 * channels).map(|i| (i * 3 % 256) as u8).collect(),
        label: Some(3),
        class: if index == 1 { 4 } else { 3 },
        cycles: 50_000 + index as u64,
        equal: true,
        subject: Some(vec![true, false, false, false, true, false]),
        stages: stages.to_vec(),
    };
    let mut summary = Summary {
        images: 20,
        mismatches: Some(0),
        tensors_compared: Some(3080),
        accuracy: Accuracy { float: Some(0.9), int8: Some(0.85), rtl: Some(0.85), ..Accuracy::default() },
        macs: Some(Macs { dense: 1000, executed_mean: 1000.0, selectors_mean: None, saved: None }),
        cycles: Cycles::of(&[50_000, 50_001]),
        ..Summary::default()
    };
    if !stages.is_empty() {
        let (stage_mean, stage_deviation) = (vec![6.0, 4.0], vec![0.0, 0.0]);
        summary.tokens =
            Some(Tokens { dense: 7, stage_mean, stage_deviation, subject_kept: None, background_kept: None });
        summary.macs = Some(Macs::pruned(1000, 600.0, 60.0));
    }
    Report {
        name: "a<b>&\"c\"".to_owned(),
        facts: vec![("Weights", "<script>.safetensors".to_owned())],
        shape: ImageShape { height: 4, width: 6, channels, patch: 2 },
        selectors: [(1, 256), (3, 300)]
            .iter()
            .take(stages.len())
            .map(|&(block, threshold)| SelectorFacts { block, threshold, package: PackageRule::Merged })
            .collect(),
        summary,
        rows: stages.iter().map(|s| vec![s.rows; 20]).collect(),
        shares: stages.iter().map(|_| Share { subject: 0.75, background: 0.25 }).collect(),
        cards: (0..images).map(card).collect(),
    }
}

/// The parts of a text that begin with `from`, up to the next `to`.
fn parts<'a>(text: &'a str, from: &'a str, to: &'a str) -> Vec<&'a str> {
    text.split(from).skip(1).map(|part| part.split(to).next().unwrap_or(part)).collect()
}

#[test]
fn the_foot_says_what_becomes_of_dropped_patches() {
    let mut report = report(1, &stages(), 1);
    assert!(render(&report).contains("the token that carries what is left of them. Scores are"));
    report.selectors.iter_mut().for_each(|s| s.package = PackageRule::None);
    assert!(render(&report).contains("Tokens count the class token; nothing is left of dropped patches. Scores are"));
    report.selectors.clear();
    assert!(!render(&report).contains("Tokens count"));
}

#[test]
fn every_image_has_a_card_with_a_picture_and_two_panels_per_stage() {
    for channels in [1, 3] {
        let page = render(&report(channels, &stages(), 3));
        assert_eq!(page.matches("<article class=\"card\"").count(), 3);
        assert_eq!(page.matches("href=\"data:image/png;base64,").count(), 3, "each picture is there once");
        assert_eq!(page.matches("<use href=\"#picture-1\"/>").count(), 2);
        assert_eq!(page.matches("class=\"p s\"").count(), 6);
        assert!(page.contains("<b>7</b> → <b>6</b> → <b>4</b> tokens"));
        assert!(page.contains("<li class=\"no\">predicted <b>4</b>"));
    }
}

#[test]
fn every_patch_says_its_score_and_looks_as_the_mask_says() {
    let page = render(&report(1, &stages(), 1));
    let grid = Grid { size: (2, 3), subject: Some(&[true, false, false, false, true, false]) };
    let maps = parts(&page, "class=\"p s\"", "</svg>");
    // The legend's swatches are of the same class.
    let veils: Vec<_> = parts(&page, "class=\"p v\"", "</svg>").into_iter().filter(|v| v.contains("<use")).collect();
    assert_eq!((maps.len(), veils.len()), (2, 2));
    for (number, stage) in stages().iter().enumerate() {
        let titles = |panel| parts(panel, "<title>", "</title>");
        let expected: Vec<String> = (0..6).map(|patch| grid.tooltip(patch, stage)).collect();
        assert_eq!(titles(maps[number]), expected);
        assert_eq!(titles(veils[number]), expected);
        let classes: Vec<&str> =
            parts(veils[number], "<path class=\"", "\"").into_iter().filter(|c| c.len() == 1).collect();
        let fates = (0..6).map(|patch| match Fate::of(stage, patch) {
            Fate::Kept => "k",
            Fate::Dropped => "d",
            Fate::Gone => "g",
        });
        assert_eq!(classes, fates.collect::<Vec<_>>());
    }
    assert!(page.contains("row 1, column 3: score 0.498, dropped"), "255/512 is below the threshold");
    assert_eq!(page.matches("class=\"mark\"").count(), 2, "both thresholds are on the scale");
    assert!(page.contains(">0.500, 0.586</b>"), "numbers do not lie on each other");
    assert!(page.contains("stage 2: score, kept from 0.586"));
}

#[test]
fn names_of_the_user_cannot_become_tags() {
    let page = render(&report(1, &stages(), 1));
    assert!(page.contains("<h1>a&lt;b&gt;&amp;&quot;c&quot;</h1>"));
    assert!(page.contains("<dd>&lt;script&gt;.safetensors</dd>"));
    assert!(!page.contains("<script"));
}

#[test]
fn the_page_needs_no_other_file_and_every_picture_has_words() {
    let page = render(&report(3, &stages(), 2));
    assert!(!page.contains("http") && !page.contains("@import") && !page.contains("<link"));
    assert_eq!(page.matches("url(").count(), page.matches("url(#hatch)").count());
    for svg in parts(&page, "<svg ", ">") {
        assert!(svg.contains("aria-label=\"") || svg.contains("aria-hidden=\"true\""), "{svg}");
    }
    for tag in ["svg", "figure", "div", "section", "article", "ul", "li", "title", "span"] {
        let opened = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn a_dense_network_is_called_one() {
    let page = render(&report(1, &[], 2));
    assert!(page.contains("has no token selectors"));
    assert_eq!((page.matches("<article").count(), page.matches("<figure class=\"in\"").count()), (2, 2));
    assert!(!page.contains("class=\"legend\"") && !page.contains("stage"));
}

#[test]
fn equal_runs_make_equal_pages() {
    assert_eq!(render(&report(3, &stages(), 3)), render(&report(3, &stages(), 3)));
}
