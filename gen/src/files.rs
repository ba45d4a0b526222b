//! Reading and writing of single files, with errors that name the path.

use crate::error::GenError;
use memmap2::Mmap;
use std::fs::File;
use std::io::{Error, ErrorKind};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn refuse(path: &Path, error: &Error, doing: &str) -> GenError {
    match error.kind() {
        ErrorKind::NotFound => {
            GenError::file(path, format!("cannot {doing}: no such file or folder"), "check the path")
        }
        ErrorKind::PermissionDenied => GenError::file(path, format!("cannot {doing}: permission denied"), "change it"),
        ErrorKind::IsADirectory => GenError::file(path, format!("cannot {doing}: it is a folder"), "name a file"),
        _ => GenError::file(path, format!("cannot {doing}: {error}"), "check the path and the disk"),
    }
}

/// A new file, or an old one without its bytes.
///
/// # Errors
/// The path and the reason.
pub fn create(path: &Path) -> Result<File, GenError> {
    File::create(path).map_err(|e| refuse(path, &e, "write"))
}

/// Tries whether a file can be written, before a long run; leaves it as it is.
///
/// # Errors
/// The path and the reason.
pub fn check_place(path: &Path) -> Result<(), GenError> {
    let new = !path.exists();
    File::options().append(true).create(true).open(path).map_err(|e| refuse(path, &e, "write"))?;
    if new { std::fs::remove_file(path).map_err(|e| refuse(path, &e, "write")) } else { Ok(()) }
}

/// Tries all files of which some options name one.
///
/// # Errors
/// The first path that cannot be written, and the reason.
pub fn check_places<'a>(asked: impl IntoIterator<Item = &'a Option<PathBuf>>) -> Result<(), GenError> {
    asked.into_iter().flatten().try_for_each(|file| check_place(file))
}

/// A whole file.
///
/// # Errors
/// The path and the reason.
pub fn read(path: &Path) -> Result<Vec<u8>, GenError> {
    std::fs::read(path).map_err(|e| refuse(path, &e, "read"))
}

/// A whole text file.
///
/// # Errors
/// The path and the reason.
pub fn read_text(path: &Path) -> Result<String, GenError> {
    let text = String::from_utf8(read(path)?);
    text.map_err(|_| GenError::file(path, "it is not a text file (UTF-8)", "name a text file"))
}

/// The bytes of a file, which are read when they are used.
#[derive(Clone, Debug)]
pub enum Mapped {
    /// Of an ordinary file.
    Map(Arc<Mmap>),
    /// Of what cannot be mapped, such as a pipe.
    Read(Arc<[u8]>),
}

impl Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Map(map) => map,
            Self::Read(bytes) => bytes,
        }
    }
}

/// Maps a file into memory, so that a large one costs only what is used of it.
///
/// # Errors
/// The path and the reason.
#[expect(unsafe_code, reason = "a map is as good as the file behind it")]
pub fn map(path: &Path) -> Result<Mapped, GenError> {
    let refuse = |e: Error| refuse(path, &e, "read");
    let file = File::open(path).map_err(refuse)?;
    let kind = file.metadata().map_err(refuse)?;
    if kind.is_dir() {
        return Err(refuse(ErrorKind::IsADirectory.into()));
    }
    if !kind.is_file() {
        return Ok(Mapped::Read(read(path)?.into()));
    }
    // SAFETY: the map is private and only read, and every reader checks what it reads, so bytes that another program
    // changes meanwhile give wrong numbers or a refusal. A file that is made shorter meanwhile ends the program with
    // SIGBUS; that can be said of every tool that maps its input, and nobody can be harmed but who shortens the file.
    let map = unsafe { Mmap::map(&file) }.map_err(refuse)?;
    Ok(Mapped::Map(Arc::new(map)))
}

/// Whether there is something at a path that can be opened.
///
/// # Errors
/// The path and the reason.
pub fn check(path: &Path) -> Result<(), GenError> {
    File::open(path).map(drop).map_err(|e| refuse(path, &e, "read"))
}

/// What is in a folder, by name.
///
/// # Errors
/// The path and the reason.
pub fn list(folder: &Path) -> Result<Vec<PathBuf>, GenError> {
    let entries = std::fs::read_dir(folder).and_then(|entries| entries.map(|e| e.map(|e| e.path())).collect());
    let mut paths: Vec<PathBuf> = entries.map_err(|e| refuse(folder, &e, "read"))?;
    paths.sort();
    Ok(paths)
}

/// Makes the folder that a file is to be written to.
///
/// # Errors
/// The path and the reason.
pub fn create_parent(file: &Path) -> Result<(), GenError> {
    file.parent().map_or(Ok(()), create_folder)
}

/// Makes a folder and those that it lies in, where they are not there.
///
/// # Errors
/// The path and the reason.
pub fn create_folder(folder: &Path) -> Result<(), GenError> {
    std::fs::create_dir_all(folder).map_err(|e| refuse(folder, &e, "create"))
}

/// Writes a whole file, in place of an old one.
///
/// # Errors
/// The path and the reason.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), GenError> {
    std::fs::write(path, bytes).map_err(|e| refuse(path, &e, "write"))
}
