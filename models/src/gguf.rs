//! A GGUF file, read with suspicion: every length and shape in it is checked against the file
//! before anything is allocated or multiplied, because candle trusts some of them.

use crate::Error;
use candle_core::{
    Device,
    quantized::{
        GgmlDType, QTensor,
        gguf_file::{Content, Value},
    },
};
use std::{
    fs::File,
    io::{self, BufReader},
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
};

/// An open GGUF file with its header read.
pub(crate) struct Gguf {
    path: PathBuf,
    reader: BufReader<File>,
    /// The header: metadata and where the tensors lie.
    pub(crate) content: Content,
    /// Length of the file, bytes.
    pub(crate) n_bytes: u64,
}

impl Gguf {
    /// Opens `path` and reads its header.
    ///
    /// # Errors
    /// [`Error::Missing`] without a file; [`Error::File`] for one that is no GGUF, is cut short,
    /// or declares sizes that it does not hold.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let fault = |reason: String| Error::File { path: path.into(), reason };
        let file = File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::Missing {
                what: "the chat model".into(),
                path: path.into(),
                mend: "pull the model or correct the path".into(),
            },
            _ => fault(format!("cannot be opened: {error}")),
        })?;
        let n_bytes =
            file.metadata().map_err(|error| fault(format!("cannot be read: {error}")))?.len();
        let mut reader = BufReader::new(file);
        // candle divides by `general.alignment` unchecked; nothing is shared with the closure
        // that a panic could leave half done.
        let content = panic::catch_unwind(AssertUnwindSafe(|| Content::read(&mut reader)))
            .map_err(|_| fault("the header makes no sense; pull the model again".into()))?
            .map_err(|error| fault(format!("is no readable gguf file: {}", plain(&error))))?;
        let gguf = Self { path: path.into(), reader, content, n_bytes };
        gguf.check_sizes()?;
        Ok(gguf)
    }

    /// Returns the error that names this file.
    pub(crate) fn fault(&self, reason: impl Into<String>) -> Error {
        Error::File { path: self.path.clone(), reason: reason.into() }
    }

    /// Returns the error that names this file for what candle says of it.
    pub(crate) fn unreadable(&self, error: &candle_core::Error) -> Error {
        self.fault(plain(error))
    }

    /// Reads a text from the metadata; `None` where it is absent or something else.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match self.content.metadata.get(key) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// Reads a truth value from the metadata; false where it is absent.
    pub(crate) fn flag(&self, key: &str) -> bool {
        matches!(self.content.metadata.get(key), Some(Value::Bool(true)))
    }

    /// Reads a whole number from the metadata, whatever its width.
    ///
    /// # Errors
    /// [`Error::File`] when the key holds something else or a negative number.
    pub(crate) fn count(&self, key: &str) -> Result<Option<usize>, Error> {
        let Some(value) = self.content.metadata.get(key) else { return Ok(None) };
        let number = match *value {
            Value::U8(v) => Some(usize::from(v)),
            Value::U16(v) => Some(usize::from(v)),
            Value::U32(v) => usize::try_from(v).ok(),
            Value::U64(v) => usize::try_from(v).ok(),
            Value::I8(v) => usize::try_from(v).ok(),
            Value::I16(v) => usize::try_from(v).ok(),
            Value::I32(v) => usize::try_from(v).ok(),
            Value::I64(v) => usize::try_from(v).ok(),
            _ => None,
        };
        number.map(Some).ok_or_else(|| self.fault(format!("{key} is not a whole number")))
    }

    /// Reads a whole number that has to be there and lie within `1..=most`.
    ///
    /// # Errors
    /// [`Error::File`] naming the key.
    pub(crate) fn count_within(&self, key: &str, most: usize) -> Result<usize, Error> {
        match self.count(key)? {
            Some(number) if (1..=most).contains(&number) => Ok(number),
            Some(number) => Err(self.fault(format!("{key} is {number}, outside 1 to {most}"))),
            None => Err(self.fault(format!("lacks {key}"))),
        }
    }

    /// Reads a finite number above 0 from the metadata.
    ///
    /// # Errors
    /// [`Error::File`] when the key holds anything else.
    pub(crate) fn real(&self, key: &str) -> Result<Option<f32>, Error> {
        let number = match self.content.metadata.get(key) {
            None => return Ok(None),
            Some(Value::F32(v)) => *v,
            Some(Value::F64(v)) => *v as f32,
            Some(_) => f32::NAN,
        };
        if number.is_finite() && number > 0.0 {
            Ok(Some(number))
        } else {
            Err(self.fault(format!("{key} is not a number above 0")))
        }
    }

    /// Returns whether the file holds the tensor.
    pub(crate) fn holds(&self, name: &str) -> bool {
        self.content.tensor_infos.contains_key(name)
    }

    /// Returns the shape of a tensor, outermost dimension first.
    ///
    /// # Errors
    /// [`Error::File`] when it is absent.
    pub(crate) fn shape(&self, name: &str) -> Result<&[usize], Error> {
        let info = self.content.tensor_infos.get(name);
        Ok(info.ok_or_else(|| self.fault(format!("lacks the tensor {name}")))?.shape.dims())
    }

    /// Reads a tensor of exactly the shape `dims`, outermost dimension first.
    ///
    /// # Errors
    /// [`Error::File`] when it is absent, of another shape, or cut short.
    pub(crate) fn tensor(&mut self, name: &str, dims: &[usize]) -> Result<QTensor, Error> {
        let shape = self.shape(name)?;
        if shape != dims {
            return Err(self.fault(format!("{name} has shape {shape:?} instead of {dims:?}")));
        }
        self.content
            .tensor(&mut self.reader, name, &Device::Cpu)
            .map_err(|error| self.fault(format!("{name}: {}", plain(&error))))
    }

    fn check_sizes(&self) -> Result<(), Error> {
        let most = usize::try_from(self.n_bytes).unwrap_or(usize::MAX);
        for (name, info) in &self.content.tensor_infos {
            let dims = info.shape.dims();
            let n_elements = dims.iter().try_fold(1usize, |product, dim| product.checked_mul(*dim));
            let block = info.ggml_dtype.block_size();
            // candle takes two blocks of these at a time and asserts, in debug builds, that rows
            // hold an even number; its thread pool stays unusable after that.
            let step = match info.ggml_dtype {
                GgmlDType::Q4_1 | GgmlDType::Q5_0 | GgmlDType::Q5_1 => 2 * block,
                _ => block,
            };
            let n_bytes = n_elements
                .filter(|_| dims.last().is_some_and(|row| row % step == 0))
                .and_then(|n| (n / block).checked_mul(info.ggml_dtype.type_size()));
            if !n_bytes.is_some_and(|n_bytes| (1..=most).contains(&n_bytes)) {
                return Err(self.fault(format!("{name} cannot have the shape {dims:?}")));
            }
        }
        Ok(())
    }
}

