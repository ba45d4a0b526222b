//! NumPy's `.npy` files, of `float32` in C order: what `numpy.save` writes of a contiguous `float32` array.
//!
//! Format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>, versions 1 to 3. Bytes are read in
//! place: a false shape in a header costs no memory.

mod header;

use header::Header;
use std::ops::Range;

const MAGIC: &[u8] = b"\x93NUMPY";
/// Longest header that is read; those of arrays like ours have 128 bytes with the start.
const MOST_HEADER_BYTES: usize = 1 << 16;
/// Start and header together are a multiple of this.
const ALIGNMENT: usize = 64;
/// Bytes of an element.
const ELEMENT: usize = 4;

/// Why bytes are not an array that can be used. Each message ends with the remedy.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NpyError {
    /// The file does not start as one of NumPy does.
    #[error("it is no .npy file; write it with numpy.save")]
    Magic,
    /// A version that does not exist.
    #[error("it has version {major} of the format, versions 1 to 3 are known; write it with numpy.save")]
    Version {
        /// Found.
        major: u8,
    },
    /// The header is longer than the file or than any sensible one.
    #[error(
        "its header of {length} bytes is longer than the file or than {MOST_HEADER_BYTES} bytes; write it again with numpy.save"
    )]
    HeaderLength {
        /// Announced.
        length: u64,
    },
    /// The header does not have the expected form.
    #[error("its header is not the dictionary that numpy.save writes ({reason}); write it again")]
    Header {
        /// What is wrong.
        reason: String,
    },
    /// Another element type.
    #[error("its elements are `{found}`, `<f4` is needed; convert it with astype(\"<f4\")")]
    Type {
        /// As written.
        found: String,
    },
    /// Column-major.
    #[error("it is in Fortran order; convert it with numpy.ascontiguousarray")]
    Order,
    /// The shape does not fit the length of the file.
    #[error(
        "the shape {shape:?} needs {expected} bytes of data, the file holds {found}; it is cut off or padded, write it again"
    )]
    Length {
        /// As written.
        shape: Vec<usize>,
        /// Bytes that it needs, as written.
        expected: String,
        /// Bytes behind the header.
        found: usize,
    },
}

/// An array in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Array<'a> {
    /// Dimensions.
    pub shape: Vec<usize>,
    data: &'a [u8],
}

impl<'a> Array<'a> {
    /// Finds the array in a file's bytes.
    ///
    /// # Errors
    /// Everything that is not `float32`, little-endian, in C order and of the length that its shape needs.
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, NpyError> {
        let (text, data) = split(bytes)?;
        let Header { descr, fortran_order, shape } = Header::parse(text)?;
        if descr != "<f4" {
            return Err(NpyError::Type { found: descr });
        }
        // An array with one dimension is in both orders, and numpy.save says C.
        if fortran_order {
            return Err(NpyError::Order);
        }
        // Also of an array without elements no product of sides may overflow: whoever uses the shape multiplies them.
        let expected = shape.iter().try_fold(ELEMENT, |product, n| product.checked_mul(*n));
        if expected != Some(data.len()) {
            let expected = expected.map_or_else(|| "far too many".to_owned(), |bytes| bytes.to_string());
            return Err(NpyError::Length { shape, expected, found: data.len() });
        }
        Ok(Self { shape, data })
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.data.len() / ELEMENT
    }

    /// True without elements.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// Some of the elements, in C order; none where the range is beyond the array.
    pub fn values(&self, range: Range<usize>) -> Vec<f32> {
        let bytes = self.data.get(range.start * ELEMENT..range.end * ELEMENT).unwrap_or(&[]);
        bytes.as_chunks::<ELEMENT>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
    }
}

/// Text of the header, and what is behind it.
fn split(bytes: &[u8]) -> Result<(&[u8], &[u8]), NpyError> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(NpyError::Magic)?;
    let (&[major, _], rest) = rest.split_first_chunk::<2>().ok_or(NpyError::Magic)?;
    let cut = NpyError::HeaderLength { length: 0 };
    let (length, rest) = match major {
        1 => rest.split_first_chunk::<2>().map(|(l, rest)| (u32::from(u16::from_le_bytes(*l)), rest)).ok_or(cut)?,
        2 | 3 => rest.split_first_chunk::<4>().map(|(l, rest)| (u32::from_le_bytes(*l), rest)).ok_or(cut)?,
        _ => return Err(NpyError::Version { major }),
    };
    let fits = |length: &usize| *length <= MOST_HEADER_BYTES;
    let header = usize::try_from(length).ok().filter(fits).and_then(|length| rest.split_at_checked(length));
    header.ok_or(NpyError::HeaderLength { length: u64::from(length) })
}

/// The file of an array, version 1.
///
/// # Example
/// ```
/// use heatvit_model::npy::{Array, to_bytes};
/// let file = to_bytes(&[2, 3], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
/// let array = Array::from_bytes(&file).unwrap();
/// assert_eq!((array.shape.as_slice(), array.values(3..5)), (&[2, 3][..], vec![3.0, 4.0]));
/// ```
pub fn to_bytes(shape: &[usize], values: &[f32]) -> Vec<u8> {
    debug_assert_eq!(shape.iter().product::<usize>(), values.len());
    let sides: Vec<String> = shape.iter().map(usize::to_string).collect();
    let comma = if shape.len() == 1 { "," } else { "" };
    let mut text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}{comma}), }}", sides.join(", "));
    let start = MAGIC.len() + 4;
    let length = (start + text.len() + 1).next_multiple_of(ALIGNMENT) - start;
    text.extend(std::iter::repeat_n(' ', length - text.len() - 1).chain(['\n']));
    let mut file = [MAGIC, &[1, 0], &(length as u16).to_le_bytes(), text.as_bytes()].concat();
    file.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    file
}

#[cfg(test)]
mod tests;
