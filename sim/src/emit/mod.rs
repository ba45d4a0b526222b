//! Machine code for a plan: straight-line code for single values, kernel calls for batches.

mod batch;
mod commit;
mod lanes;
mod read;
mod scalar;
mod vector;

use crate::SimError;
use crate::circuit::Circuit;
use crate::kernels::Tier;
use crate::lower::Updates;
use crate::lower::value::{Repr, Value};
use crate::netlist::{Kind, NodeId, Op};
use crate::plan::{Base, Layout, Place, Plan, Unit, allocate};
use cranelift_codegen::ir::{
    AbiParam, Block, Function, InstBuilder, MemFlagsData, Signature, Type, UserFuncName, types,
};
use cranelift_codegen::ir::{SigRef, Value as Ssa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Module as _};
use std::collections::HashMap;
use std::ops::Range;

/// Units per generated function: compile time grows faster than linearly with its size.
const CHUNK_UNITS: usize = 400;
/// Outputs that one generated function packs.
const PACKED_VALUES: usize = 16;

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
            let stride = Kind::bits(m.width).stored_bytes();
            let offset = allocate(&mut used, (stride * (m.depth + 2)).max(64));
            MemoryPlace { offset, stride }
        })
        .collect();
    (places, used)
}

/// A compiled program.
pub struct Program {
    module: Option<JITModule>,
    /// Functions that make the values that are read from outside.
    pub evaluate: Vec<Code>,
    /// Functions of the rest of a cycle and its edge.
    pub step: Vec<Code>,
    /// The first kept values, the outputs, zero-extended to whole limbs and side by side: their limbs in scratch memory.
    pub packed: Vec<Range<usize>>,
    /// Contents of scratch memory that never change.
    pub constants: Vec<(Place, Vec<u8>)>,
    /// Bytes of scratch memory.
    pub scratch_bytes: u32,
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program").field("functions", &(self.evaluate.len() + self.step.len())).finish()
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
    circuit: &'a Circuit,
    layout: &'a Layout,
    plan: &'a mut Plan,
    memories: &'a [MemoryPlace],
    tier: Tier,
    arrays: HashMap<(Vec<NodeId>, u32), lanes::Operand>,
    /// Copies of what lies at a place in so many bytes, made to stand beside others. They are made in every cycle and before
    /// they are used, because batches are in no branch and functions run in the order in which they are made, but for those
    /// that pack outputs. Of a register that is written in place they have the old value, which is what everybody reads.
    copies: HashMap<(Place, u32), Place>,
    constants: Vec<(Place, Vec<u8>)>,
    waiting: HashMap<usize, Waiting>,
}

/// Where a wide word that was read stays until its register is written.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    word: Place,
    /// A byte: whether the word was read.
    flag: Place,
}

/// A function under construction.
struct Body<'b> {
    builder: FunctionBuilder<'b>,
    bases: [Ssa; 4],
    /// Values at hand, each with the number of the unit that computed or loaded it.
    values: HashMap<NodeId, (Ssa, u32)>,
    /// Number of the present unit.
    unit: u32,
    kernel: SigRef,
}

fn code_error(error: impl std::fmt::Display) -> SimError {
    SimError::Code(error.to_string())
}

