"""Computes by others' code what evals computes by its own, for evals/src/agreement.rs.

    python metrics.py < inputs.json > values.json

Inputs and values are objects of lists, entry by entry:
    rankings     {"ranked": [ids], "gold": [ids]}            ir-measures (trec_eval)
    confidences  {"confidence": [x], "right": [0 or 1]}      scikit-learn
    ties         {"confidence": [x], "right": [0 or 1]}      scikit-learn
    labels       {"due": [n], "said": [n]}, 0 being none     scikit-learn
    texts        {"answer": text, "reference": text}         rouge-score
    shares       {"n_yes": n, "n": n}                        scipy
"""

import json
import sys
import warnings

import numpy
from ir_measures import RR, R, ScoredDoc, Qrel, Success, calc_aggregate, nDCG
from rouge_score.rouge_scorer import RougeScorer
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    accuracy_score,
    brier_score_loss,
    cohen_kappa_score,
    f1_score,
    matthews_corrcoef,
    roc_auc_score,
)

N_BINS = 10


def ranking(ranked, gold):
    run = [ScoredDoc("q", name, float(-place)) for place, name in enumerate(ranked)]
    qrels = [Qrel("q", name, 1) for name in gold]
    wanted = {
        "hit@1": Success @ 1,
        "hit@5": Success @ 5,
        "recall@1": R @ 1,
        "recall@5": R @ 5,
        "recall@10": R @ 10,
        "MRR": RR,
        "nDCG@10": nDCG @ 10,
    }
    found = calc_aggregate(list(wanted.values()), qrels, run)
    return {name: found[measure] for name, measure in wanted.items()}


def confidences(confidence, right):
    # Bins of like size; their edges fall between cases, as no two have the same confidence.
    met, stated = calibration_curve(right, confidence, n_bins=N_BINS, strategy="quantile")
    return {
        "auroc": roc_auc_score(right, confidence),
        "brier": brier_score_loss(right, confidence),
        "ece": float(numpy.mean(numpy.abs(met - stated))),
    }


def ties(confidence, right):
    return {
        "auroc": roc_auc_score(right, confidence),
        "brier": brier_score_loss(right, confidence),
    }


def labels(due, said):
    names = sorted(set(due) - {0})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {
            "macro_f1": f1_score(due, said, labels=names, average="macro"),
            "mcc": matthews_corrcoef(due, said),
            "kappa": cohen_kappa_score(due, said),
            "accuracy": accuracy_score(
                [name for name in due if name], [b for a, b in zip(due, said) if a]
            ),
        }


def texts(answer, reference, scorer=RougeScorer(["rouge1", "rougeL"])):
    scores = scorer.score(reference, answer)
    return {"token_f1": scores["rouge1"].fmeasure, "rouge_l": scores["rougeL"].fmeasure}


def shares(n_yes, n):
    interval = binomtest(n_yes, n).proportion_ci(method="wilson")
    return {"low": interval.low, "high": interval.high}


def main():
    inputs = json.load(sys.stdin)
    kinds = {
        "rankings": ranking,
        "confidences": confidences,
        "ties": ties,
        "labels": labels,
        "texts": texts,
        "shares": shares,
    }
    values = {
        kind: [{name: float(x) for name, x in of(**one).items()} for one in inputs[kind]]
        for kind, of in kinds.items()
    }
    json.dump(values, sys.stdout)


main()
