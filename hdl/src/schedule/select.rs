//! A selector's operations: its nets as products, heads side by side, then scores, package and compaction.

use super::descriptor::{Descriptor, Field, Hold, Opcode, select};
use super::layout::{Layout, Padding};
use super::plan::{Layer, Planner, Step};
use super::product::{Output, Product, Rows, Source, Stationary, Tiles, Work};
use super::selector_layout::SelectorLayout;
use heatvit_model::quant::{Linear, NormParams, PackageRule, Selector};
use std::ops::Range;

/// Cycles that the divider needs for a score.
const DIVISION_SLOTS: usize = 6;

/// Scores, package and counts of a selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Select {
    /// Prefix of its tensors.
    pub tensor: String,
    /// Selectors before it.
    pub stage: usize,
    /// Attention heads.
    pub heads: usize,
    /// Tokens with at least this score are kept, in 1/512.
    pub threshold: u32,
    /// What dropped tokens leave.
    pub package: PackageRule,
}

impl Select {
    /// The descriptor.
    pub fn descriptor(&self, layout: &Layout) -> Descriptor {
        let mut d = Descriptor::new(Opcode::Select);
        d.set(select::ROW_WORDS, layout.embed_words as u16).set(select::HEADS, self.heads as u16);
        // A slot for each head and one between tokens, so that the words of the next token find the registers free.
        d.set(select::LAST_SLOT, (self.heads + 1).max(DIVISION_SLOTS) as u16 - 1);
        d.set(select::THRESHOLD, self.threshold as u16);
        d.or(Field::Flags, u16::from(self.package == PackageRule::None), select::NO_PACKAGE);
        d
    }
}

/// What the products of one selector share.
struct Nets<'a> {
    selector: &'a Selector,
    sizes: SelectorLayout,
    heads: usize,
    /// Position of its first linear layer.
    first: usize,
    /// Word of memory A at which the mixed features begin, and the hidden layer of the head weights.
    mixed_at: usize,
    weigh_at: usize,
}

impl Nets<'_> {
    fn name(&self, part: &str) -> String {
        format!("selectors.{}.{part}", self.selector.block)
    }

    fn all(&self) -> Range<usize> {
        0..self.heads
    }
}

