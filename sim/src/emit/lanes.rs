//! Operands of kernels: where their lanes lie, or a copy where they stand side by side.

use super::batch::Host;
use super::vector::{Lanes, WordPart, Work};
use super::{Body, Emitter};
use crate::kernels::{Kernel, Task};
use crate::netlist::{Kind, NodeId, Op};
use crate::plan::{Base, Move, Place, VECTOR};
use cranelift_codegen::ir::{InstBuilder, Value as Ssa};

/// Bytes that an operand's runs have to have on average; shorter ones are gathered first.
const WORTH_A_CALL: usize = 64;
/// Bytes that an operand has to have for every further run: a further call takes about as long as to copy so many, and the
/// copy serves other users, too.
const WORTH_ANOTHER_CALL: usize = 1024;
/// Equal lanes that are worth a call.
const WORTH_A_SPLAT: usize = 8;
/// Bytes up to which a copy is written out.
const INLINE_COPY: u32 = 256;

/// Where nodes lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lies {
    At(Place),
    Constant,
    Nowhere,
}

/// Lanes that lie alike.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    first: usize,
    end: usize,
    lies: Lies,
}

impl Stretch {
    fn continued_by(&self, lane: usize, lies: Lies, bytes: u32) -> bool {
        match (self.lies, lies) {
            (Lies::At(at), Lies::At(place)) => at.plus((lane - self.first) as u32 * bytes) == place,
            (a, b) => a == b,
        }
    }
}

/// Lanes in memory, in runs of neighbours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Operand {
    /// First lane of each run and its place.
    runs: Vec<(usize, Place)>,
    bytes: u32,
    /// Lanes that share an element.
    pub(super) per: usize,
}

impl Operand {
    /// All lanes side by side.
    pub(super) fn at(place: Place, bytes: u32) -> Self {
        Self { runs: vec![(0, place)], bytes, per: 1 }
    }

    /// Lanes at these places; `None` when they lie in too many runs.
    pub(super) fn of_runs(places: impl Iterator<Item = Place>, bytes: u32) -> Option<Self> {
        let (mut runs, mut last): (Vec<(usize, Place)>, Option<Place>) = (Vec::new(), None);
        let mut lanes = 0;
        for place in places {
            if last.is_none_or(|last| last.plus(bytes) != place) {
                runs.push((lanes, place));
            }
            (last, lanes) = (Some(place), lanes + 1);
        }
        let few = runs.len() == 1 || lanes * bytes as usize >= WORTH_A_CALL * runs.len();
        few.then_some(Self { runs, bytes, per: 1 })
    }

    /// Where a lane lies.
    pub(super) fn place(&self, lane: usize) -> Place {
        let run = self.runs.partition_point(|(first, _)| *first <= lane) - 1;
        let (first, place) = self.runs[run];
        place.plus(((lane - first) / self.per) as u32 * self.bytes)
    }

    /// True when some lanes of the target are read for others.
    pub(super) fn moves(&self, to: Place, bytes: u32, lanes: usize) -> bool {
        self.shifts(to, bytes, lanes).next().is_some()
    }

    /// Lanes by which its runs are ahead of a target in the same array.
    fn shifts(&self, to: Place, bytes: u32, lanes: usize) -> impl Iterator<Item = i64> {
        let target = i64::from(to.offset)..i64::from(to.offset) + i64::from(bytes) * lanes as i64;
        let within = move |(index, (first, place)): (usize, &(usize, Place))| {
            let end = self.runs.get(index + 1).map_or(lanes, |(next, _)| *next);
            let at = i64::from(place.offset);
            let reach = at + i64::from(self.bytes) * ((end - first) / self.per) as i64;
            let overlaps = place.base == to.base && at < target.end && reach > target.start;
            overlaps.then(|| (at - i64::from(to.offset)) / i64::from(bytes) - *first as i64)
        };
        self.runs.iter().enumerate().filter_map(within).filter(|shift| *shift != 0)
    }
}

