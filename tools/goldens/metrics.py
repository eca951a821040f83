"""Writes src/evaluate/goldens/metrics.json: what scikit-learn, SciPy and NumPy say about predictions, degenerate ones too.

Run from the project's root: python tools/goldens/metrics.py
Numbers that are not defined are null. Probabilities are float32 values in their shortest decimal form.
"""

import json
import math
import pathlib
import warnings

import numpy as np
import scipy
import sklearn
from scipy import optimize, stats
from sklearn import metrics

warnings.filterwarnings("ignore")
rng = np.random.default_rng(20240601)


def calibration_error(probabilities, predicted, labels, bins=15):
    """Guo et al. 2017, equation 3, bin by bin."""
    confidence = probabilities[np.arange(len(labels)), predicted]
    right = predicted == labels
    error = 0.0
    for m in range(1, bins + 1):
        inside = (confidence > (m - 1) / bins) & (confidence <= m / bins)
        if m == 1:
            inside |= confidence <= 0
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return error


def temperature(probabilities, labels):
    logits = np.log(np.maximum(probabilities, np.finfo(np.float64).eps))

    def loss(inverse):
        z = logits * inverse
        z -= z.max(axis=1, keepdims=True)
        return np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(labels)), labels])

    found = optimize.minimize_scalar(loss, bounds=(0.01, 100), method="bounded", options={"xatol": 1e-12})
    return 1 / found.x


def roc_auc(labels, probabilities, every):
    if len(every) == 2:
        return metrics.roc_auc_score(labels, probabilities[:, 1])
    binary = [(labels == c).astype(int) for c in every]
    return np.mean([metrics.roc_auc_score(b, probabilities[:, c]) for c, b in enumerate(binary)])


def sklearn_roc_auc(labels, probabilities, every):
    """The library's own averaging, where it accepts the rows."""
    if len(every) == 2 or not np.allclose(1, probabilities.sum(axis=1)):
        return roc_auc(labels, probabilities, every)
    return metrics.roc_auc_score(labels, probabilities, multi_class="ovr", average="macro", labels=every)


def average_precision(labels, probabilities, every):
    if len(every) == 2:
        return metrics.average_precision_score(labels, probabilities[:, 1])
    return metrics.average_precision_score(np.eye(len(every))[labels], probabilities, average="macro")


def shortest(array):
    return [float(str(x)) for x in array.astype(np.float32).ravel()]


def number(x):
    x = float(x)
    return x if math.isfinite(x) else None


def case(name, probabilities, labels):
    p32 = np.asarray(probabilities, np.float32)
    p = p32.astype(np.float64)
    y = np.asarray(labels)
    classes = p.shape[1]
    every = np.arange(classes)
    predicted = p.argmax(axis=1)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        y, predicted, labels=every, zero_division=0
    )
    curves = []
    for c in every:
        fpr, tpr, thresholds = metrics.roc_curve((y == c).astype(int), p[:, c], pos_label=1)
        curves.append(
            {
                "falsePositiveRate": [number(x) for x in fpr],
                "truePositiveRate": [number(x) for x in tpr],
                "thresholds": [number(x) for x in thresholds],
            }
        )
    options = {"average": "macro", "zero_division": 0}
    values = {
        "accuracy": metrics.accuracy_score(y, predicted),
        "balancedAccuracy": metrics.balanced_accuracy_score(y, predicted),
        "macroPrecision": metrics.precision_score(y, predicted, **options),
        "macroRecall": metrics.recall_score(y, predicted, **options),
        "macroF1": metrics.f1_score(y, predicted, **options),
        "microF1": metrics.f1_score(y, predicted, average="micro", zero_division=0),
        "weightedF1": metrics.f1_score(y, predicted, average="weighted", zero_division=0),
        "matthews": metrics.matthews_corrcoef(y, predicted),
        "cohenKappa": metrics.cohen_kappa_score(y, predicted),
        "rocAuc": sklearn_roc_auc(y, p, every),
        "averagePrecision": average_precision(y, p, every),
        "logLoss": metrics.log_loss(y, p, labels=every),
        "brier": metrics.brier_score_loss(y, p, labels=every),
        "ece": calibration_error(p, predicted, y),
    }
    if classes > 2:
        top = [metrics.top_k_accuracy_score(y, p, k=k, labels=every) for k in range(1, classes)]
    else:
        top = []
    return {
        "name": name,
        "classes": classes,
        "probabilities": shortest(p32),
        "labels": y.tolist(),
        "values": {key: number(value) for key, value in values.items()},
        "confusion": metrics.confusion_matrix(y, predicted, labels=every).tolist(),
        "perClass": [
            {"precision": float(a), "recall": float(b), "f1": float(c), "support": int(d)}
            for a, b, c, d in zip(precision, recall, f1, support)
        ],
        "rocAucs": [number(metrics.roc_auc_score((y == c).astype(int), p[:, c])) for c in every],
        "topK": top,
        "curves": curves if len(y) <= 60 else [],
    }


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def learned(size, classes, strength=2.0):
    labels = rng.integers(0, classes, size)
    logits = rng.normal(size=(size, classes))
    logits[np.arange(size), labels] += strength
    return softmax(logits), labels


