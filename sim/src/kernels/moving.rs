//! Sums within one array: each lane takes that of a lane further on, or further back, and something else. So partial sums
//! move through the cascade of a systolic array.

use super::lane::Lane;

/// Lanes that are read before they are written.
const TOGETHER: usize = 8;

/// `d = a + b` where `a` or `b` lies in the same array as `d`, ahead of it, or `back`, behind it.
///
/// # Safety
/// All pointers cover `lanes` elements; `a` and `b` may overlap with `d` if both that do so lie on the same side of it.
#[inline(always)]
pub unsafe fn add<T: Lane>(d: *mut T, a: *const T, b: *const T, back: bool, lanes: usize) {
    let whole = lanes / TOGETHER * TOGETHER;
    let sum = |a: T, b: T| T::cut(a.widen().wrapping_add(b.widen()));
    let one = |at: usize| {
        // SAFETY: `at` is less than `lanes`.
        unsafe { d.add(at).write(sum(a.add(at).read(), b.add(at).read())) }
    };
    let some = |at: usize| {
        // SAFETY: `at` and the lanes that follow it are less than `lanes`.
        unsafe {
            let [a, b] = [a, b].map(|from| from.add(at).cast::<[T; TOGETHER]>().read());
            d.add(at).cast::<[T; TOGETHER]>().write(std::array::from_fn(|i| sum(a[i], b[i])));
        }
    };
    // What is read is not written over before: the order is that of the movement's opposite.
    if back {
        (whole..lanes).rev().for_each(one);
        (0..whole).step_by(TOGETHER).rev().for_each(some);
    } else {
        (0..whole).step_by(TOGETHER).for_each(some);
        (whole..lanes).for_each(one);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_move_within_an_array() {
        for lanes in [1_usize, 5, 8, 17, 64] {
            for shift in [1_usize, 3, 8, 20] {
                for back in [true, false] {
                    let mut array: Vec<i32> = (0..lanes + shift).map(|l| (l * l) as i32).collect();
                    let b: Vec<i32> = (0..lanes).map(|l| 1000 * l as i32).collect();
                    let (from, to) = if back { (0, shift) } else { (shift, 0) };
                    let expected: Vec<i32> = (0..lanes).map(|l| array[from + l] + b[l]).collect();
                    let pointer = array.as_mut_ptr();
                    // SAFETY: both stretches lie in the array.
                    unsafe { add(pointer.add(to), pointer.add(from), b.as_ptr(), back, lanes) };
                    assert_eq!(array[to..to + lanes], expected, "{lanes} {shift} {back}");
                }
            }
        }
    }
}
