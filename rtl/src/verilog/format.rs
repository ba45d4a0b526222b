//! Layout of the text: ranges, literals, line breaks.

use crate::Bits;

/// Longest line that is not broken.
const LINE: usize = 110;

/// `[width-1:0] `, empty for one bit.
pub fn range(width: u32) -> String {
    if width == 1 { String::new() } else { format!("[{}:0] ", width - 1) }
}

/// `name[high:low]` of a vector of `total` bits.
pub fn bits_of(name: &str, total: u32, low: u32, width: u32) -> String {
    match width {
        _ if width == total => name.to_owned(),
        1 => format!("{name}[{low}]"),
        _ => format!("{name}[{}:{low}]", low + width - 1),
    }
}

/// A sized literal: decimal where that is short, else hexadecimal.
pub fn literal(bits: &Bits, signed: bool) -> String {
    let width = bits.width();
    let mark = if signed { "s" } else { "" };
    let negative = signed && bits.bit(width - 1);
    if negative && width <= 32 {
        let magnitude = (1u64 << width) - bits.low_u64();
        if magnitude < 1 << (width - 1) {
            return format!("-{width}'sd{magnitude}");
        }
    }
    let small = bits.limbs().iter().skip(1).all(|l| *l == 0) && bits.low_u64() < 1_000_000;
    if small && !negative {
        return format!("{width}'{mark}d{}", bits.low_u64());
    }
    let digits: String = bits.limbs().iter().rev().map(|l| format!("{l:016x}")).collect();
    let needed = width.div_ceil(4) as usize;
    format!("{width}'{mark}h{}", &digits[digits.len().saturating_sub(needed)..])
}

/// Breaks long lines at spaces, outside of brackets where possible; continuation lines are indented by
/// `indent` more.
pub fn wrap(line: &str, indent: usize) -> String {
    let own = line.len() - line.trim_start().len();
    let mut out = String::new();
    let mut rest = line.to_owned();
    while rest.len() > LINE {
        let Some(at) = break_point(&rest, own + indent) else { break };
        out.push_str(&rest[..at]);
        out.push('\n');
        rest = format!("{}{}", " ".repeat(own + indent), &rest[at + 1..]);
    }
    out + &rest
}

/// The last of the spaces with the fewest brackets around them, in the later part of the line.
fn break_point(line: &str, margin: usize) -> Option<usize> {
    let mut depth = 0;
    let mut best: Option<(i32, usize)> = None;
    for (at, c) in line.char_indices() {
        match c {
            '(' | '{' | '[' => depth += 1,
            ')' | '}' | ']' => depth -= 1,
            ' ' if at > margin.max(LINE / 3) && (at <= LINE || best.is_none()) => {
                if best.is_none_or(|(least, _)| depth <= least) {
                    best = Some((depth, at));
                }
            }
            _ => {}
        }
    }
    best.map(|(_, at)| at)
}

/// `head = value;` with a value that may bring its own line breaks.
pub fn assignment(indent: usize, head: &str, operator: &str, value: &str) -> String {
    let pad = " ".repeat(indent);
    if value.contains('\n') {
        let lines: Vec<String> = value.lines().map(|l| wrap(&format!("{pad}    {l}"), 4)).collect();
        format!("{pad}{head} {operator}\n{};\n", lines.join("\n"))
    } else {
        format!("{}\n", wrap(&format!("{pad}{head} {operator} {value};"), 8))
    }
}
