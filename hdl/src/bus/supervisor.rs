//! Supervision of one run: start, stream, result, interrupt, and the way out of every error.

use super::import_control;
use heatvit_rtl::{Design, ModuleBuilder, ModuleId, Ty};
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

/// Why a run ended early: the value of the ERROR register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// A read port received an error response or a burst of the wrong length.
    ReadResponse = 1,
    /// The result write was answered with an error.
    WriteResponse = 2,
    /// The program holds a descriptor that the hardware refuses.
    BadDescriptor = 3,
    /// The run took more cycles than the WATCHDOG register allows.
    Watchdog = 4,
    /// The host asked for it.
    Aborted = 5,
}

impl ErrorCode {
    /// Meaning of an ERROR register value; `None` for 0 (no error) and for values that do not occur.
    pub fn from_register(value: u32) -> Option<Self> {
        [Self::ReadResponse, Self::WriteResponse, Self::BadDescriptor, Self::Watchdog, Self::Aborted]
            .into_iter()
            .find(|code| *code as u32 == value)
    }
}

/// What the accelerator as a whole does.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
enum Phase {
    /// Waits for the host.
    Idle,
    /// Gives the registered copies of `run_reset` time to fall.
    Release,
    /// Starts the read ports.
    Begin,
    /// The program runs.
    Run,
    /// Starts the result writer.
    Deliver,
    /// The result writer runs.
    Write,
    /// Stops everything and waits until no transaction is outstanding.
    Flush,
}

/// See [`supervisor`] for the ports.
#[derive(LogicBlock, Default)]
struct SupervisorControl {
    pub clock: Signal<In, Clock>,
    pub reset: Signal<In, Bit>,
    pub start: Signal<In, Bit>,
    pub abort: Signal<In, Bit>,
    pub irq_clear: Signal<In, Bit>,
    pub watchdog: Signal<In, Bits<32>>,
    pub program_done: Signal<In, Bit>,
    pub writer_done: Signal<In, Bit>,
    pub writer_idle: Signal<In, Bit>,
    pub ports_idle: Signal<In, Bit>,
    pub read_error: Signal<In, Bit>,
    pub write_error: Signal<In, Bit>,
    pub bad_descriptor: Signal<In, Bit>,
    pub run_reset: Signal<Out, Bit>,
    pub begin_run: Signal<Out, Bit>,
    pub write_start: Signal<Out, Bit>,
    pub flush: Signal<Out, Bit>,
    pub busy: Signal<Out, Bit>,
    pub done: Signal<Out, Bit>,
    pub error: Signal<Out, Bits<4>>,
    pub irq: Signal<Out, Bit>,
    pub cycles: Signal<Out, Bits<32>>,
    phase: DFF<Phase>,
    settle: DFF<Bits<2>>,
    complete: DFF<Bit>,
    code: DFF<Bits<4>>,
    pending: DFF<Bit>,
    counted: DFF<Bits<32>>,
    expired: DFF<Bit>,
    active: Signal<Local, Bit>,
    streaming: Signal<Local, Bit>,
    transferring: Signal<Local, Bit>,
    settled: Signal<Local, Bit>,
    cause: Signal<Local, Bits<4>>,
}

impl Logic for SupervisorControl {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, phase, settle, complete, code, pending, counted, expired);
        self.done.next = self.complete.q.val();
        self.error.next = self.code.q.val();
        self.irq.next = self.pending.q.val();
        self.cycles.next = self.counted.q.val();
        self.run_reset.next = false;
        self.begin_run.next = false;
        self.write_start.next = false;
        self.flush.next = false;
        self.busy.next = true;
        self.active.next = false;
        self.streaming.next = false;
        self.transferring.next = false;
        self.settled.next = self.settle.q.val() == 3;
        if self.irq_clear.val() {
            self.pending.d.next = false;
        }
        self.counted.d.next = self.counted.q.val() + 1;
        self.expired.d.next = false;
        if (self.watchdog.val() != 0) & (self.counted.q.val() >= self.watchdog.val()) {
            self.expired.d.next = true;
        }
        match self.phase.q.val() {
            Phase::Idle => {
                self.busy.next = false;
                self.run_reset.next = true;
                self.settle.d.next = 0.into();
                self.counted.d.next = self.counted.q.val();
                self.expired.d.next = false;
                if self.start.val() {
                    self.complete.d.next = false;
                    self.code.d.next = 0.into();
                    // The write of the start register was accepted at the edge before this cycle.
                    self.counted.d.next = 2.into();
                    self.phase.d.next = Phase::Release;
                }
            }
            Phase::Release => {
                self.active.next = true;
                self.settle.d.next = self.settle.q.val() + 1;
                if self.settled.val() {
                    self.phase.d.next = Phase::Begin;
                }
            }
            Phase::Begin => {
                self.active.next = true;
                self.begin_run.next = true;
                self.phase.d.next = Phase::Run;
            }
            Phase::Run => {
                self.active.next = true;
                self.streaming.next = true;
                self.transferring.next = true;
                if self.program_done.val() {
                    self.phase.d.next = Phase::Deliver;
                }
            }
            Phase::Deliver => {
                self.active.next = true;
                self.transferring.next = true;
                self.write_start.next = true;
                self.phase.d.next = Phase::Write;
            }
            Phase::Write => {
                self.active.next = true;
                self.transferring.next = true;
                self.settle.d.next = 0.into();
                if self.writer_done.val() {
                    self.phase.d.next = Phase::Flush;
                }
            }
            Phase::Flush => {
                self.run_reset.next = true;
                self.flush.next = true;
                if !self.settled.val() {
                    self.settle.d.next = self.settle.q.val() + 1;
                } else if self.ports_idle.val() & self.writer_idle.val() {
                    self.counted.d.next = self.counted.q.val();
                    self.complete.d.next = self.code.q.val() == 0;
                    self.pending.d.next = true;
                    self.phase.d.next = Phase::Idle;
                }
            }
        }
        // The last line that applies wins. The ports' flags are stale until `begin_run` has cleared them.
        self.cause.next = 0.into();
        if self.abort.val() {
            self.cause.next = 5.into();
        }
        if self.expired.q.val() {
            self.cause.next = 4.into();
        }
        if self.streaming.val() & self.bad_descriptor.val() {
            self.cause.next = 3.into();
        }
        if self.transferring.val() & self.write_error.val() {
            self.cause.next = 2.into();
        }
        if self.transferring.val() & self.read_error.val() {
            self.cause.next = 1.into();
        }
        if self.active.val() & self.cause.val().any() {
            self.code.d.next = self.cause.val();
            self.settle.d.next = 0.into();
            self.phase.d.next = Phase::Flush;
        }
        if self.reset.val() {
            self.phase.d.next = Phase::Idle;
            self.settle.d.next = 0.into();
            self.complete.d.next = false;
            self.code.d.next = 0.into();
            self.pending.d.next = false;
            self.counted.d.next = 0.into();
            self.expired.d.next = false;
        }
    }
}

