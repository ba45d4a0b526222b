//! Do the host's model and the hardware name the same registers?

use super::rig::Rig;
use crate::selectors::{memory, network, small};
use heatvit_gen::package::readme::{ERRORS, REGISTERS};
use heatvit_hdl::bus::{ErrorCode, ID, Register, VERSION};
use heatvit_sim::axi::offset;

fn pairs() -> [(u32, Register); 16] {
    use Register as R;
    [
        (offset::CONTROL, R::Control),
        (offset::STATUS, R::Status),
        (offset::ERROR, R::Error),
        (offset::IRQ, R::Irq),
        (offset::IMAGE_ADDR, R::ImageAddr),
        (offset::IMAGE_STRIDE, R::ImageStride),
        (offset::IMAGE_BURSTS, R::ImageBursts),
        (offset::PROGRAM_ADDR, R::ProgramAddr),
        (offset::PROGRAM_STRIDE, R::ProgramStride),
        (offset::PROGRAM_BURSTS, R::ProgramBursts),
        (offset::RESULT_ADDR, R::ResultAddr),
        (offset::RESULT_BEATS, R::ResultBeats),
        (offset::WATCHDOG, R::Watchdog),
        (offset::CYCLES, R::Cycles),
        (offset::ID, R::Id),
        (offset::VERSION, R::Version),
    ]
}

#[test]
fn the_hosts_offsets_are_the_hardwares() {
    for (at, (host, register)) in pairs().into_iter().enumerate() {
        assert_eq!((host, host as usize), (register.offset(), 4 * at), "{register:?}");
    }
    let host = include_str!("../../../sim/src/axi/board.rs").matches("    pub const ").count();
    assert_eq!(host, pairs().len(), "a register of the host's is not in the table above");
}

/// What the tool writes into manifest and README goes to these offsets, too.
#[test]
fn the_layouts_offsets_are_the_hardwares() {
    let network = network(&small(), &[1], 11);
    let rig = Rig::new(&network, memory());
    for (at, _, name) in rig.placed.layout.registers() {
        let (_, register) = pairs().into_iter().find(|(offset, _)| *offset == at).unwrap();
        assert_eq!(format!("{register:?}").to_uppercase(), name.replace('_', ""));
    }
}

/// What the README of an output folder says about registers and error codes is what the hardware has.
#[test]
fn the_readme_names_the_hardwares_registers_and_codes() {
    for ((at, name, ..), (_, register)) in REGISTERS.into_iter().zip(pairs()) {
        assert_eq!((at, name.replace('_', "")), (register.offset(), format!("{register:?}").to_uppercase()));
    }
    for code in 0..=15 {
        let told = ERRORS.iter().any(|(known, _)| *known == code);
        assert_eq!(told, code == 0 || ErrorCode::from_register(code).is_some(), "code {code}");
    }
}

/// Every register answers at its offset with what was written, or with what it is for.
#[test]
fn registers_answer_at_their_offsets() {
    let network = network(&small(), &[1], 11);
    let mut rig = Rig::new(&network, memory());
    // The register counts to the edge that raises the interrupt; the host sees it in the cycle after that edge.
    let cycles = rig.cycles[1] as u32 - 1;
    let quiet = &mut |_: &mut _, _| Ok(());
    let board = &mut rig.board;
    let written = |register: Register| 0x1234_5000 + 0x11_1000 * register.offset() + register.offset();
    let settings = offset::IMAGE_ADDR..=offset::WATCHDOG;
    for (at, register) in pairs() {
        if settings.contains(&at) {
            board.write_register(at, written(register), quiet).unwrap();
        }
    }
    for (at, register) in pairs() {
        use Register as R;
        let expected = match register {
            R::Control | R::Error | R::Irq => 0,
            R::Status => 2,
            R::ImageAddr | R::ImageStride | R::ProgramAddr | R::ProgramStride | R::ResultAddr => {
                written(register) & !0xFFF
            }
            R::ImageBursts | R::ProgramBursts | R::ResultBeats => written(register) & 0xFFFF,
            R::Watchdog => written(register),
            R::Cycles => cycles,
            R::Id => ID,
            R::Version => VERSION,
        };
        assert_eq!(board.read_register(at, quiet).unwrap(), expected, "{register:?}");
    }
    rig.good().unwrap();
}