/// Generates the code of a plan.
pub fn compile(
    circuit: &Circuit,
    layout: &Layout,
    plan: &mut Plan,
    memories: &[MemoryPlace],
    outputs: usize,
) -> Result<Program, SimError> {
    let mut flags = settings::builder();
    flags.set("opt_level", "speed").map_err(code_error)?;
    flags.set("enable_verifier", if cfg!(debug_assertions) { "true" } else { "false" }).map_err(code_error)?;
    let isa = cranelift_native::builder().map_err(code_error)?;
    let isa = isa.finish(settings::Flags::new(flags)).map_err(code_error)?;
    let mut module = JITModule::new(JITBuilder::with_isa(isa, cranelift_module::default_libcall_names()));
    let parts = [&mut plan.evaluate, &mut plan.cycle, &mut plan.commit, &mut plan.update].map(std::mem::take);
    let [evaluate, step @ ..] = parts;
    let evaluate = functions(evaluate);
    let step: Vec<Vec<Unit>> = step.into_iter().flat_map(functions).collect();
    let mut emitter = Emitter {
        circuit,
        layout,
        plan,
        memories,
        tier: Tier::detect(),
        arrays: HashMap::new(),
        copies: HashMap::new(),
        constants: Vec::new(),
        waiting: HashMap::new(),
    };
    let packed = emitter.side_by_side(outputs);
    emitter.place_outputs(&circuit.kept[..outputs], &packed);
    emitter.place_crossing(evaluate.iter().chain(&step));
    let mut context = FunctionBuilderContext::new();
    let mut define = |units: &Vec<Unit>| {
        define_function(&mut module, &mut context, |body| units.iter().for_each(|u| emitter.unit(body, u)))
    };
    let mut evaluate: Vec<FuncId> = evaluate.iter().map(&mut define).collect::<Result<_, _>>()?;
    let step: Vec<FuncId> = step.iter().map(&mut define).collect::<Result<_, _>>()?;
    for (values, places) in circuit.kept[..outputs].chunks(PACKED_VALUES).zip(packed.chunks(PACKED_VALUES)) {
        evaluate.push(define_function(&mut module, &mut context, |body| emitter.pack(body, values, places))?);
    }
    module.finalize_definitions().map_err(code_error)?;
    let (evaluate, step) = (addresses(&module, &evaluate), addresses(&module, &step));
    let constants = std::mem::take(&mut emitter.constants);
    let scratch_bytes = emitter.plan.scratch_bytes;
    Ok(Program { module: Some(module), evaluate, step, packed, constants, scratch_bytes })
}

/// Divides units into functions.
fn functions(units: Vec<Unit>) -> Vec<Vec<Unit>> {
    let (mut all, mut size) = (Vec::new(), CHUNK_UNITS);
    for unit in units {
        if size >= CHUNK_UNITS {
            all.push(Vec::new());
            size = 0;
        }
        size += unit.size();
        all.last_mut().expect("one was pushed before the first unit").push(unit);
    }
    all
}

#[expect(unsafe_code, reason = "a finished function is an address until it is given a type")]
fn addresses(module: &JITModule, ids: &[FuncId]) -> Vec<Code> {
    // SAFETY: every function was declared with the signature of `Code` by `define`.
    ids.iter().map(|id| unsafe { std::mem::transmute(module.get_finalized_function(*id)) }).collect()
}

/// A limb of scratch memory.
fn packed_limb(index: usize) -> Place {
    Place { base: Base::Scratch, offset: 8 * index as u32 }
}

