//! Products of f32 matrices, for the classifier's training, by the `gemm` crate, which chooses
//! its kernel at run time.

/// A matrix inside a slice: `rows` × `columns`, element (r, c) at `r * row_step + c * column_step`.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) row_step: usize,
    pub(crate) column_step: usize,
}

impl<'a> View<'a> {
    /// Views `data` as `rows` × `columns` in row-major order.
    pub(crate) fn rows(data: &'a [f32], rows: usize, columns: usize) -> Self {
        Self { data, rows, columns, row_step: columns, column_step: 1 }
    }

    /// Swaps rows and columns without moving data.
    pub(crate) fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_step: self.column_step,
            column_step: self.row_step,
            ..self
        }
    }

    fn fits(&self) -> bool {
        self.rows == 0
            || self.columns == 0
            || (self.rows - 1) * self.row_step + (self.columns - 1) * self.column_step
                < self.data.len()
    }
}

/// Writes `scale * left * right` into `out`, whose rows are `out_step` apart.
///
/// # Panics
/// When the shapes do not fit: they come from the model's checked configuration, never from text.
pub(crate) fn multiply(left: View, right: View, scale: f32, out: &mut [f32], out_step: usize) {
    let (rows, inner, columns) = (left.rows, left.columns, right.columns);
    assert_eq!(inner, right.rows, "inner dimensions differ");
    assert!(left.fits() && right.fits(), "a view is larger than its slice");
    assert!(rows == 0 || (rows - 1) * out_step + columns <= out.len(), "the result does not fit");
    if rows == 0 || columns == 0 {
        return;
    }
    #[expect(unsafe_code, reason = "the gemm crate takes raw pointers")]
    // SAFETY: the asserts above keep every address that gemm touches inside the three slices, and
    // `out` is borrowed mutably, so it cannot overlap the inputs.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            out.as_mut_ptr(),
            1,
            out_step as isize,
            false,
            left.data.as_ptr(),
            left.column_step as isize,
            left.row_step as isize,
            right.data.as_ptr(),
            right.column_step as isize,
            right.row_step as isize,
            0.0,
            scale,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_follow_strides() {
        let left = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let right = [1.0, 0.0, 2.0, 1.0, 0.0, 3.0];
        let mut out = [0.0; 4];
        multiply(View::rows(&left, 2, 3), View::rows(&right, 2, 3).transposed(), 1.0, &mut out, 2);
        assert_eq!(out, [7.0, 10.0, 16.0, 22.0]);
    }
}