/// Inputs of the supervisor besides `watchdog`: name and meaning.
const INPUTS: [(&str, &str); 10] = [
    ("start", "the host starts a run; ignored while busy"),
    ("abort", "the host aborts the run"),
    ("irq_clear", "the host has seen the interrupt"),
    ("program_done", "all operations of the program are retired (level or pulse while it runs)"),
    ("writer_done", "the result is written (one cycle)"),
    ("writer_idle", "the result writer has nothing outstanding"),
    ("ports_idle", "no read port has anything outstanding"),
    ("read_error", "a read port met an error since `begin_run`"),
    ("write_error", "the result writer met an error since `begin_run`"),
    ("bad_descriptor", "the loader refuses a descriptor"),
];

/// One-bit outputs of the supervisor.
const OUTPUTS: [(&str, &str); 7] = [
    ("run_reset", "clears the pipeline and the FIFOs between runs; falls four cycles before `begin_run`"),
    ("begin_run", "the read ports start, the result writer latches its settings (one cycle)"),
    ("write_start", "the result writer starts (one cycle)"),
    ("flush", "read ports and result writer stop; stays until they are idle"),
    ("busy", "a run is under way"),
    ("done", "the last run wrote its result"),
    ("irq", "a run has ended and the host has not cleared it"),
];

/// Head and port comments of the state machine.
fn control_doc() -> String {
    let ports = INPUTS.iter().chain(&OUTPUTS).map(|(name, doc)| format!("\n- {name}: {doc}"));
    format!(
        "Carries one run from the start register to the interrupt; the first error wins.{}",
        ports.collect::<String>()
    )
}

/// The supervisor: idle, begin, run, write, flush, idle. Every run ends in the flush, which drains
/// what is outstanding, so the next one needs no reset. `read_error`, `write_error` and
/// `bad_descriptor` are levels that the next `begin_run` or `run_reset` clears.
pub fn supervisor(design: &mut Design) -> ModuleId {
    if let Some(id) = design.find("supervisor") {
        return id;
    }
    let control_id = import_control(design, "supervisor_control", &control_doc(), SupervisorControl::default());
    let control = crate::pipeline::child(design, control_id);
    let mut m = ModuleBuilder::new(
        "supervisor",
        "Carries one run from the start register to the interrupt, or out of an error without a reset.",
    );
    let reset = super::registered_reset(&mut m);
    let inputs = INPUTS.map(|(name, doc)| (name, m.input(name, Ty::bit(), doc)));
    let watchdog = m.input("watchdog", Ty::bits(32), "cycles that a run may take; 0: any number");
    let outputs = OUTPUTS.map(|(name, doc)| (name, m.output(name, Ty::bit(), doc)));
    let error = m.output("error", Ty::bits(4), "first error since the start, 0: none");
    let cycles = m.output("cycles", Ty::bits(32), "cycles from the start's write to the interrupt");
    let mut instance = m.instance("control", control_id, &control).input("reset", &reset).input("watchdog", &watchdog);
    for (name, signal) in &inputs {
        instance = instance.input(name, signal);
    }
    for (name, signal) in &outputs {
        instance = instance.output_to(name, signal);
    }
    instance.output_to("error", &error).output_to("cycles", &cycles).done();
    design.add(m.finish())
}
