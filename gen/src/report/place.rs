//! Where the page goes: looked at before a long run, written in one piece after it.

use crate::error::GenError;
use crate::files;
use std::io::Write as _;
use std::path::Path;
use tempfile::NamedTempFile;

const REMEDY: &str = "choose another --report";

/// Folder of a file; a bare name lies in the current one.
fn folder(file: &Path) -> &Path {
    file.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn temporary(file: &Path) -> Result<NamedTempFile, GenError> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".heatvit-").suffix(".html");
    // A temporary file is private by default; the page is for everybody whom the umask lets read it.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder(file)).map_err(|e| GenError::file(file, format!("cannot be written: {e}"), REMEDY))
}

/// Makes the folder and tries a temporary file in it.
///
/// # Errors
/// A place that cannot be written, or one that is taken by anything but a file.
pub fn check(file: &Path) -> Result<(), GenError> {
    if file.file_name().is_none() || std::fs::metadata(file).is_ok_and(|m| !m.is_file()) {
        return Err(GenError::file(file, "the page cannot be written: it is not a file", REMEDY));
    }
    files::create_parent(file)?;
    temporary(file).map(drop)
}

/// Writes the page: nobody ever sees half of it.
///
/// # Errors
/// The path and the reason.
pub fn write(file: &Path, page: &str) -> Result<(), GenError> {
    check(file)?;
    let mut temporary = temporary(file)?;
    let written = temporary.write_all(page.as_bytes()).and_then(|()| temporary.flush());
    let written = written.and_then(|()| temporary.persist(file).map_err(|e| e.error));
    written.map(drop).map_err(|e| GenError::file(file, format!("cannot be written: {e}"), REMEDY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_written_into_a_new_folder_and_over_an_old_page() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a/b/page.html");
        for text in ["one", "two"] {
            write(&file, text).unwrap();
            assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        }
        let parent = file.parent().unwrap();
        assert_eq!(std::fs::read_dir(parent).unwrap().count(), 1, "no temporary file stays");
        // As readable as any other new file.
        std::fs::write(parent.join("other"), "x").unwrap();
        let permissions = |file: &Path| std::fs::metadata(file).unwrap().permissions();
        assert_eq!(permissions(&file), permissions(&parent.join("other")));
    }

    #[test]
    fn a_place_that_cannot_be_written_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = check(folder.path()).unwrap_err().to_string();
        assert!(error.ends_with("the page cannot be written: it is not a file; choose another --report"), "{error}");
        std::fs::write(folder.path().join("file"), "x").unwrap();
        let inside = folder.path().join("file/page.html");
        assert!(check(&inside).unwrap_err().to_string().contains("cannot create"));
        assert!(check(Path::new("")).is_err());
        assert_eq!(std::fs::read(folder.path().join("file")).unwrap(), b"x");
    }
}
