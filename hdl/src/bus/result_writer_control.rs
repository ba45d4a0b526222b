//! State machine of the result writer: AXI4 write bursts of at most 16 beats.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

/// What the writer does.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub(super) enum Writing {
    /// Waits for a start.
    Idle,
    /// Announces the next burst, or finds that nothing is left.
    Burst,
    /// Reads the logits of the next beat.
    Fetch,
    /// Offers the beat.
    Send,
    /// Collects the responses.
    Finish,
}

/// See [`super::result_writer`] for the ports.
#[derive(LogicBlock, Default)]
pub(super) struct ResultWriterControl {
    pub clock: Signal<In, Clock>,
    pub reset: Signal<In, Bit>,
    pub latch: Signal<In, Bit>,
    pub start: Signal<In, Bit>,
    pub abort: Signal<In, Bit>,
    pub address: Signal<In, Bits<32>>,
    pub beats: Signal<In, Bits<16>>,
    pub awready: Signal<In, Bit>,
    pub wready: Signal<In, Bit>,
    pub bvalid: Signal<In, Bit>,
    pub bresp: Signal<In, Bits<2>>,
    pub awvalid: Signal<Out, Bit>,
    pub awaddr: Signal<Out, Bits<32>>,
    pub awlen: Signal<Out, Bits<4>>,
    pub wvalid: Signal<Out, Bit>,
    pub wlast: Signal<Out, Bit>,
    pub bready: Signal<Out, Bit>,
    // Number of the beat that is fetched or offered.
    pub beat: Signal<Out, Bits<16>>,
    // Cycle of the fetch: the logits memory has answered the address of phase p in phase p + 2.
    pub phase: Signal<Out, Bits<2>>,
    pub done: Signal<Out, Bit>,
    pub idle: Signal<Out, Bit>,
    pub error: Signal<Out, Bit>,
    state: DFF<Writing>,
    next_address: DFF<Bits<32>>,
    left: DFF<Bits<16>>,
    index: DFF<Bits<16>>,
    fetch_phase: DFF<Bits<2>>,
    announcing: DFF<Bit>,
    burst_address: DFF<Bits<32>>,
    // Beats of the burst after the present one.
    burst_left: DFF<Bits<4>>,
    burst_length: DFF<Bits<4>>,
    unanswered: DFF<Bits<16>>,
    failed: DFF<Bit>,
    stopped: DFF<Bit>,
    last_of_burst: Signal<Local, Bit>,
    answered: Signal<Local, Bit>,
    announce: Signal<Local, Bit>,
    left_less_one: Signal<Local, Bits<16>>,
}

impl Logic for ResultWriterControl {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            state,
            next_address,
            left,
            index,
            fetch_phase,
            announcing,
            burst_address,
            burst_left,
            burst_length,
            unanswered,
            failed,
            stopped
        );
        self.awvalid.next = self.announcing.q.val();
        self.awaddr.next = self.burst_address.q.val();
        self.awlen.next = self.burst_length.q.val();
        self.beat.next = self.index.q.val();
        self.phase.next = self.fetch_phase.q.val();
        self.error.next = self.failed.q.val();
        self.bready.next = true;
        self.wvalid.next = false;
        self.done.next = false;
        self.idle.next = false;
        self.announce.next = false;
        self.last_of_burst.next = self.burst_left.q.val() == 0;
        self.wlast.next = self.last_of_burst.val();
        self.left_less_one.next = self.left.q.val() - 1;
        // The address channel runs beside the data: a slave may want to see the data first.
        if self.announcing.q.val() & self.awready.val() {
            self.announcing.d.next = false;
        }
        match self.state.q.val() {
            Writing::Idle => {
                self.idle.next = true;
                self.stopped.d.next = false;
                if self.latch.val() {
                    self.next_address.d.next = self.address.val();
                    self.left.d.next = self.beats.val();
                    self.index.d.next = 0.into();
                    self.failed.d.next = false;
                }
                if self.start.val() {
                    self.state.d.next = Writing::Burst;
                }
            }
            Writing::Burst => {
                self.fetch_phase.d.next = 0.into();
                if (self.left.q.val() == 0) | self.stopped.q.val() {
                    self.state.d.next = Writing::Finish;
                } else if !self.announcing.q.val() {
                    self.announce.next = true;
                    self.announcing.d.next = true;
                    self.burst_address.d.next = self.next_address.q.val();
                    self.next_address.d.next = self.next_address.q.val() + 256;
                    if self.left.q.val() >= 16 {
                        self.burst_length.d.next = 15.into();
                        self.burst_left.d.next = 15.into();
                    } else {
                        self.burst_length.d.next = self.left_less_one.val().get_bits::<4>(0);
                        self.burst_left.d.next = self.left_less_one.val().get_bits::<4>(0);
                    }
                    self.state.d.next = Writing::Fetch;
                }
            }
            Writing::Fetch => {
                self.fetch_phase.d.next = self.fetch_phase.q.val() + 1;
                if self.fetch_phase.q.val() == 3 {
                    self.state.d.next = Writing::Send;
                }
            }
            Writing::Send => {
                self.wvalid.next = true;
                if self.wready.val() {
                    self.index.d.next = self.index.q.val() + 1;
                    self.left.d.next = self.left_less_one.val();
                    self.burst_left.d.next = self.burst_left.q.val() - 1;
                    if self.last_of_burst.val() {
                        self.state.d.next = Writing::Burst;
                    } else {
                        self.state.d.next = Writing::Fetch;
                    }
                }
            }
            Writing::Finish => {
                // A burst whose address is not taken yet has no answer either.
                if !self.unanswered.q.val().any() {
                    self.state.d.next = Writing::Idle;
                    self.done.next = !self.stopped.q.val();
                }
            }
        }
        if self.abort.val() {
            self.stopped.d.next = true;
        }
        self.answered.next = self.bvalid.val() & self.unanswered.q.val().any();
        if self.answered.val() & (self.bresp.val() >= 2) {
            self.failed.d.next = true;
        }
        if self.announce.val() & !self.answered.val() {
            self.unanswered.d.next = self.unanswered.q.val() + 1;
        } else if self.answered.val() & !self.announce.val() {
            self.unanswered.d.next = self.unanswered.q.val() - 1;
        }
        if self.reset.val() {
            self.state.d.next = Writing::Idle;
            self.announcing.d.next = false;
            self.unanswered.d.next = 0.into();
            self.fetch_phase.d.next = 0.into();
            self.failed.d.next = false;
            self.stopped.d.next = false;
        }
    }
}
