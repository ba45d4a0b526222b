//! Memories, in the form that synthesis maps to block or LUT RAM.

use super::format::literal;
use super::item::Item;
use super::printer::Printer;
use super::term::Op;
use crate::{Bits, Expr, Memory, MemoryStyle, ReadPort, WritePort};

/// Initial words on one line.
const WORDS_A_LINE: usize = 4;

impl Printer<'_> {
    /// A memory with all its ports.
    pub(super) fn emit_memory(&mut self, index: usize) {
        let memory = &self.module.memories[index];
        memory.reads.iter().for_each(|read| self.done[read.data.index()] = true);
        self.owner.clone_from(&memory.name);
        let mut ports = String::new();
        let mut looped = None;
        for write in &memory.writes {
            ports.push_str(&self.write_port(memory, write, &mut looped));
        }
        for read in &memory.reads {
            ports.push_str(&self.read_port(memory, read));
        }
        let style = match memory.style {
            MemoryStyle::Block => "    (* ram_style = \"block\" *)\n",
            MemoryStyle::Distributed => "    (* ram_style = \"distributed\" *)\n",
            MemoryStyle::Auto => "",
        };
        let style = if memory.writes.is_empty() { style.replace("ram_style", "rom_style") } else { style.to_owned() };
        let comment = if memory.doc.is_empty() { String::new() } else { format!("    // {}\n", memory.doc) };
        let counter = looped.map(|name: String| format!("    integer {name};\n")).unwrap_or_default();
        let range = super::format::range(memory.width);
        let declaration = format!("    reg {range}{} [0:{}];\n", memory.name, memory.depth - 1);
        let initial = initial(memory);
        let clock = &self.clock;
        let text = format!(
            "{comment}{style}{declaration}{counter}{initial}    always @(posedge {clock}) begin\n{ports}    end\n"
        );
        self.items.push(Item::Block(text));
    }

    /// A memory that no read port has brought up.
    pub(super) fn emit_rom_or_write_only(&mut self, index: usize) {
        if self.module.memories[index].reads.is_empty() {
            self.emit_memory(index);
        }
    }

    fn address(&mut self, memory: &Memory, address: &Expr) -> String {
        let bits = address_bits(memory.depth);
        let id = self.lowered.term(address);
        // A narrower address reaches the first words only.
        if address.width() < bits {
            format!("{{{}'d0, {}}}", bits - address.width(), self.leaf(id))
        } else {
            self.index(id)
        }
    }

    /// Whether an address is a constant that no word has; a linter refuses it as an index.
    fn is_beyond(&self, memory: &Memory, address: &Expr) -> bool {
        let Op::Const(at) = &self.lowered.terms.get(self.lowered.term(address)).op else { return false };
        at.low_u64() >= u64::from(memory.depth) || at.limbs().iter().skip(1).any(|limb| *limb != 0)
    }

    /// Nothing for a write that is always lost.
    fn write_port(&mut self, memory: &Memory, port: &WritePort, looped: &mut Option<String>) -> String {
        if self.is_beyond(memory, &port.address) {
            return String::new();
        }
        let name = &memory.name;
        let enable = self.lowered.term(&port.enable);
        let enable = if self.is_one(enable) { None } else { Some(self.plain(enable)) };
        self.owner = format!("{name}_write_address");
        let address = self.address(memory, &port.address);
        let condition = |indent: &str| enable.as_ref().map_or_else(String::new, |e| format!("{indent}if ({e})\n"));
        let data = self.lowered.term(&port.data);
        let Some(mask) = &port.mask else {
            self.owner = format!("{name}_write_data");
            let data = self.root(data, None);
            return format!("{}            {name}[{address}] <= {data};\n", condition("        "));
        };
        self.owner = format!("{name}_write_data");
        let data = self.leaf_name(data);
        self.owner = format!("{name}_write_mask");
        let parts = mask.width();
        let mask = self.lowered.term(mask);
        let mask = self.leaf_name(mask);
        let width = memory.width / parts;
        if parts == 1 {
            let both = enable.map_or_else(|| mask.clone(), |e| format!("({e}) & {mask}"));
            return format!("        if ({both})\n            {name}[{address}] <= {data};\n");
        }
        let i = looped.get_or_insert_with(|| self.names.fresh(&format!("{name}_part"))).clone();
        format!(
            "{}            for ({i} = 0; {i} < {parts}; {i} = {i} + 1)\n                if ({mask}[{i}])\n                    \
             {name}[{address}][{i} * {width} +: {width}] <= {data}[{i} * {width} +: {width}];\n",
            condition("        ")
        )
    }

    fn read_port(&mut self, memory: &Memory, port: &ReadPort) -> String {
        let enable = self.lowered.term(&port.enable);
        self.owner = format!("{}_read_enable", memory.name);
        let enable = if self.is_one(enable) { String::new() } else { format!("if ({}) ", self.plain(enable)) };
        self.owner = format!("{}_read_address", memory.name);
        let data = &self.module.signal(port.data).name;
        if self.is_beyond(memory, &port.address) {
            return format!("        {enable}{data} <= {};\n", literal(&Bits::zero(memory.width), false));
        }
        let address = self.address(memory, &port.address);
        format!("        {enable}{data} <= {}[{address}];\n", memory.name)
    }

    /// A name that can be indexed.
    fn leaf_name(&mut self, id: super::term::TermId) -> String {
        let text = self.leaf(id);
        if text.contains(['[', '\'']) {
            let bare = self.lowered.terms.bare(id);
            let wanted = self.owner.clone();
            self.temporary(bare, &wanted, Some(text));
            return self.leaf_of_named(bare);
        }
        text
    }
}

/// Address bits of a memory, at least one.
pub fn address_bits(depth: u32) -> u32 {
    depth.next_power_of_two().ilog2().max(1)
}

fn initial(memory: &Memory) -> String {
    let Some(init) = &memory.init else { return String::new() };
    let mut words = init.clone();
    words.resize(memory.depth as usize, Bits::zero(memory.width));
    let name = &memory.name;
    let set: Vec<String> =
        words.iter().enumerate().map(|(i, word)| format!("{name}[{i}] = {};", literal(word, false))).collect();
    let lines: String = set.chunks(WORDS_A_LINE).map(|line| format!("        {}\n", line.join(" "))).collect();
    format!("    initial begin\n{lines}    end\n")
}
