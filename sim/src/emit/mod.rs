//! Machine code for a plan: straight-line code for single values, kernel calls for batches.

mod batch;
mod commit;
mod scalar;

use crate::SimError;
use crate::kernels::Tier;
use crate::lower::{Lower, Updates};
use crate::netlist::NodeId;
use crate::plan::{Base, Place, Plan, Unit, allocate, reads_of, stored_bytes};
use cranelift_codegen::ir::{
    AbiParam, Block, Function, InstBuilder, MemFlagsData, Signature, Type, UserFuncName, types,
};
use cranelift_codegen::ir::{SigRef, Value as Ssa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Module as _};
use std::collections::HashMap;

/// Units per generated function: compile time grows faster than linearly with its size.
const CHUNK_UNITS: usize = 400;

/// A generated function: state, next state, scratch, memories.
pub type Code = unsafe extern "C" fn(*mut u8, *mut u8, *mut u8, *mut u8);

/// Where the words of a memory lie: `depth` words, one that is always zero, one that takes lost writes.
#[derive(Clone, Copy, Debug)]
pub struct MemoryPlace {
    /// Byte offset of word 0.
    pub offset: u32,
    /// Bytes from word to word.
    pub stride: u32,
}

/// Lays out all memories; returns their places and the bytes used.
pub fn place_memories(updates: &Updates) -> (Vec<MemoryPlace>, u32) {
    let mut used = 0;
    let places = updates
        .memories
        .iter()
        .map(|m| {
            let stride = stored_bytes(m.width);
            let offset = allocate(&mut used, (stride * (m.depth + 2)).max(64));
            MemoryPlace { offset, stride }
        })
        .collect();
    (places, used)
}

/// A compiled program.
pub struct Program {
    module: Option<JITModule>,
    /// Functions of one cycle, in order.
    pub cycle: Vec<Code>,
    /// Memory writes at the edge, in order.
    pub commit: Vec<Code>,
    /// Contents of scratch memory that never change.
    pub constants: Vec<(Place, Vec<u8>)>,
    /// Bytes of scratch memory.
    pub scratch_bytes: u32,
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program").field("functions", &(self.cycle.len() + self.commit.len())).finish()
    }
}

impl Drop for Program {
    #[expect(unsafe_code, reason = "generated code is freed by hand")]
    fn drop(&mut self) {
        if let Some(module) = self.module.take() {
            // SAFETY: the only pointers to the code are in this program, which is going away.
            unsafe { module.free_memory() };
        }
    }
}

/// Generates code.
pub struct Emitter<'a> {
    lower: &'a Lower,
    updates: &'a Updates,
    plan: &'a mut Plan,
    memories: &'a [MemoryPlace],
    tier: Tier,
    arrays: HashMap<(Vec<NodeId>, u32), Place>,
    constants: Vec<(Place, Vec<u8>)>,
}

/// A function under construction.
struct Body<'b> {
    builder: FunctionBuilder<'b>,
    bases: [Ssa; 4],
    values: HashMap<NodeId, Ssa>,
    kernel: SigRef,
}

fn code_error(error: impl std::fmt::Display) -> SimError {
    SimError::Code(error.to_string())
}

/// Generates the code of a plan.
pub fn compile(
    lower: &Lower,
    updates: &Updates,
    plan: &mut Plan,
    memories: &[MemoryPlace],
) -> Result<Program, SimError> {
    let mut flags = settings::builder();
    flags.set("opt_level", "speed").map_err(code_error)?;
    flags.set("enable_verifier", if cfg!(debug_assertions) { "true" } else { "false" }).map_err(code_error)?;
    let isa = cranelift_native::builder().map_err(code_error)?;
    let isa = isa.finish(settings::Flags::new(flags)).map_err(code_error)?;
    let mut module = JITModule::new(JITBuilder::with_isa(isa, cranelift_module::default_libcall_names()));
    let units = std::mem::take(&mut plan.units);
    let chunks: Vec<&[Unit]> = units.chunks(CHUNK_UNITS).collect();
    let mut emitter =
        Emitter { lower, updates, plan, memories, tier: Tier::detect(), arrays: HashMap::new(), constants: Vec::new() };
    emitter.place_crossing(&chunks);
    let mut context = FunctionBuilderContext::new();
    let mut cycle = Vec::new();
    for chunk in &chunks {
        cycle.push(define(&mut module, &mut context, |body| chunk.iter().for_each(|u| emitter.unit(body, u)))?);
    }
    let mut commit = Vec::new();
    for group in emitter.write_groups() {
        commit.push(define(&mut module, &mut context, |body| emitter.writes(body, &group))?);
    }
    module.finalize_definitions().map_err(code_error)?;
    let (cycle, commit) = (addresses(&module, &cycle), addresses(&module, &commit));
    let constants = std::mem::take(&mut emitter.constants);
    let scratch_bytes = emitter.plan.scratch_bytes;
    plan.units = units;
    Ok(Program { module: Some(module), cycle, commit, constants, scratch_bytes })
}

#[expect(unsafe_code, reason = "a finished function is an address until it is given a type")]
fn addresses(module: &JITModule, ids: &[FuncId]) -> Vec<Code> {
    // SAFETY: every function was declared with the signature of `Code` by `define`.
    ids.iter().map(|id| unsafe { std::mem::transmute(module.get_finalized_function(*id)) }).collect()
}

