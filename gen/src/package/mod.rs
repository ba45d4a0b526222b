//! The output folder: collected in memory, written beside its place and renamed into it, so that nobody ever
//! sees half a folder.

pub mod emit;
pub mod manifest;
pub mod readme;

use crate::error::GenError;
use crate::files;
use manifest::{MANIFEST, Manifest};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The files of an output folder by relative path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Package {
    files: BTreeMap<String, Vec<u8>>,
}

impl Package {
    /// An empty folder.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file; the path is relative, `/` as separator.
    pub fn add(&mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.files.insert(path.into(), bytes.into());
    }

    /// All files by path.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
    }

    /// Adds the manifest of everything added so far.
    pub fn seal(&mut self, name: &str, config: &str) {
        let manifest = Manifest::new(name, config, self.files());
        self.add(MANIFEST, manifest.to_json());
    }

    /// Writes the folder; an existing one is replaced only if it holds a manifest of ours.
    ///
    /// # Errors
    /// When the place is taken by something else or cannot be written.
    pub fn write(&self, place: &Path) -> Result<(), GenError> {
        check_place(place)?;
        let parent = parent(place);
        std::fs::create_dir_all(&parent)
            .map_err(|e| GenError::file(&parent, format!("cannot create: {e}"), "choose another --out"))?;
        let temporary = tempfile::Builder::new().prefix(".heatvit-").tempdir_in(&parent);
        let temporary =
            temporary.map_err(|e| GenError::file(&parent, format!("cannot write: {e}"), "choose another --out"))?;
        let (new, old) = (temporary.path().join("new"), temporary.path().join("old"));
        for (path, bytes) in self.files() {
            let path = new.join(path);
            std::fs::create_dir_all(self::parent(&path))
                .map_err(|e| GenError::file(&path, format!("cannot create: {e}"), "check the disk"))?;
            files::write(&path, bytes)?;
        }
        let rename = |from: &Path, to: &Path| {
            std::fs::rename(from, to).map_err(|e| {
                GenError::file(
                    place,
                    format!("cannot be replaced: {e}"),
                    "close whatever uses it, or choose another --out",
                )
            })
        };
        let replaces = place.exists();
        if replaces {
            rename(place, &old)?;
        }
        rename(&new, place).inspect_err(|_| {
            if replaces {
                // The old folder returns; a failure of that is less important than the first one.
                let _ = rename(&old, place);
            }
        })
    }
}

fn parent(place: &Path) -> PathBuf {
    match place.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Refuses a place that holds anything but an output folder.
///
/// # Errors
/// What is there instead.
pub fn check_place(place: &Path) -> Result<(), GenError> {
    let remedy = "choose another --out or remove it yourself";
    match std::fs::symlink_metadata(place) {
        Err(_) => Ok(()),
        Ok(metadata) if !metadata.is_dir() => Err(GenError::file(place, "it exists and is not a folder", remedy)),
        Ok(_) => match std::fs::read(place.join(MANIFEST)) {
            Ok(text) if Manifest::from_json(&text).is_some() => Ok(()),
            _ => Err(GenError::file(place, "the folder exists and holds no manifest of heatvit", remedy)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(text: &str) -> Package {
        let mut package = Package::new();
        package.add("rtl/a.v", text);
        package.seal("a", "config");
        package
    }

    #[test]
    fn an_own_folder_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("deep/out");
        package("one").write(&place).unwrap();
        std::fs::write(place.join("stale"), "x").unwrap();
        package("two").write(&place).unwrap();
        assert_eq!(std::fs::read(place.join("rtl/a.v")).unwrap(), b"two");
        assert!(!place.join("stale").exists());
        assert_eq!(std::fs::read_dir(folder.path().join("deep")).unwrap().count(), 1, "no temporary folder stays");
    }

    #[test]
    fn a_foreign_folder_and_a_file_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("thesis.tex"), "x").unwrap();
        let error = package("one").write(folder.path()).unwrap_err().to_string();
        assert!(error.ends_with("holds no manifest of heatvit; choose another --out or remove it yourself"), "{error}");
        let error = package("one").write(&folder.path().join("thesis.tex")).unwrap_err().to_string();
        assert!(error.contains("is not a folder"), "{error}");
        assert_eq!(std::fs::read(folder.path().join("thesis.tex")).unwrap(), b"x");
    }

    #[test]
    fn the_manifest_holds_known_digests() {
        let package = package("abc");
        let manifest = Manifest::from_json(package.files["manifest.json"].as_slice()).unwrap();
        assert_eq!(
            manifest.files["rtl/a.v"].sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(manifest.files["rtl/a.v"].bytes, 3);
    }
}
