//! `manifest.json`: what is in an output folder. Digests only, no times and no paths of the machine, so equal
//! input gives equal bytes.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

/// File name of the manifest.
pub const MANIFEST: &str = "manifest.json";
/// Marks a manifest as ours.
const FORMAT: &str = "heatvit-output-1";

/// A file of the folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Size.
    pub bytes: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
}

/// The manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Format of the folder.
    pub format: String,
    /// Version of the tool.
    pub tool: String,
    /// Name of the configuration.
    pub name: String,
    /// SHA-256 of the completed configuration.
    pub config_sha256: String,
    /// Files by path, `/` as separator.
    pub files: BTreeMap<String, Entry>,
}

/// SHA-256 as hexadecimal text.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

impl Manifest {
    /// The manifest of a list of files.
    pub fn new<'a>(name: &str, config: &str, files: impl Iterator<Item = (&'a str, &'a [u8])>) -> Self {
        let entry = |bytes: &[u8]| Entry { bytes: bytes.len() as u64, sha256: sha256(bytes) };
        Self {
            format: FORMAT.to_owned(),
            tool: format!("heatvit {}", env!("CARGO_PKG_VERSION")),
            name: name.to_owned(),
            config_sha256: sha256(config.as_bytes()),
            files: files.map(|(path, bytes)| (path.to_owned(), entry(bytes))).collect(),
        }
    }

    /// Reads a manifest back; `None` when the text is not one of ours.
    pub fn from_json(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok().filter(|m: &Self| m.format == FORMAT)
    }

    /// Whether a file is there under this path as it is at `place`.
    pub fn lists(&self, path: &Path, place: &Path) -> bool {
        let entry = path.to_str().and_then(|path| self.files.get(path));
        entry.is_some_and(|entry| std::fs::read(place).is_ok_and(|bytes| sha256(&bytes) == entry.sha256))
    }

    /// The file's text.
    pub fn to_json(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("strings and numbers only");
        text + "\n"
    }
}
