//! TCL as values. The tool generates settings only: comments and assignments; the flow that reads them is
//! hand-written. Every word is quoted here and nowhere else.

use std::fmt::Write as _;

/// A TCL value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A whole number.
    Number(u64),
    /// A number that is written in hexadecimal, eight digits.
    Address(u64),
    /// Any text.
    Text(String),
    /// A list; prints one element per line.
    List(Vec<Value>),
}

/// A TCL command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A comment line.
    Comment(String),
    /// An empty line.
    Blank,
    /// `set name value`.
    Set {
        /// Variable, a plain word.
        name: &'static str,
        /// Its value.
        value: Value,
    },
}

/// A word that TCL reads back as exactly this text: bare where that is safe, else with backslashes, which,
/// unlike braces, hold for every text.
pub fn word(text: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || "_-./:+=,@%".contains(c);
    if !text.is_empty() && text.chars().all(bare) {
        return text.to_owned();
    }
    if text.is_empty() {
        return "{}".to_owned();
    }
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            c if bare(c) || !c.is_ascii() => out.push(c),
            c if c.is_ascii_control() => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.extend(['\\', c]),
        }
        out
    })
}

fn value(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::Address(address) => format!("0x{address:08x}"),
        Value::Text(text) => word(text),
        Value::List(items) => {
            let items: String = items.iter().map(|item| format!(" \\\n    {}", self::value(item))).collect();
            format!("[list{items}]")
        }
    }
}

/// The text of a list of commands.
pub fn print(commands: &[Command]) -> String {
    commands.iter().fold(String::new(), |mut out, command| {
        match command {
            Command::Comment(text) => text.lines().for_each(|line| out.push_str(&format!("# {line}\n"))),
            Command::Blank => out.push('\n'),
            Command::Set { name, value: v } => out.push_str(&format!("set {name} {}\n", value(v))),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_escaped() {
        let cases = [
            ("xczu9eg-ffvb1156-2-e", "xczu9eg-ffvb1156-2-e"),
            ("", "{}"),
            ("a b", "a\\ b"),
            ("$x[exit]", "\\$x\\[exit\\]"),
            ("{\"\\;#", "\\{\\\"\\\\\\;\\#"),
            ("a\nb", "a\\u000ab"),
        ];
        for (text, expected) in cases {
            assert_eq!(word(text), expected);
        }
    }

    #[test]
    fn lists_print_one_element_per_line() {
        let files = Value::List(vec![Value::Text("rtl/a b.v".to_owned()), Value::Address(0x1000)]);
        let text = print(&[Command::Comment("x\ny".to_owned()), Command::Set { name: "files", value: files }]);
        assert_eq!(text, "# x\n# y\nset files [list \\\n    rtl/a\\ b.v \\\n    0x00001000]\n");
    }
}
