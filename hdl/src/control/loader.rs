//! The loader: reads the program stream, hands operations on and loads stationary tiles.
//!
//! It runs at most one tile ahead of the streamer: a tile is loaded into the shadow registers of the
//! array while the tile before computes.

use heatvit_rtl::import::import;
use heatvit_rtl::{Design, ModuleId};
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

/// What the loader is at.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
enum Phase {
    /// Waits for a descriptor.
    Decode,
    /// Copies vectors into a memory.
    Fill,
    /// Hands the operation to streamer and post-processing.
    Push,
    /// Waits until what K or V must hold has been written.
    Wait,
    /// Collects biases and multipliers of an output tile.
    Parameters,
    /// Loads the columns of a tile.
    Columns,
    /// Waits for the selector, which runs while nothing else does.
    Select,
    /// The program has ended.
    Done,
    /// The descriptor is refused.
    Refused,
}

/// See [`loader`] for the ports.
#[derive(LogicBlock, Default)]
struct LoaderControl {
    pub clock: Signal<In, Clock>,
    pub reset: Signal<In, Bit>,
    pub beat_valid: Signal<In, Bit>,
    pub vector_valid: Signal<In, Bit>,
    pub is_nop: Signal<In, Bit>,
    pub is_fill: Signal<In, Bit>,
    pub is_set_count: Signal<In, Bit>,
    pub is_product: Signal<In, Bit>,
    pub is_end: Signal<In, Bit>,
    pub is_select: Signal<In, Bit>,
    pub select_legal: Signal<In, Bit>,
    pub select_done: Signal<In, Bit>,
    pub serial: Signal<In, Bits<16>>,
    pub wide: Signal<In, Bit>,
    pub amount: Signal<In, Bits<16>>,
    pub fill_base: Signal<In, Bits<16>>,
    pub legal: Signal<In, Bit>,
    pub from_stream: Signal<In, Bit>,
    pub from_keys: Signal<In, Bit>,
    pub wait_for: Signal<In, Bits<16>>,
    pub output_tiles: Signal<In, Bits<16>>,
    pub reduction_tiles: Signal<In, Bits<16>>,
    pub base: Signal<In, Bits<16>>,
    pub column_step: Signal<In, Bits<16>>,
    pub reduction_step: Signal<In, Bits<16>>,
    pub output_step: Signal<In, Bits<16>>,
    pub limit: Signal<In, Bits<16>>,
    pub columns: Signal<In, Bits<16>>,
    pub column_last: Signal<In, Bits<16>>,
    pub rows: Signal<In, Bits<16>>,
    pub vectors: Signal<In, Bits<16>>,
    pub by_row: Signal<In, Bit>,
    pub queues_ready: Signal<In, Bit>,
    pub store_ready: Signal<In, Bit>,
    pub swap: Signal<In, Bit>,
    pub retire: Signal<In, Bit>,
    pub take_beat: Signal<Out, Bit>,
    pub take_vector: Signal<Out, Bit>,
    pub align: Signal<Out, Bit>,
    pub latch: Signal<Out, Bit>,
    pub set_count: Signal<Out, Bit>,
    pub run_selector: Signal<Out, Bit>,
    pub push: Signal<Out, Bit>,
    pub shift: Signal<Out, Bit>,
    pub commit: Signal<Out, Bit>,
    pub load: Signal<Out, Bit>,
    pub load_column: Signal<Out, Bits<16>>,
    pub load_address: Signal<Out, Bits<16>>,
    pub load_lanes: Signal<Out, Bits<16>>,
    pub loaded: Signal<Out, Bit>,
    pub fill: Signal<Out, Bit>,
    pub fill_address: Signal<Out, Bits<16>>,
    pub fill_upper: Signal<Out, Bit>,
    pub done: Signal<Out, Bit>,
    pub refused: Signal<Out, Bit>,
    phase: DFF<Phase>,
    issued: DFF<Bits<16>>,
    retired: DFF<Bits<16>>,
    left: DFF<Bits<16>>,
    upper: DFF<Bit>,
    column: DFF<Bits<16>>,
    address: DFF<Bits<16>>,
    reduction_base: DFF<Bits<16>>,
    output_base: DFF<Bits<16>>,
    reduction_left: DFF<Bits<16>>,
    output_left: DFF<Bits<16>>,
    tile_limit: DFF<Bits<16>>,
    column_limit: DFF<Bits<16>>,
    reduction_limit: DFF<Bits<16>>,
    full: DFF<Bit>,
    empty: Signal<Local, Bit>,
    may_take: Signal<Local, Bit>,
    in_order: Signal<Local, Bit>,
    take_parameter: Signal<Local, Bit>,
    take_column: Signal<Local, Bit>,
    take_fill: Signal<Local, Bit>,
    last_of_left: Signal<Local, Bit>,
    last_column: Signal<Local, Bit>,
    last_reduction: Signal<Local, Bit>,
    last_output: Signal<Local, Bit>,
    next_reduction_base: Signal<Local, Bits<16>>,
    next_output_base: Signal<Local, Bits<16>>,
    next_tile_limit: Signal<Local, Bits<16>>,
    next_reduction_limit: Signal<Local, Bits<16>>,
}