cases = [case("random, 10 classes", *learned(120, 10))]
cases.append(case("random, 3 classes, with curves", *learned(50, 3, 1.0)))
cases.append(case("random, 2 classes", *learned(60, 2, 1.0)))
p, y = learned(60, 4)
cases.append(case("tied scores", np.round(p * 4) / 4, y))
cases.append(case("a class without examples", p, np.where(y == 2, 1, y)))
q = p.copy()
q[:, 2] = 0
cases.append(case("a class without examples or predictions", q, np.where(y == 2, 1, y)))
cases.append(case("all predicted as one class", np.tile([0.1, 0.7, 0.1, 0.1], (40, 1)), y[:40]))
cases.append(case("all labels one class", p[:40], np.full(40, 3)))
cases.append(case("all labels and predictions one class", np.tile([0.2, 0.8, 0.0], (5, 1)), np.full(5, 1)))
cases.append(case("perfect and certain", np.eye(4)[y], y))
cases.append(case("certain and always wrong", np.eye(4)[(y + 1) % 4], y))
cases.append(case("constant scores", np.full((60, 4), 0.25), y))
cases.append(case("a single row", p[:1], y[:1]))
cases.append(case("a single row of 2 classes", [[0.4, 0.6]], [1]))
cases.append(case("some probabilities exactly 0 and 1", np.where(rng.random((60, 1)) < 0.3, np.eye(4)[p.argmax(1)], p), y))
cases.append(case("rows that do not add up to 1", p * rng.uniform(0.5, 0.99, (60, 1)), y))
cases.append(case("confidences on the edges of bins", (np.arange(1, 61) % 16 / 15)[:, None] * [1, -1] + [0, 1], y % 2))

scores, flags = rng.normal(size=200), rng.integers(0, 2, 200)
scores = np.round(scores, 1).astype(np.float32).astype(np.float64)
fpr, tpr, thresholds = metrics.roc_curve(flags, scores)
binary = {
    "scores": shortest(scores),
    "labels": flags.tolist(),
    "rocAuc": metrics.roc_auc_score(flags, scores),
    "averagePrecision": metrics.average_precision_score(flags, scores),
    "curve": {
        "falsePositiveRate": fpr.tolist(),
        "truePositiveRate": tpr.tolist(),
        "thresholds": [number(x) for x in thresholds],
    },
}

calibrated = []
for strength, sharpness in [(1.5, 4.0), (1.5, 0.4), (3.0, 1.0)]:
    p, y = learned(80, 4, strength)
    p = softmax(np.log(p) * sharpness).astype(np.float32).astype(np.float64)
    calibrated.append(
        {"probabilities": shortest(p), "labels": y.tolist(), "temperature": temperature(p, y)}
    )

regression = []
for name, predicted, actual in [
    ("random", rng.normal(size=30), rng.normal(size=30)),
    ("perfect", np.arange(5.0), np.arange(5.0)),
    ("actual values all equal", np.arange(5.0), np.full(5, 2.0)),
    ("all equal and met", np.full(5, 2.0), np.full(5, 2.0)),
    ("a single value", np.array([1.0]), np.array([2.0])),
]:
    regression.append(
        {
            "name": name,
            "predicted": predicted.tolist(),
            "actual": actual.tolist(),
            "mae": metrics.mean_absolute_error(actual, predicted),
            "rmse": metrics.root_mean_squared_error(actual, predicted),
            "r2": number(metrics.r2_score(actual, predicted)),
        }
    )

pairs = [(0, 0), (1, 0), (5, 5), (3, 9), (0, 10), (12, 31), (40, 41), (500, 560), (0, 1000), (4800, 5200), (100, 3000)]
golden = {
    "versions": {"numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__},
    "cases": cases,
    "binary": binary,
    "regression": regression,
    "temperature": calibrated,
    "signTest": [{"a": a, "b": b, "p": stats.binomtest(a, a + b).pvalue if a + b else 1.0} for a, b in pairs],
    "wilson": [
        {"hits": k, "total": n, "confidence": c, "low": i.low, "high": i.high}
        for k, n in [(0, 10), (10, 10), (7, 10), (9940, 10000)]
        for c in (0.9, 0.95, 0.99)
        for i in [stats.binomtest(k, n).proportion_ci(c, method="wilson")]
    ],
}
path = pathlib.Path("src/evaluate/goldens/metrics.json")
path.parent.mkdir(exist_ok=True)
path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
