//! From a quantized network to the program.

use super::descriptor::{Descriptor, Field, Hold, Opcode};
use super::image::Image;
use super::layout::{Layout, Padding};
use super::product::{Output, Product, Source, Stationary};
use crate::parameters::Parameters;
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
    /// Products in order.
    pub products: Vec<Product>,
    /// The program region of the stream.
    pub stream: Vec<u8>,
    /// Classes: logits that are written.
    pub classes: usize,
    /// Embedding channels D.
    pub embed: usize,
    patch_inputs: usize,
}

struct Planner<'n> {
    network: &'n QuantNetwork,
    layout: Layout,
    products: Vec<Product>,
}

impl Program {
    /// Compiles.
    ///
    /// # Errors
    /// When the network does not fit.
    pub fn compile(network: &QuantNetwork, parameters: &Parameters) -> Result<Self, ScheduleError> {
        let dims = &network.dims;
        let needed = Parameters::for_dims(dims, parameters.rows, parameters.columns);
        if !parameters.holds(&needed) {
            return Err(ScheduleError::TooLarge { needed: Box::new(needed), given: Box::new(parameters.clone()) });
        }
        check_fields(dims, &needed)?;
        let layout = Layout::new(dims, parameters);
        let mut planner = Planner { network, layout: layout.clone(), products: Vec::new() };
        planner.network();
        let products = planner.products;
        let stream = stream(network, &layout, &products);
        Ok(Self { layout, products, stream, classes: dims.classes, embed: dims.embed, patch_inputs: dims.patch_inputs })
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

    /// 16-byte beats that the logits take.
    pub fn result_beats(&self) -> usize {
        (2 * self.classes).div_ceil(16)
    }

    /// Multiply-accumulates of an image.
    pub fn macs(&self) -> u64 {
        self.products.iter().map(|p| p.macs).sum()
    }
}

/// Everything that goes into a 16-bit field of a descriptor or addresses a memory fits there.
fn check_fields(dims: &Dims, needed: &Parameters) -> Result<(), ScheduleError> {
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
    ];
    match quantities.into_iter().find(|(_, value, limit)| value > limit) {
        Some((what, value, limit)) => Err(ScheduleError::Field { what, value, limit }),
        None => Ok(()),
    }
}

fn stream(network: &QuantNetwork, layout: &Layout, products: &[Product]) -> Vec<u8> {
    let linears = network.linears();
    let mut image = Image::new(layout);
    let mut count = Descriptor::new(Opcode::SetCount);
    count.set(Field::Counts, 1).set(Field::Amount, network.dims.tokens as u16);
    image.descriptor(&count);
    image.fill_residual(&network.pos, network.dims.embed);
    for product in products {
        image.descriptor(&product.descriptor(layout));
        if let Stationary::Weights { linear, outputs, inputs } = &product.stationary {
            let tiles = (product.output_tiles, product.reduction_tiles);
            image.weights(linears[*linear], outputs, inputs, tiles);
        }
    }
    image.descriptor(&Descriptor::new(Opcode::End));
    image.finish()
}

/// What distinguishes the linear layers of the network.
struct Layer<'a> {
    tensor: String,
    operand_tensor: Option<String>,
    linear: (usize, &'a Linear),
    outputs: Padding,
    inputs: Padding,
    source: Source,
    hold: Hold,
    output: Output,
    all_tokens: bool,
}

