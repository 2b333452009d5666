use super::{
    folder::{Config, Weights},
    math::{Activation, Norm, add_and_normalise, normalise, softmax},
};
use crate::{
    Error, Precision,
    kernels::{
        Processor,
        bytes::{ByteRows, ByteWeights},
        floats::{Finish, Out, Panels, Rows},
    },
};

/// The network of Devlin et al. 2018 ("BERT"), encoder part, over packed sequences: the tokens of
/// all sequences stand one behind the other, and only attention looks at where each one ends.
pub(super) struct Bert {
    processor: Processor,
    width: usize,
    heads: usize,
    first_position: usize,
    vocabulary: usize,
    words: Vec<f32>,
    positions: Vec<f32>,
    kind: Vec<f32>,
    norm: Norm,
    activation: Activation,
    layers: Vec<Layer>,
}

struct Layer {
    /// Query, key and value in one product.
    attention: Linear,
    attention_out: Linear,
    attention_norm: Norm,
    inner: Linear,
    outer: Linear,
    outer_norm: Norm,
}

/// Weights and bias, packed once.
enum Linear {
    Exact { weight: Panels, bias: Vec<f32> },
    Fast(ByteWeights),
}

/// Room that every layer uses again.
#[derive(Default)]
struct Room {
    bytes: ByteRows,
    keys: Panels,
    values: Panels,
    scores: Vec<f32>,
}

