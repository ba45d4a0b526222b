use super::*;
use crate::selector::{HeadWeights, PackageRule};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

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

/// What `show config` prints is a configuration, whatever was written.
#[test]
fn the_printed_form_is_the_same_configuration() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for _ in 0..500 {
        let text = random_text(&mut rng);
        let config = Config::parse("configs/some name.toml", &text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        let printed = config.to_toml().unwrap_or_else(|e| panic!("{e}\n{text}"));
        assert_eq!(Config::parse("other.toml", &printed), Ok(config), "{text}\n{printed}");
    }
}

/// A legal file: some keys are written, each with one of a few values.
fn random_text(rng: &mut ChaCha8Rng) -> String {
    let sizes = [
        "[model]\npreset = \"deit_small\"\n",
        "[model]\nimage = 32\nchannels = 3\npatch = 4\nembed = 32\ndepth = 9\nheads = 2\nclasses = 3\n",
        "[model]\nheight = 24\nwidth = 16\nchannels = 1\npatch = 8\nembed = 48\ndepth = 12\nheads = 3\nclasses = 7\n",
    ];
    let keys: [&[&str]; 10] = [
        &["mlp_ratio = 2.5", "mlp_hidden = 77", "qkv_bias = false", "eps = 3e-5"],
        &["[model.gelu]\ndelta1 = 0.5", "[model.softmax]\ndelta2 = 0.3"],
        &["[input]\nresize = 240", "[input]"],
        &["[data]\nkind = \"folder\"\nfile = \"a \\\"b\"\nlabels = \"l\"", "[data]\nkind = \"digits\"\nfile = \"d\""],
        &["[weights]\nfloat = \"f\"\npruned = \"p\""],
        &["[quantize]\ncalibration_images = 7"],
        &[
            "[accelerator]\nrows = 32\ncolumns = 8",
            "[accelerator]\nclock_mhz = 222\n[accelerator.capacity]\ntokens = 400",
        ],
        &["[memory]\ngigabytes_per_second = 0.3", "[memory]\nbytes_per_second = 7654321\nlatency_cycles = 9"],
        &["[train]\nepochs = 4\nlearning_rate = 0.1", "[fine_tune]\nepochs = 50"],
        &["[selectors]\nstages = [3, 8]\ntargets = [0.51, 0.333]", "[selectors]\nenabled = false\nstages = [4]"],
    ];
    let mut text = if rng.random() { "name = \"n é\"\n".to_owned() } else { String::new() };
    text += sizes[rng.random_range(0..sizes.len())];
    for choices in keys {
        if rng.random() {
            text += choices[rng.random_range(0..choices.len())];
            text += "\n";
        }
    }
    text
}

