//! Rules 6 and 7: one driver per bit, every input connected.

use super::VerifyError;
use crate::interpret::driver::assigned;
use crate::{Connection, Design, Direction, Instance, Module, SignalId, SignalKind};

/// Drivers of one module's signals, as counts per bit.
struct Counts<'m> {
    module: &'m Module,
    bits: Vec<Vec<u8>>,
}

/// Checks a module.
pub fn check(design: &Design, module: &Module) -> Result<(), VerifyError> {
    let bits = module.signals.iter().map(|s| vec![0; s.ty.total_width() as usize]).collect();
    let mut counts = Counts { module, bits };
    for assign in &module.assigns {
        let ty = &module.signal(assign.target).ty;
        let (low, width) = match assign.part {
            Some(part) => (part * ty.part_width(), ty.part_width()),
            None => (0, ty.total_width()),
        };
        counts.drive(assign.target, SignalKind::Wire, "by an assignment", low, width)?;
    }
    for process in &module.processes {
        let mut targets = Vec::new();
        assigned(&process.body, &mut targets);
        for target in targets {
            counts.drive_whole(target, SignalKind::Wire, "by a process")?;
        }
    }
    for register in &module.registers {
        counts.drive_whole(register.signal, SignalKind::Register, "by a register")?;
    }
    for read in module.memories.iter().flat_map(|m| &m.reads) {
        counts.drive_whole(read.data, SignalKind::ReadData, "by a memory")?;
    }
    for instance in &module.instances {
        connections(design, instance, &mut counts)?;
    }
    counts.complete()
}

impl Counts<'_> {
    fn drive_whole(&mut self, id: SignalId, kind: SignalKind, how: &'static str) -> Result<(), VerifyError> {
        let width = self.module.signal(id).ty.total_width();
        self.drive(id, kind, how, 0, width)
    }

    fn drive(
        &mut self,
        id: SignalId,
        kind: SignalKind,
        how: &'static str,
        low: u32,
        width: u32,
    ) -> Result<(), VerifyError> {
        let signal = self.module.signal(id);
        let (module, name) = (self.module.name.clone(), signal.name.clone());
        if signal.kind != kind {
            let kind = match signal.kind {
                SignalKind::Input => "an input",
                SignalKind::Wire => "a wire",
                SignalKind::Register => "a register",
                SignalKind::ReadData => "the read data of a memory",
            };
            return Err(VerifyError::WrongDriver { module, signal: name, kind, how });
        }
        for bit in low..low + width {
            let count = &mut self.bits[id.index()][bit as usize];
            if *count > 0 {
                return Err(VerifyError::DrivenTwice { module, signal: name, bit });
            }
            *count = 1;
        }
        Ok(())
    }

    fn complete(&self) -> Result<(), VerifyError> {
        for (signal, bits) in self.module.signals.iter().zip(&self.bits) {
            let open = bits.iter().position(|count| *count == 0);
            if let (Some(bit), true) = (open, signal.kind != SignalKind::Input) {
                let (module, signal) = (self.module.name.clone(), signal.name.clone());
                return Err(VerifyError::Undriven { module, signal, bit: bit as u32 });
            }
        }
        Ok(())
    }
}

fn connections(design: &Design, instance: &Instance, counts: &mut Counts<'_>) -> Result<(), VerifyError> {
    let child = design.module(instance.module);
    let module = counts.module;
    let error = |port: &str, problem: String| VerifyError::Connection {
        module: module.name.clone(),
        instance: instance.name.clone(),
        port: port.to_owned(),
        problem,
    };
    if instance.count == Some(0) {
        return Err(error("", "belongs to an array of no instances; leave the array out".to_owned()));
    }
    for (index, (port, connection)) in instance.connections.iter().enumerate() {
        let Some((_, signal)) = child.ports().find(|(id, _)| id == port) else {
            return Err(error("?", "is no port of the child; connect ports by their names".to_owned()));
        };
        if instance.connections[..index].iter().any(|(earlier, _)| earlier == port) {
            return Err(error(&signal.name, "is connected twice; keep one connection".to_owned()));
        }
        let input = signal.port == Some(Direction::Input);
        match connection {
            Connection::Input(_) if !input => {
                return Err(error(&signal.name, "is an output and needs a wire, not a value".to_owned()));
            }
            Connection::Input(_) => {}
            Connection::Output(_) if input => {
                return Err(error(&signal.name, "is an input and needs a value".to_owned()));
            }
            Connection::Output(_) if instance.count.is_some() => {
                return Err(error(&signal.name, "belongs to an array; connect it with lanes".to_owned()));
            }
            Connection::Output(wire) => counts.drive_whole(*wire, SignalKind::Wire, "by an instance")?,
            Connection::Lanes { signal: lanes, offset, stride } => {
                let count = instance.count.unwrap_or(1);
                let parts = module.signal(*lanes).ty.dims.first().copied().unwrap_or(1);
                let last = u64::from(*offset) + u64::from(count - 1) * u64::from(*stride);
                if *stride == 0 || last >= u64::from(parts) {
                    let problem = format!("reaches part {last} of `{}`, which has {parts}", module.signal(*lanes).name);
                    return Err(error(&signal.name, problem));
                }
                let width = signal.ty.total_width();
                for element in (0..count).filter(|_| !input) {
                    let low = (offset + element * stride) * width;
                    counts.drive(*lanes, SignalKind::Wire, "by an instance", low, width)?;
                }
            }
        }
    }
    let open = child.ports().find(|(id, s)| {
        s.port == Some(Direction::Input) && !instance.connections.iter().any(|(port, _)| port == id)
    });
    open.map_or(Ok(()), |(_, s)| Err(error(&s.name, "is an input without a connection; connect it".to_owned())))
}