impl Bert {
    pub(super) fn new(
        config: &Config,
        weights: &Weights,
        precision: Precision,
    ) -> Result<Self, Error> {
        let width = config.hidden_size;
        let activation = match config.hidden_act.as_str() {
            "gelu" => Activation::Gelu,
            "gelu_new" | "gelu_pytorch_tanh" => Activation::GeluTanh,
            "relu" => Activation::Relu,
            other => return Err(Error::Model(format!("hidden_act {other:?} is not known"))),
        };
        let mut kind = weights
            .tensor("embeddings.token_type_embeddings.weight", &[2, width])
            .or_else(|_| weights.tensor("embeddings.token_type_embeddings.weight", &[1, width]))?;
        kind.truncate(width);
        let layers: Result<_, Error> = (0..config.num_hidden_layers)
            .map(|i| Layer::new(config, weights, i, precision))
            .collect();
        Ok(Self {
            processor: Processor::detect(),
            width,
            heads: config.num_attention_heads,
            first_position: config.first_position(),
            vocabulary: config.vocab_size,
            words: weights
                .tensor("embeddings.word_embeddings.weight", &[config.vocab_size, width])?,
            positions: weights.tensor(
                "embeddings.position_embeddings.weight",
                &[config.max_position_embeddings, width],
            )?,
            kind,
            norm: norm(config, weights, "embeddings.LayerNorm")?,
            activation,
            layers: layers?,
        })
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Computes the last hidden states, `[tokens, width]`, of sequences packed in `ids`.
    pub(super) fn forward(&self, ids: &[u32], lengths: &[usize]) -> Result<Vec<f32>, Error> {
        let mut states = self.embed(ids, lengths)?;
        let tokens = ids.len();
        let inner_width = self.layers.first().map_or(0, |layer| layer.outer.inner());
        let mut attended = vec![0.0; tokens * self.width];
        let mut mixed = vec![0.0; tokens * self.width];
        let mut wide = vec![0.0; tokens * inner_width.max(3 * self.width)];
        let mut room = Room::default();
        let processor = self.processor;
        for layer in &self.layers {
            let joint = &mut wide[..tokens * 3 * self.width];
            layer.attention.apply(processor, &states, joint, &mut room);
            self.attend(joint, lengths, &mut room, &mut attended);
            layer.attention_out.apply(processor, &attended, &mut mixed, &mut room);
            processor.run(
                #[inline(always)]
                || add_and_normalise(&mut mixed, &states, &layer.attention_norm),
            );
            let inner = &mut wide[..tokens * inner_width];
            layer.inner.apply(processor, &mixed, inner, &mut room);
            processor.run(
                #[inline(always)]
                || self.activation.apply(inner),
            );
            layer.outer.apply(processor, inner, &mut states, &mut room);
            processor.run(
                #[inline(always)]
                || add_and_normalise(&mut states, &mixed, &layer.outer_norm),
            );
        }
        Ok(states)
    }

    fn embed(&self, ids: &[u32], lengths: &[usize]) -> Result<Vec<f32>, Error> {
        let mut states = Vec::with_capacity(ids.len() * self.width);
        let positions = lengths.iter().flat_map(|length| 0..*length);
        for (id, position) in ids.iter().zip(positions) {
            let id = *id as usize;
            if id >= self.vocabulary {
                return Err(Error::Model(format!(
                    "the tokenizer made token {id}, which the model does not have"
                )));
            }
            let at = (position + self.first_position) * self.width;
            let word = &self.words[id * self.width..][..self.width];
            let place = &self.positions[at..][..self.width];
            states.extend(word.iter().zip(place).zip(&self.kind).map(|((w, p), k)| w + p + k));
        }
        self.processor.run(
            #[inline(always)]
            || {
                states.chunks_exact_mut(self.width).for_each(|row| normalise(row, &self.norm));
            },
        );
        Ok(states)
    }

    /// Scaled dot-product attention within each sequence and head (Vaswani et al. 2017).
    fn attend(&self, joint: &[f32], lengths: &[usize], room: &mut Room, out: &mut [f32]) {
        let (width, head_width) = (self.width, self.width / self.heads);
        let scale = Finish::Scaled(1.0 / (head_width as f32).sqrt());
        let Room { keys, values, scores, .. } = room;
        let mut first = 0;
        for &length in lengths {
            scores.resize(length * length, 0.0);
            for head in 0..self.heads {
                let at = head * head_width;
                let part = |from: usize| Rows {
                    data: &joint[first * 3 * width + from + at..],
                    n: length,
                    step: 3 * width,
                };
                keys.pack_transposed(part(width), head_width);
                values.pack(part(2 * width), head_width);
                let to = &mut Out { data: scores, step: length };
                keys.multiply(self.processor, part(0), scale, to);
                self.processor.run(
                    #[inline(always)]
                    || softmax(scores, length),
                );
                let shares = Rows { data: scores, n: length, step: length };
                let to = &mut Out { data: &mut out[first * width + at..], step: width };
                values.multiply(self.processor, shares, Finish::Scaled(1.0), to);
            }
            first += length;
        }
    }
}

impl Layer {
    fn new(
        config: &Config,
        weights: &Weights,
        index: usize,
        precision: Precision,
    ) -> Result<Self, Error> {
        let (width, inner) = (config.hidden_size, config.intermediate_size);
        let at = |part: &str| format!("encoder.layer.{index}.{part}");
        let tensors = |part: &str, rows: usize, columns: usize| -> Result<_, Error> {
            let weight = weights.tensor(&at(&format!("{part}.weight")), &[rows, columns])?;
            Ok((weight, weights.tensor(&at(&format!("{part}.bias")), &[rows])?))
        };
        let linear = |part: &str, rows: usize, columns: usize| {
            let (weight, bias) = tensors(part, rows, columns)?;
            Ok::<_, Error>(Linear::new(&weight, bias, precision))
        };
        let (mut weight, mut bias) = tensors("attention.self.query", width, width)?;
        for part in ["attention.self.key", "attention.self.value"] {
            let more = tensors(part, width, width)?;
            weight.extend(more.0);
            bias.extend(more.1);
        }
        Ok(Self {
            attention: Linear::new(&weight, bias, precision),
            attention_out: linear("attention.output.dense", width, width)?,
            attention_norm: norm(config, weights, &at("attention.output.LayerNorm"))?,
            inner: linear("intermediate.dense", inner, width)?,
            outer: linear("output.dense", width, inner)?,
            outer_norm: norm(config, weights, &at("output.LayerNorm"))?,
        })
    }
}

impl Linear {
    /// Packs `weight`, `[bias.len(), in]`.
    fn new(weight: &[f32], bias: Vec<f32>, precision: Precision) -> Self {
        match precision {
            Precision::Exact => {
                let inner = weight.len() / bias.len().max(1);
                let mut packed = Panels::default();
                let rows = Rows { data: weight, n: bias.len(), step: inner };
                packed.pack_transposed(rows, inner);
                Self::Exact { weight: packed, bias }
            }
            Precision::Fast => Self::Fast(ByteWeights::new(weight, &bias)),
        }
    }

    fn inner(&self) -> usize {
        match self {
            Self::Exact { weight, .. } => weight.inner(),
            Self::Fast(weight) => weight.inner(),
        }
    }

    /// Multiplies `[tokens, in]` into `[tokens, out]` and adds the bias.
    fn apply(&self, processor: Processor, rows: &[f32], out: &mut [f32], room: &mut Room) {
        let inner = self.inner();
        match self {
            Self::Exact { weight, bias } => {
                let rows = Rows { data: rows, n: rows.len() / inner.max(1), step: inner };
                let to = &mut Out { data: out, step: bias.len() };
                weight.multiply(processor, rows, Finish::Biased(bias), to);
            }
            Self::Fast(weight) => {
                room.bytes.fill(processor, rows, inner);
                weight.multiply(processor, &room.bytes, out);
            }
        }
    }
}

fn norm(config: &Config, weights: &Weights, name: &str) -> Result<Norm, Error> {
    let shape = [config.hidden_size];
    let either = |new: &str, old: &str| {
        weights
            .tensor(&format!("{name}.{new}"), &shape)
            .or_else(|error| weights.tensor(&format!("{name}.{old}"), &shape).map_err(|_| error))
    };
    Ok(Norm {
        gain: either("weight", "gamma")?,
        shift: either("bias", "beta")?,
        epsilon: config.layer_norm_eps,
    })
}
