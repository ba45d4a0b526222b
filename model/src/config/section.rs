//! Reading one table of a TOML file: typed values that remember where they stand. The keys that were asked
//! for are the known ones, so the list behind "did you mean" cannot drift from the code.

use super::error::{ConfigError, Place};
use std::ops::{Range, RangeInclusive};
use toml::de::{DeTable, DeValue};

/// A parsed file.
#[derive(Debug)]
pub(super) struct Source<'a> {
    file: &'a str,
    text: &'a str,
}

impl<'a> Source<'a> {
    pub(super) fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text }
    }

    fn place(&self, offset: Option<usize>) -> Place {
        let line = offset.map(|at| self.text.bytes().take(at).filter(|b| *b == b'\n').count() as u32 + 1);
        Place { file: self.file.into(), line }
    }

    /// The whole file as a table.
    pub(super) fn parse(&self) -> Result<DeTable<'a>, ConfigError> {
        let refuse = |e: toml::de::Error| ConfigError::Syntax {
            place: self.place(e.span().map(|s| s.start)),
            message: e.message().replace('\n', ", ").into(),
        };
        DeTable::parse(self.text).map(toml::Spanned::into_inner).map_err(refuse)
    }
}

/// A value and where it was written; a default has no line.
#[derive(Clone, Debug)]
pub(super) struct Field<T> {
    pub(super) value: T,
    key: String,
    written: String,
    place: Place,
}

impl<T> Field<T> {
    /// The error that this value breaks a rule.
    pub(super) fn illegal(&self, rule: impl Into<String>, remedy: impl Into<String>) -> ConfigError {
        ConfigError::Illegal {
            place: self.place.clone(),
            key: self.key.as_str().into(),
            value: self.written.as_str().into(),
            rule: rule.into().into(),
            remedy: remedy.into().into(),
        }
    }

    fn with<U>(&self, value: U) -> Field<U> {
        Field { value, key: self.key.clone(), written: self.written.clone(), place: self.place.clone() }
    }
}

/// One table; an absent table reads as an empty one.
#[derive(Debug)]
pub(super) struct Section<'a> {
    source: &'a Source<'a>,
    path: String,
    table: Option<&'a DeTable<'a>>,
    offset: Option<usize>,
    asked: Vec<&'static str>,
}

impl<'a> Section<'a> {
    pub(super) fn root(source: &'a Source<'a>, table: &'a DeTable<'a>) -> Self {
        Self { source, path: String::new(), table: Some(table), offset: None, asked: Vec::new() }
    }

    fn full(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// True when the file has the table.
    pub(super) fn present(&self) -> bool {
        self.table.is_some()
    }

    fn raw(&mut self, key: &'static str) -> Option<Field<&'a DeValue<'a>>> {
        self.asked.push(key);
        let value = self.table?.get(key)?;
        Some(self.field(&self.full(key), value.span(), value.get_ref()))
    }

    fn field<T>(&self, key: &str, span: Range<usize>, value: T) -> Field<T> {
        let written = self.source.text.get(span.clone()).unwrap_or("").to_owned();
        Field { value, key: key.to_owned(), written, place: self.source.place(Some(span.start)) }
    }

    /// A table inside this one.
    pub(super) fn child(&mut self, key: &'static str) -> Result<Section<'a>, ConfigError> {
        let (path, offset) = (self.full(key), self.table.and_then(|t| t.get(key)).map(|v| v.span().start));
        let table = match self.raw(key) {
            None => {
                self.misspelt(key)?;
                None
            }
            Some(field) => Some(field.value.as_table().ok_or_else(|| mistyped(&field, &format!("a table [{path}]")))?),
        };
        Ok(Section { source: self.source, path, table, offset, asked: Vec::new() })
    }

    fn convert<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl Fn(&'a DeValue<'a>) -> Option<T>,
    ) -> Result<Option<Field<T>>, ConfigError> {
        let Some(field) = self.raw(key) else { return Ok(None) };
        let value = read(field.value).ok_or_else(|| mistyped(&field, expected))?;
        Ok(Some(field.with(value)))
    }

    /// A whole number within a range.
    pub(super) fn whole(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u64>,
    ) -> Result<Option<Field<u64>>, ConfigError> {
        let field = self.convert(key, "a whole number", integer)?;
        field.map(|f| whole_in(&f, &range)).transpose()
    }

    /// A real number within a range.
    pub(super) fn real(
        &mut self,
        key: &'static str,
        range: RangeInclusive<f64>,
    ) -> Result<Option<Field<f64>>, ConfigError> {
        let field = self.convert(key, "a number", number)?;
        field.map(|f| real_in(&f, &range)).transpose()
    }

    /// A list of whole numbers within a range.
    pub(super) fn wholes(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u64>,
    ) -> Result<Option<Field<Vec<Field<u64>>>>, ConfigError> {
        self.list(key, "a list of whole numbers", integer, |f| whole_in(f, &range))
    }

    /// A list of real numbers within a range.
    pub(super) fn reals(
        &mut self,
        key: &'static str,
        range: RangeInclusive<f64>,
    ) -> Result<Option<Field<Vec<Field<f64>>>>, ConfigError> {
        self.list(key, "a list of numbers", number, |f| real_in(f, &range))
    }

    /// A list whose elements are named by their place.
    fn list<V, T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl Fn(&'a DeValue<'a>) -> Option<V>,
        check: impl Fn(&Field<V>) -> Result<Field<T>, ConfigError>,
    ) -> Result<Option<Field<Vec<Field<T>>>>, ConfigError> {
        let Some(field) = self.raw(key) else { return Ok(None) };
        let elements = field.value.as_array().ok_or_else(|| mistyped(&field, expected))?;
        let mut values = Vec::with_capacity(elements.len());
        for (i, element) in elements.iter().enumerate() {
            let element = self.field(&format!("{}[{i}]", self.full(key)), element.span(), element.get_ref());
            let value = read(element.value).ok_or_else(|| mistyped(&element, expected))?;
            values.push(check(&element.with(value))?);
        }
        Ok(Some(field.with(values)))
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &'static str) -> Result<Option<Field<bool>>, ConfigError> {
        self.convert(key, "true or false", DeValue::as_bool)
    }

