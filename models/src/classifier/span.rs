//! A few texts in thousands of dimensions span a space of as few dimensions as there are texts.
//!
//! The products of all pairs say all about their places in it: the lower triangle whose square they
//! are (Cholesky) has a row of coordinates for each. A penalised fit there finds the same weights,
//! as none would ever leave that space, in a fraction of the time.

use super::rows::Rows;

/// Added to the product of each text with itself, about 1 to 2, so that equal texts do no harm.
const RIDGE: f64 = 1e-4;

pub(super) struct Span {
    /// The texts by their coordinates.
    pub(super) rows: Rows,
    /// `[n, n]`, lower triangle.
    triangle: Vec<f64>,
}

impl Span {
    pub(super) fn of(rows: &Rows) -> Self {
        let n = rows.len();
        let mut triangle = rows.products();
        for i in 0..n {
            for j in 0..=i {
                let (head, tail) = triangle.split_at(i * n);
                let line_j = if j < i { &head[j * n..][..j] } else { &tail[..j] };
                let known: f64 = line_j.iter().zip(tail).map(|(a, b)| a * b).sum();
                let rest = tail[j] - known;
                triangle[i * n + j] = if i == j {
                    (rest + RIDGE).max(RIDGE).sqrt()
                } else {
                    rest / triangle[j * n + j]
                };
            }
        }
        let mut coordinates = Rows::new(n, 0);
        for (i, line) in triangle.chunks_exact(n.max(1)).enumerate() {
            let line: Vec<f32> =
                (0..n).map(|j| if j <= i { line[j] as f32 } else { 0.0 }).collect();
            coordinates.push(&line, &[]);
        }
        Self { rows: coordinates, triangle }
    }

    /// Turns weights of coordinates into weights of `rows`, which the span was made of.
    pub(super) fn spread(&self, rows: &Rows, weights: &[f32], n_topics: usize) -> Vec<f32> {
        let (n, k) = (rows.len(), n_topics);
        let (of_coordinates, biases) = weights.split_at(n * k);
        let mut shares: Vec<f64> = of_coordinates.iter().copied().map(f64::from).collect();
        // The transposed triangle is solved from its end.
        for i in (0..n).rev() {
            let (above, from) = shares.split_at_mut(i * k);
            let line = &mut from[..k];
            line.iter_mut().for_each(|share| *share /= self.triangle[i * n + i]);
            for (j, other) in above.chunks_exact_mut(k).enumerate() {
                let factor = self.triangle[i * n + j];
                other.iter_mut().zip(&*line).for_each(|(other, share)| *other -= factor * share);
            }
        }
        let shares: Vec<f32> = shares.into_iter().map(|share| share as f32).collect();
        let mut spread = vec![0.0; rows.n_weights(k)];
        rows.weigh_slopes(&shares, k, &mut spread);
        let at = spread.len() - k;
        spread[at..].copy_from_slice(biases);
        spread
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_in_the_span_are_scores_in_the_whole() {
        let mut rows = Rows::new(3, 2);
        for i in 0..4_u8 {
            let x = f32::from(i);
            rows.push(&[x.sin(), x.cos(), 0.1 * x], &[(u16::from(i % 2), 0.5 + 0.1 * x)]);
        }
        let span = Span::of(&rows);
        let weights: Vec<f32> =
            (0..span.rows.n_weights(2) as u8).map(|i| f32::from(i % 5)).collect();
        let near = span.rows.scores(&weights, 2);
        let far = rows.scores(&span.spread(&rows, &weights, 2), 2);
        for (a, b) in near.iter().zip(&far) {
            assert!((a - b).abs() < 1e-1, "{near:?} {far:?}");
        }
    }
}