impl Logic for LoaderControl {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            phase,
            issued,
            retired,
            left,
            upper,
            column,
            address,
            reduction_base,
            output_base,
            reduction_left,
            output_left,
            tile_limit,
            column_limit,
            reduction_limit,
            full
        );
        self.empty.next = self.issued.q.val() == self.retired.q.val();
        // A fill or a selector must not meet rows that are under way.
        self.may_take.next = (!self.is_fill.val() & !self.is_select.val()) | self.empty.val();
        self.in_order.next = self.serial.val() == self.issued.q.val();
        self.last_of_left.next = self.left.q.val() == 1;
        self.last_column.next = self.column.q.val() == self.column_last.val();
        self.last_reduction.next = self.reduction_left.q.val() == 1;
        self.last_output.next = self.output_left.q.val() == 1;
        self.next_reduction_base.next = self.reduction_base.q.val() + self.reduction_step.val();
        self.next_output_base.next = self.output_base.q.val() + self.output_step.val();
        self.next_tile_limit.next = self.tile_limit.q.val() - self.columns.val();
        self.next_reduction_limit.next = self.reduction_limit.q.val() - self.rows.val();
        self.take_fill.next = (self.phase.q.val() == Phase::Fill) & self.vector_valid.val();
        self.take_parameter.next =
            (self.phase.q.val() == Phase::Parameters) & self.vector_valid.val() & self.store_ready.val();
        self.take_column.next = (self.phase.q.val() == Phase::Columns)
            & !self.full.q.val()
            & (self.vector_valid.val() | !self.from_stream.val());
        self.take_vector.next =
            self.take_fill.val() | self.take_parameter.val() | (self.take_column.val() & self.from_stream.val());
        self.align.next = self.phase.q.val() == Phase::Decode;
        self.push.next = (self.phase.q.val() == Phase::Push) & self.queues_ready.val() & self.legal.val();
        self.shift.next = self.take_parameter.val();
        self.commit.next = self.take_parameter.val() & self.last_of_left.val();
        self.load.next = self.take_column.val();
        self.load_column.next = self.column.q.val();
        self.load_address.next = self.address.q.val();
        self.loaded.next = self.full.q.val();
        self.fill.next = self.take_fill.val();
        self.fill_address.next = self.address.q.val();
        self.fill_upper.next = self.upper.q.val();
        self.done.next = (self.phase.q.val() == Phase::Done) & self.empty.val();
        self.refused.next = self.phase.q.val() == Phase::Refused;
        // Stationary lanes that are real: all of the stream's; tokens below the limit of K and V.
        self.load_lanes.next = 0xFFFF.into();
        if !self.from_stream.val() {
            self.load_lanes.next = self.reduction_limit.q.val();
            if self.from_keys.val() {
                self.load_lanes.next = 0xFFFF.into();
                if self.column_limit.q.val() == 0 {
                    self.load_lanes.next = 0.into();
                }
            }
        }
        self.take_beat.next = false;
        self.latch.next = false;
        self.set_count.next = false;
        self.run_selector.next = (self.phase.q.val() == Phase::Select) & self.select_legal.val();
        // While rows of an aborted run drain, the first beats of the next one may come already: they have to wait.
        if (self.phase.q.val() == Phase::Decode) & self.beat_valid.val() & !self.reset.val() {
            self.take_beat.next = self.may_take.val();
            self.latch.next = self.may_take.val();
            self.set_count.next = self.is_set_count.val();
        }

        if self.retire.val() {
            self.retired.d.next = self.retired.q.val() + 1;
        }
        if self.swap.val() {
            self.full.d.next = false;
        }
        match self.phase.q.val() {
            Phase::Decode => {
                if self.beat_valid.val() {
                    self.left.d.next = self.amount.val();
                    self.upper.d.next = false;
                    if self.is_fill.val() {
                        if self.empty.val() {
                            self.address.d.next = self.fill_base.val();
                            self.phase.d.next = Phase::Fill;
                        }
                    } else if self.is_select.val() {
                        if self.empty.val() {
                            self.phase.d.next = Phase::Select;
                        }
                    } else if self.is_product.val() & self.in_order.val() {
                        self.phase.d.next = Phase::Push;
                    } else if self.is_end.val() {
                        self.phase.d.next = Phase::Done;
                    } else if !self.is_nop.val() & !self.is_set_count.val() {
                        self.phase.d.next = Phase::Refused;
                    }
                }
            }
            Phase::Select => {
                if !self.select_legal.val() {
                    self.phase.d.next = Phase::Refused;
                } else if self.select_done.val() {
                    self.phase.d.next = Phase::Decode;
                }
            }
            Phase::Fill => {
                if self.take_fill.val() {
                    self.left.d.next = self.left.q.val() - 1;
                    self.upper.d.next = !self.upper.q.val();
                    if self.upper.q.val() | !self.wide.val() {
                        self.address.d.next = self.address.q.val() + 1;
                    }
                    if self.last_of_left.val() {
                        self.phase.d.next = Phase::Decode;
                    }
                }
            }
            Phase::Push => {
                self.address.d.next = self.base.val();
                self.reduction_base.d.next = self.base.val();
                self.output_base.d.next = self.base.val();
                self.output_left.d.next = self.output_tiles.val();
                self.reduction_left.d.next = self.reduction_tiles.val();
                self.tile_limit.d.next = self.limit.val();
                self.column_limit.d.next = self.limit.val();
                self.reduction_limit.d.next = self.limit.val();
                self.left.d.next = self.vectors.val();
                self.column.d.next = 0.into();
                if !self.legal.val() {
                    self.phase.d.next = Phase::Refused;
                } else if self.queues_ready.val() {
                    self.issued.d.next = self.issued.q.val() + 1;
                    if self.from_stream.val() {
                        if self.by_row.val() {
                            self.phase.d.next = Phase::Columns;
                        } else {
                            self.phase.d.next = Phase::Parameters;
                        }
                    } else {
                        self.phase.d.next = Phase::Wait;
                    }
                }
            }
            Phase::Wait => {
                if self.retired.q.val() >= self.wait_for.val() {
                    self.phase.d.next = Phase::Columns;
                }
            }
            Phase::Parameters => {
                if self.take_parameter.val() {
                    self.left.d.next = self.left.q.val() - 1;
                    if self.last_of_left.val() {
                        self.phase.d.next = Phase::Columns;
                    }
                }
            }
            Phase::Columns => {
                if self.take_column.val() {
                    self.column.d.next = self.column.q.val() + 1;
                    self.address.d.next = self.address.q.val() + self.column_step.val();
                    if self.column_limit.q.val() != 0 {
                        self.column_limit.d.next = self.column_limit.q.val() - 1;
                    }
                    if self.last_column.val() {
                        self.full.d.next = true;
                        self.column.d.next = 0.into();
                        self.left.d.next = self.vectors.val();
                        self.column_limit.d.next = self.tile_limit.q.val();
                        if !self.last_reduction.val() {
                            self.reduction_left.d.next = self.reduction_left.q.val() - 1;
                            self.reduction_base.d.next = self.next_reduction_base.val();
                            self.reduction_limit.d.next = self.next_reduction_limit.val();
                            self.address.d.next = self.next_reduction_base.val();
                        } else {
                            self.reduction_left.d.next = self.reduction_tiles.val();
                            self.reduction_base.d.next = self.next_output_base.val();
                            self.reduction_limit.d.next = self.limit.val();
                            self.address.d.next = self.next_output_base.val();
                            self.output_base.d.next = self.next_output_base.val();
                            self.output_left.d.next = self.output_left.q.val() - 1;
                            self.tile_limit.d.next = self.next_tile_limit.val();
                            self.column_limit.d.next = self.next_tile_limit.val();
                            if self.last_output.val() {
                                self.phase.d.next = Phase::Decode;
                            } else if self.from_stream.val() & !self.by_row.val() {
                                self.phase.d.next = Phase::Parameters;
                            }
                        }
                    }
                }
            }
            Phase::Done => {}
            Phase::Refused => {}
        }
        if self.reset.val() {
            self.phase.d.next = Phase::Decode;
            self.issued.d.next = 0.into();
            self.retired.d.next = 0.into();
            self.full.d.next = false;
        }
    }
}

