//! How is a classifier kept?
//!
//! A safetensors file: a readable header of JSON, then the numbers. The header says what was
//! learnt, and a checksum covers both. It is written beside the old one and then put in its
//! place, so that a reader sees one or the other.

use super::{
    Classifier, Learnt,
    doubt::Doubt,
    examples::Examples,
    sight::{Sight, Trained},
    words::Words,
};
use crate::Error;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

/// Goes up whenever an older program could not read the file rightly.
const FORMAT: u32 = 1;
/// Where the header lies among the metadata of the file.
const KEY: &str = "frontdesk.classifier";
/// Where the checksum lies: SHA-256 of the header and all numbers, in hexadecimal.
const KEY_OF_CHECKSUM: &str = "frontdesk.checksum";

#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    learnt: Learnt,
    topics: Vec<String>,
}

impl Classifier {
    /// Writes the classifier to `path` and returns the number of bytes.
    ///
    /// # Errors
    /// [`Error::File`] when the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<usize, Error> {
        let fault = |reason: String| Error::File { path: path.to_path_buf(), reason };
        let bytes = self.to_bytes().map_err(&fault)?;
        let mut beside = path.as_os_str().to_os_string();
        beside.push(".new");
        let beside = PathBuf::from(beside);
        fs::write(&beside, &bytes)
            .and_then(|()| fs::rename(&beside, path))
            .map_err(|source| fault(format!("cannot be written: {source}")))?;
        Ok(bytes.len())
    }

    /// Reads the classifier at `path`, for vectors of the embedder with this id.
    ///
    /// # Errors
    /// [`Error::Missing`] without such a file; [`Error::File`] when it is damaged, of a newer
    /// format, or trained for another embedder.
    pub fn read(path: &Path, embedder: &str) -> Result<Self, Error> {
        let fault = |reason: String| Error::File { path: path.to_path_buf(), reason };
        let bytes = fs::read(path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => Error::Missing {
                what: "the topic classifier".into(),
                path: path.to_path_buf(),
                mend: "train it with `frontdesk topics train`".into(),
            },
            _ => fault(format!("cannot be read: {source}")),
        })?;
        let classifier = Self::from_bytes(&bytes).map_err(&fault)?;
        let of = &classifier.learnt.embedder;
        if of != embedder {
            return Err(fault(format!(
                "was trained for the embedder {of:?}, not for {embedder:?}; train it again"
            )));
        }
        Ok(classifier)
    }

    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, String> {
        let Examples { meaning, units, starts, columns, weights, topics } = &self.sight.examples;
        let bytes_of: fn(&[f32]) -> Vec<u8> = |v| v.iter().flat_map(|x| x.to_le_bytes()).collect();
        let whole: fn(&[u32]) -> Vec<u8> = |v| v.iter().flat_map(|x| x.to_le_bytes()).collect();
        let short: fn(&[u16]) -> Vec<u8> = |v| v.iter().flat_map(|x| x.to_le_bytes()).collect();
        let doubt: Vec<u8> = self.doubt.0.iter().flat_map(|x| x.to_le_bytes()).collect();
        let parts = [
            ("weights", Dtype::F32, bytes_of(&self.sight.trained.weights)),
            ("word_share", Dtype::F32, bytes_of(&[self.sight.trained.word_share])),
            ("temperature", Dtype::F32, bytes_of(&[self.temperature])),
            ("doubt", Dtype::F64, doubt),
            ("words.columns", Dtype::U16, short(&self.words.columns)),
            ("words.rarity", Dtype::F32, bytes_of(&self.words.rarity)),
            ("examples.meaning", Dtype::I8, meaning.iter().map(|v| v.cast_unsigned()).collect()),
            ("examples.units", Dtype::F32, bytes_of(units)),
            ("examples.starts", Dtype::U32, whole(starts)),
            ("examples.columns", Dtype::U16, short(columns)),
            ("examples.weights", Dtype::U8, weights.clone()),
            ("examples.topics", Dtype::U32, whole(topics)),
        ];
        let header =
            Header { format: FORMAT, learnt: self.learnt.clone(), topics: self.topics.clone() };
        let header = serde_json::to_string(&header).map_err(|error| error.to_string())?;
        let numbers = parts.iter().map(|(_, _, bytes)| bytes.as_slice());
        let sum = checksum([header.as_bytes()].into_iter().chain(numbers));
        let metadata = [(KEY.to_string(), header), (KEY_OF_CHECKSUM.to_string(), sum)];
        let views = parts.iter().map(|(name, dtype, bytes)| {
            let n = bytes.len() * 8 / dtype.bitsize();
            Ok((*name, TensorView::new(*dtype, vec![n], bytes)?))
        });
        let views: Result<Vec<_>, safetensors::SafeTensorError> = views.collect();
        views
            .and_then(|views| safetensors::serialize(views, Some(HashMap::from(metadata))))
            .map_err(|error| format!("cannot be made: {error}"))
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let again = "train it again";
        let (_, metadata) = SafeTensors::read_metadata(bytes)
            .map_err(|error| format!("is no classifier, or damaged: {error}; {again}"))?;
        let said = |key| metadata.metadata().as_ref().and_then(|all| all.get(key));
        let header = said(KEY).ok_or_else(|| format!("is no classifier; {again}"))?;
        let format = serde_json::from_str(header)
            .ok()
            .and_then(|header: serde_json::Value| header.get("format")?.as_u64());
        if format != Some(u64::from(FORMAT)) {
            let format = format.map_or("unknown".to_string(), |format| format.to_string());
            return Err(format!("is of format {format}, this program reads {FORMAT}; {again}"));
        }
        let tensors = SafeTensors::deserialize(bytes)
            .map_err(|error| format!("is damaged: {error}; {again}"))?;
        let parts = Parts::of(&tensors, header).ok_or_else(|| format!("lacks numbers; {again}"))?;
        if Some(&parts.checksum) != said(KEY_OF_CHECKSUM) {
            return Err(format!("is damaged: its checksum differs; {again}"));
        }
        let header: Header = serde_json::from_str(header)
            .map_err(|error| format!("its header cannot be read: {error}; {again}"))?;
        parts.into_classifier(header).ok_or_else(|| format!("does not fit together; {again}"))
    }
}

