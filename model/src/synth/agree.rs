//! What features have in common, and how well a part of them tells it: first principal component and least squares.

/// Steps of the power iteration.
const STEPS: usize = 60;
/// Ridge of the least squares, relative to the features' power: training with weight decay does not make weights that
/// cancel each other.
const RIDGE: f64 = 0.1;

/// Mean and width of every column.
fn moments(rows: &[&[f32]]) -> Vec<(f64, f64)> {
    let cols = rows.first().map_or(0, |r| r.len());
    let count = rows.len().max(1) as f64;
    let of = |c: usize| {
        let mean = rows.iter().map(|r| f64::from(r[c])).sum::<f64>() / count;
        let variance = rows.iter().map(|r| (f64::from(r[c]) - mean).powi(2)).sum::<f64>() / count;
        (mean, libm::sqrt(variance))
    };
    (0..cols).map(of).collect()
}

fn standardised(rows: &[&[f32]]) -> Vec<Vec<f64>> {
    let moments = moments(rows);
    let one = |row: &&[f32]| {
        let values = row.iter().zip(&moments);
        values.map(|(x, (mean, width))| if *width > 1e-9 { (f64::from(*x) - mean) / width } else { 0.0 }).collect()
    };
    rows.iter().map(one).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// Brings values to mean 0 and width 1; values that are all alike become 0.
fn normalise(values: &mut [f64]) {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let width = libm::sqrt(values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count);
    values.iter_mut().for_each(|v| *v = if width > 1e-9 { (*v - mean) / width } else { 0.0 });
}

/// The first principal component of the standardised features: one value per row, mean 0 and width 1.
pub(super) fn common(rows: &[&[f32]]) -> Vec<f64> {
    let rows = standardised(rows);
    let cols = rows.first().map_or(0, Vec::len);
    let mut direction: Vec<f64> = (0..cols).map(|c| 1.0 + c as f64 / cols as f64).collect();
    for _ in 0..STEPS {
        let mut next = vec![0.0; cols];
        for row in &rows {
            let along = dot(row, &direction);
            next.iter_mut().zip(row).for_each(|(n, x)| *n += along * x);
        }
        let length = libm::sqrt(dot(&next, &next)).max(f64::MIN_POSITIVE);
        direction = next.into_iter().map(|n| n / length).collect();
    }
    let mut values: Vec<f64> = rows.iter().map(|row| dot(row, &direction)).collect();
    normalise(&mut values);
    values
}

/// Solves a positive definite system, given as rows with the right side at their end, by elimination.
fn solve(mut system: Vec<Vec<f64>>) -> Vec<f64> {
    let n = system.len();
    for pivot in 0..n {
        let (above, below) = system.split_at_mut(pivot + 1);
        let row = &above[pivot];
        for other in below {
            let factor = other[pivot] / row[pivot];
            other[pivot..].iter_mut().zip(&row[pivot..]).for_each(|(o, p)| *o -= factor * p);
        }
    }
    let mut solution = vec![0.0; n];
    for row in (0..n).rev() {
        let known = dot(&system[row][row + 1..n], &solution[row + 1..]);
        solution[row] = (system[row][n] - known) / system[row][row];
    }
    solution
}

/// Weights and, at the end, the bias of the least-squares estimate of `target` from the features, scaled so that
/// the estimates have mean 0 and width 1.
pub(super) fn estimate(rows: &[&[f32]], target: &[f64]) -> Vec<f64> {
    let moments = moments(rows);
    let cols = moments.len();
    let centred = standardised(rows);
    let mut system = vec![vec![0.0; cols + 1]; cols];
    for (row, y) in centred.iter().zip(target) {
        for (i, x) in row.iter().enumerate() {
            system[i][..cols].iter_mut().zip(row).for_each(|(s, z)| *s += x * z);
            system[i][cols] += x * y;
        }
    }
    for (i, row) in system.iter_mut().enumerate() {
        // Columns that never change keep a weight of 0.
        row[i] += RIDGE * rows.len() as f64 + 1e-9;
    }
    let weights = solve(system);
    let estimates: Vec<f64> = centred.iter().map(|row| dot(row, &weights)).collect();
    let power = dot(&estimates, &estimates) / estimates.len().max(1) as f64;
    let width = libm::sqrt(power).max(1e-9);
    let of = |(w, (_, column)): (&f64, &(f64, f64))| if *column > 1e-9 { w / (column * width) } else { 0.0 };
    let mut result: Vec<f64> = weights.iter().zip(&moments).map(of).collect();
    let bias = -result.iter().zip(&moments).map(|(w, (mean, _))| w * mean).sum::<f64>();
    result.push(bias);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features() -> (Vec<Vec<f32>>, Vec<f64>) {
        let hidden: Vec<f64> = (0..400).map(|i| (i as f64 * 0.7).sin() + (i as f64 * 0.11).cos()).collect();
        let own = |i: usize, c: usize| ((i * (c + 3)) as f64 * 1.3 + c as f64).sin();
        let row = |(i, h): (usize, &f64)| {
            (0..6).map(|c| ((c as f64 - 2.5) * h + 0.5 * own(i, c) + c as f64) as f32).collect()
        };
        (hidden.iter().enumerate().map(row).collect(), hidden)
    }

    fn correlation(a: &[f64], b: &[f64]) -> f64 {
        let (mut a, mut b) = (a.to_vec(), b.to_vec());
        normalise(&mut a);
        normalise(&mut b);
        dot(&a, &b) / a.len() as f64
    }

    #[test]
    fn the_common_part_is_found_and_estimated() {
        let (rows, hidden) = features();
        let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
        let found = common(&rows);
        assert!(correlation(&found, &hidden).abs() > 0.98);
        let part: Vec<&[f32]> = rows.iter().map(|r| &r[..2]).collect();
        let weights = estimate(&part, &found);
        let estimates: Vec<f64> =
            part.iter().map(|r| f64::from(r[0]) * weights[0] + f64::from(r[1]) * weights[1] + weights[2]).collect();
        assert!(correlation(&estimates, &found) > 0.9);
        let mean = estimates.iter().sum::<f64>() / 400.0;
        assert!(mean.abs() < 1e-4 && (dot(&estimates, &estimates) / 400.0 - 1.0).abs() < 1e-3);
    }

    #[test]
    fn constant_features_are_left_alone() {
        let rows = [vec![1.0f32, 2.0], vec![1.0, 3.0], vec![1.0, 4.0]];
        let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
        let weights = estimate(&rows, &common(&rows));
        assert_eq!(weights[0], 0.0);
        assert!(weights.iter().all(|w| w.is_finite()) && weights[1] != 0.0);
    }

    #[test]
    fn systems_are_solved() {
        let solution = solve(vec![vec![4.0, 1.0, 9.0], vec![1.0, 3.0, 5.0]]);
        assert!((solution[0] - 2.0).abs() < 1e-12 && (solution[1] - 1.0).abs() < 1e-12);
    }
}