fn define_function(
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
        let mut body = Body { builder, bases, values: HashMap::new(), unit: 0, kernel };
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
    /// Gives a place to every single value that another function, another part or the outside reads.
    fn place_crossing<'u>(&mut self, functions: impl Iterator<Item = &'u Vec<Unit>>) {
        let mut made: Vec<Option<usize>> = vec![None; self.circuit.netlist.len()];
        let mut crossing: Vec<NodeId> = Vec::new();
        self.circuit.kept.iter().for_each(|v| v.nodes(&mut crossing));
        let mut stretches = 0;
        for units in functions {
            let (within, mut parts) = (stretches, stretches);
            for unit in units {
                let (index, units) = match unit {
                    Unit::Part(part) => {
                        parts += 1;
                        (parts, part.units.as_slice())
                    }
                    _ => (within, std::slice::from_ref(unit)),
                };
                for unit in units {
                    let reads = unit.reads(self.circuit);
                    crossing.extend(reads.into_iter().filter(|n| made[n.index()].is_some_and(|c| c != index)));
                    if !matches!(unit, Unit::Batch(_)) {
                        unit.makes().iter().for_each(|id| made[id.index()] = Some(index));
                    }
                }
            }
            stretches = parts + 1;
        }
        for id in crossing {
            if made[id.index()].is_some() && !self.plan.homes.contains_key(&id) {
                let offset = allocate(&mut self.plan.scratch_bytes, self.circuit.netlist.kind(id).bytes());
                self.plan.homes.insert(id, Place { base: Base::Scratch, offset });
            }
        }
    }

    /// Outputs that are single values lie where they are read from outside.
    fn place_outputs(&mut self, outputs: &[Value], packed: &[Range<usize>]) {
        for (output, limbs) in outputs.iter().zip(packed) {
            let Repr::Node(id) = output.repr else { continue };
            let node = self.circuit.netlist.node(id);
            let computed = !matches!(node.op, Op::Const(_) | Op::Load(..));
            if computed && node.kind.fits(Kind::bits(output.width)) && !self.plan.homes.contains_key(&id) {
                self.plan.homes.insert(id, packed_limb(limbs.start));
            }
        }
    }

    /// Room for the limbs of the first `count` kept values.
    fn side_by_side(&mut self, count: usize) -> Vec<Range<usize>> {
        let limbs = self.circuit.kept.iter().take(count).map(|v| v.width.div_ceil(64) as usize);
        let limbs: Vec<usize> = limbs.collect();
        let mut next = self.room(8, limbs.iter().sum()).offset as usize / 8;
        let place = |limbs: usize| {
            next += limbs;
            next - limbs..next
        };
        limbs.into_iter().map(place).collect()
    }

    fn unit(&mut self, body: &mut Body<'_>, unit: &Unit) {
        body.unit += 1;
        match unit {
            Unit::Scalar(id) => self.scalar(body, *id),
            Unit::Choice(choice) => self.choice(body, choice),
            Unit::Part(part) => self.part(body, part),
            Unit::Batch(ids) => self.batch(body, ids),
            Unit::Move(stretch) => self.move_on(body, *stretch),
            Unit::Registers(members) => self.registers(body, members),
            Unit::Sums(members) => self.sums(body, members),
            Unit::Register(index) => self.register(body, *index),
            Unit::Read(ports) => self.reads(body, ports),
            Unit::Take(index) => self.take(body, *index),
            Unit::Write(ports) => self.writes(body, ports),
        }
    }
}

impl Body<'_> {
    /// Keeps a node's value at hand.
    fn keep(&mut self, id: NodeId, value: Ssa) {
        self.values.insert(id, (value, self.unit));
    }

    fn constant(&mut self, value: u64) -> Ssa {
        self.builder.ins().iconst(types::I64, value as i64)
    }

    fn base(&self, base: Base) -> Ssa {
        self.bases[match base {
            Base::Current => 0,
            Base::Next => 1,
            Base::Scratch | Base::Watched | Base::Coming => 2,
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

    /// Loads a bit.
    fn load_bit(&mut self, place: Place) -> Ssa {
        let pointer = self.base(place.base);
        self.builder.ins().load(types::I8, Self::flags(), pointer, place.offset as i32)
    }

    /// True for a value that is held in a byte.
    fn is_bit(&self, value: Ssa) -> bool {
        self.builder.func.dfg.value_type(value) == types::I8
    }

    /// Stores the low bytes of a 64-bit integer, or a bit as a byte.
    fn store(&mut self, value: Ssa, pointer: Ssa, offset: u32, bytes: u32) {
        let whole = self.is_bit(value);
        let (flags, offset) = (Self::flags(), offset as i32);
        let ins = self.builder.ins();
        match bytes {
            1 if whole => ins.store(flags, value, pointer, offset),
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

    /// Moves bytes from place to place.
    fn copy(&mut self, to: Place, from: Place, bytes: u32) {
        let (target, source) = (self.base(to.base), self.base(from.base));
        self.move_bytes((target, to.offset), (source, from.offset), bytes);
    }

    /// Moves bytes with the widest registers there are.
    fn move_bytes(&mut self, (target, to): (Ssa, u32), (source, from): (Ssa, u32), bytes: u32) {
        let mut at = 0;
        for (ty, size) in [(types::I8X16, 16), (types::I64, 8), (types::I32, 4), (types::I16, 2), (types::I8, 1)] {
            let ty: Type = ty;
            while bytes - at >= size {
                let part = self.builder.ins().load(ty, Self::flags(), source, (from + at) as i32);
                self.builder.ins().store(Self::flags(), part, target, (to + at) as i32);
                at += size;
            }
        }
    }
}
