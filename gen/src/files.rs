//! Reading and writing of single files, with errors that name the path.

use crate::error::GenError;
use memmap2::Mmap;
use std::fs::File;
use std::io::{Error, ErrorKind, Write as _};
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

/// Writes a whole file, in place of an old one: where that fails, the old one stays, and nothing of the new one.
///
/// # Errors
/// The path and the reason.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), GenError> {
    replace(path, |file| file.write_all(bytes)).map_err(|e| refuse(path, &e, "write"))
}

/// Fills a temporary file in the folder of `path`, then gives it that name. A link stays one, and an old file keeps its
/// permissions; what is no ordinary file, or lies in a folder that takes no new ones, is written as it is.
fn replace(path: &Path, fill: impl FnOnce(&mut File) -> Result<(), Error>) -> Result<(), Error> {
    let place = match std::fs::canonicalize(path) {
        Ok(place) => place,
        Err(_) if path.is_symlink() => return fill(&mut File::create(path)?),
        Err(_) => path.to_owned(),
    };
    let old = std::fs::metadata(&place).ok();
    if old.as_ref().is_some_and(|old| !old.is_file()) {
        return fill(&mut File::create(path)?);
    }
    if old.is_some() {
        // Nobody replaces what may not be written.
        File::options().append(true).open(&place)?;
    }
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".heatvit-");
    // A temporary file is private by default; this one is for everybody whom the umask lets read it.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut temporary = match builder.tempfile_in(folder) {
        Ok(temporary) => temporary,
        Err(e) if e.kind() == ErrorKind::PermissionDenied && old.is_some() => return fill(&mut File::create(&place)?),
        Err(e) => return Err(e),
    };
    fill(temporary.as_file_mut())?;
    if let Some(old) = old {
        temporary.as_file().set_permissions(old.permissions())?;
    }
    temporary.persist(&place).map(drop).map_err(|e| e.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<PathBuf> {
        list(folder).unwrap_or_default()
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let [old, new] = ["old", "new"].map(|name| folder.path().join(name));
        std::fs::write(&old, "kept").unwrap();
        for path in [&old, &new] {
            let full = |file: &mut File| file.write_all(b"half").and(Err(ErrorKind::StorageFull.into()));
            assert_eq!(replace(path, full).unwrap_err().kind(), ErrorKind::StorageFull);
            assert_eq!(names(folder.path()), vec![old.clone()]);
        }
        assert_eq!(std::fs::read(&old).unwrap(), b"kept");
    }

    #[test]
    fn who_has_an_old_file_open_reads_on() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        write(&file, b"old").unwrap();
        let old = map(&file).unwrap();
        write(&file, b"").unwrap();
        assert_eq!((&*old, std::fs::read(&file).unwrap().as_slice()), (&b"old"[..], &b""[..]));
        assert_eq!(names(folder.path()), [file]);
    }

    #[test]
    fn links_permissions_and_devices_stay() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link, other] = ["file", "link", "other"].map(|name| folder.path().join(name));
        let permissions = |path: &Path| std::fs::metadata(path).unwrap().permissions();
        write(&file, b"one").unwrap();
        std::fs::write(&other, "").unwrap();
        assert_eq!(permissions(&file), permissions(&other), "as any other new file");
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
        let before = permissions(&file);
        std::os::unix::fs::symlink("file", &link).unwrap();
        write(&link, b"two").unwrap();
        assert!(link.is_symlink());
        assert_eq!((std::fs::read(&file).unwrap().as_slice(), permissions(&file)), (&b"two"[..], before));
        write(Path::new("/dev/null"), b"x").unwrap();
        assert!(!Path::new("/dev/null").is_file());
        let error = write(folder.path(), b"x").unwrap_err().to_string();
        assert!(error.ends_with("cannot write: it is a folder; name a file"), "{error}");
    }
}