impl Planner<'_> {
    fn dims(&self) -> &Dims {
        &self.network.dims
    }

    fn plain(&self, channels: usize) -> Padding {
        Padding::plain(channels, self.layout.rows)
    }

    fn heads(&self) -> Padding {
        Padding::heads(self.dims().heads, self.dims().head_dim, self.layout.rows)
    }

    fn layer(&mut self, layer: Layer<'_>) {
        let rows = if layer.all_tokens { self.dims().tokens } else { 1 };
        let (linear, l) = layer.linear;
        self.products.push(Product {
            serial: self.products.len(),
            tensor: layer.tensor,
            operand_tensor: layer.operand_tensor,
            sums_tensor: None,
            results: layer.outputs.clone(),
            rows,
            all_tokens: layer.all_tokens,
            output_tiles: layer.outputs.lanes().div_ceil(self.layout.columns),
            reduction_tiles: layer.inputs.lanes() / self.layout.rows,
            macs: (rows * l.inputs * l.outputs) as u64,
            stationary: Stationary::Weights { linear, outputs: layer.outputs, inputs: layer.inputs },
            wait: 0,
            source: layer.source,
            hold: layer.hold,
            output: layer.output,
            selector: l.sel,
        });
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
            all_tokens: true,
        });
        for (i, block) in network.blocks.iter().enumerate() {
            self.block(i, block, norm_after(i + 1));
        }
        self.layer(Layer {
            tensor: "logits".to_owned(),
            operand_tensor: Some("norm".to_owned()),
            linear: (1 + 6 * dims.depth, &network.head),
            outputs: Padding::plain(dims.classes, self.layout.columns),
            inputs: self.plain(dims.embed),
            source: Source::Normed,
            hold: Hold::Previous,
            output: Output::Logits,
            all_tokens: false,
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
                source: Source::Normed,
                hold: if at == 0 { Hold::Previous } else { Hold::None },
                output,
                all_tokens: true,
            });
        }
        let values_retired = self.products.len();
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
            all_tokens: true,
        });
        let hidden = self.layout.hidden_words;
        self.layer(Layer {
            tensor: name("mlp.fc1"),
            operand_tensor: Some(name("norm2")),
            linear: (first + 4, &block.fc1),
            outputs: self.plain(dims.mlp_hidden),
            inputs: self.plain(dims.embed),
            source: Source::Normed,
            hold: Hold::Previous,
            output: Output::Operand { base: 0, pitch: hidden, gelu: Some(block.gelu) },
            all_tokens: true,
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
            all_tokens: true,
        });
    }

    /// The last A V follows the one before it, whose scores stand two products back; a single head's follows
    /// its scores at once.
    fn hold_of_last(&self, dims: &Dims) -> Hold {
        if dims.heads == 1 { Hold::Previous } else { Hold::SecondPrevious }
    }

    fn scores(&mut self, i: usize, block: &Block, head: usize, wait: usize) {
        let dims = self.dims().clone();
        let tokens = Padding::plain(dims.tokens, self.layout.columns);
        let base = head * self.layout.head_words;
        self.products.push(Product {
            serial: self.products.len(),
            tensor: format!("blocks.{i}.attn.scores.{head}"),
            operand_tensor: None,
            sums_tensor: None,
            output_tiles: tokens.lanes() / self.layout.columns,
            results: tokens,
            rows: dims.tokens,
            all_tokens: true,
            reduction_tiles: self.layout.head_words,
            macs: (dims.tokens * dims.tokens * dims.head_dim) as u64,
            stationary: Stationary::Keys { head },
            wait,
            source: Source::Operand { base, pitch: self.layout.attention_words },
            hold: Hold::None,
            output: Output::Scores { bank: head % 2, scale: block.scores },
            selector: block.scores.sel,
        });
    }

    fn attend(&mut self, i: usize, block: &Block, head: usize, wait: usize, hold: Hold) {
        let dims = self.dims().clone();
        let lanes = self.layout.head_lanes;
        // This head's channels of the tensor of all heads.
        let results = Padding::plain(dims.head_dim, lanes).shifted(head * dims.head_dim);
        self.products.push(Product {
            serial: self.products.len(),
            tensor: format!("blocks.{i}.attn.o"),
            operand_tensor: Some(format!("blocks.{i}.attn.exp.{head}")),
            sums_tensor: Some(format!("blocks.{i}.attn.rowsum.{head}")),
            output_tiles: lanes / self.layout.columns,
            results,
            rows: dims.tokens,
            all_tokens: true,
            reduction_tiles: self.layout.score_words,
            macs: (dims.tokens * dims.tokens * dims.head_dim) as u64,
            stationary: Stationary::Values { head },
            wait,
            source: Source::Exponentials { bank: head % 2, scale: block.attend },
            hold,
            output: Output::Operand {
                base: head * self.layout.head_words,
                pitch: self.layout.attention_words,
                gelu: None,
            },
            selector: 0,
        });
    }
}