impl Body<'_> {
    fn call(&mut self, kernel: Kernel, work: &Work<'_>, first: usize, end: usize) {
        let (to, bytes) = work.to;
        let target = self.address(to.plus(first as u32 * bytes));
        let mut arguments = [self.bases[2]; 3];
        for (argument, operand) in arguments.iter_mut().zip(work.operands) {
            *argument = self.address(operand.place(first));
        }
        let immediate = self.constant(work.immediate);
        self.call_kernel(kernel, target, arguments, immediate, (end - first) as u64);
    }

    /// Calls a kernel with everything that it takes.
    fn call_kernel(&mut self, kernel: Kernel, target: Ssa, [a, b, c]: [Ssa; 3], immediate: Ssa, count: u64) {
        let (count, function) = (self.constant(count), self.constant(kernel as usize as u64));
        self.builder.ins().call_indirect(self.kernel, function, &[target, a, b, c, immediate, count]);
    }
}

/// Stretches, of at most `step` lanes, over which all operands are runs.
fn strips<'o>(operands: impl Iterator<Item = &'o Operand>, lanes: usize, step: usize) -> Vec<(usize, usize)> {
    let mut cuts: Vec<usize> = operands.flat_map(|o| o.runs.iter().map(|(first, _)| *first)).collect();
    cuts.extend((0..lanes).step_by(step));
    cuts.sort_unstable();
    cuts.dedup();
    cuts.push(lanes);
    cuts.windows(2).map(|w| (w[0], w[1])).collect()
}

/// Lanes from `nodes[0]` on that lie side by side.
fn run_of(nodes: &[NodeId], bytes: u32, place: impl Fn(NodeId) -> Option<Place>) -> Option<(Place, usize)> {
    let first = place(nodes[0])?;
    let neighbour = |(i, id): &(usize, &NodeId)| place(**id) == Some(first.plus(*i as u32 * bytes));
    Some((first, nodes.iter().enumerate().take_while(neighbour).count()))
}

