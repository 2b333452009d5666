//! Passage vectors `[n, dimension]` and the exact scan over them.

/// Which embedder made the vectors of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbedderSpec {
    /// Name with everything that changes its vectors, as in `all-MiniLM-L6-v2`.
    pub id: String,
    /// Numbers in a vector.
    pub dimension: usize,
}

impl std::fmt::Display for EmbedderSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} dimensions)", self.id, self.dimension)
    }
}

/// Numbers that are multiplied side by side; one AVX-512 register, or two or four narrower ones.
const LANES: usize = 16;

/// Unit vectors of equal length, one after the other.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Vectors {
    dimension: usize,
    numbers: Vec<f32>,
}

impl Vectors {
    pub(crate) fn new(dimension: usize) -> Self {
        Self { dimension, numbers: Vec::new() }
    }

    /// Adds a vector, scaled to unit length; a vector of noughts stays one.
    ///
    /// # Errors
    /// The reason, when the vector does not fit or holds what is not a number.
    pub(crate) fn push(&mut self, vector: &[f32]) -> Result<(), String> {
        if vector.len() != self.dimension {
            return Err(format!("a vector has {} numbers, not {}", vector.len(), self.dimension));
        }
        let unit = unit(vector).ok_or("a vector holds something that is not a finite number")?;
        self.numbers.extend(unit);
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.numbers.len().checked_div(self.dimension).unwrap_or(0)
    }

    /// The vector with this number; empty beyond the last.
    pub(crate) fn get(&self, n: usize) -> &[f32] {
        let from = n.saturating_mul(self.dimension);
        self.numbers.get(from..from.saturating_add(self.dimension)).unwrap_or_default()
    }

    /// Cosine of every vector to a unit query; those not wanted get none.
    pub(crate) fn cosines(
        &self,
        query: &[f32],
        wanted: impl Fn(usize) -> bool,
    ) -> Vec<Option<f32>> {
        if self.dimension == 0 {
            return Vec::new();
        }
        let rows = self.numbers.chunks_exact(self.dimension).enumerate();
        rows.map(|(n, row)| wanted(n).then(|| dot(query, row))).collect()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.numbers.iter().flat_map(|n| n.to_le_bytes()).collect()
    }

    /// Reads what [`Vectors::to_bytes`] wrote; none when the length does not fit.
    pub(crate) fn from_bytes(bytes: &[u8], dimension: usize) -> Option<Self> {
        if dimension == 0 || !bytes.len().is_multiple_of(dimension.checked_mul(4)?) {
            return None;
        }
        let numbers = bytes
            .chunks_exact(4)
            .map(|b| b.try_into().map(f32::from_le_bytes))
            .collect::<Result<Vec<f32>, _>>()
            .ok()?;
        Some(Self { dimension, numbers })
    }
}

/// Scales a vector to unit length; none when a number is not finite.
pub(crate) fn unit(vector: &[f32]) -> Option<Vec<f32>> {
    if !vector.iter().all(|n| n.is_finite()) {
        return None;
    }
    let most = vector.iter().fold(0.0_f32, |m, n| m.max(n.abs()));
    if most == 0.0 {
        return Some(vector.to_vec());
    }
    // Divided by the greatest first, so that no square overflows.
    let scaled: Vec<f32> = vector.iter().map(|n| n / most).collect();
    let length = dot(&scaled, &scaled).sqrt();
    Some(scaled.iter().map(|n| n / length).collect())
}

/// Dot product, in lanes that the compiler turns into vector instructions.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (wide_a, rest_a) = a.as_chunks::<LANES>();
    let (wide_b, rest_b) = b.as_chunks::<LANES>();
    for (x, y) in wide_a.iter().zip(wide_b) {
        for ((sum, x), y) in sums.iter_mut().zip(x).zip(y) {
            *sum += x * y;
        }
    }
    let rest: f32 = rest_a.iter().zip(rest_b).map(|(x, y)| x * y).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dot_product_agrees_with_the_plain_sum() {
        for len in [0, 1, 15, 16, 17, 384] {
            let a: Vec<f32> = (0_u16..len).map(|n| f32::from(n % 7) - 3.0).collect();
            let b: Vec<f32> = (0_u16..len).map(|n| f32::from(n % 5) - 2.0).collect();
            let plain: f32 = a.iter().zip(&b).map(|(x, y)| x * y).sum();
            assert!((dot(&a, &b) - plain).abs() < 1e-3, "{len}");
        }
    }

    #[test]
    fn vectors_become_unit_vectors_and_survive_the_disk() {
        let mut vectors = Vectors::new(3);
        vectors.push(&[3.0, 4.0, 0.0]).unwrap();
        vectors.push(&[1e38, 1e38, 0.0]).unwrap();
        vectors.push(&[0.0; 3]).unwrap();
        assert_eq!(vectors.len(), 3);
        assert!((vectors.get(0)[0] - 0.6).abs() < 1e-6);
        assert!((dot(vectors.get(1), vectors.get(1)) - 1.0).abs() < 1e-5);
        assert_eq!(vectors.get(7), &[] as &[f32]);
        let back = Vectors::from_bytes(&vectors.to_bytes(), 3);
        assert_eq!(back.as_ref(), Some(&vectors));
        assert_eq!(Vectors::from_bytes(&[0; 13], 3), None);
        assert_eq!(Vectors::from_bytes(&[], 0), None);
    }

    #[test]
    fn misfits_are_refused() {
        let mut vectors = Vectors::new(2);
        assert!(vectors.push(&[1.0]).is_err());
        assert!(vectors.push(&[f32::NAN, 1.0]).is_err());
        assert_eq!(vectors.len(), 0);
    }

    #[test]
    fn only_wanted_vectors_are_compared() {
        let mut vectors = Vectors::new(2);
        vectors.push(&[1.0, 0.0]).unwrap();
        vectors.push(&[0.0, 1.0]).unwrap();
        assert_eq!(vectors.cosines(&[1.0, 0.0], |n| n == 1), [None, Some(0.0)]);
    }
}