impl Planner<'_> {
    /// All operations of a selector; `norm` reads the residual stream behind it.
    pub(super) fn select(&mut self, at: usize, selector: &Selector, norm: NormParams) {
        let dims = self.dims().clone();
        let sizes = SelectorLayout::new(&dims, self.layout.rows);
        let local = sizes.local_pitch().max(sizes.row_words(sizes.quarter()));
        let mixed_at = dims.tokens * local;
        let nets = Nets {
            selector,
            sizes,
            heads: dims.heads,
            first: 2 + 6 * dims.depth + 6 * at,
            mixed_at,
            weigh_at: mixed_at + dims.tokens * sizes.row_words(sizes.half()),
        };
        let begin = self.steps.len();
        self.local(&nets);
        self.weigh(&nets);
        self.global(&nets);
        self.weight(&nets);
        self.mix(&nets);
        self.squeeze(&nets);
        self.keep(&nets);
        for step in &mut self.steps[begin..] {
            if let Step::Product(product) = step {
                product.for_selector = true;
            }
        }
        self.steps.push(Step::Select(Select {
            tensor: format!("selectors.{}", selector.block),
            stage: self.stage,
            heads: dims.heads,
            threshold: selector.threshold,
            package: selector.package,
        }));
        self.stage += 1;
        self.gather(&nets, norm);
    }

    /// Adds a product of a selector's net; `macs` are those of the blocks in it.
    fn net(&mut self, layer: Layer<'_>, macs: usize, shared: usize) {
        self.layer(layer);
        if let Some(Step::Product(product)) = self.steps.last_mut() {
            product.work = Work::Row(macs);
            product.shared = shared;
        }
    }

    fn local(&mut self, nets: &Nets<'_>) {
        let (s, sizes) = (nets.selector, &nets.sizes);
        let (half, rows) = (sizes.half(), self.layout.rows);
        let words = sizes.group_words(half);
        for (g, heads) in sizes.groups(half).into_iter().enumerate() {
            let channels = heads.start * sizes.head_dim..heads.end * sizes.head_dim;
            let (word, inputs) = Padding::window(channels.start, channels.end, rows);
            let layer = Layer {
                tensor: nets.name("local"),
                operand_tensor: Some(nets.name("norm")),
                linear: (nets.first, &s.local),
                outputs: Padding::group(&heads, half, words * rows, &heads),
                inputs,
                source: Source::Normed { word },
                hold: if g == 0 { Hold::Previous } else { Hold::None },
                output: Output::OperandAndValues {
                    base: 2 * g * words,
                    pitch: sizes.local_pitch(),
                    gelu: s.local_gelu,
                    channel: g * words * rows,
                    channels: sizes.channels(),
                },
                rows: Rows::Candidates,
            };
            self.net(layer, heads.len() * sizes.head_dim * half, 0);
        }
    }

    fn weigh(&mut self, nets: &Nets<'_>) {
        let l: &Linear = &nets.selector.weigh;
        let layer = Layer {
            tensor: nets.name("weigh"),
            operand_tensor: Some(nets.name("norm")),
            linear: (nets.first + 4, l),
            outputs: self.plain(l.outputs),
            inputs: self.plain(l.inputs),
            source: Source::Normed { word: 0 },
            hold: Hold::None,
            output: Output::Operand {
                base: nets.weigh_at,
                pitch: nets.sizes.weigh_words(),
                gelu: Some(nets.selector.weigh_gelu),
            },
            rows: Rows::Candidates,
        };
        self.net(layer, l.inputs * l.outputs, 0);
    }

    /// Means of the local features: attention of one row that gives every candidate the same weight.
    fn global(&mut self, nets: &Nets<'_>) {
        let sizes = &nets.sizes;
        let (half, rows) = (sizes.half(), self.layout.rows);
        let words = sizes.group_words(half);
        let wait = self.serial;
        for (g, heads) in sizes.groups(half).into_iter().enumerate() {
            let product = Product {
                tensor: nets.name("global"),
                results: Some(Padding::group(&heads, half, words * rows, &heads)),
                rows: Rows::One,
                limit: Rows::Candidates,
                outputs: Tiles::Fixed(words * rows / self.layout.columns),
                reduction: Tiles::OfLimit,
                work: Work::Candidate(heads.len() * half),
                stationary: Stationary::Locals { channel: g * words * rows, pitch: sizes.channels() },
                wait,
                source: Source::Ones { scale: nets.selector.mean },
                output: Output::Operand { base: (2 * g + 1) * words, pitch: 0, gelu: None },
                ..self.product()
            };
            self.push(product);
        }
    }

    /// The hidden layer of the head weights has been retired before the global features began.
    fn weight(&mut self, nets: &Nets<'_>) {
        let l: &Linear = &nets.selector.weight;
        let layer = Layer {
            tensor: nets.name("weight"),
            operand_tensor: None,
            linear: (nets.first + 5, l),
            outputs: Padding::plain(l.outputs, self.layout.columns),
            inputs: self.plain(l.inputs),
            source: Source::Operand { base: nets.weigh_at, pitch: nets.sizes.weigh_words() },
            hold: Hold::None,
            output: Output::Logit { word: 1 },
            rows: Rows::Candidates,
        };
        self.net(layer, l.inputs * l.outputs, 0);
    }

    fn mix(&mut self, nets: &Nets<'_>) {
        let (s, sizes) = (nets.selector, &nets.sizes);
        let (half, rows) = (sizes.half(), self.layout.rows);
        let words = sizes.group_words(half);
        for (g, heads) in sizes.groups(half).into_iter().enumerate() {
            let own = Padding::group(&heads, half, words * rows, &heads);
            let layer = Layer {
                tensor: nets.name("mix"),
                operand_tensor: None,
                linear: (nets.first + 1, &s.mix),
                outputs: own.clone(),
                inputs: own.clone().then(own.shifted(nets.heads * half)),
                source: Source::Operand { base: 2 * g * words, pitch: sizes.local_pitch() },
                // The last global features stand two products back.
                hold: if g == 0 { Hold::SecondPrevious } else { Hold::None },
                output: Output::Operand {
                    base: nets.mixed_at + g * words,
                    pitch: sizes.row_words(half),
                    gelu: Some(s.mix_gelu),
                },
                rows: Rows::Candidates,
            };
            self.net(layer, heads.len() * sizes.head_dim * half, words);
        }
    }

    fn squeeze(&mut self, nets: &Nets<'_>) {
        let (s, sizes) = (nets.selector, &nets.sizes);
        let (half, quarter, rows) = (sizes.half(), sizes.quarter(), self.layout.rows);
        let (from, to) = (sizes.group_words(half), sizes.group_words(quarter));
        for (g, heads) in sizes.groups(quarter).into_iter().enumerate() {
            let sources = sizes.groups(half).into_iter().enumerate();
            let needed: Vec<_> = sources.filter(|(_, s)| s.start < heads.end && heads.start < s.end).collect();
            let first = needed.first().map_or(0, |(at, _)| *at);
            let lanes = |group: &Range<usize>| Padding::group(group, half, from * rows, &heads);
            let inputs = needed.iter().fold(Padding::plain(0, 1), |all, (_, group)| all.then(lanes(group)));
            let layer = Layer {
                tensor: nets.name("squeeze"),
                operand_tensor: None,
                linear: (nets.first + 2, &s.squeeze),
                outputs: Padding::group(&heads, quarter, to * rows, &heads),
                inputs,
                source: Source::Operand { base: nets.mixed_at + first * from, pitch: sizes.row_words(half) },
                hold: if g == 0 { Hold::Previous } else { Hold::None },
                output: Output::Operand { base: g * to, pitch: sizes.row_words(quarter), gelu: Some(s.squeeze_gelu) },
                rows: Rows::Candidates,
            };
            self.net(layer, heads.len() * half * quarter, 0);
        }
    }

    fn keep(&mut self, nets: &Nets<'_>) {
        let (l, sizes) = (&nets.selector.keep, &nets.sizes);
        let (quarter, rows) = (sizes.quarter(), self.layout.rows);
        let lanes = sizes.group_words(quarter) * rows;
        let groups = sizes.groups(quarter).into_iter();
        let inputs = groups
            .fold(Padding::plain(0, 1), |all, heads| all.then(Padding::group(&heads, quarter, lanes, &nets.all())));
        let layer = Layer {
            tensor: nets.name("keep"),
            operand_tensor: None,
            linear: (nets.first + 3, l),
            outputs: Padding::plain(l.outputs, self.layout.columns),
            inputs,
            source: Source::Operand { base: 0, pitch: sizes.row_words(quarter) },
            hold: Hold::Previous,
            output: Output::Logit { word: 0 },
            rows: Rows::Candidates,
        };
        // Keep less drop logit of each head.
        self.net(layer, nets.heads * quarter, 0);
    }

    /// Moves the kept rows and the package together and gathers their statistics on the way.
    fn gather(&mut self, nets: &Nets<'_>, norm: NormParams) {
        let channels = self.dims().embed;
        let product = Product {
            tensor: nets.name("tokens"),
            results: Some(self.plain(channels)),
            limit: Rows::None,
            outputs: Tiles::Fixed(self.layout.embed_words * self.layout.rows / self.layout.columns),
            output: Output::Gathered { norm, channels },
            for_selector: true,
            ..self.product()
        };
        self.push(product);
    }
}
