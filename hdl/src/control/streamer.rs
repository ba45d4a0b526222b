//! The streamer: sends the rows of the streamed operand through the array, tile after tile.

use heatvit_rtl::import::import;
use heatvit_rtl::{Design, ModuleId};
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

/// What the streamer is at.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
enum Phase {
    /// Waits for an operation, for what its rows depend on, and for its first tile.
    Idle,
    /// Sends a row each cycle.
    Run,
    /// Waits for the next tile.
    Gap,
}

/// See [`streamer`] for the ports.
#[derive(LogicBlock, Default)]
struct StreamerControl {
    pub clock: Signal<In, Clock>,
    pub reset: Signal<In, Bit>,
    pub operation_valid: Signal<In, Bit>,
    pub hold_previous: Signal<In, Bit>,
    pub hold_second: Signal<In, Bit>,
    pub hold_cycles: Signal<In, Bits<16>>,
    pub count: Signal<In, Bits<16>>,
    pub output_tiles: Signal<In, Bits<16>>,
    pub reduction_tiles: Signal<In, Bits<16>>,
    pub source_base: Signal<In, Bits<16>>,
    pub source_pitch: Signal<In, Bits<16>>,
    pub shared_tiles: Signal<In, Bits<16>>,
    pub target_base: Signal<In, Bits<16>>,
    pub target_pitch: Signal<In, Bits<16>>,
    pub target_step: Signal<In, Bits<16>>,
    pub part_last: Signal<In, Bits<16>>,
    pub limit: Signal<In, Bits<16>>,
    pub columns: Signal<In, Bits<16>>,
    pub rows: Signal<In, Bits<16>>,
    pub loaded: Signal<In, Bit>,
    pub pop: Signal<Out, Bit>,
    pub valid: Signal<Out, Bit>,
    pub swap: Signal<Out, Bit>,
    pub row: Signal<Out, Bits<16>>,
    pub first_row: Signal<Out, Bit>,
    pub first_reduction: Signal<Out, Bit>,
    pub last_reduction: Signal<Out, Bit>,
    pub first_output: Signal<Out, Bit>,
    pub last_output: Signal<Out, Bit>,
    pub last_of_operation: Signal<Out, Bit>,
    pub source_address: Signal<Out, Bits<16>>,
    pub target_address: Signal<Out, Bits<16>>,
    pub part: Signal<Out, Bits<16>>,
    pub output_limit: Signal<Out, Bits<16>>,
    pub reduction_limit: Signal<Out, Bits<16>>,
    phase: DFF<Phase>,
    at_row: DFF<Bits<16>>,
    rows_left: DFF<Bits<16>>,
    reduction_left: DFF<Bits<16>>,
    output_left: DFF<Bits<16>>,
    is_first_reduction: DFF<Bit>,
    is_first_output: DFF<Bit>,
    source: DFF<Bits<16>>,
    source_tile: DFF<Bits<16>>,
    target: DFF<Bits<16>>,
    target_tile: DFF<Bits<16>>,
    at_part: DFF<Bits<16>>,
    lanes_left: DFF<Bits<16>>,
    terms_left: DFF<Bits<16>>,
    age: DFF<Bits<16>>,
    age_previous: DFF<Bits<16>>,
    age_second: DFF<Bits<16>>,
    running: Signal<Local, Bit>,
    last_row: Signal<Local, Bit>,
    last_tile: Signal<Local, Bit>,
    next_loaded: Signal<Local, Bit>,
    free: Signal<Local, Bit>,
    next_source_tile: Signal<Local, Bits<16>>,
    next_target_tile: Signal<Local, Bits<16>>,
}