/// The loader's control; the descriptor's fields come from the wrapper that holds it.
pub fn loader(design: &mut Design) -> ModuleId {
    design.find("loader_control").unwrap_or_else(|| {
        import(design, "loader_control", DOC, LoaderControl::default())
            .expect("the block stays within the importer's subset, as the unit tests show")
    })
}

const DOC: &str = "Reads the program stream, hands operations on and loads stationary tiles.\n\
- reset: synchronous, active high\n\
- beat_valid: the next descriptor stands at the head of the stream\n\
- vector_valid: a vector stands at the head of the stream\n\
- is_nop: the descriptor at the head does nothing\n\
- is_fill: it fills a memory from the stream\n\
- is_set_count: it sets a token count\n\
- is_product: it is a matrix product\n\
- is_end: it ends the program\n\
- is_select: it runs the token selector\n\
- select_legal: the selector has tokens and memory for them\n\
- select_done: the selector has run\n\
- serial: number of the product in the descriptor at the head\n\
- wide: the fill is of int16, two vectors a word\n\
- amount: vectors of the fill at the head\n\
- fill_base: first word of the fill at the head\n\
- legal: the latched operation has rows and tiles\n\
- from_stream: stationary vectors come from the stream\n\
- from_keys: stationary vectors come from K\n\
- wait_for: products that must be retired before K or V is read\n\
- output_tiles: output tiles of the latched operation\n\
- reduction_tiles: its reduction tiles\n\
- base: first word of its stationary operand\n\
- column_step: words from one column to the next\n\
- reduction_step: words from one reduction tile to the next\n\
- output_step: words from one output tile to the next\n\
- limit: tokens that K or V hold\n\
- columns: C\n\
- column_last: C - 1\n\
- rows: R\n\
- vectors: vectors of a set of parameters\n\
- by_row: no parameters in the stream\n\
- queues_ready: all queues take an operation\n\
- store_ready: the parameter store takes a vector\n\
- swap: the streamer activates the loaded tile\n\
- retire: a product has had all its effects\n\
- take_beat: the descriptor leaves the stream\n\
- take_vector: the vector leaves the stream\n\
- align: what is left of a beat of vectors is skipped\n\
- latch: the descriptor at the head becomes the current one\n\
- set_count: the descriptor sets its token count\n\
- run_selector: stays high until `select_done`\n\
- push: the current operation goes to the queues\n\
- shift: the vector goes to the parameter store\n\
- commit: it is the last one of a set\n\
- load: a column of the tile is loaded\n\
- load_column: which one\n\
- load_address: word of K or V\n\
- load_lanes: lanes of the stationary vector that are real\n\
- loaded: a whole tile waits in the shadow registers\n\
- fill: the vector is written\n\
- fill_address: to this word\n\
- fill_upper: upper half of an int16 word\n\
- done: the program has ended and every product is retired\n\
- refused: the descriptor is not legal";
