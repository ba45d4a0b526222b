//! Activations in the form in which the kernels read them.

/// Two neighbouring values of a row.
pub(super) type Pair = [i16; 2];

/// Rows of int8 values, held in 16 bits and in pairs; a row of odd length ends with a zero.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    pairs: Vec<Pair>,
    rows: usize,
    cols: usize,
}

impl Rows {
    /// Takes another shape: zeros, in the memory that there is. In the same shape the elements stay.
    pub(super) fn reshape(&mut self, rows: usize, cols: usize) {
        if (self.rows, self.cols) != (rows, cols) {
            (self.rows, self.cols) = (rows, cols);
            self.pairs.clear();
            self.pairs.resize(rows * cols.div_ceil(2), [0; 2]);
        }
    }

    /// Takes rows of `cols` values.
    pub(super) fn fill<'a, T: Copy + Into<i16> + 'a>(
        &mut self,
        cols: usize,
        rows: impl ExactSizeIterator<Item = &'a [T]>,
    ) {
        self.reshape(rows.len(), cols);
        let stride = self.stride().max(1);
        for (to, from) in self.elements_mut().chunks_mut(stride).zip(rows) {
            to.iter_mut().zip(from).for_each(|(to, from)| *to = (*from).into());
        }
    }

    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        self.rows
    }

    /// Values of a row.
    pub(super) fn cols(&self) -> usize {
        self.cols
    }

    /// Elements from a row to the next, the zero at the end of odd rows included.
    pub(super) fn stride(&self) -> usize {
        self.cols.next_multiple_of(2)
    }

    /// A row.
    pub(super) fn row(&self, row: usize) -> &[i16] {
        &self.view().row(row).as_flattened()[..self.cols]
    }

    /// All rows.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &[i16]> {
        (0..self.rows).map(|row| self.row(row))
    }

    /// All rows, [`Self::stride`] elements each. The zero at the end of odd rows has to stay.
    pub(super) fn elements_mut(&mut self) -> &mut [i16] {
        self.pairs.as_flattened_mut()
    }

    /// The same in pairs.
    pub(super) fn pairs_mut(&mut self) -> &mut [Pair] {
        &mut self.pairs
    }

    /// All rows, to be read by kernels.
    pub(super) fn view(&self) -> View<'_> {
        View { pairs: &self.pairs, length: self.cols.div_ceil(2) }
    }
}

/// Rows that kernels read.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    /// Row after row.
    pub pairs: &'a [Pair],
    /// Pairs of a row.
    pub length: usize,
}

impl<'a> View<'a> {
    /// A row.
    #[inline(always)]
    pub(super) fn row(self, row: usize) -> &'a [Pair] {
        &self.pairs[row * self.length..][..self.length]
    }

    /// The rows from `first` on.
    pub(super) fn from(self, first: usize) -> Self {
        Self { pairs: &self.pairs[first * self.length..], ..self }
    }
}