/// Says what candle says, on one line and without the backtrace that it may carry.
pub(crate) fn plain(error: &candle_core::Error) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn reason(bytes: &[u8]) -> String {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        match Gguf::open(file.path()) {
            Err(Error::File { reason, .. }) => reason,
            Err(error) => panic!("another error: {error}"),
            Ok(_) => panic!("opened"),
        }
    }

    fn header(n_tensors: u64, n_keys: u64) -> Vec<u8> {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(3u32.to_le_bytes());
        bytes.extend(n_tensors.to_le_bytes());
        bytes.extend(n_keys.to_le_bytes());
        bytes
    }

    fn named(bytes: &mut Vec<u8>, name: &str) {
        bytes.extend((name.len() as u64).to_le_bytes());
        bytes.extend(name.as_bytes());
    }

    #[test]
    fn files_that_are_no_gguf_are_refused_with_a_reason() {
        assert!(reason(b"").contains("no readable gguf"));
        assert!(reason(b"PK\x03\x04 a zip file, not a model").contains("magic"));
        assert!(reason(&header(u64::MAX, 1)).contains("gguf"));
        assert!(reason(&header(1, u64::MAX)).contains("gguf"));
        assert!(reason(&header(1, 1)).contains("gguf"));
    }

    #[test]
    fn an_alignment_of_zero_is_refused() {
        let mut bytes = header(0, 1);
        named(&mut bytes, "general.alignment");
        bytes.extend(4u32.to_le_bytes());
        bytes.extend(0u32.to_le_bytes());
        assert!(reason(&bytes).contains("makes no sense"));
    }

    #[test]
    fn a_tensor_larger_than_memory_is_refused() {
        for dims in [[u64::MAX, u64::MAX], [1 << 40, 1 << 40], [0, 4], [3, 1 << 30]] {
            let mut bytes = header(1, 0);
            named(&mut bytes, "token_embd.weight");
            bytes.extend(2u32.to_le_bytes());
            dims.iter().for_each(|dim| bytes.extend(dim.to_le_bytes()));
            bytes.extend(0u32.to_le_bytes());
            bytes.extend(0u64.to_le_bytes());
            assert!(reason(&bytes).contains("cannot have the shape"), "{dims:?}");
        }
    }

    #[test]
    fn an_absent_file_says_how_to_get_it() {
        let error = Gguf::open(Path::new("/nowhere/model.gguf")).err().unwrap();
        assert!(matches!(error, Error::Missing { .. }), "{error}");
    }
}