struct Parts {
    weights: Vec<f32>,
    word_share: f32,
    temperature: f32,
    doubt: Doubt,
    words: Words,
    examples: Examples,
    checksum: String,
}

impl Parts {
    fn of(tensors: &SafeTensors<'_>, header: &str) -> Option<Self> {
        let part = |name: &str, dtype| {
            tensors.tensor(name).ok().filter(|t| t.dtype() == dtype).map(|t| t.data().to_vec())
        };
        let floats = |bytes: &[u8]| {
            bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect::<Vec<_>>()
        };
        let whole = |bytes: &[u8]| {
            bytes.as_chunks().0.iter().map(|four| u32::from_le_bytes(*four)).collect::<Vec<_>>()
        };
        let short = |bytes: &[u8]| {
            bytes.as_chunks().0.iter().map(|two| u16::from_le_bytes(*two)).collect::<Vec<_>>()
        };
        let weights = part("weights", Dtype::F32)?;
        let word_share = part("word_share", Dtype::F32)?;
        let temperature = part("temperature", Dtype::F32)?;
        let doubt = part("doubt", Dtype::F64)?;
        let (places, rarity) =
            (part("words.columns", Dtype::U16)?, part("words.rarity", Dtype::F32)?);
        let meaning = part("examples.meaning", Dtype::I8)?;
        let units = part("examples.units", Dtype::F32)?;
        let starts = part("examples.starts", Dtype::U32)?;
        let columns = part("examples.columns", Dtype::U16)?;
        let of_words = part("examples.weights", Dtype::U8)?;
        let topics = part("examples.topics", Dtype::U32)?;
        let all = [
            &weights,
            &word_share,
            &temperature,
            &doubt,
            &places,
            &rarity,
            &meaning,
            &units,
            &starts,
            &columns,
            &of_words,
            &topics,
        ];
        Some(Self {
            checksum: checksum(
                [header.as_bytes()].into_iter().chain(all.into_iter().map(Vec::as_slice)),
            ),
            weights: floats(&weights),
            word_share: *floats(&word_share).first()?,
            temperature: *floats(&temperature).first()?,
            doubt: Doubt(doubt.as_chunks().0.first_chunk()?.map(f64::from_le_bytes)),
            words: Words { columns: short(&places), rarity: floats(&rarity) },
            examples: Examples {
                meaning: meaning.iter().map(|value| value.cast_signed()).collect(),
                units: floats(&units),
                starts: whole(&starts),
                columns: short(&columns),
                weights: of_words,
                topics: whole(&topics),
            },
        })
    }

    /// Puts the parts together; `None` when they do not fit.
    fn into_classifier(self, header: Header) -> Option<Classifier> {
        let Self { weights, word_share, temperature, doubt, words, examples, .. } = self;
        let Header { learnt, topics, .. } = header;
        let (n_topics, n_columns, n_meaning) = (topics.len(), words.n_columns(), learnt.dimension);
        let has_none = learnt.n_none > 0;
        let n_classes = n_topics + usize::from(has_none);
        let is_sound = n_topics > 0
            && learnt.n_topics == n_topics
            && n_meaning.checked_add(n_columns + 1)?.checked_mul(n_classes)? == weights.len()
            && words.is_sound()
            && examples.is_sound(n_meaning, n_columns, n_topics)
            && doubt.is_sound()
            && word_share.is_finite()
            && temperature.is_finite()
            && temperature > 0.0;
        let trained = Trained { weights, n_topics, has_none, few: n_topics, word_share };
        let sight = Sight { trained, examples, n_columns };
        is_sound.then_some(Classifier { learnt, topics, words, sight, doubt, temperature })
    }
}

fn checksum<'a>(parts: impl Iterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
