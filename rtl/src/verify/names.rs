//! Rule 2: names.

use super::VerifyError;
use crate::{Design, Module, Origin};
use std::collections::BTreeSet;

/// Verilog-2005, SystemVerilog-2017 and VHDL-2008.
const KEYWORDS: &str = "abs accept_on access after alias all always always_comb always_ff always_latch and \
architecture array assert assign assume attribute automatic before begin bind bins binsof bit block body break buf \
buffer bufif0 bufif1 bus byte case casex casez cell chandle checker class clocking cmos component config \
configuration const constant constraint context continue cover covergroup coverpoint cross deassign default defparam \
design disable disconnect dist do downto edge else elsif end endcase endchecker endclass endclocking endconfig \
endfunction endgenerate endgroup endinterface endmodule endpackage endprimitive endprogram endproperty endsequence \
endspecify endtable endtask entity enum event eventually exit expect export extends extern file final first_match \
for force foreach forever fork forkjoin function generate generic genvar global group guarded highz0 highz1 if iff \
ifnone ignore_bins illegal_bins implements implies import impure in incdir include inertial initial inout input \
inside instance int integer interconnect interface intersect is join join_any join_none label large let liblist \
library linkage literal local localparam logic longint loop macromodule map matches medium mod modport module nand \
negedge nettype new next nexttime nmos nor noshowcancelled not notif0 notif1 null of on open or others out output \
package packed parameter pmos port posedge postponed primitive priority procedure process program property protected \
pull0 pull1 pulldown pullup pulsestyle_ondetect pulsestyle_onevent pure rand randc randcase randsequence range rcmos \
real realtime record ref reg register reject reject_on release rem repeat report restrict return rnmos rol ror rpmos \
rtran rtranif0 rtranif1 s_always s_eventually s_nexttime s_until s_until_with scalared select sequence severity \
shared shortint shortreal showcancelled signal signed sla sll small soft solve specify specparam sra srl static \
string strong strong0 strong1 struct subtype super supply0 supply1 sync_accept_on sync_reject_on table tagged task \
then this throughout time timeprecision timeunit to tran tranif0 tranif1 transport tri tri0 tri1 triand trior trireg \
type typedef unaffected union unique unique0 units unsigned until until_with untyped use uwire var variable vectored \
virtual void wait wait_order wand weak weak0 weak1 when while wildcard wire with within wor xnor xor";

/// What is wrong with a name.
fn problem(name: &str) -> Option<&'static str> {
    let mut characters = name.chars();
    let starts = characters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if !starts || !characters.all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Some("no Verilog identifier");
    }
    let lower = name.to_ascii_lowercase();
    if KEYWORDS.split_ascii_whitespace().any(|k| k == lower) {
        return Some("a keyword of Verilog, SystemVerilog or VHDL");
    }
    None
}

/// Names of all modules.
pub fn modules(design: &Design) -> Result<(), VerifyError> {
    let mut seen = BTreeSet::new();
    for id in design.ids() {
        let name = &design.module(id).name;
        let clash = !seen.insert(name.to_ascii_lowercase());
        let problem = problem(name).or(clash.then_some("the name of two modules (letter case does not count)"));
        if let Some(problem) = problem {
            return Err(VerifyError::Name { module: name.clone(), name: name.clone(), problem });
        }
    }
    Ok(())
}

/// Names within a module.
pub fn module(module: &Module) -> Result<(), VerifyError> {
    let mut seen = BTreeSet::new();
    let signals = module.signals.iter().map(|s| &s.name);
    let all = signals.chain(module.memories.iter().map(|m| &m.name)).chain(module.instances.iter().map(|i| &i.name));
    for name in all {
        let implicit = matches!(name.as_str(), "clk" | "rst") && module.origin != Origin::Primitive;
        let clash = !seen.insert(name.to_ascii_lowercase());
        // Ports of vendor primitives are given; they clash with no case-insensitive language here.
        let clash = clash && module.origin != Origin::Primitive;
        let problem = problem(name)
            .or(implicit.then_some("the implicit clock or reset"))
            .or(clash.then_some("used twice in the module (letter case does not count)"));
        if let Some(problem) = problem {
            return Err(VerifyError::Name { module: module.name.clone(), name: name.clone(), problem });
        }
    }
    Ok(())
}
