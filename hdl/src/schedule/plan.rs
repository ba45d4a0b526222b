//! From a quantized network to the program.

use super::descriptor::{COUNT_CANDIDATES, COUNT_TOKENS, Descriptor, Field, Hold, Opcode};
use super::image::Image;
use super::layout::{Layout, Padding};
use super::product::{Output, Product, Rows, Source, Stationary, Tiles, Work};
use super::select::Select;
use crate::parameters::{MAX_SELECTOR_HEADS, MAX_SELECTORS, Parameters};
use heatvit_model::golden::StageCounts;
use heatvit_model::quant::{Block, Dims, Linear, NormParams, QuantNetwork};

/// Why a network does not fit the accelerator.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ScheduleError {
    /// A memory is too small.
    #[error(
        "the network does not fit the accelerator ({needed:?} is needed, {given:?} is there); raise [accelerator.capacity]"
    )]
    TooLarge {
        /// Needed.
        needed: Box<Parameters>,
        /// Given.
        given: Box<Parameters>,
    },
    /// A quantity does not fit its 16-bit field.
    #[error(
        "{what} is {value}, more than the {limit} that a descriptor can say; use a larger array or a smaller network"
    )]
    Field {
        /// Quantity.
        what: &'static str,
        /// Found.
        value: u64,
        /// Limit.
        limit: u64,
    },
}

/// The program of a network on an accelerator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Memory layout.
    pub layout: Layout,
    /// Operations in order.
    pub steps: Vec<Step>,
    /// The program region of the stream.
    pub stream: Vec<u8>,
    /// Classes: logits that are written.
    pub classes: usize,
    /// Embedding channels D.
    pub embed: usize,
    /// Selectors.
    pub selectors: usize,
    patch_inputs: usize,
    /// Byte behind the logits at which the token counts of the stages are written.
    counts_at: usize,
}

/// An operation of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A matrix product.
    Product(Box<Product>),
    /// Scores, package and counts of a selector.
    Select(Select),
}

impl Step {
    /// The matrix product, if it is one.
    pub fn product(&self) -> Option<&Product> {
        match self {
            Self::Product(product) => Some(product),
            Self::Select(_) => None,
        }
    }
}

pub(super) struct Planner<'n> {
    pub(super) network: &'n QuantNetwork,
    pub(super) layout: Layout,
    pub(super) steps: Vec<Step>,
    pub(super) serial: usize,
    /// Selectors so far.
    pub(super) stage: usize,
}

impl Program {
    /// Compiles.
    ///
    /// # Errors
    /// When the network does not fit.
    pub fn compile(network: &QuantNetwork, parameters: &Parameters) -> Result<Self, ScheduleError> {
        let dims = &network.dims;
        let needed = Parameters::for_network(network, parameters.rows, parameters.columns);
        if !parameters.holds(&needed) {
            return Err(ScheduleError::TooLarge { needed: Box::new(needed), given: Box::new(parameters.clone()) });
        }
        check_fields(network, &needed)?;
        let layout = Layout::new(dims, parameters);
        let mut planner = Planner { network, layout: layout.clone(), steps: Vec::new(), serial: 0, stage: 0 };
        planner.network();
        let steps = planner.steps;
        let stream = stream(network, &layout, &steps);
        Ok(Self {
            layout,
            steps,
            stream,
            classes: dims.classes,
            embed: dims.embed,
            selectors: network.selectors.len(),
            patch_inputs: dims.patch_inputs,
            counts_at: 16 * parameters.counts_beat() as usize,
        })
    }

    /// The matrix products in order.
    pub fn products(&self) -> impl Iterator<Item = &Product> {
        self.steps.iter().filter_map(Step::product)
    }

    /// Rows of the residual stream before any selector.
    pub fn all_tokens(&self) -> StageCounts {
        StageCounts { tokens: self.layout.tokens, candidates_and_class: self.layout.tokens }
    }

    /// The image region of the stream: patches `[tokens][patch_inputs]`.
    pub fn image(&self, patches: &[i8]) -> Vec<u8> {
        let mut image = Image::new(&self.layout);
        image.fill_operand(patches, self.patch_inputs);
        image.finish()
    }

