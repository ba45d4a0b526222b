//! Do the documents show what the sources and the tool say?

use heatvit_hdl::{Parameters, array};
use heatvit_rtl::{Design, verilog};
use std::path::{Path, PathBuf};

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const README: &str = include_str!("../../README.md");
/// The unit whose source and print the README shows.
const UNIT: &str = "accumulator_lane";

/// A text for a README block, or a panic that shows what to put there.
fn assert_shown(language: &str, text: &str) {
    let block = format!("```{language}\n{}\n```\n", text.trim_end());
    assert!(README.contains(&block), "replace the {language} block of README.md by:\n{block}");
}

#[test]
fn the_readme_shows_the_source_of_its_example() {
    let source = include_str!("../../hdl/src/array/accumulator.rs");
    let start = source.find(&format!("fn {UNIT}(")).unwrap();
    let length = source[start..].find("\n}\n").unwrap();
    assert_shown("rust", &source[start..start + length + 2]);
}

#[test]
fn the_readme_shows_the_print_of_its_example() {
    let parameters = Parameters {
        rows: 16,
        columns: 16,
        max_tokens: 82,
        a_words: 2,
        k_words: 2,
        v_words: 2,
        s_words: 2,
        x_words: 2,
        out_words: 1,
        selector_heads: 0,
    };
    let mut design = Design::new();
    array::accumulator(&mut design, &parameters);
    let files = verilog::print(&design);
    let file = files.iter().find(|f| f.name == format!("{UNIT}.v")).unwrap();
    assert_shown("verilog", &file.text);
}

/// Every Markdown file of the repository's own folders.
fn documents() -> Vec<PathBuf> {
    let folders = ["", "docs", "data/digits"].map(|f| Path::new(REPOSITORY).join(f));
    let files = folders.iter().flat_map(|f| std::fs::read_dir(f).unwrap());
    files.map(|f| f.unwrap().path()).filter(|f| f.extension().is_some_and(|e| e == "md")).collect()
}

/// Targets of `[text](target)`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

#[test]
fn links_between_documents_lead_somewhere() {
    let files = documents();
    assert!(files.len() >= 8, "{files:?}");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for link in links(&text).filter(|l| !l.contains("://")) {
            let target = file.parent().unwrap().join(link.split('#').next().unwrap());
            assert!(target.exists(), "{}: no such file: {link}", file.display());
        }
    }
}
