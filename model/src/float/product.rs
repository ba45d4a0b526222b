//! Matrix products in real numbers.
//!
//! A sum is kept in [`LANES`] parts, element `i` in part `i mod LANES`, which are added up at the end. The parts fill the
//! vector registers of any processor, and because each has its fixed order and no multiplication is fused with an
//! addition, the result has the same bits on all of them. Several rows and outputs are computed together so that what is
//! loaded is used more than once.

use super::FloatLinear;

/// Parts of a sum.
const LANES: usize = 16;

/// The parts of a sum, in the registers of a processor. Left to itself the compiler keeps them in memory.
trait Lanes: Copy {
    /// All parts.
    type Sum: Copy;
    /// No sum yet.
    fn zero(self) -> Self::Sum;
    /// Adds a product to each part.
    fn add_products(self, sum: Self::Sum, x: &[f32; LANES], w: &[f32; LANES]) -> Self::Sum;
    /// The parts one by one.
    fn parts(self, sum: Self::Sum) -> [f32; LANES];
}

/// What every processor has.
#[derive(Clone, Copy)]
struct Plain;

impl Lanes for Plain {
    type Sum = [f32; LANES];

    #[inline(always)]
    fn zero(self) -> Self::Sum {
        [0.0; LANES]
    }

    #[inline(always)]
    fn add_products(self, sum: Self::Sum, x: &[f32; LANES], w: &[f32; LANES]) -> Self::Sum {
        std::array::from_fn(|i| sum[i] + x[i] * w[i])
    }

    #[inline(always)]
    fn parts(self, sum: Self::Sum) -> [f32; LANES] {
        sum
    }
}

#[cfg(target_arch = "x86_64")]
impl Lanes for pulp::x86::V4 {
    type Sum = pulp::f32x16;

    #[inline(always)]
    fn zero(self) -> Self::Sum {
        self.splat_f32x16(0.0)
    }

    #[inline(always)]
    fn add_products(self, sum: Self::Sum, x: &[f32; LANES], w: &[f32; LANES]) -> Self::Sum {
        self.add_f32x16(sum, self.mul_f32x16(pulp::cast(*x), pulp::cast(*w)))
    }

    #[inline(always)]
    fn parts(self, sum: Self::Sum) -> [f32; LANES] {
        pulp::cast(sum)
    }
}

#[cfg(target_arch = "x86_64")]
impl Lanes for pulp::x86::V3 {
    type Sum = [pulp::f32x8; 2];

    #[inline(always)]
    fn zero(self) -> Self::Sum {
        [self.splat_f32x8(0.0); 2]
    }

    #[inline(always)]
    fn add_products(self, sum: Self::Sum, x: &[f32; LANES], w: &[f32; LANES]) -> Self::Sum {
        let (x, w): (Self::Sum, Self::Sum) = (pulp::cast(*x), pulp::cast(*w));
        std::array::from_fn(
            #[inline(always)]
            |i| self.add_f32x8(sum[i], self.mul_f32x8(x[i], w[i])),
        )
    }

    #[inline(always)]
    fn parts(self, sum: Self::Sum) -> [f32; LANES] {
        pulp::cast(sum)
    }
}

/// `rows x weights`: every dot product of a tile.
#[inline(always)]
fn tile<L: Lanes, const ROWS: usize, const OUTPUTS: usize>(
    lanes: L,
    rows: [&[f32]; ROWS],
    weights: [&[f32]; OUTPUTS],
) -> [[f32; OUTPUTS]; ROWS] {
    let (rows, row_ends) = split(rows);
    let (weights, weight_ends) = split(weights);
    let chunks = rows.iter().chain(&weights).map(|part| part.len()).min().unwrap_or(0);
    let mut sums = [[lanes.zero(); OUTPUTS]; ROWS];
    for c in 0..chunks {
        for n in 0..OUTPUTS {
            for r in 0..ROWS {
                sums[r][n] = lanes.add_products(sums[r][n], &rows[r][c], &weights[n][c]);
            }
        }
    }
    let mut out = [[0.0; OUTPUTS]; ROWS];
    for r in 0..ROWS {
        for n in 0..OUTPUTS {
            let rest: f32 = row_ends[r].iter().zip(weight_ends[n]).map(|(x, w)| x * w).sum();
            out[r][n] = lanes.parts(sums[r][n]).iter().sum::<f32>() + rest;
        }
    }
    out
}

/// Whole chunks and what is left, of every slice.
#[inline(always)]
fn split<const N: usize>(slices: [&[f32]; N]) -> ([&[[f32; LANES]]; N], [&[f32]; N]) {
    let parts = slices.map(|slice| slice.as_chunks::<LANES>());
    (parts.map(|(chunks, _)| chunks), parts.map(|(_, rest)| rest))
}

/// Slice `i` of those that `count` slices of length `length` make up.
#[inline(always)]
fn at(data: &[f32], length: usize, i: usize) -> &[f32] {
    &data[i * length..(i + 1) * length]
}