    /// Elements of the patches of an image.
    pub fn patch_elements(&self) -> usize {
        self.layout.tokens * self.patch_inputs
    }

    /// 16-byte beats of results: the logits and, with selectors, the token counts.
    pub fn result_beats(&self) -> usize {
        if self.selectors == 0 { (2 * self.classes).div_ceil(16) } else { self.counts_at / 16 + 1 }
    }

    /// Rows after each stage, from what the design wrote.
    pub fn written_counts(&self, results: &[u8]) -> Vec<usize> {
        let words = results.get(self.counts_at..).unwrap_or(&[]).chunks_exact(2);
        words.take(self.selectors).map(|w| usize::from(u16::from_le_bytes([w[0], w[1]]))).collect()
    }

    /// Multiply-accumulates of an image, of whose tokens each stage left `stages`.
    pub fn macs(&self, stages: &[StageCounts]) -> u64 {
        self.products().map(|p| p.macs(&self.counts(p.stage, stages))).sum()
    }

    /// The selectors' part of [`Self::macs`].
    pub fn selector_macs(&self, stages: &[StageCounts]) -> u64 {
        self.products().filter(|p| p.for_selector).map(|p| p.macs(&self.counts(p.stage, stages))).sum()
    }

    /// Rows after `stage` selectors; stages that are not given leave all.
    pub fn counts(&self, stage: usize, stages: &[StageCounts]) -> StageCounts {
        let passed = stages.get(..stage).unwrap_or(stages);
        passed.last().copied().unwrap_or_else(|| self.all_tokens())
    }
}

/// Everything that goes into a 16-bit field of a descriptor or addresses a memory fits there.
fn check_fields(network: &QuantNetwork, needed: &Parameters) -> Result<(), ScheduleError> {
    let dims = &network.dims;
    const ADDRESSES: u64 = 1 << 16;
    const FIELD: u64 = u16::MAX as u64;
    let patch_vectors = dims.tokens as u64 * (dims.patch_inputs as u64).div_ceil(u64::from(needed.rows));
    let quantities = [
        ("words of the streamed operands", u64::from(needed.a_words), ADDRESSES),
        ("words of the residual stream", u64::from(needed.x_words), ADDRESSES),
        ("words of the scores", u64::from(needed.s_words), ADDRESSES),
        ("addresses of the values", u64::from(needed.v_words), ADDRESSES),
        ("words of the keys", u64::from(needed.k_words), ADDRESSES),
        ("vectors of an image", patch_vectors, FIELD),
        ("vectors of the position embedding", 2 * u64::from(needed.x_words), FIELD),
        ("attention heads of a selector", u64::from(needed.selector_heads), u64::from(MAX_SELECTOR_HEADS)),
        ("selectors", network.selectors.len() as u64, u64::from(MAX_SELECTORS)),
    ];
    match quantities.into_iter().find(|(_, value, limit)| value > limit) {
        Some((what, value, limit)) => Err(ScheduleError::Field { what, value, limit }),
        None => Ok(()),
    }
}

fn stream(network: &QuantNetwork, layout: &Layout, steps: &[Step]) -> Vec<u8> {
    let linears = network.linears();
    let mut image = Image::new(layout);
    for register in [COUNT_TOKENS, COUNT_CANDIDATES] {
        let mut count = Descriptor::new(Opcode::SetCount);
        count.set(Field::Counts, register).set(Field::Amount, network.dims.tokens as u16);
        image.descriptor(&count);
    }
    image.fill_residual(&network.pos, network.dims.embed);
    for step in steps {
        let product = match step {
            Step::Product(product) => product,
            Step::Select(select) => {
                image.descriptor(&select.descriptor(layout));
                continue;
            }
        };
        image.descriptor(&product.descriptor(layout));
        if let Stationary::Weights { linear, outputs, inputs } = &product.stationary {
            let tiles = (outputs.lanes().div_ceil(layout.columns), inputs.lanes() / layout.rows);
            image.weights(linears[*linear], outputs, inputs, tiles);
        }
    }
    image.descriptor(&Descriptor::new(Opcode::End));
    image.finish()
}

