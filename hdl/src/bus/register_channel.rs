//! State machines of an AXI4-Lite slave: one write and one read in flight, address and data in any order.

use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

/// Write side.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub(super) enum Write {
    /// Waits until both address and data are here.
    Collect,
    /// Offers the response.
    Respond,
}

/// Read side.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub(super) enum Read {
    /// Waits for an address.
    Idle,
    /// Looks the register up.
    Fetch,
    /// Offers data and response.
    Respond,
}

/// See [`super::registers`] for the ports.
#[derive(LogicBlock, Default)]
pub(super) struct RegisterChannel {
    pub clock: Signal<In, Clock>,
    pub reset: Signal<In, Bit>,
    pub awvalid: Signal<In, Bit>,
    pub wvalid: Signal<In, Bit>,
    pub bready: Signal<In, Bit>,
    pub arvalid: Signal<In, Bit>,
    pub rready: Signal<In, Bit>,
    pub awready: Signal<Out, Bit>,
    pub wready: Signal<Out, Bit>,
    pub bvalid: Signal<Out, Bit>,
    pub arready: Signal<Out, Bit>,
    pub rvalid: Signal<Out, Bit>,
    // The latched address and data take effect in this cycle.
    pub write: Signal<Out, Bit>,
    // The latched address is looked up in this cycle.
    pub fetch: Signal<Out, Bit>,
    write_state: DFF<Write>,
    read_state: DFF<Read>,
    have_address: DFF<Bit>,
    have_data: DFF<Bit>,
}

impl Logic for RegisterChannel {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, write_state, read_state, have_address, have_data);
        self.awready.next = false;
        self.wready.next = false;
        self.bvalid.next = false;
        self.write.next = false;
        match self.write_state.q.val() {
            Write::Collect => {
                self.awready.next = !self.have_address.q.val() & !self.reset.val();
                self.wready.next = !self.have_data.q.val() & !self.reset.val();
                if self.awvalid.val() {
                    self.have_address.d.next = true;
                }
                if self.wvalid.val() {
                    self.have_data.d.next = true;
                }
                if self.have_address.q.val() & self.have_data.q.val() {
                    self.write.next = true;
                    self.have_address.d.next = false;
                    self.have_data.d.next = false;
                    self.write_state.d.next = Write::Respond;
                }
            }
            Write::Respond => {
                self.bvalid.next = true;
                if self.bready.val() {
                    self.write_state.d.next = Write::Collect;
                }
            }
        }
        self.arready.next = false;
        self.rvalid.next = false;
        self.fetch.next = false;
        match self.read_state.q.val() {
            Read::Idle => {
                self.arready.next = !self.reset.val();
                if self.arvalid.val() {
                    self.read_state.d.next = Read::Fetch;
                }
            }
            Read::Fetch => {
                self.fetch.next = true;
                self.read_state.d.next = Read::Respond;
            }
            Read::Respond => {
                self.rvalid.next = true;
                if self.rready.val() {
                    self.read_state.d.next = Read::Idle;
                }
            }
        }
        if self.reset.val() {
            self.write_state.d.next = Write::Collect;
            self.read_state.d.next = Read::Idle;
            self.have_address.d.next = false;
            self.have_data.d.next = false;
        }
    }
}