fn define(
    module: &mut JITModule,
    shared: &mut FunctionBuilderContext,
    fill: impl FnOnce(&mut Body<'_>),
) -> Result<FuncId, SimError> {
    let pointer = module.target_config().pointer_type();
    let convention = module.target_config().default_call_conv;
    let config = module.target_config();
    let mut signature = Signature::new(convention);
    signature.params.extend([AbiParam::new(pointer); 4]);
    let id = module.declare_anonymous_function(&signature).map_err(code_error)?;
    let mut context = module.make_context();
    context.func = Function::with_name_signature(UserFuncName::user(0, id.as_u32()), signature);
    {
        let mut builder = FunctionBuilder::new(&mut context.func, shared);
        let entry: Block = builder.create_block();
        builder.append_block_params_for_function_params(entry);
        builder.switch_to_block(entry);
        let parameters = builder.block_params(entry);
        let bases = [parameters[0], parameters[1], parameters[2], parameters[3]];
        let mut kernel = Signature::new(convention);
        kernel.params.extend([AbiParam::new(pointer); 4]);
        kernel.params.extend([AbiParam::new(types::I64), AbiParam::new(pointer)]);
        let kernel = builder.import_signature(kernel);
        let mut body = Body { builder, bases, values: HashMap::new(), kernel };
        fill(&mut body);
        body.builder.ins().return_(&[]);
        body.builder.seal_all_blocks();
        body.builder.finalize(config);
    }
    module.define_function(id, &mut context).map_err(code_error)?;
    module.clear_context(&mut context);
    Ok(id)
}

impl Emitter<'_> {
    /// Gives a place to every single value that another chunk or the edge reads.
    fn place_crossing(&mut self, chunks: &[&[Unit]]) {
        let mut made: HashMap<NodeId, usize> = HashMap::new();
        let mut crossing: Vec<NodeId> = self.plan.kept.clone();
        for (index, chunk) in chunks.iter().enumerate() {
            for unit in *chunk {
                let reads = reads_of(self.lower, self.updates, unit);
                crossing.extend(reads.into_iter().filter(|n| made.get(n).is_some_and(|c| *c != index)));
                if let Unit::Scalar(id) = unit {
                    made.insert(*id, index);
                }
            }
        }
        for id in crossing {
            if made.contains_key(&id) && !self.plan.homes.contains_key(&id) {
                let offset = allocate(&mut self.plan.scratch_bytes, self.lower.netlist.kind(id).bytes());
                self.plan.homes.insert(id, Place { base: Base::Scratch, offset });
            }
        }
    }

    fn unit(&mut self, body: &mut Body<'_>, unit: &Unit) {
        match unit {
            Unit::Scalar(id) => self.scalar(body, *id),
            Unit::Batch(ids) => self.batch(body, ids),
            Unit::Registers(members) => self.registers(body, members),
            Unit::Register(index) => self.register(body, *index),
            Unit::Read(index) => self.read(body, *index),
        }
    }
}

impl Body<'_> {
    fn constant(&mut self, value: u64) -> Ssa {
        self.builder.ins().iconst(types::I64, value as i64)
    }

    fn base(&self, base: Base) -> Ssa {
        self.bases[match base {
            Base::Current => 0,
            Base::Next => 1,
            Base::Scratch => 2,
        }]
    }

    fn flags() -> MemFlagsData {
        MemFlagsData::new().with_notrap()
    }

    /// Loads an integer of 1, 2, 4 or 8 bytes into 64 bits.
    fn load(&mut self, pointer: Ssa, offset: u32, bytes: u32, signed: bool) -> Ssa {
        let (flags, offset) = (Self::flags(), offset as i32);
        let ins = self.builder.ins();
        match (bytes, signed) {
            (1, false) => ins.uload8(types::I64, flags, pointer, offset),
            (1, true) => ins.sload8(types::I64, flags, pointer, offset),
            (2, false) => ins.uload16(types::I64, flags, pointer, offset),
            (2, true) => ins.sload16(types::I64, flags, pointer, offset),
            (4, false) => ins.uload32(flags, pointer, offset),
            (4, true) => ins.sload32(flags, pointer, offset),
            _ => ins.load(types::I64, flags, pointer, offset),
        }
    }

    /// Stores the low bytes of a 64-bit integer.
    fn store(&mut self, value: Ssa, pointer: Ssa, offset: u32, bytes: u32) {
        let (flags, offset) = (Self::flags(), offset as i32);
        let ins = self.builder.ins();
        match bytes {
            1 => ins.istore8(flags, value, pointer, offset),
            2 => ins.istore16(flags, value, pointer, offset),
            4 => ins.istore32(flags, value, pointer, offset),
            _ => ins.store(flags, value, pointer, offset),
        };
    }

    fn store_at(&mut self, value: Ssa, place: Place, bytes: u32) {
        let pointer = self.base(place.base);
        self.store(value, pointer, place.offset, bytes);
    }

    fn address(&mut self, place: Place) -> Ssa {
        let pointer = self.base(place.base);
        self.builder.ins().iadd_imm_s(pointer, i64::from(place.offset))
    }

    /// Moves bytes with the widest registers there are.
    fn copy(&mut self, to: Place, from: Place, bytes: u32) {
        let (target, source) = (self.base(to.base), self.base(from.base));
        let mut at = 0;
        for (ty, size) in [(types::I8X16, 16), (types::I64, 8), (types::I32, 4), (types::I16, 2), (types::I8, 1)] {
            let ty: Type = ty;
            while bytes - at >= size {
                let part = self.builder.ins().load(ty, Self::flags(), source, (from.offset + at) as i32);
                self.builder.ins().store(Self::flags(), part, target, (to.offset + at) as i32);
                at += size;
            }
        }
    }
}
