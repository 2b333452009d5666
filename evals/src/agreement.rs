//! Do others' implementations of the same measures find the same values on random inputs?
//!
//! `scripts/peers/metrics.py` computes them with scikit-learn, ir-measures, rouge-score and scipy;
//! `scripts/setup.sh` fetches those from PyPI.

use crate::{
    interval::{Resampling, below, share},
    measures::{
        Judged, auroc, brier, calibration_error, hit_at, ndcg_at, recall_at, reciprocal_rank,
        rouge_l, token_f1,
    },
    pairs::{Pairs, kappa, macro_f1, mcc},
    topics::{Guess, measure_topics},
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use serde_json::{Value, json};
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const N_INPUTS: usize = 60;
const TOLERANCE: f64 = 1e-6;

/// An input for the peers and what is computed here.
type Example = (Value, Vec<(&'static str, Option<f64>)>);

/// Draws one example.
type Draw = fn(&mut ChaCha8Rng) -> Example;

#[test]
fn others_find_the_same_values() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let python = root.join(".frontdesk/metric-peers/bin/python");
    if !python.exists() {
        eprintln!("SKIPPED: the metric peers are not there; scripts/setup.sh fetches them");
        return;
    }
    let mut random = ChaCha8Rng::seed_from_u64(20_261_122);
    let kinds: [(&str, Draw); 6] = [
        ("rankings", ranking),
        ("confidences", confidences),
        ("ties", ties),
        ("labels", labels),
        ("texts", texts),
        ("shares", shares),
    ];
    let examples: Vec<(&str, Vec<Example>)> = kinds
        .iter()
        .map(|(kind, make)| (*kind, (0..N_INPUTS).map(|_| make(&mut random)).collect()))
        .collect();
    let inputs: Value = examples
        .iter()
        .map(|(kind, all)| (*kind, all.iter().map(|(input, _)| input.clone()).collect::<Value>()))
        .collect();
    let theirs = ask(&python, &root.join("scripts/peers/metrics.py"), &inputs);
    let mut n_compared = 0;
    for (kind, all) in &examples {
        for (number, (input, own)) in all.iter().enumerate() {
            for (name, own) in own {
                let other = theirs[kind][number][name].as_f64().unwrap();
                let own = own.unwrap_or_else(|| panic!("{kind}: no {name} of {input}"));
                assert!((own - other).abs() < TOLERANCE, "{kind}: {name} {own} {other}: {input}");
                n_compared += 1;
            }
        }
    }
    assert_eq!(n_compared, N_INPUTS * (7 + 3 + 2 + 4 + 2 + 2));
}

fn ask(python: &Path, script: &Path, inputs: &Value) -> Value {
    let mut peer = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    peer.stdin.take().unwrap().write_all(inputs.to_string().as_bytes()).unwrap();
    let output = peer.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Draws some of `d0`, `d1`, … in a random order.
fn draw_ids(random: &mut ChaCha8Rng, n: usize, among: usize) -> Vec<String> {
    let mut left: Vec<usize> = (0..among).collect();
    (0..n).map(|_| format!("d{}", left.swap_remove(below(left.len(), random)))).collect()
}

fn ranking(random: &mut ChaCha8Rng) -> Example {
    let n_ranked = 1 + below(20, random);
    let ranked = draw_ids(random, n_ranked, 25);
    let n_gold = 1 + below(12, random);
    let gold = draw_ids(random, n_gold, 25);
    let own = vec![
        ("hit@1", hit_at(1, &ranked, &gold)),
        ("hit@5", hit_at(5, &ranked, &gold)),
        ("recall@1", recall_at(1, &ranked, &gold)),
        ("recall@5", recall_at(5, &ranked, &gold)),
        ("recall@10", recall_at(10, &ranked, &gold)),
        ("MRR", reciprocal_rank(&ranked, &gold)),
        ("nDCG@10", ndcg_at(10, &ranked, &gold)),
    ];
    (json!({"ranked": ranked, "gold": gold}), own)
}

fn confidences(random: &mut ChaCha8Rng) -> Example {
    // Different confidences and full bins: others split ties by their order.
    let n = 10 * (2 + below(20, random));
    let confidence: Vec<f64> =
        (0..n).map(|i| (i as f64 + below(900, random) as f64 / 1_000.0) / n as f64).collect();
    let right: Vec<usize> = (0..n).map(|i| if i < 2 { i } else { below(2, random) }).collect();
    let judged: Vec<Judged> = confidence
        .iter()
        .zip(&right)
        .map(|(confidence, right)| Judged { confidence: *confidence, right: *right == 1 })
        .collect();
    let own = vec![
        ("auroc", auroc(&judged)),
        ("brier", brier(&judged)),
        ("ece", calibration_error(&judged, 10)),
    ];
    (json!({"confidence": confidence, "right": right}), own)
}

/// Draws confidences many of which are alike.
fn ties(random: &mut ChaCha8Rng) -> Example {
    let n = 10 + below(100, random);
    let judged: Vec<Judged> = (0..n)
        .map(|i| Judged {
            confidence: below(6, random) as f64 / 5.0,
            right: if i < 2 { i == 1 } else { below(2, random) == 1 },
        })
        .collect();
    let confidence: Vec<f64> = judged.iter().map(|case| case.confidence).collect();
    let right: Vec<u8> = judged.iter().map(|case| u8::from(case.right)).collect();
    let own = vec![("auroc", auroc(&judged)), ("brier", brier(&judged))];
    (json!({"confidence": confidence, "right": right}), own)
}

fn labels(random: &mut ChaCha8Rng) -> Example {
    let (n, n_names) = (40 + below(80, random), 3 + below(6, random));
    let due: Vec<usize> = (0..n).map(|_| below(n_names, random)).collect();
    let said: Vec<usize> = due
        .iter()
        .map(|due| if below(3, random) > 0 { *due } else { below(n_names, random) })
        .collect();
    let name = |number: usize| (number > 0).then(|| format!("t{number}"));
    let named: Vec<(Option<String>, Option<String>)> =
        due.iter().zip(&said).map(|(due, said)| (name(*due), name(*said))).collect();
    let guesses: Vec<Guess> = named
        .iter()
        .map(|(due, said)| Guess {
            text: String::new(),
            topic: due.clone(),
            predicted: said.clone(),
            confidence: 0.5,
            likeliest: said.clone().unwrap_or_default(),
            of_likeliest: 0.5,
            none: 0.5,
        })
        .collect();
    let figures = measure_topics(&guesses);
    let figure = |name: &str| figures.iter().find(|f| f.name == name).map(|f| f.estimate.value);
    let pairs = || Pairs::of(named.iter().map(|(due, said)| (due.as_deref(), said.as_deref())));
    let few = Resampling { n_resamples: 20, seed: 0 };
    let of = |measure| pairs().estimate_by(measure, few).map(|e| e.value);
    assert_eq!((of(macro_f1), of(mcc)), (figure("macro_f1"), figure("mcc")));
    let own = vec![
        ("macro_f1", figure("macro_f1")),
        ("mcc", figure("mcc")),
        ("kappa", of(kappa)),
        ("accuracy", figure("accuracy")),
    ];
    (json!({"due": due, "said": said}), own)
}

fn texts(random: &mut ChaCha8Rng) -> Example {
    let mut text = || {
        let n = 1 + below(30, random);
        let words: Vec<String> = (0..n).map(|_| format!("Word{}", below(15, random))).collect();
        format!("{}.", words.join(if n.is_multiple_of(2) { " " } else { ", " }))
    };
    let (answer, reference) = (text(), text());
    let own = vec![
        ("token_f1", token_f1(&answer, &reference)),
        ("rouge_l", rouge_l(&answer, &reference)),
    ];
    (json!({"answer": answer, "reference": reference}), own)
}

fn shares(random: &mut ChaCha8Rng) -> Example {
    let n = 1 + below(500, random);
    let n_yes = below(n + 1, random);
    let own = share(n_yes, n);
    let ends = vec![("low", own.map(|e| e.low)), ("high", own.map(|e| e.high))];
    (json!({"n_yes": n_yes, "n": n}), ends)
}