/// All dot products of the rows of `input` with the rows of `weight`, in tiles; those that fill no tile one by one.
#[inline(always)]
fn products<L: Lanes, const ROWS: usize, const OUTPUTS: usize>(
    lanes: L,
    input: &[f32],
    weight: &[f32],
    inputs: usize,
    out: &mut [f32],
) {
    let (rows, outputs) = (input.len() / inputs, weight.len() / inputs);
    for n in (0..outputs).step_by(OUTPUTS) {
        for r in (0..rows).step_by(ROWS) {
            if r + ROWS <= rows && n + OUTPUTS <= outputs {
                let x = std::array::from_fn(|i| at(input, inputs, r + i));
                let w = std::array::from_fn(|i| at(weight, inputs, n + i));
                for (i, sums) in tile::<L, ROWS, OUTPUTS>(lanes, x, w).iter().enumerate() {
                    out[(r + i) * outputs + n..][..OUTPUTS].copy_from_slice(sums);
                }
            } else {
                for (i, j) in (r..rows.min(r + ROWS)).flat_map(|i| (n..outputs.min(n + OUTPUTS)).map(move |j| (i, j))) {
                    let [[sum]] = tile::<L, 1, 1>(lanes, [at(input, inputs, i)], [at(weight, inputs, j)]);
                    out[i * outputs + j] = sum;
                }
            }
        }
    }
}

/// `input * weight^T`: `[rows][inputs]` and `[outputs][inputs]` to `[rows][outputs]`, with the widest instructions
/// that the processor has.
pub(super) fn product(input: &[f32], weight: &[f32], inputs: usize) -> Vec<f32> {
    let mut out = vec![0.0; (input.len() / inputs) * (weight.len() / inputs)];
    #[cfg(target_arch = "x86_64")]
    {
        // The tiles are as large as the registers allow: 32 of 16 values, and 16 of 8.
        if let Some(simd) = pulp::x86::V4::try_new() {
            simd.vectorize(
                #[inline(always)]
                || products::<_, 4, 4>(simd, input, weight, inputs, &mut out),
            );
            return out;
        }
        if let Some(simd) = pulp::x86::V3::try_new() {
            simd.vectorize(
                #[inline(always)]
                || products::<_, 2, 3>(simd, input, weight, inputs, &mut out),
            );
            return out;
        }
    }
    products::<_, 2, 2>(Plain, input, weight, inputs, &mut out);
    out
}

/// Products of all pairs of columns of `[rows][cols]`, `[cols][cols]`.
pub(crate) fn gram(values: &[f32], cols: usize) -> Vec<f32> {
    let rows = values.len() / cols;
    if rows == 0 {
        return vec![0.0; cols * cols];
    }
    let columns: Vec<f32> = (0..cols).flat_map(|c| values.iter().skip(c).step_by(cols).copied()).collect();
    product(&columns, &columns, rows)
}

/// A product with its bias: `[rows][inputs]` to `[rows][outputs]`.
pub(crate) fn linear(input: &[f32], l: &FloatLinear) -> Vec<f32> {
    let mut out = product(input, &l.weight, l.inputs);
    for row in out.chunks_exact_mut(l.outputs) {
        row.iter_mut().zip(&l.bias).for_each(|(x, bias)| *x += bias);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(count: usize, seed: f32) -> Vec<f32> {
        (0..count).map(|i| (i as f32 * 1.7 + seed).sin()).collect()
    }

    /// The definition: parts of a sum in their order.
    fn by_definition(a: &[f32], b: &[f32]) -> f32 {
        let mut parts = [0.0f32; LANES];
        let whole = a.len() - a.len() % LANES;
        (0..whole).for_each(|i| parts[i % LANES] += a[i] * b[i]);
        parts.iter().sum::<f32>() + (whole..a.len()).map(|i| a[i] * b[i]).sum::<f32>()
    }

    #[test]
    fn every_tile_has_the_bits_of_the_definition() {
        for (rows, outputs, inputs) in [(1, 1, 1), (5, 7, 37), (9, 13, 64), (4, 4, 16), (3, 2, 15), (6, 9, 48)] {
            let (input, weight) = (values(rows * inputs, 0.3), values(outputs * inputs, 0.8));
            let pairs = (0..rows).flat_map(|r| (0..outputs).map(move |n| (r, n)));
            let expected: Vec<f32> =
                pairs.map(|(r, n)| by_definition(at(&input, inputs, r), at(&weight, inputs, n))).collect();
            let mut out = vec![0.0; rows * outputs];
            assert_eq!(product(&input, &weight, inputs), expected);
            let all = [products::<Plain, 4, 4>, products::<Plain, 2, 3>, products::<Plain, 2, 2>];
            for tiles in all {
                tiles(Plain, &input, &weight, inputs, &mut out);
                assert_eq!(out, expected);
            }
            #[cfg(target_arch = "x86_64")]
            if let Some(simd) = pulp::x86::V3::try_new() {
                products::<_, 2, 3>(simd, &input, &weight, inputs, &mut out);
                assert_eq!(out, expected);
            }
        }
    }
}