#[test]
fn two_ways_to_say_the_same_exclude_each_other() {
    let both = TINY.to_owned() + "mlp_ratio = 2\nmlp_hidden = 64\n";
    assert!(message(&both).ends_with("`mlp_ratio` is given, too; keep one of the two"), "{}", message(&both));
    let both = TINY.to_owned() + "[memory]\nbytes_per_second = 1000000\ngigabytes_per_second = 1.0\n";
    assert!(message(&both).ends_with("is given, too; keep one of the two"), "{}", message(&both));
    assert!(message(&format!("name = \"a\\nb\"\n{TINY}")).contains("none of them is a control character"));
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
        "a.toml:10: unknown key `memory.colour`; known here: ports, bytes_per_second, gigabytes_per_second, latency_cycles"
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
            "classes = 3\n[train]\nepochs = 3\n",
            "a.toml:9: `train.warmup_epochs` = 3 (default) is not legal: the warm-up is shorter than train.epochs (3); \
             lower it or train for more epochs",
        ),
        (
            "classes = 3\n",
            "classes = 3\n[fine_tune]\nepochs = 4\nwarmup_epochs = 4\n",
            "a.toml:11: `fine_tune.warmup_epochs` = 4 is not legal: the warm-up is shorter than fine_tune.epochs (4); \
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

/// Eight blocks, two heads of eight channels.
const DEEP: &str = "[model]\nimage = 8\nchannels = 1\npatch = 4\nembed = 16\ndepth = 8\nheads = 2\nclasses = 3\n";

#[test]
fn selectors_are_off_unless_there_are_stages() {
    let dense = Config::parse("a.toml", DEEP).unwrap();
    assert!(!dense.selectors.enabled && dense.selectors.stages.is_empty() && dense.selectors.targets.is_empty());
    assert_eq!(dense.network_options().selectors, SelectorOptions::default());
    let text = format!("{DEEP}[weights]\nfloat = \"f\"\npruned = \"p\"\n[selectors]\nstages = [3, 5, 7]\n");
    let on = Config::parse("a.toml", &text).unwrap();
    assert_eq!((on.selectors.enabled, on.selectors.dense_blocks), (true, 3));
    assert_eq!(on.selectors.targets, [0.7, 0.49, 0.343]);
    assert_eq!((on.weight_file(), on.network_options().selectors.stages), (Some("p"), vec![3, 5, 7]));
    let off = Config::parse("a.toml", &text.replace("[selectors]", "[selectors]\nenabled = false")).unwrap();
    assert_eq!((off.weight_file(), off.network_options().selectors.stages), (Some("f"), vec![]));
    let back: Config = toml::from_str(&on.to_toml().unwrap()).unwrap();
    assert_eq!(back, on);
}

#[test]
fn selector_choices_are_read() {
    let text = format!(
        "{DEEP}[selectors]\nstages = [1]\ndense_blocks = 1\ntargets = [0.5]\nhead_weights = \"shared\"\npackage = \"none\"\n"
    );
    let config = Config::parse("a.toml", &text).unwrap();
    let options = config.network_options().selectors;
    assert_eq!((options.head_weights, options.package), (HeadWeights::Shared, PackageRule::None));
    assert_eq!(config.selectors.targets, [0.5]);
    assert_eq!(config.weight_file(), None);
}

#[test]
fn illegal_selectors_name_rule_and_remedy() {
    let cases = [
        (
            "enabled = true",
            "a.toml:9: `selectors.stages` is missing; write the blocks that selectors sit before, such as \
             stages = [3, 6, 9], or enabled = false",
        ),
        (
            "enabled = true\nstages = []",
            "a.toml:11: `selectors.stages` = [] is not legal: enabled selectors have at least one stage; write the \
             blocks that selectors sit before, such as stages = [3, 6, 9], or enabled = false",
        ),
        ("stages = 3", "a.toml:10: `selectors.stages` = 3 is of type integer; write a list of whole numbers"),
        (
            "stages = [3, \"4\"]",
            "a.toml:10: `selectors.stages[1]` = \"4\" is of type string; write a list of whole numbers",
        ),
        (
            "stages = [3, -4]",
            "a.toml:10: `selectors.stages[1]` = -4 is not legal: it lies in 0..4294967295; the nearest legal value is 0",
        ),
        (
            "stages = [3,\n  8]",
            "a.toml:11: `selectors.stages[1]` = 8 is not legal: the network has the blocks 0..7; name a block of them",
        ),
        (
            "stages = [2, 4]",
            "a.toml:10: `selectors.stages[0]` = 2 is not legal: the first selectors.dense_blocks (3) blocks stay \
             dense; name a later block or lower `dense_blocks`",
        ),
        (
            "stages = [4, 4]",
            "a.toml:10: `selectors.stages[1]` = 4 is not legal: blocks rise, each at most once; sort the list",
        ),
        (
            "dense_blocks = 0\nstages = [0,1,2,3,4,5,6,7,8]",
            "a.toml:11: `selectors.stages` = [0,1,2,3,4,5,6,7,8] is not legal: at most 8 stages are supported; \
             leave some out",
        ),
        (
            "stages = [4]\ntargets = [0.7, 0.5]",
            "a.toml:11: `selectors.targets` = [0.7, 0.5] is not legal: it has one number for each of the 1 stages; \
             make the lists equally long",
        ),
        (
            "stages = [4]\ntargets = [1.5]",
            "a.toml:11: `selectors.targets[0]` = 1.5 is not legal: it lies in 0.01..1; write a number of that range",
        ),
        (
            "stages = [4, 5]\ntargets = [0.4, 0.5]",
            "a.toml:11: `selectors.targets[1]` = 0.5 is not legal: targets are shares of the dense candidates, so \
             none is above the one before (0.4); write falling numbers",
        ),
        (
            "stages = [4]\npackage = \"non\"",
            "a.toml:11: `selectors.package` = \"non\" is not legal: it is one of \"merged\", \"none\"; \
             did you mean \"none\"?",
        ),
        (
            "stages = [4]\nhead_weights = 2",
            "a.toml:11: `selectors.head_weights` = 2 is of type integer; write a string in quotes",
        ),
        (
            "stages = [4]\n[weights]\nfloat = \"f\"",
            "a.toml:11: `weights.pruned` is missing; write the path of the file with selectors that `train` makes, \
             or selectors.enabled = false",
        ),
    ];
    for (lines, expected) in cases {
        assert_eq!(message(&format!("{DEEP}[selectors]\n{lines}\n")), expected);
    }
    let narrow = DEEP.replace("heads = 2", "heads = 8") + "[selectors]\nstages = [4]\n";
    assert_eq!(
        message(&narrow),
        "a.toml:10: `selectors.stages` = [4] is not legal: selectors need a head_dim that is a multiple of 4, not 2; \
         change the number of heads or write enabled = false"
    );
    let other = DEEP.replace("heads = 2", "heads = 2\nhead_dim = 12") + "[selectors]\nstages = [4]\n";
    assert_eq!(
        message(&other),
        "a.toml:11: `selectors.stages` = [4] is not legal: selectors need model.embed (16) = heads (2) x head_dim \
         (12); change the dimensions or write enabled = false"
    );
    let many = DEEP.replace("embed = 16", "embed = 80").replace("heads = 2", "heads = 20");
    assert_eq!(
        message(&(many + "[selectors]\nstages = [4]\n")),
        "a.toml:10: `selectors.stages` = [4] is not legal: selectors support at most 16 heads, not 20; use fewer \
         heads or write enabled = false"
    );
}
