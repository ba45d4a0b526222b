//! Every tensor of a forward pass as a file that NumPy reads.

use crate::error::GenError;
use crate::files;
use heatvit_model::golden::Trace;
use heatvit_model::npy;
use std::path::Path;

/// Writes the tensors of a trace into a folder, as `<name>.npy`, float32 `[rows, columns]`.
///
/// # Errors
/// An unwritable folder.
pub fn write<T: Copy>(folder: &Path, trace: &Trace<T>, value: impl Fn(T) -> f32) -> Result<(), GenError> {
    files::create_folder(folder)?;
    for tensor in &trace.tensors {
        let values: Vec<f32> = tensor.data.iter().map(|v| value(*v)).collect();
        let file = folder.join(format!("{}.npy", tensor.name));
        files::write(&file, &npy::to_bytes(&[tensor.rows, tensor.cols], &values))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_a_folder_of_arrays() {
        let mut trace = Trace::default();
        trace.record("embed".to_owned(), 2, &[1, -2, 3, 40_000, 5, -6]);
        trace.record("blocks.0.attn.exp.1".to_owned(), 1, &[127]);
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("new/tensors");
        write(&place, &trace, |v: i32| v as f32).unwrap();
        let file = std::fs::read(place.join("embed.npy")).unwrap();
        let array = npy::Array::from_bytes(&file).unwrap();
        assert_eq!((array.shape.as_slice(), array.values(2..5)), (&[3, 2][..], vec![3.0, 40_000.0, 5.0]));
        assert!(place.join("blocks.0.attn.exp.1.npy").is_file());
    }
}
