use super::{
    folder::{Config, Weights},
    math::{Activation, Norm, add_and_normalise, add_bias, normalise, softmax},
};
use crate::{
    Error,
    matrix::{View, multiply},
};

/// The network of Devlin et al. 2018 ("BERT"), encoder part, over packed sequences: the tokens of
/// all sequences stand one behind the other, and only attention looks at where each one ends.
pub(super) struct Bert {
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

/// `[out, in]` weights and `[out]` bias.
struct Linear {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Bert {
    pub(super) fn new(config: &Config, weights: &Weights) -> Result<Self, Error> {
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
        let layers: Result<_, Error> =
            (0..config.num_hidden_layers).map(|i| Layer::new(config, weights, i)).collect();
        Ok(Self {
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
        let inner_width = self.layers.first().map_or(0, |layer| layer.inner.bias.len());
        let mut attended = vec![0.0; tokens * self.width];
        let mut mixed = vec![0.0; tokens * self.width];
        let mut wide = vec![0.0; tokens * inner_width.max(3 * self.width)];
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let mut scores = vec![0.0; longest * longest];
        for layer in &self.layers {
            let joint = &mut wide[..tokens * 3 * self.width];
            layer.attention.apply(&states, joint);
            add_bias(joint, &layer.attention.bias);
            self.attend(joint, lengths, &mut scores, &mut attended);
            layer.attention_out.apply(&attended, &mut mixed);
            add_and_normalise(
                &mut mixed,
                &layer.attention_out.bias,
                &states,
                &layer.attention_norm,
            );
            let inner = &mut wide[..tokens * inner_width];
            layer.inner.apply(&mixed, inner);
            self.activation.apply(inner, &layer.inner.bias);
            layer.outer.apply(inner, &mut states);
            add_and_normalise(&mut states, &layer.outer.bias, &mixed, &layer.outer_norm);
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
        states.chunks_exact_mut(self.width).for_each(|row| normalise(row, &self.norm));
        Ok(states)
    }

    /// Scaled dot-product attention within each sequence and head (Vaswani et al. 2017).
    fn attend(&self, joint: &[f32], lengths: &[usize], scores: &mut [f32], out: &mut [f32]) {
        let (width, head_width) = (self.width, self.width / self.heads);
        let scale = 1.0 / (head_width as f32).sqrt();
        let mut first = 0;
        for &length in lengths {
            let sequence = View::rows(&joint[first * 3 * width..], length, 3 * width);
            for head in 0..self.heads {
                let at = head * head_width;
                let query = sequence.columns(at, head_width);
                let key = sequence.columns(width + at, head_width);
                let value = sequence.columns(2 * width + at, head_width);
                let scores = &mut scores[..length * length];
                multiply(query, key.transposed(), scale, scores, length);
                softmax(scores, length);
                let shares = View::rows(scores, length, length);
                multiply(shares, value, 1.0, &mut out[first * width + at..], width);
            }
            first += length;
        }
    }
}

impl Layer {
    fn new(config: &Config, weights: &Weights, index: usize) -> Result<Self, Error> {
        let (width, inner) = (config.hidden_size, config.intermediate_size);
        let at = |part: &str| format!("encoder.layer.{index}.{part}");
        let linear = |part: &str, rows: usize, columns: usize| -> Result<Linear, Error> {
            Ok(Linear {
                weight: weights.tensor(&at(&format!("{part}.weight")), &[rows, columns])?,
                bias: weights.tensor(&at(&format!("{part}.bias")), &[rows])?,
            })
        };
        let mut attention = linear("attention.self.query", width, width)?;
        for part in ["attention.self.key", "attention.self.value"] {
            let more = linear(part, width, width)?;
            attention.weight.extend(more.weight);
            attention.bias.extend(more.bias);
        }
        Ok(Self {
            attention,
            attention_out: linear("attention.output.dense", width, width)?,
            attention_norm: norm(config, weights, &at("attention.output.LayerNorm"))?,
            inner: linear("intermediate.dense", inner, width)?,
            outer: linear("output.dense", width, inner)?,
            outer_norm: norm(config, weights, &at("output.LayerNorm"))?,
        })
    }
}

impl Linear {
    /// Multiplies `[tokens, in]` into `[tokens, out]`; the bias is left to what follows.
    fn apply(&self, rows: &[f32], out: &mut [f32]) {
        let columns = self.bias.len();
        let inner = self.weight.len() / columns;
        let tokens = rows.len() / inner;
        let weight = View::rows(&self.weight, columns, inner).transposed();
        multiply(View::rows(rows, tokens, inner), weight, 1.0, out, columns);
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