/// What distinguishes the linear layers of the network.
pub(super) struct Layer<'a> {
    pub(super) tensor: String,
    pub(super) operand_tensor: Option<String>,
    pub(super) linear: (usize, &'a Linear),
    pub(super) outputs: Padding,
    pub(super) inputs: Padding,
    pub(super) source: Source,
    pub(super) hold: Hold,
    pub(super) output: Output,
    pub(super) rows: Rows,
}

impl Planner<'_> {
    pub(super) fn dims(&self) -> &Dims {
        &self.network.dims
    }

    pub(super) fn plain(&self, channels: usize) -> Padding {
        Padding::plain(channels, self.layout.rows)
    }

    fn heads(&self) -> Padding {
        Padding::heads(self.dims().heads, self.dims().head_dim, self.layout.rows)
    }

    /// A product with weights.
    pub(super) fn layer(&mut self, layer: Layer<'_>) {
        let (linear, l) = layer.linear;
        let product = Product {
            tensor: layer.tensor,
            operand_tensor: layer.operand_tensor,
            results: Some(layer.outputs.clone()),
            rows: layer.rows,
            outputs: Tiles::Fixed(layer.outputs.lanes().div_ceil(self.layout.columns)),
            reduction: Tiles::Fixed(layer.inputs.lanes() / self.layout.rows),
            work: Work::Row(l.inputs * l.outputs),
            stationary: Stationary::Weights { linear, outputs: layer.outputs, inputs: layer.inputs },
            source: layer.source,
            hold: layer.hold,
            output: layer.output,
            selector: l.sel,
            ..self.product()
        };
        self.push(product);
    }

    /// A product of nothing, to be filled in.
    pub(super) fn product(&self) -> Product {
        Product {
            serial: self.serial,
            tensor: String::new(),
            operand_tensor: None,
            sums_tensor: None,
            results: None,
            stage: self.stage,
            rows: Rows::Tokens,
            limit: Rows::Tokens,
            outputs: Tiles::Fixed(1),
            reduction: Tiles::Fixed(1),
            shared: 0,
            work: Work::Row(0),
            for_selector: false,
            stationary: Stationary::Any,
            wait: 0,
            source: Source::Operand { base: 0, pitch: 0 },
            hold: Hold::None,
            output: Output::Logits,
            selector: 0,
        }
    }

    pub(super) fn push(&mut self, product: Product) {
        self.steps.push(Step::Product(Box::new(product)));
        self.serial += 1;
    }

    fn network(&mut self) {
        let network = self.network;
        let dims = self.dims().clone();
        let norm_after = |i: usize| network.blocks.get(i).map_or(network.norm, |b| b.norm1);
        self.layer(Layer {
            tensor: "embed".to_owned(),
            operand_tensor: None,
            linear: (0, &network.embed),
            outputs: self.plain(dims.embed),
            inputs: self.plain(dims.patch_inputs),
            source: Source::Operand { base: 0, pitch: self.layout.patch_words },
            hold: Hold::None,
            output: self.residual(norm_after(0)),
            rows: Rows::Tokens,
        });
        for (i, block) in network.blocks.iter().enumerate() {
            if let Some((at, selector)) = network.selectors.iter().enumerate().find(|(_, s)| s.block == i) {
                self.select(at, selector, block.norm1);
            }
            self.block(i, block, norm_after(i + 1));
        }
        self.layer(Layer {
            tensor: "logits".to_owned(),
            operand_tensor: Some("norm".to_owned()),
            linear: (1 + 6 * dims.depth, &network.head),
            outputs: Padding::plain(dims.classes, self.layout.columns),
            inputs: self.plain(dims.embed),
            source: Source::Normed { word: 0 },
            hold: Hold::Previous,
            output: Output::Logits,
            rows: Rows::One,
        });
    }

    fn residual(&self, norm: NormParams) -> Output {
        Output::Residual { norm, channels: self.dims().embed }
    }

    fn block(&mut self, i: usize, block: &Block, next: NormParams) {
        let dims = self.dims().clone();
        let first = 1 + 6 * i;
        let name = |part: &str| format!("blocks.{i}.{part}");
        let attention = self.layout.attention_words;
        let in_a = Output::Operand { base: 0, pitch: attention, gelu: None };
        let linears = [&block.q, &block.k, &block.v];
        for (at, (part, output)) in
            [("attn.q", in_a), ("attn.k", Output::Keys), ("attn.v", Output::Values)].into_iter().enumerate()
        {
            self.layer(Layer {
                tensor: name(part),
                operand_tensor: Some(name("norm1")),
                linear: (first + at, linears[at]),
                outputs: self.heads(),
                inputs: self.plain(dims.embed),
                source: Source::Normed { word: 0 },
                hold: if at == 0 { Hold::Previous } else { Hold::None },
                output,
                rows: Rows::Tokens,
            });
        }
        let values_retired = self.serial;
        // Scores of head h + 1 run while the row maxima of head h settle.
        self.scores(i, block, 0, values_retired - 1);
        for h in 0..dims.heads {
            if h + 1 < dims.heads {
                self.scores(i, block, h + 1, values_retired - 1);
            }
            let hold = if h + 1 < dims.heads { Hold::SecondPrevious } else { self.hold_of_last(&dims) };
            self.attend(i, block, h, values_retired, hold);
        }
        self.layer(Layer {
            tensor: name("attn.residual"),
            operand_tensor: None,
            linear: (first + 3, &block.proj),
            outputs: self.plain(dims.embed),
            inputs: self.heads(),
            source: Source::Operand { base: 0, pitch: attention },
            hold: Hold::Previous,
            output: self.residual(block.norm2),
            rows: Rows::Tokens,
        });
        let hidden = self.layout.hidden_words;
        self.layer(Layer {
            tensor: name("mlp.fc1"),
            operand_tensor: Some(name("norm2")),
            linear: (first + 4, &block.fc1),
            outputs: self.plain(dims.mlp_hidden),
            inputs: self.plain(dims.embed),
            source: Source::Normed { word: 0 },
            hold: Hold::Previous,
            output: Output::Operand { base: 0, pitch: hidden, gelu: Some(block.gelu) },
            rows: Rows::Tokens,
        });
        self.layer(Layer {
            tensor: name("residual"),
            operand_tensor: None,
            linear: (first + 5, &block.fc2),
            outputs: self.plain(dims.embed),
            inputs: self.plain(dims.mlp_hidden),
            source: Source::Operand { base: 0, pitch: hidden },
            hold: Hold::Previous,
            output: self.residual(next),
            rows: Rows::Tokens,
        });
    }

    /// The last A V follows the one before it, whose scores stand two products back; a single head's follows
    /// its scores at once.
    fn hold_of_last(&self, dims: &Dims) -> Hold {
        if dims.heads == 1 { Hold::Previous } else { Hold::SecondPrevious }
    }

    fn scores(&mut self, i: usize, block: &Block, head: usize, wait: usize) {
        let dims = self.dims().clone();
        let base = head * self.layout.head_words;
        let product = Product {
            tensor: format!("blocks.{i}.attn.scores.{head}"),
            outputs: Tiles::OfLimit,
            reduction: Tiles::Fixed(self.layout.head_words),
            work: Work::Token(dims.head_dim),
            stationary: Stationary::Keys { head },
            wait,
            source: Source::Operand { base, pitch: self.layout.attention_words },
            output: Output::Scores { bank: head % 2, scale: block.scores },
            selector: block.scores.sel,
            ..self.product()
        };
        self.push(product);
    }

    fn attend(&mut self, i: usize, block: &Block, head: usize, wait: usize, hold: Hold) {
        let dims = self.dims().clone();
        let lanes = self.layout.head_lanes;
        let product = Product {
            tensor: format!("blocks.{i}.attn.o"),
            operand_tensor: Some(format!("blocks.{i}.attn.exp.{head}")),
            sums_tensor: Some(format!("blocks.{i}.attn.rowsum.{head}")),
            // This head's channels of the tensor of all heads.
            results: Some(Padding::plain(dims.head_dim, lanes).shifted(head * dims.head_dim)),
            outputs: Tiles::Fixed(lanes / self.layout.columns),
            reduction: Tiles::OfLimit,
            work: Work::Token(dims.head_dim),
            stationary: Stationary::Values { head },
            wait,
            source: Source::Exponentials { bank: head % 2, scale: block.attend },
            hold,
            output: Output::Operand {
                base: head * self.layout.head_words,
                pitch: self.layout.attention_words,
                gelu: None,
            },
            ..self.product()
        };
        self.push(product);
    }
}