impl Emitter<'_> {
    /// Computes all lanes, with a kernel or short code, once for each stretch over which all operands are runs. What is
    /// read from the array that is written is read before it is overwritten.
    #[expect(clippy::too_many_arguments, reason = "a kernel call has that many")]
    pub(super) fn call(
        &mut self,
        body: &mut Body<'_>,
        task: Task,
        host: Host,
        (to, bytes): (Place, u32),
        operands: &[Operand],
        immediate: u64,
        lanes: usize,
    ) {
        let shifts: Vec<i64> = operands.iter().flat_map(|o| o.shifts(to, bytes, lanes)).collect();
        let shift = shifts.first().copied().unwrap_or(0);
        let (task, immediate) = match task {
            Task::Add if shift != 0 && shifts.iter().all(|s| s.signum() == shift.signum()) => {
                (Task::MovingAdd, u64::from(shift < 0))
            }
            _ => (task, immediate),
        };
        let step = if shift == 0 || task == Task::MovingAdd { lanes } else { shift.unsigned_abs() as usize };
        let mut strips = strips(operands.iter(), lanes, step);
        if shift < 0 {
            strips.reverse();
        }
        let work = Work { task, host, to: (to, bytes), operands, immediate };
        let kernel = self.tier.kernel(task, host.bytes, host.signed);
        for (first, end) in strips {
            if work.is_short(end - first) {
                body.vectors(&work, self.with_padding(first, end, lanes, (to, bytes)));
            } else {
                body.call(kernel, &work, first, end);
            }
        }
    }

    /// Concatenations in short code.
    pub(super) fn concat_vectors(&self, body: &mut Body<'_>, parts: &[WordPart], target: (Place, u32), lanes: usize) {
        for (first, end) in strips(parts.iter().map(|part| &part.from), lanes, lanes) {
            body.concat(parts, target, self.with_padding(first, end, lanes, target));
        }
    }

    /// A stretch of lanes, the last of which may be written up to the end of the vector if nothing stands there.
    fn with_padding(&self, first: usize, end: usize, lanes: usize, (to, bytes): (Place, u32)) -> Lanes {
        let last = end == lanes && self.is_room(to);
        let limit = if last { end.next_multiple_of((VECTOR / bytes) as usize) } else { end };
        Lanes { first, end, limit }
    }

    /// All lanes of the first operand where the flag is set, else of the second.
    pub(super) fn copy_either(
        &mut self,
        body: &mut Body<'_>,
        flag: Ssa,
        sides: [&Operand; 2],
        (to, bytes): (Place, u32),
        lanes: usize,
    ) {
        for (first, end) in strips(sides.into_iter(), lanes, lanes) {
            let [yes, no] = sides.map(|side| body.address(side.place(first)));
            let from = body.builder.ins().select(flag, yes, no);
            let (to, size) = (to.plus(first as u32 * bytes), (end - first) as u32 * bytes);
            if size <= INLINE_COPY {
                let target = body.base(to.base);
                body.move_bytes((target, to.offset), (from, 0), size);
            } else {
                let kernel = self.tier.kernel(Task::Copy, 1, false);
                let (target, none) = (body.address(to), body.bases[2]);
                body.call_kernel(kernel, target, [from, none, none], none, u64::from(size));
            }
        }
    }

    fn home(&self, id: NodeId, bytes: u32) -> Option<Place> {
        let fits = self.circuit.netlist.kind(id).bytes() == bytes;
        if fits { self.plan.homes.get(&id).copied() } else { None }
    }

    /// Stretches of nodes: neighbours in memory with the place of the first, constants, and others.
    fn stretches(&self, nodes: &[NodeId], bytes: u32) -> Vec<Stretch> {
        let mut all: Vec<Stretch> = Vec::new();
        for (lane, id) in nodes.iter().enumerate() {
            let lies = match self.circuit.netlist.node(*id).op {
                Op::Const(_) => Lies::Constant,
                _ => self.home(*id, bytes).map_or(Lies::Nowhere, Lies::At),
            };
            match (all.last_mut(), lies) {
                (Some(last), lies) if last.continued_by(lane, lies, bytes) => last.end = lane + 1,
                _ => all.push(Stretch { first: lane, end: lane + 1, lies }),
            }
        }
        // What is too short for a call of its own is gathered with its neighbours.
        let mut merged: Vec<Stretch> = Vec::new();
        for mut stretch in all {
            if (stretch.end - stretch.first) * (bytes as usize) < WORTH_A_CALL {
                stretch.lies = Lies::Nowhere;
            }
            match merged.last_mut() {
                Some(last) if last.lies == Lies::Nowhere && stretch.lies == Lies::Nowhere => last.end = stretch.end,
                _ => merged.push(stretch),
            }
        }
        merged
    }

    /// Runs of lanes in a host type of `bytes`; what does not lie ready is laid down.
    fn runs(&mut self, body: &mut Body<'_>, nodes: &[NodeId], bytes: u32) -> Vec<(usize, Place)> {
        let first = self.home(nodes[0], bytes);
        let one = first.is_some_and(|first| {
            nodes.iter().enumerate().all(|(i, id)| self.home(*id, bytes) == Some(first.plus(i as u32 * bytes)))
        });
        if let (Some(first), true) = (first, one) {
            return vec![(0, first)];
        }
        let stretches = self.stretches(nodes, bytes);
        if nodes.len() * (bytes as usize) < WORTH_ANOTHER_CALL * (stretches.len() - 1) {
            return vec![(0, self.lay(body, nodes, bytes))];
        }
        let runs = stretches.into_iter().map(|Stretch { first, end, lies }| {
            let place = match lies {
                Lies::At(place) => place,
                Lies::Constant | Lies::Nowhere => self.lay(body, &nodes[first..end], bytes),
            };
            (first, place)
        });
        runs.collect()
    }

    /// Lays lanes down side by side.
    fn lay(&mut self, body: &mut Body<'_>, nodes: &[NodeId], bytes: u32) -> Place {
        let place = self.room(bytes, nodes.len());
        let constant = |id: &NodeId| match self.circuit.netlist.node(*id).op {
            Op::Const(value) => Some(value),
            _ => None,
        };
        match nodes.iter().map(constant).collect::<Option<Vec<u64>>>() {
            // Written once, before the first cycle.
            Some(values) => {
                let contents = values.iter().flat_map(|v| v.to_le_bytes()[..bytes as usize].to_vec()).collect();
                self.constants.push((place, contents));
            }
            None => {
                self.fill(body, nodes, bytes, place);
                for (lane, id) in (0..).zip(nodes) {
                    if let Some(home) = self.home(*id, bytes) {
                        self.copies.insert((home, bytes), place.plus(lane * bytes));
                    }
                }
            }
        }
        place
    }

    /// Lanes in a host type of `bytes`: where they lie, or converted, spread or gathered.
    pub(super) fn lanes(&mut self, body: &mut Body<'_>, nodes: &[NodeId], bytes: u32) -> Operand {
        let key = (nodes.to_vec(), bytes);
        if let Some(known) = self.arrays.get(&key) {
            return known.clone();
        }
        let operand = Operand { runs: self.runs(body, nodes, bytes), bytes, per: 1 };
        self.arrays.insert(key, operand.clone());
        operand
    }

    /// The same, with one element for equal neighbours where that saves copies.
    pub(super) fn spread(&mut self, body: &mut Body<'_>, nodes: &[NodeId], bytes: u32) -> Operand {
        let per = nodes.iter().take_while(|n| **n == nodes[0]).count();
        let groups = nodes.chunks(per);
        let equal = groups.clone().all(|g| g.len() == per && g.iter().all(|n| *n == g[0]));
        if per < WORTH_A_SPLAT || !equal || per == nodes.len() {
            return self.lanes(body, nodes, bytes);
        }
        let elements: Vec<NodeId> = groups.map(|g| g[0]).collect();
        let mut operand = self.lanes(body, &elements, bytes);
        operand.runs.iter_mut().for_each(|(first, _)| *first *= per);
        Operand { per, ..operand }
    }

    /// Puts lanes side by side at a place.
    pub(super) fn fill(&mut self, body: &mut Body<'_>, nodes: &[NodeId], bytes: u32, place: Place) {
        if nodes.iter().all(|n| *n == nodes[0]) && nodes.len() >= 4 {
            let value = self.value(body, nodes[0]);
            self.splat(body, value, bytes, place, nodes.len());
            return;
        }
        let kind = self.circuit.netlist.kind(nodes[0]);
        let uniform = nodes.iter().all(|n| {
            let other = self.circuit.netlist.kind(*n);
            other.bytes() == kind.bytes() && other.signed == kind.signed
        });
        if uniform && kind.bytes() != bytes {
            let from = self.lanes(body, nodes, kind.bytes());
            self.call(body, Task::Convert(bytes), Host::of(kind), (place, bytes), &[from], 0, nodes.len());
            return;
        }
        self.gather(body, nodes, bytes, place);
    }

    fn splat(&mut self, body: &mut Body<'_>, value: Ssa, bytes: u32, place: Place, lanes: usize) {
        if lanes as u32 * bytes <= INLINE_COPY {
            return body.repeat(value, bytes, place, lanes as u32);
        }
        let kernel = self.tier.kernel(Task::Splat, bytes, false);
        let target = body.address(place);
        let none = body.bases[2];
        body.call_kernel(kernel, target, [none; 3], value, lanes as u64);
    }

    /// Lanes from `nodes[0]` on that lie side by side, in their own places or as copies.
    fn run(&self, nodes: &[NodeId], bytes: u32) -> Option<(Place, usize)> {
        let own = run_of(nodes, bytes, |id| self.home(id, bytes))?;
        let copy = run_of(nodes, bytes, |id| self.copies.get(&(self.home(id, bytes)?, bytes)).copied());
        copy.filter(|(_, lanes)| *lanes > own.1).or(Some(own))
    }

    /// Lanes from `nodes[0]` on that come by turns from two places.
    fn pairs(&self, nodes: &[NodeId], bytes: u32) -> Option<([Place; 2], usize)> {
        let [a, b, ..] = nodes else { return None };
        let from = [self.home(*a, bytes)?, self.home(*b, bytes)?];
        let follows = |(i, pair): &(usize, &[NodeId])| {
            let [a, b] = from.map(|place| Some(place.plus(*i as u32 * bytes)));
            self.home(pair[0], bytes) == a && self.home(pair[1], bytes) == b
        };
        Some((from, nodes.chunks_exact(2).enumerate().take_while(follows).count()))
    }

    /// Copies runs of neighbours, interleaves lanes that come by turns from two places, repeats equal ones and puts the
    /// rest together in registers: a processor waits for narrow stores when they are loaded together.
    fn gather(&mut self, body: &mut Body<'_>, nodes: &[NodeId], bytes: u32, place: Place) {
        let vector = (VECTOR / bytes) as usize;
        let mut lane = 0;
        while lane < nodes.len() {
            let to = place.plus(lane as u32 * bytes);
            let rest = &nodes[lane..];
            let equal = rest.iter().take_while(|n| **n == rest[0]).count();
            if equal >= WORTH_A_SPLAT {
                let value = self.value(body, rest[0]);
                self.splat(body, value, bytes, to, equal);
                lane += equal;
                continue;
            }
            if let Some((from, run)) = self.run(rest, bytes).filter(|(_, run)| *run >= vector) {
                self.copy(body, to, from, run as u32 * bytes);
                lane += run;
                continue;
            }
            if let Some((from, pairs)) = self.pairs(rest, bytes).filter(|(_, pairs)| *pairs >= vector) {
                body.interleave(to, from, bytes, (pairs / vector) as u32);
                lane += 2 * (pairs / vector) * vector;
                continue;
            }
            if rest.len() >= vector && bytes < 8 {
                let halves = [0, vector / 2].map(|at| self.assembled(body, &rest[at..at + vector / 2], bytes));
                body.store_halves(halves, to);
                lane += vector;
                continue;
            }
            let count = if bytes == 8 { 1 } else { (1 << rest.len().ilog2()).min(vector / 2) };
            let value = self.assembled(body, &rest[..count], bytes);
            body.store_at(value, to, count as u32 * bytes);
            lane += count;
        }
    }

    /// Lanes, a power of two of them and at most eight bytes, in one integer.
    fn assembled(&mut self, body: &mut Body<'_>, nodes: &[NodeId], bytes: u32) -> Ssa {
        if let Some((place, run)) = self.run(nodes, bytes).filter(|(_, run)| *run == nodes.len()) {
            let pointer = body.base(place.base);
            return body.load(pointer, place.offset, run as u32 * bytes, false);
        }
        if let [node] = nodes {
            let value = self.value(body, *node);
            let kind = self.circuit.netlist.kind(*node);
            return match kind.signed || kind.bytes() > bytes {
                true => super::scalar::field(body, value, true, 0, Kind::bits(8 * bytes)),
                false => value,
            };
        }
        let (low, high) = nodes.split_at(nodes.len() / 2);
        let (low, high) = (self.assembled(body, low, bytes), self.assembled(body, high, bytes));
        let up = i64::from(8 * bytes) * (nodes.len() / 2) as i64;
        let high = body.builder.ins().ishl_imm_s(high, up);
        body.builder.ins().bor(low, high)
    }

    /// Registers that take what their neighbour holds.
    pub(super) fn move_on(&mut self, body: &mut Body<'_>, Move { offset, bytes, element }: Move) {
        let from = Place { base: Base::Current, offset };
        self.copy(body, from.next().plus(element), from, bytes - element);
    }

    fn copy(&mut self, body: &mut Body<'_>, to: Place, from: Place, bytes: u32) {
        if bytes <= INLINE_COPY {
            body.copy(to, from, bytes);
            return;
        }
        let host = Host { bytes: 1, signed: false };
        self.call(body, Task::Copy, host, (to, 1), &[Operand::at(from, 1)], 0, bytes as usize);
    }
}
