//! Lists of classes: a line for each picture, with its path relative to the folder and its class, as ILSVRC has them.

use crate::error::GenError;
use crate::files;
use std::path::{Path, PathBuf};

fn refuse(file: &Path, line: usize, problem: impl std::fmt::Display, remedy: &str) -> GenError {
    GenError::file(file, format!("line {}: {problem}", line + 1), remedy)
}

/// Lines that say something, with their numbers from 0.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty())
}

fn class(file: &Path, line: usize, word: &str, classes: usize) -> Result<usize, GenError> {
    match word.parse() {
        Ok(class) if class < classes => Ok(class),
        Ok(class) => {
            let class: usize = class;
            let problem = format!("the class {class} is beyond the network's, which are 0..{}", classes - 1);
            Err(refuse(file, line, problem, "count classes from 0, or change `classes` in [model]"))
        }
        Err(_) => Err(refuse(file, line, format!("`{word}` is no class"), "write a path, a blank and a whole number")),
    }
}

/// Pictures of `folder` with their classes, in the order of the list.
///
/// # Errors
/// An unreadable list, a line of another form, a class beyond the network's, or a picture that is not there.
pub(super) fn pictures(file: &Path, folder: &Path, classes: usize) -> Result<Vec<(PathBuf, usize)>, GenError> {
    let text = files::read_text(file)?;
    let picture = |(line, text): (usize, &str)| {
        let parts = text.rsplit_once(char::is_whitespace);
        let (path, word) = parts
            .ok_or_else(|| refuse(file, line, format!("`{text}` has no class"), "write a path, a blank and a class"))?;
        let class = class(file, line, word, classes)?;
        let path = folder.join(path.trim_end());
        if path.is_file() {
            Ok((path, class))
        } else {
            Err(refuse(file, line, format!("there is no file {}", path.display()), "write paths relative to --images"))
        }
    };
    let pictures = lines(&text).map(picture).collect::<Result<Vec<_>, _>>()?;
    if pictures.is_empty() {
        return Err(GenError::file(file, "it names no picture", "write lines of a path, a blank and a class"));
    }
    Ok(pictures)
}

/// The classes of `count` images in their order: the last word of every line.
///
/// # Errors
/// An unreadable list, another number of lines, or a class beyond the network's.
pub(super) fn labels(file: &Path, count: usize, classes: usize) -> Result<Vec<usize>, GenError> {
    let text = files::read_text(file)?;
    let last = |(line, text): (usize, &str)| {
        class(file, line, text.rsplit(char::is_whitespace).next().unwrap_or(text), classes)
    };
    let labels = lines(&text).map(last).collect::<Result<Vec<_>, _>>()?;
    if labels.len() != count {
        let problem = format!("it has {} classes, the tensor {count} images", labels.len());
        return Err(GenError::file(file, problem, "write one line for each image"));
    }
    Ok(labels)
}
