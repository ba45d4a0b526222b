//! A folder of JPEG and PNG files, decoded one by one when they are asked for.

use super::list;
use super::{About, Image};
use crate::error::GenError;
use crate::files;
use crate::pipeline::refused;
use heatvit_model::config::Config;
use heatvit_model::image::Pixels;
use heatvit_model::picture::Preprocess;
use std::path::{Path, PathBuf};

/// Ends of the names of pictures, in lower case.
const ENDINGS: [&str; 3] = ["jpg", "jpeg", "png"];
/// Folders within folders that are looked into.
const DEPTH: usize = 16;

/// Pictures with their classes.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    pictures: Vec<(PathBuf, Option<usize>)>,
    preprocess: Preprocess,
    /// Class folders, when the classes come from them.
    pub classes: Option<usize>,
}

impl Folder {
    /// Opens a folder. With `labels` its pictures are those of the list. Otherwise, when it holds folders, each of them
    /// is a class, in the order of their names, as in ImageNet's layout; else its pictures have no class.
    ///
    /// # Errors
    /// An unreadable folder or list, no pictures at all, or classes beyond the network's.
    pub fn open(path: &Path, labels: Option<&Path>, config: &Config) -> Result<Self, GenError> {
        let preprocess = config.preprocess();
        if let Some(file) = labels {
            let pictures = list::pictures(file, path, config.model.classes)?;
            let pictures = pictures.into_iter().map(|(path, label)| (path, Some(label))).collect();
            return Ok(Self { pictures, preprocess, classes: None });
        }
        let (folders, loose) = entries(path)?;
        let set = if folders.is_empty() {
            Self { pictures: loose.into_iter().map(|path| (path, None)).collect(), preprocess, classes: None }
        } else {
            let pictures = classes(path, &folders, &loose, config.model.classes)?;
            Self { pictures, preprocess, classes: Some(folders.len()) }
        };
        if set.pictures.is_empty() {
            let problem =
                format!("there is no picture in it (names end in {})", ENDINGS.map(|e| format!(".{e}")).join(", "));
            return Err(GenError::file(path, problem, "name a folder of pictures"));
        }
        Ok(set)
    }

    pub fn len(&self) -> usize {
        self.pictures.len()
    }

    /// Reads and prepares a picture.
    ///
    /// # Errors
    /// An unreadable file, or one that is no picture.
    pub fn image(&self, index: usize) -> Result<Image, GenError> {
        let (path, label) = &self.pictures[index];
        let pixels = self.preprocess.image(&files::read(path)?).map_err(|e| refused(path, &e))?;
        Ok(Image { pixels: Pixels::Bytes(pixels), about: About { label: *label, subject: None } })
    }
}

/// Folders and pictures of a folder, by name. What starts with a dot is nobody's picture.
fn entries(path: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), GenError> {
    let (folders, mut pictures): (Vec<_>, Vec<_>) = files::list(path)?
        .into_iter()
        .filter(|p| !p.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')))
        .partition(|p| p.is_dir());
    pictures.retain(|p| is_picture(p));
    Ok((folders, pictures))
}

/// Whether a file of a folder is read, by the ending of its name.
pub fn is_picture(path: &Path) -> bool {
    path.extension().is_some_and(|e| ENDINGS.iter().any(|known| e.to_string_lossy().eq_ignore_ascii_case(known)))
}

/// The pictures of all class folders.
fn classes(
    path: &Path,
    folders: &[PathBuf],
    loose: &[PathBuf],
    classes: usize,
) -> Result<Vec<(PathBuf, Option<usize>)>, GenError> {
    if let Some(picture) = loose.first() {
        let remedy =
            format!("move it into one, or name the classes with --labels (there are {} folders)", folders.len());
        return Err(GenError::file(picture, "it lies beside class folders", remedy));
    }
    if folders.len() > classes {
        let problem = format!("it has {} class folders, the network has {classes} classes", folders.len());
        return Err(GenError::file(path, problem, "change `classes` in [model] or use --labels"));
    }
    let mut pictures = Vec::new();
    for (label, folder) in folders.iter().enumerate() {
        let mut found = Vec::new();
        collect(folder, DEPTH, &mut found)?;
        pictures.extend(found.into_iter().map(|p| (p, Some(label))));
    }
    Ok(pictures)
}

/// Pictures of a folder and of those within it.
fn collect(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), GenError> {
    if depth == 0 {
        return Err(GenError::file(
            folder,
            format!("it is {DEPTH} folders deep"),
            "look for a link to a folder above it",
        ));
    }
    let (folders, pictures) = entries(folder)?;
    found.extend(pictures);
    folders.iter().try_for_each(|f| collect(f, depth - 1, found))
}
