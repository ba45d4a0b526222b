//! State machine of an AXI4 read port: when to request which burst, and when the port is idle.

use super::BURST_BEATS;
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

/// Which region the port requests bursts from.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub(super) enum Region {
    /// Nothing left to request.
    Idle,
    /// Image bursts.
    Image,
    /// Program bursts.
    Program,
}

/// Beats that the FIFO can hold: one less than its words, for it tells full from empty by its pointers.
pub(super) const PLACES: u64 = super::super::stream::FIFO_BEATS as u64 - 1;
// The kernel below spells these numbers out: rust-hdl prints literals only.
const _: () = assert!(PLACES == 511 && BURST_BEATS == 16);

/// See [`super::read_port`] for the ports.
#[derive(LogicBlock, Default)]
pub(super) struct ReadPortControl {
    pub clock: Signal<In, Clock>,
    pub reset: Signal<In, Bit>,
    pub start: Signal<In, Bit>,
    pub image_addr: Signal<In, Bits<32>>,
    pub image_bursts: Signal<In, Bits<16>>,
    pub program_addr: Signal<In, Bits<32>>,
    pub program_bursts: Signal<In, Bits<16>>,
    pub abort: Signal<In, Bit>,
    pub arready: Signal<In, Bit>,
    pub rvalid: Signal<In, Bit>,
    pub rresp: Signal<In, Bits<2>>,
    pub rlast: Signal<In, Bit>,
    pub popped: Signal<In, Bit>,
    pub arvalid: Signal<Out, Bit>,
    pub araddr: Signal<Out, Bits<32>>,
    pub rready: Signal<Out, Bit>,
    pub push: Signal<Out, Bit>,
    pub error: Signal<Out, Bit>,
    pub idle: Signal<Out, Bit>,
    region: DFF<Region>,
    address: DFF<Bits<32>>,
    left: DFF<Bits<16>>,
    program_address: DFF<Bits<32>>,
    program_left: DFF<Bits<16>>,
    // Places of the FIFO that are neither filled nor reserved by a request.
    free: DFF<Bits<10>>,
    // Beats requested and not yet here.
    awaited: DFF<Bits<10>>,
    requesting: DFF<Bit>,
    failed: DFF<Bit>,
    expecting: Signal<Local, Bit>,
    burst_ends: Signal<Local, Bit>,
    beat: Signal<Local, Bit>,
    bad_beat: Signal<Local, Bit>,
    room: Signal<Local, Bit>,
    wanted: Signal<Local, Bit>,
    issue: Signal<Local, Bit>,
}

impl Logic for ReadPortControl {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            region,
            address,
            left,
            program_address,
            program_left,
            free,
            awaited,
            requesting,
            failed
        );
        self.arvalid.next = self.requesting.q.val();
        self.araddr.next = self.address.q.val();
        self.error.next = self.failed.q.val();
        // Every place is reserved before its beat is requested, so the port never holds the bus.
        self.rready.next = true;
        self.expecting.next = self.awaited.q.val() != 0;
        self.beat.next = self.rvalid.val() & self.expecting.val();
        self.push.next = self.beat.val() & !self.abort.val();
        self.burst_ends.next = self.awaited.q.val().get_bits::<4>(0) == 1;
        self.bad_beat.next = false;
        if self.rresp.val() >= 2 {
            self.bad_beat.next = true;
        }
        if self.rlast.val() != self.burst_ends.val() {
            self.bad_beat.next = true;
        }
        if self.beat.val() & self.bad_beat.val() {
            self.failed.d.next = true;
        }
        self.room.next = self.free.q.val() >= 16;
        self.wanted.next = false;
        self.idle.next = false;
        match self.region.q.val() {
            Region::Idle => {
                self.idle.next = !self.expecting.val();
                if self.start.val() {
                    self.address.d.next = self.image_addr.val();
                    self.left.d.next = self.image_bursts.val();
                    self.program_address.d.next = self.program_addr.val();
                    self.program_left.d.next = self.program_bursts.val();
                    self.failed.d.next = false;
                    self.region.d.next = Region::Image;
                }
            }
            Region::Image => {
                if self.left.q.val() == 0 {
                    self.address.d.next = self.program_address.q.val();
                    self.left.d.next = self.program_left.q.val();
                    self.region.d.next = Region::Program;
                } else {
                    self.wanted.next = true;
                }
            }
            Region::Program => {
                if self.left.q.val() == 0 {
                    self.region.d.next = Region::Idle;
                } else {
                    self.wanted.next = true;
                }
            }
        }
        // A request stays until it is taken, whatever happens meanwhile.
        self.issue.next = self.wanted.val() & self.room.val() & !self.requesting.q.val() & !self.abort.val();
        if self.issue.val() {
            self.requesting.d.next = true;
        }
        if self.requesting.q.val() & self.arready.val() {
            self.requesting.d.next = false;
            self.address.d.next = self.address.q.val() + 256;
            self.left.d.next = self.left.q.val() - 1;
        }
        if self.abort.val() {
            self.region.d.next = Region::Idle;
        }
        if self.issue.val() & self.beat.val() {
            self.awaited.d.next = self.awaited.q.val() + 15;
        } else if self.issue.val() {
            self.awaited.d.next = self.awaited.q.val() + 16;
        } else if self.beat.val() {
            self.awaited.d.next = self.awaited.q.val() - 1;
        }
        if self.issue.val() & self.popped.val() {
            self.free.d.next = self.free.q.val() - 15;
        } else if self.issue.val() {
            self.free.d.next = self.free.q.val() - 16;
        } else if self.popped.val() {
            self.free.d.next = self.free.q.val() + 1;
        }
        // The FIFO is empty at a start: whoever starts the port has cleared it.
        if self.start.val() {
            self.free.d.next = 511.into();
        }
        if self.reset.val() {
            self.region.d.next = Region::Idle;
            self.requesting.d.next = false;
            self.failed.d.next = false;
            self.awaited.d.next = 0.into();
            self.free.d.next = 511.into();
        }
    }
}
