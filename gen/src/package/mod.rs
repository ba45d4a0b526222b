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

    /// Writes the folder; an existing one is replaced only as [`check_place`] allows.
    ///
    /// # Errors
    /// When the place is taken by something else or cannot be written.
    pub fn write(&self, place: &Path, page: Option<&Path>) -> Result<(), GenError> {
        check_place(place, page)?;
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

/// Refuses a place that holds anything but an output folder as it was written: what a person or Vivado has put into it since
/// then is kept. `page` is a file that the command writes anew.
///
/// # Errors
/// What is there instead.
pub fn check_place(place: &Path, page: Option<&Path>) -> Result<(), GenError> {
    let refuse = |problem: String, remedy| Err(GenError::file(place, problem, remedy));
    let remedy = "choose another --out or remove it yourself";
    match std::fs::symlink_metadata(place) {
        Err(_) => return Ok(()),
        Ok(metadata) if !metadata.is_dir() => return refuse("it exists and is not a folder".to_owned(), remedy),
        Ok(_) => {}
    }
    let manifest = std::fs::read(place.join(MANIFEST)).ok().and_then(|text| Manifest::from_json(&text));
    let Some(manifest) = manifest else {
        return refuse("the folder exists and holds no manifest of heatvit".to_owned(), remedy);
    };
    match foreign(place, &manifest, page)? {
        None => Ok(()),
        Some(path) => refuse(
            format!("{} in it is not as heatvit wrote it, and would be lost", path.display()),
            "move it away or choose another --out",
        ),
    }
}

/// The first file of an output folder that its manifest does not know, or knows otherwise; its path within the folder.
fn foreign(place: &Path, manifest: &Manifest, page: Option<&Path>) -> Result<Option<PathBuf>, GenError> {
    let mut folders = vec![place.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in files::list(&folder)? {
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
                continue;
            }
            let inside = path.strip_prefix(place).unwrap_or(&path);
            let known = inside == Path::new(MANIFEST) || page == Some(&path);
            if !known && !manifest.lists(inside, &path) {
                return Ok(Some(inside.to_owned()));
            }
        }
    }
    Ok(None)
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
        let page = place.join("page.html");
        package("one").write(&place, None).unwrap();
        std::fs::write(&page, "x").unwrap();
        package("two").write(&place, Some(&page)).unwrap();
        assert_eq!(std::fs::read(place.join("rtl/a.v")).unwrap(), b"two");
        assert!(!page.exists());
        assert_eq!(std::fs::read_dir(folder.path().join("deep")).unwrap().count(), 1, "no temporary folder stays");
    }

    #[test]
    fn what_was_put_into_the_folder_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("out");
        package("one").write(&place, None).unwrap();
        let refused = |file: &str| {
            let end = format!(
                "{file} in it is not as heatvit wrote it, and would be lost; move it away or choose another --out"
            );
            let error = package("two").write(&place, None).unwrap_err().to_string();
            assert!(error.ends_with(&end), "{error}");
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary folder stays");
        };
        std::fs::create_dir(place.join("build")).unwrap();
        std::fs::write(place.join("build/a.bit"), "x").unwrap();
        refused("build/a.bit");
        std::fs::remove_file(place.join("build/a.bit")).unwrap();
        std::fs::write(place.join("rtl/a.v"), "edited").unwrap();
        refused("rtl/a.v");
        assert_eq!(std::fs::read(place.join("rtl/a.v")).unwrap(), b"edited");
    }

    #[test]
    fn a_foreign_folder_and_a_file_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("thesis.tex"), "x").unwrap();
        let error = package("one").write(folder.path(), None).unwrap_err().to_string();
        assert!(error.ends_with("holds no manifest of heatvit; choose another --out or remove it yourself"), "{error}");
        let error = package("one").write(&folder.path().join("thesis.tex"), None).unwrap_err().to_string();
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