impl Logic for StreamerControl {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            phase,
            at_row,
            rows_left,
            reduction_left,
            output_left,
            is_first_reduction,
            is_first_output,
            source,
            source_tile,
            target,
            target_tile,
            at_part,
            lanes_left,
            terms_left,
            age,
            age_previous,
            age_second
        );
        self.running.next = self.phase.q.val() == Phase::Run;
        self.valid.next = self.running.val();
        self.first_row.next = self.at_row.q.val() == 0;
        self.swap.next = self.running.val() & (self.at_row.q.val() == 0);
        self.row.next = self.at_row.q.val();
        self.first_reduction.next = self.is_first_reduction.q.val();
        self.last_reduction.next = self.reduction_left.q.val() == 1;
        self.first_output.next = self.is_first_output.q.val();
        self.last_output.next = self.output_left.q.val() == 1;
        self.last_row.next = self.rows_left.q.val() == 1;
        self.last_tile.next = self.last_reduction.val() & self.last_output.val();
        self.last_of_operation.next = self.last_row.val() & self.last_tile.val();
        self.pop.next = self.running.val() & self.last_of_operation.val();
        self.source_address.next = self.source.q.val();
        self.target_address.next = self.target.q.val();
        self.part.next = self.at_part.q.val();
        self.output_limit.next = self.lanes_left.q.val();
        self.reduction_limit.next = self.terms_left.q.val();
        // While a swap is under way `loaded` still speaks of the tile that becomes active.
        self.next_loaded.next = self.loaded.val() & !self.swap.val();
        self.free.next = (!self.hold_previous.val() | (self.age_previous.q.val() >= self.hold_cycles.val()))
            & (!self.hold_second.val() | (self.age_second.q.val() >= self.hold_cycles.val()));
        self.next_source_tile.next = self.source_tile.q.val() + 1;
        self.next_target_tile.next = self.target_tile.q.val() + self.target_step.val();

        // Ages of last tiles, in cycles; they stop at half of the range.
        if !self.age.q.val().get_bit(15) {
            self.age.d.next = self.age.q.val() + 1;
        }
        if !self.age_previous.q.val().get_bit(15) {
            self.age_previous.d.next = self.age_previous.q.val() + 1;
        }
        if !self.age_second.q.val().get_bit(15) {
            self.age_second.d.next = self.age_second.q.val() + 1;
        }
        if self.swap.val() & self.last_tile.val() {
            self.age.d.next = 1.into();
        }
        match self.phase.q.val() {
            Phase::Idle => {
                self.at_row.d.next = 0.into();
                self.rows_left.d.next = self.count.val();
                self.reduction_left.d.next = self.reduction_tiles.val();
                self.output_left.d.next = self.output_tiles.val();
                self.is_first_reduction.d.next = true;
                self.is_first_output.d.next = true;
                self.source.d.next = self.source_base.val();
                self.source_tile.d.next = self.source_base.val();
                self.target.d.next = self.target_base.val();
                self.target_tile.d.next = self.target_base.val();
                self.at_part.d.next = 0.into();
                self.lanes_left.d.next = self.limit.val();
                self.terms_left.d.next = self.limit.val();
                if self.operation_valid.val() & self.loaded.val() & self.free.val() {
                    self.phase.d.next = Phase::Run;
                }
            }
            Phase::Run => {
                self.at_row.d.next = self.at_row.q.val() + 1;
                self.rows_left.d.next = self.rows_left.q.val() - 1;
                if self.reduction_left.q.val() > self.shared_tiles.val() {
                    self.source.d.next = self.source.q.val() + self.source_pitch.val();
                }
                self.target.d.next = self.target.q.val() + self.target_pitch.val();
                if self.last_row.val() {
                    self.at_row.d.next = 0.into();
                    self.rows_left.d.next = self.count.val();
                    if !self.next_loaded.val() {
                        self.phase.d.next = Phase::Gap;
                    }
                    if !self.last_reduction.val() {
                        self.reduction_left.d.next = self.reduction_left.q.val() - 1;
                        self.is_first_reduction.d.next = false;
                        self.source.d.next = self.next_source_tile.val();
                        self.source_tile.d.next = self.next_source_tile.val();
                        self.target.d.next = self.target_tile.q.val();
                        self.terms_left.d.next = self.terms_left.q.val() - self.rows.val();
                    } else {
                        self.reduction_left.d.next = self.reduction_tiles.val();
                        self.is_first_reduction.d.next = true;
                        self.output_left.d.next = self.output_left.q.val() - 1;
                        self.is_first_output.d.next = false;
                        self.source.d.next = self.source_base.val();
                        self.source_tile.d.next = self.source_base.val();
                        self.terms_left.d.next = self.limit.val();
                        self.lanes_left.d.next = self.lanes_left.q.val() - self.columns.val();
                        if self.at_part.q.val() == self.part_last.val() {
                            self.at_part.d.next = 0.into();
                            self.target.d.next = self.next_target_tile.val();
                            self.target_tile.d.next = self.next_target_tile.val();
                        } else {
                            self.at_part.d.next = self.at_part.q.val() + 1;
                            self.target.d.next = self.target_tile.q.val();
                        }
                        if self.last_output.val() {
                            self.phase.d.next = Phase::Idle;
                            // An operation of one row ends in the cycle in which its last tile begins.
                            self.age_previous.d.next = self.age.q.val();
                            if self.first_row.val() {
                                self.age_previous.d.next = 0.into();
                            }
                            self.age_second.d.next = self.age_previous.q.val();
                        }
                    }
                }
            }
            Phase::Gap => {
                if self.loaded.val() {
                    self.phase.d.next = Phase::Run;
                }
            }
        }
        if self.reset.val() {
            self.phase.d.next = Phase::Idle;
            self.age.d.next = 0x8000.into();
            self.age_previous.d.next = 0x8000.into();
            self.age_second.d.next = 0x8000.into();
        }
    }
}

/// The streamer's control; the operation's fields come from the head of its queue.
pub fn streamer(design: &mut Design) -> ModuleId {
    design.find("streamer_control").unwrap_or_else(|| {
        import(design, "streamer_control", DOC, StreamerControl::default())
            .expect("the block stays within the importer's subset, as the unit tests show")
    })
}

const DOC: &str = "Sends the rows of the streamed operand through the array, tile after tile.\n\
- reset: synchronous, active high\n\
- operation_valid: the fields of an operation stand at the head of the queue\n\
- hold_previous: rows depend on the operation before\n\
- hold_second: rows depend on the operation before the previous one\n\
- hold_cycles: from the first row of a last tile to the end of what that row causes\n\
- count: rows\n\
- output_tiles: output tiles\n\
- reduction_tiles: reduction tiles\n\
- source_base: first word of the streamed operand\n\
- source_pitch: words from one row to the next\n\
- shared_tiles: last reduction tiles of which every row reads the first row's words\n\
- target_base: first word of the target\n\
- target_pitch: words from one target row to the next\n\
- target_step: words (channels for V) from one target tile to the next\n\
- part_last: tiles that share a target word, less one\n\
- limit: tokens that the stationary operand holds\n\
- columns: C\n\
- rows: R\n\
- loaded: a tile waits in the shadow registers\n\
- pop: the operation's last row leaves\n\
- valid: a row is sent\n\
- swap: the row is the first of a tile\n\
- row: number of the row\n\
- first_row: it is the first of its tile\n\
- first_reduction: the tile is the first of a reduction\n\
- last_reduction: it is the last of a reduction\n\
- first_output: its output tile is the first\n\
- last_output: its output tile is the last\n\
- last_of_operation: the row is the last of the operation\n\
- source_address: word of the row to send\n\
- target_address: word that its result goes to\n\
- part: place of the tile in the target word\n\
- output_limit: tokens from this output tile on\n\
- reduction_limit: tokens from this reduction tile on";