    /// A string.
    pub(super) fn text(&mut self, key: &'static str) -> Result<Option<Field<String>>, ConfigError> {
        self.convert(key, "a string in quotes", |v| v.as_str().map(str::to_owned))
    }

    /// One of the given words.
    pub(super) fn word<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(&str, T)],
    ) -> Result<Option<Field<T>>, ConfigError> {
        let Some(field) = self.text(key)? else { return Ok(None) };
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == field.value) {
            return Ok(Some(field.with(*value)));
        }
        let names: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        let remedy = match nearest(&field.value, words.iter().map(|(w, _)| *w)) {
            Some(word) => format!("did you mean \"{word}\"?"),
            None => "write one of them".to_owned(),
        };
        Err(field.illegal(format!("it is one of {}", names.join(", ")), remedy))
    }

    /// The value, or the error that it is missing.
    pub(super) fn require<T>(&self, key: &str, field: Option<Field<T>>, remedy: &str) -> Result<Field<T>, ConfigError> {
        if let Some(field) = field {
            return Ok(field);
        }
        self.misspelt(key)?;
        let place = self.source.place(self.offset);
        Err(ConfigError::Missing { place, key: self.full(key).into(), remedy: remedy.into() })
    }

    /// A misspelt key explains a missing one better than the missing one does.
    fn misspelt(&self, key: &str) -> Result<(), ConfigError> {
        let similar = |written: &str| !self.asked.contains(&written) && strsim::damerau_levenshtein(written, key) <= 2;
        match self.table.and_then(|t| t.iter().find(|(k, _)| similar(k.get_ref()))) {
            Some((written, _)) => Err(self.unknown(written)),
            None => Ok(()),
        }
    }

    fn unknown(&self, key: &toml::Spanned<toml::de::DeString<'_>>) -> ConfigError {
        let name: &str = key.get_ref();
        ConfigError::UnknownKey {
            place: self.source.place(Some(key.span().start)),
            key: self.full(name).into(),
            nearest: nearest(name, self.asked.iter().copied()),
            known: self.asked.clone(),
        }
    }

    /// A default as a field, so that a rule which it breaks can name it.
    pub(super) fn default<T: std::fmt::Display>(&self, key: &str, value: T) -> Field<T> {
        let written = format!("{value} (default)");
        Field { value, key: self.full(key), written, place: self.source.place(self.offset) }
    }

    /// Refuses keys that nobody asked for.
    pub(super) fn finish(self) -> Result<(), ConfigError> {
        let Some(table) = self.table else { return Ok(()) };
        // Tables iterate by name; the first unknown key in the file is the one to name.
        let unknown = table.iter().filter(|(key, _)| !self.asked.iter().any(|a| *a == key.get_ref().as_ref()));
        match unknown.min_by_key(|(key, _)| key.span().start) {
            Some((key, _)) => Err(self.unknown(key)),
            None => Ok(()),
        }
    }
}

fn whole_in(field: &Field<i128>, range: &RangeInclusive<u64>) -> Result<Field<u64>, ConfigError> {
    match u64::try_from(field.value).ok().filter(|v| range.contains(v)) {
        Some(value) => Ok(field.with(value)),
        None => {
            let rule = format!("it lies in {}..{}", range.start(), range.end());
            let nearest = i128::from(*range.start()).max(field.value.min(i128::from(*range.end())));
            Err(field.illegal(rule, format!("the nearest legal value is {nearest}")))
        }
    }
}

fn real_in(field: &Field<f64>, range: &RangeInclusive<f64>) -> Result<Field<f64>, ConfigError> {
    if range.contains(&field.value) {
        return Ok(field.with(field.value));
    }
    let rule = format!("it lies in {}..{}", range.start(), range.end());
    Err(field.illegal(rule, "write a number of that range"))
}

fn mistyped(field: &Field<&DeValue<'_>>, expected: &str) -> ConfigError {
    ConfigError::Type {
        place: field.place.clone(),
        key: field.key.as_str().into(),
        value: field.written.lines().next().unwrap_or("").into(),
        found: field.value.type_str().into(),
        expected: expected.into(),
    }
}

/// Any integer that fits; out of 128 bits is out of every range anyway.
fn integer(value: &DeValue<'_>) -> Option<i128> {
    let integer = value.as_integer()?;
    Some(i128::from_str_radix(integer.as_str(), integer.radix()).unwrap_or(i128::MAX))
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    match value.as_float() {
        Some(float) => float.as_str().parse().ok(),
        None => integer(value).map(|i| i as f64),
    }
}

/// The candidate that is most similar, if any is similar at all.
fn nearest<'b>(word: &str, candidates: impl Iterator<Item = &'b str>) -> Option<&'b str> {
    let scored = candidates.map(|c| (strsim::damerau_levenshtein(word, c), c));
    scored.filter(|(d, c)| *d <= c.len().max(word.len()) / 3 + 1 && *d < c.len()).min().map(|(_, c)| c)
}
