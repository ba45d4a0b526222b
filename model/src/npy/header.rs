//! The header: a Python dictionary with three known keys.

use super::NpyError;

/// Most dimensions of an array, as in NumPy.
const MOST_DIMENSIONS: usize = 64;

/// What a header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub descr: String,
    pub fortran_order: bool,
    pub shape: Vec<usize>,
}

/// What is left of the text.
struct Scanner<'a>(&'a str);

fn wrong(reason: impl Into<String>) -> NpyError {
    NpyError::Header { reason: reason.into() }
}

impl<'a> Scanner<'a> {
    /// Takes `token` if it is next.
    fn take(&mut self, token: &str) -> bool {
        self.0 = self.0.trim_start();
        match self.0.strip_prefix(token) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &str) -> Result<(), NpyError> {
        let found: String = self.0.trim_start().chars().take(12).collect();
        if self.take(token) {
            Ok(())
        } else {
            Err(wrong(format!("`{token}` is expected before `{}`", found.escape_debug())))
        }
    }

    /// A text in quotes, without escapes.
    fn quoted(&mut self) -> Result<&'a str, NpyError> {
        let quote = if self.take("\"") { '"' } else { self.expect("'").map(|()| '\'')? };
        let (text, rest) = self.0.split_once(quote).ok_or_else(|| wrong("a text has no end"))?;
        self.0 = rest;
        Ok(text)
    }

    fn boolean(&mut self) -> Result<bool, NpyError> {
        if self.take("True") { Ok(true) } else { self.expect("False").map(|()| false) }
    }

    fn number(&mut self) -> Result<usize, NpyError> {
        let text = self.0.trim_start();
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        self.0 = &text[end..];
        text[..end].parse().map_err(|_| wrong(format!("`{}` is no dimension", text[..end].escape_debug())))
    }

    fn tuple(&mut self) -> Result<Vec<usize>, NpyError> {
        self.expect("(")?;
        let mut numbers = Vec::new();
        while !self.take(")") {
            numbers.push(self.number()?);
            if numbers.len() > MOST_DIMENSIONS {
                return Err(wrong(format!("more than {MOST_DIMENSIONS} dimensions")));
            }
            if !self.take(",") {
                self.expect(")")?;
                break;
            }
        }
        Ok(numbers)
    }
}

impl Header {
    pub(super) fn parse(text: &[u8]) -> Result<Self, NpyError> {
        let text = std::str::from_utf8(text).map_err(|_| wrong("it is no text"))?;
        let mut scanner = Scanner(text);
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        scanner.expect("{")?;
        while !scanner.take("}") {
            let key = scanner.quoted()?;
            scanner.expect(":")?;
            let twice = match key {
                "descr" => descr.replace(descriptor(&mut scanner)?).is_some(),
                "fortran_order" => fortran_order.replace(scanner.boolean()?).is_some(),
                "shape" => shape.replace(scanner.tuple()?).is_some(),
                _ => return Err(wrong(format!("the key `{}` is unknown", key.escape_debug()))),
            };
            if twice {
                return Err(wrong(format!("the key `{key}` is there twice")));
            }
            if !scanner.take(",") {
                scanner.expect("}")?;
                break;
            }
        }
        if !scanner.0.trim().is_empty() {
            return Err(wrong("something follows the dictionary"));
        }
        let missing = |key: &str| wrong(format!("the key `{key}` is missing"));
        Ok(Self {
            descr: descr.ok_or_else(|| missing("descr"))?,
            fortran_order: fortran_order.ok_or_else(|| missing("fortran_order"))?,
            shape: shape.ok_or_else(|| missing("shape"))?,
        })
    }
}

/// A text, or the list of a structured type, which is refused by its name.
fn descriptor(scanner: &mut Scanner<'_>) -> Result<String, NpyError> {
    if scanner.take("[") {
        return Err(NpyError::Type { found: "a record".to_owned() });
    }
    scanner.quoted().map(str::to_owned)
}
