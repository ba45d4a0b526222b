use super::*;

const TINY: &str = "[model]\nimage = 8\nchannels = 1\npatch = 4\nembed = 32\ndepth = 1\nheads = 2\nclasses = 3\n";

fn message(text: &str) -> String {
    Config::parse("a.toml", text).unwrap_err().to_string()
}

#[test]
fn defaults_complete_a_minimal_file() {
    let config = Config::parse("configs/tiny.toml", TINY).unwrap();
    assert_eq!(config.name, "tiny");
    assert_eq!((config.model.head_dim, config.model.mlp_hidden, config.model.eps), (16, 128, 1e-6));
    assert_eq!((config.accelerator.columns, config.accelerator.clock_mhz), (16, 300));
    assert_eq!(config.accelerator.capacity.tokens, 5);
    assert_eq!((config.memory.bytes_per_second, config.memory.latency_cycles), (15_360_000_000, 64));
    assert!((config.memory.bytes_per_cycle(300) - 51.2).abs() < 1e-12);
    assert!((config.memory.bytes_per_cycle(100) - 64.0).abs() < 1e-12);
    assert_eq!((config.data, config.weights, config.train), (None, None, TrainConfig::default()));
}

#[test]
fn presets_are_the_published_architectures() {
    // Parameters of the published checkpoints, counted from the dimensions.
    for (preset, parameters) in [("deit_tiny", 5_717_416), ("deit_small", 22_050_664), ("deit_base", 86_567_656)] {
        let config = Config::parse("a.toml", &format!("[model]\npreset = \"{preset}\"\n")).unwrap();
        let (m, d) = (&config.model, config.model.dims());
        let block = 4 * d.embed * (d.embed + 1) + d.mlp_hidden * (2 * d.embed + 1) + d.embed + 4 * d.embed;
        let embed = d.embed * (d.patch_inputs + 1) + d.embed + d.tokens * d.embed;
        assert_eq!(embed + d.depth * block + 2 * d.embed + d.classes * (d.embed + 1), parameters);
        assert_eq!((d.tokens, m.head_dim), (197, 64));
    }
}

#[test]
fn the_completed_form_reads_back() {
    let config = Config::parse("tiny.toml", TINY).unwrap();
    let back: Config = toml::from_str(&config.to_toml().unwrap()).unwrap();
    assert_eq!(back, config);
}

#[test]
fn a_preset_can_be_changed_key_by_key() {
    let config = Config::parse("a.toml", "[model]\npreset = \"deit_tiny\"\nclasses = 10\nimage = 64\n").unwrap();
    assert_eq!((config.model.classes, config.model.tokens(), config.model.embed), (10, 17, 192));
}

#[test]
fn syntax_and_keys_are_named_with_their_line() {
    assert_eq!(message("[model\n"), "a.toml:1: not a TOML file: unclosed table, expected `]`; correct the syntax");
    let text = format!("{TINY}[accelerator]\nrowz = 16\n");
    assert_eq!(message(&text), "a.toml:10: unknown key `accelerator.rowz`; did you mean `rows`?");
    let text = format!("{TINY}[memory]\ncolour = 1\n");
    assert_eq!(
        message(&text),
        "a.toml:10: unknown key `memory.colour`; known here: ports, gigabytes_per_second, latency_cycles"
    );
    assert_eq!(message(&TINY.replace("[model]", "[mdel]")), "a.toml:1: unknown key `mdel`; did you mean `model`?");
    assert_eq!(message(""), "a.toml: `model.image` is missing; write the side in pixels, or `height` and `width`");
    let text = TINY.replace("heads = 2", "heads = \"two\"");
    assert_eq!(message(&text), "a.toml:7: `model.heads` = \"two\" is of type string; write a whole number");
}

#[test]
fn illegal_values_name_rule_and_remedy() {
    let cases = [
        (
            "patch = 4",
            "patch = 3",
            "a.toml:2: `model.image` = 8 is not legal: the patch size (3) divides it; choose a multiple",
        ),
        (
            "heads = 2",
            "heads = 5",
            "a.toml:7: `model.heads` = 5 is not legal: it divides model.embed (32) unless `head_dim` is given; \
             write `head_dim` or another number of heads",
        ),
        (
            "depth = 1",
            "depth = 0",
            "a.toml:6: `model.depth` = 0 is not legal: it lies in 1..64; the nearest legal value is 1",
        ),
        (
            "classes = 3\n",
            "classes = 3\n[accelerator]\ncolumns = 12\n",
            "a.toml:10: `accelerator.columns` = 12 is not legal: the columns are a power of two from 4 to \
             accelerator.rows (16); write 8, for example",
        ),
        (
            "classes = 3\n",
            "classes = 3\n[accelerator.capacity]\ntokens = 4\n",
            "a.toml:10: `accelerator.capacity.tokens` = 4 is not legal: the configured network needs 5; \
             write at least that, or leave it out",
        ),
        (
            "classes = 3\n",
            "classes = 3\n[selectors]\nenabled = true\n",
            "a.toml:10: `selectors.enabled` = true is not legal: token selectors are not supported by this version; \
             write false",
        ),
        (
            "classes = 3\n",
            "classes = 3\n[train]\nepochs = 3\n",
            "a.toml:9: `train.warmup_epochs` = 3 (default) is not legal: the warm-up is shorter than train.epochs (3); \
             lower it or train for more epochs",
        ),
    ];
    for (from, to, expected) in cases {
        assert_eq!(message(&TINY.replace(from, to)), expected);
    }
}

#[test]
fn the_repositorys_configurations_are_legal() {
    let texts = [
        ("digits", include_str!("../../../configs/digits.toml"), (82, 64, 16)),
        ("deit_tiny", include_str!("../../../configs/deit_tiny.toml"), (197, 192, 64)),
        ("deit_small", include_str!("../../../configs/deit_small.toml"), (197, 384, 64)),
        ("deit_base", include_str!("../../../configs/deit_base.toml"), (197, 768, 64)),
    ];
    for (name, text, expected) in texts {
        let config = Config::parse(&format!("configs/{name}.toml"), text).unwrap();
        assert_eq!((config.model.tokens(), config.model.embed, config.accelerator.rows), expected);
        assert_eq!(config.name, name);
    }
}
