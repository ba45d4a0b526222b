//! Types of signals: an element width and signedness, and how many elements stand side by side.

/// Type of a signal: `dims.product()` elements of `width` bits each.
///
/// Element `i` (row-major over `dims`, the first dimension outermost) occupies the bits
/// `[i * width +: width]` of the flat vector that is printed. Scalars have no dimensions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ty {
    /// Bits of one element, at least 1.
    pub width: u32,
    /// Whether an element is read as two's complement.
    pub signed: bool,
    /// Extents of the lanes, outermost first; empty for a scalar.
    pub dims: Vec<u32>,
}

impl Ty {
    /// Unsigned scalar.
    pub fn bits(width: u32) -> Self {
        Self { width, signed: false, dims: Vec::new() }
    }

    /// Two's complement scalar.
    pub fn signed(width: u32) -> Self {
        Self { width, signed: true, dims: Vec::new() }
    }

    /// One bit.
    pub fn bit() -> Self {
        Self::bits(1)
    }

    /// `count` of these side by side; becomes the outermost dimension.
    pub fn lanes(mut self, count: u32) -> Self {
        self.dims.insert(0, count);
        self
    }

    /// Number of elements.
    pub fn elements(&self) -> u32 {
        self.dims.iter().product()
    }

    /// Bits of the whole signal.
    pub fn total_width(&self) -> u32 {
        self.elements() * self.width
    }

    /// Bits of one part along the outermost dimension; of the whole signal for a scalar.
    pub fn part_width(&self) -> u32 {
        self.dims.iter().skip(1).product::<u32>() * self.width
    }

    /// The element's type.
    pub fn element(&self) -> Self {
        Self { width: self.width, signed: self.signed, dims: Vec::new() }
    }

    /// True when the type has no lanes.
    pub fn is_scalar(&self) -> bool {
        self.dims.is_empty()
    }
}
