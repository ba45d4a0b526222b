//! Many random designs under one top, so that one compilation of another simulator serves them all.

use super::of_seed;
use heatvit_rtl::random::{Style, add_prefixed};
use heatvit_rtl::{Design, Direction, Expr, ModuleBuilder, Ty};
use std::ops::Range;

/// The designs of these seeds side by side; ports and modules carry `d<seed>_`.
pub fn together(seeds: Range<u64>, style: Style<'_>) -> Design {
    let mut all = Design::new();
    let mut tops = Vec::new();
    for seed in seeds {
        let prefix = format!("d{seed}_");
        tops.extend(add_prefixed(&mut all, &of_seed(seed, style), &prefix).map(|top| (prefix, top)));
    }
    let mut m = ModuleBuilder::new("together", "Random designs side by side.");
    for (prefix, top) in tops {
        let child = all.module(top).clone();
        let pins: Vec<(String, bool, Expr)> = child
            .ports()
            .map(|(_, s)| {
                let (ty, outer) = (Ty::bits(s.ty.total_width()), format!("{prefix}{}", s.name));
                let input = s.port == Some(Direction::Input);
                (s.name.clone(), input, if input { m.input(&outer, ty, "") } else { m.output(&outer, ty, "") })
            })
            .collect();
        let mut instance = m.instance(&format!("{prefix}i"), top, &child);
        for (port, input, outer) in &pins {
            instance = if *input { instance.input(port, outer) } else { instance.output_to(port, outer) };
        }
        instance.done();
    }
    all.add(m.finish());
    all
}
