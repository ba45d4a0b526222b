//! Reading and writing of single files, with errors that name the path.

use crate::error::GenError;
use std::io::ErrorKind;
use std::path::Path;

fn refuse(path: &Path, error: &std::io::Error, doing: &str) -> GenError {
    match error.kind() {
        ErrorKind::NotFound => {
            GenError::file(path, format!("cannot {doing}: no such file or folder"), "check the path")
        }
        ErrorKind::PermissionDenied => GenError::file(path, format!("cannot {doing}: permission denied"), "change it"),
        ErrorKind::IsADirectory => GenError::file(path, format!("cannot {doing}: it is a folder"), "name a file"),
        _ => GenError::file(path, format!("cannot {doing}: {error}"), "check the path and the disk"),
    }
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

/// Makes the folder that a file is to be written to.
///
/// # Errors
/// The path and the reason.
pub fn create_parent(file: &Path) -> Result<(), GenError> {
    let Some(parent) = file.parent() else { return Ok(()) };
    std::fs::create_dir_all(parent).map_err(|e| refuse(parent, &e, "create"))
}

/// Writes a whole file, in place of an old one.
///
/// # Errors
/// The path and the reason.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), GenError> {
    std::fs::write(path, bytes).map_err(|e| refuse(path, &e, "write"))
}
