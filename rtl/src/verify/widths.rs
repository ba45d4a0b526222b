//! Rules 4, 5: widths of places; addresses and initial words of memories.

use super::VerifyError;
use crate::verilog::address_bits;
use crate::{Connection, Design, Direction, Expr, Memory, Module, Statement};

/// Checks all places of a module that take a value.
pub fn check(design: &Design, module: &Module) -> Result<(), VerifyError> {
    for assign in &module.assigns {
        let target = module.signal(assign.target);
        let parts = target.ty.dims.first().copied().unwrap_or(1);
        let (expected, part) = match assign.part {
            None => (target.ty.total_width(), String::new()),
            Some(part) if part >= parts => {
                let problem = format!("has {parts} parts, and part {part} is assigned; number parts from 0");
                let place = format!("signal `{}`", target.name);
                return Err(VerifyError::Expression { module: module.name.clone(), place, problem });
            }
            Some(part) => (target.ty.part_width(), format!(" part {part}")),
        };
        width(module, &assign.value, expected, || format!("assignment to `{}`{part}", target.name))?;
    }
    for register in &module.registers {
        let signal = module.signal(register.signal);
        let place = |what: &str| format!("{what} of register `{}`", signal.name);
        width(module, &register.next, signal.ty.total_width(), || place("next value"))?;
        if let Some(enable) = &register.enable {
            width(module, enable, 1, || place("enable"))?;
        }
        if let Some(reset) = &register.reset {
            equal(module, reset.width(), signal.ty.total_width(), || place("reset value"))?;
        }
    }
    module.processes.iter().try_for_each(|p| statements(module, &p.body))?;
    module.memories.iter().try_for_each(|m| memory(module, m))?;
    connections(design, module)
}

fn equal(module: &Module, found: u32, expected: u32, place: impl Fn() -> String) -> Result<(), VerifyError> {
    if found == expected {
        return Ok(());
    }
    Err(VerifyError::Width { module: module.name.clone(), place: place(), expected, found })
}

fn width(module: &Module, value: &Expr, expected: u32, place: impl Fn() -> String) -> Result<(), VerifyError> {
    equal(module, value.width(), expected, place)
}

fn statements(module: &Module, body: &[Statement]) -> Result<(), VerifyError> {
    body.iter().try_for_each(|statement| match statement {
        Statement::Assign(target, value) => {
            let signal = module.signal(*target);
            width(module, value, signal.ty.total_width(), || format!("assignment to `{}`", signal.name))
        }
        Statement::If(condition, then, otherwise) => {
            width(module, condition, 1, || "condition of a process".to_owned())?;
            statements(module, then)?;
            statements(module, otherwise)
        }
        Statement::Case(subject, arms, default) => {
            for (constant, arm) in arms {
                equal(module, constant.width(), subject.width(), || "arm of a case".to_owned())?;
                statements(module, arm)?;
            }
            statements(module, default)
        }
    })
}

fn memory(module: &Module, memory: &Memory) -> Result<(), VerifyError> {
    let name = &memory.name;
    let error = |problem: String| VerifyError::Memory { module: module.name.clone(), memory: name.clone(), problem };
    if memory.depth < 2 || memory.width == 0 {
        return Err(error(format!("{} words of {} bits; use a register", memory.depth, memory.width)));
    }
    let init = memory.init.iter().flatten();
    if let Some(word) = init.clone().find(|w| w.width() != memory.width) {
        return Err(error(format!("an initial word of {} bits; words have {}", word.width(), memory.width)));
    }
    if init.count() > memory.depth as usize {
        return Err(error(format!("more initial words than its {} words", memory.depth)));
    }
    let bits = address_bits(memory.depth);
    let reads = memory.reads.iter().map(|r| (&r.enable, &r.address));
    for (enable, address) in memory.writes.iter().map(|w| (&w.enable, &w.address)).chain(reads) {
        width(module, enable, 1, || format!("enable of memory `{name}`"))?;
        if address.width() > bits {
            let found = address.width();
            return Err(error(format!("an address of {found} bits where {bits} reach every word; truncate it")));
        }
    }
    for write in &memory.writes {
        width(module, &write.data, memory.width, || format!("data of memory `{name}`"))?;
        if let Some(mask) = write.mask.as_ref().filter(|m| !memory.width.is_multiple_of(m.width())) {
            return Err(error(format!("a mask of {} bits, which does not divide its words", mask.width())));
        }
    }
    for read in &memory.reads {
        let data = module.signal(read.data).ty.total_width();
        equal(module, data, memory.width, || format!("read data of memory `{name}`"))?;
    }
    Ok(())
}

fn connections(design: &Design, module: &Module) -> Result<(), VerifyError> {
    for instance in &module.instances {
        let child = design.module(instance.module);
        for (port, connection) in &instance.connections {
            // A port that does not exist is the driver rule's business.
            let Some(signal) = child.signals.get(port.index()).filter(|s| s.port.is_some()) else { continue };
            let place = || format!("port `{}` of instance `{}`", signal.name, instance.name);
            let expected = signal.ty.total_width();
            match connection {
                Connection::Input(value) => width(module, value, expected, place)?,
                Connection::Output(wire) => equal(module, module.signal(*wire).ty.total_width(), expected, place)?,
                Connection::Lanes { signal: lanes, .. } => {
                    equal(module, module.signal(*lanes).ty.part_width(), expected, place)?;
                }
            }
            debug_assert!(matches!(signal.port, Some(Direction::Input | Direction::Output)));
        }
    }
    Ok(())
}
