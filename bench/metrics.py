"""The scikit-learn half of bench/metrics.ts: times its metrics on the arrays in a folder and prints JSON."""

import json
import pathlib
import sys
import time
import warnings

import numpy as np
import sklearn
from sklearn import metrics

warnings.filterwarnings("ignore")
folder = pathlib.Path(sys.argv[1])
repeats = int(sys.argv[2])
scores = np.fromfile(folder / "scores.f64", "<f8")
flags = np.fromfile(folder / "flags.i32", "<i4")
labels = np.fromfile(folder / "labels.i32", "<i4")
predicted = np.fromfile(folder / "predicted.i32", "<i4")
rows = np.fromfile(folder / "rows.i32", "<i4")
probabilities = np.fromfile(folder / "probabilities.f64", "<f8").reshape(len(rows), -1)

cases = {
    "ROC-AUC": lambda: metrics.roc_auc_score(flags, scores),
    "average precision": lambda: metrics.average_precision_score(flags, scores),
    "confusion matrix": lambda: np.trace(metrics.confusion_matrix(labels, predicted)),
    "macro F1": lambda: metrics.f1_score(labels, predicted, average="macro"),
    "ROC-AUC one-vs-rest": lambda: metrics.roc_auc_score(rows, probabilities, multi_class="ovr"),
    "log loss": lambda: metrics.log_loss(rows, probabilities),
    "Brier score": lambda: metrics.brier_score_loss(rows, probabilities),
}
results = {}
for name, run in cases.items():
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        value = run()
        seconds.append(time.perf_counter() - start)
    results[name] = {"seconds": min(seconds), "value": float(value)}
print(json.dumps({"version": sklearn.__version__, "results": results}))
