"""Writes test/fixtures/goldens/table-models/*.onnx: small models of tables as scikit-learn, LightGBM and XGBoost export them, with
what onnxruntime's Python package computes of a few rows, and the versions of all of them.

Run: python tools/goldens/table-models.py [FOLDER]
(needs `pip install numpy scikit-learn skl2onnx onnxmltools lightgbm xgboost onnxruntime`). Without a folder only the tiny
ones that tests read are written; with one, all.
"""

import json
import pathlib
import sys

import lightgbm
import numpy
import onnx
import onnxmltools
import onnxruntime
import skl2onnx
import sklearn
import xgboost
from onnxmltools.convert.common.data_types import FloatTensorType as ToolsFloats
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    AdaBoostClassifier, GradientBoostingClassifier, GradientBoostingRegressor,
    IsolationForest, RandomForestClassifier, RandomForestRegressor, VotingClassifier,
)
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    Binarizer, KBinsDiscretizer, MinMaxScaler, Normalizer, OneHotEncoder, OrdinalEncoder, PolynomialFeatures, RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC, SVR, LinearSVC, OneClassSVM
from sklearn.tree import DecisionTreeClassifier

TINY = {
    "logistic-zipmap", "logistic-text-labels", "forest", "boosted-regressor", "svc", "nearest-neighbours", "naive-bayes",
    "mixed-columns", "lightgbm", "xgboost",
}

draw = numpy.random.default_rng(4)
X = draw.normal(size=(60, 4)).astype(numpy.float32)
kinds = (X[:, 0] + X[:, 1] * X[:, 2] > 0).astype(numpy.int64) + (X[:, 3] > 0.5)
two = (X[:, 0] > 0).astype(numpy.int64)
texts = numpy.array(["low", "middle", "high"])[kinds]
y = (X[:, 0] * 2 - X[:, 1] + 0.1 * X[:, 2] ** 2).astype(numpy.float32)
floats = [("x", FloatTensorType([None, 4]))]
plain = {"zipmap": False}

mixed = ColumnTransformer([
    ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), [0, 1]),
    ("texts", OneHotEncoder(handle_unknown="ignore"), [2]),
    ("ranks", OrdinalEncoder(), [3]),
])
words = numpy.array(["red", "green", "blue"])[draw.integers(0, 3, 60)]
sizes = numpy.array(["s", "m", "l"])[draw.integers(0, 3, 60)]
table = numpy.array([[*row[:2], word, size] for row, word, size in zip(X.tolist(), words, sizes)], dtype=object)

SKLEARN = {
    "logistic-zipmap": (LogisticRegression(), kinds, {}),
    "logistic-text-labels": (make_pipeline(StandardScaler(), LogisticRegression()), texts, plain),
    "logistic-two": (make_pipeline(MinMaxScaler(), LogisticRegression()), two, plain),
    "sgd": (make_pipeline(RobustScaler(), SGDClassifier(loss="log_loss")), kinds, plain),
    "forest": (RandomForestClassifier(3, max_depth=3, random_state=0), kinds, plain),
    "forest-texts-zipmap": (RandomForestClassifier(3, max_depth=3, random_state=0), texts, {}),
    "forest-regressor": (RandomForestRegressor(3, max_depth=3, random_state=0), y, None),
    "tree-two": (DecisionTreeClassifier(max_depth=3), two, plain),
    "boosted": (GradientBoostingClassifier(n_estimators=4, max_depth=2), kinds, plain),
    "boosted-two": (GradientBoostingClassifier(n_estimators=4, max_depth=2), two, plain),
    "boosted-regressor": (GradientBoostingRegressor(n_estimators=4, max_depth=2), y, None),
    "adaboost": (AdaBoostClassifier(n_estimators=3), kinds, plain),
    "voting": (VotingClassifier([("a", LogisticRegression()), ("b", GaussianNB())], voting="soft", flatten_transform=False), kinds, plain),
    "svc": (SVC(probability=True, random_state=0), kinds, plain),
    "svc-two": (SVC(), two, plain),
    "svc-scores": (SVC(kernel="poly", degree=2), kinds, plain),
    "svr": (make_pipeline(Normalizer(), SVR()), y, None),
    "linear-svc": (LinearSVC(), kinds, None),
    "one-class": (OneClassSVM(), None, None),
    "isolation": (IsolationForest(n_estimators=3, random_state=0), None, None),
    "nearest-neighbours": (KNeighborsClassifier(3), kinds, plain),
    "nearest-regressor": (KNeighborsRegressor(3), y, None),
    "naive-bayes": (GaussianNB(), kinds, plain),
    "naive-bayes-binary": (make_pipeline(Binarizer(), BernoulliNB()), kinds, plain),
    "linear": (make_pipeline(PolynomialFeatures(2), LinearRegression()), y, None),
    "gaussian-process": (GaussianProcessRegressor(), y, None),
    "perceptron": (make_pipeline(PCA(3), MLPClassifier((5,), max_iter=20)), kinds, plain),
    "clusters": (make_pipeline(KBinsDiscretizer(3, encode="onehot-dense", quantile_method="linear"), KMeans(3, n_init=1)), None, None),
}


def exports():
    for name, (model, target, options) in SKLEARN.items():
        model.fit(X, target)
        extra = {} if options is None else {"options": {id(model): options}}
        try:
            yield name, skl2onnx.to_onnx(model, initial_types=floats, target_opset={"": 18, "ai.onnx.ml": 3}, **extra)
        except (NotImplementedError, RuntimeError, AttributeError, TypeError, ValueError, NameError) as error:
            # Exporters lag behind what they export; those that tests read must be there.
            if name in TINY:
                raise
            print(f"{name}: not exported ({type(error).__name__})")
    model = make_pipeline(mixed, LogisticRegression()).fit(table, texts)
    columns = [("a", FloatTensorType([None, 1])), ("b", FloatTensorType([None, 1])), ("c", StringTensorType([None, 1])), ("d", StringTensorType([None, 1]))]
    yield "mixed-columns", skl2onnx.to_onnx(model, initial_types=columns, target_opset={"": 18, "ai.onnx.ml": 3}, options={id(model): plain})
    wholes = [("x", Int64TensorType([None, 4]))]
    forest = RandomForestClassifier(2, max_depth=2, random_state=0).fit((X * 5).astype(numpy.int64), two)
    yield "forest-of-integers", skl2onnx.to_onnx(forest, initial_types=wholes, target_opset={"": 15, "ai.onnx.ml": 1}, options={id(forest): plain})
    quiet = {"n_estimators": 3, "max_depth": 2}
    tools = [("x", ToolsFloats([None, 4]))]
    booster = lightgbm.LGBMClassifier(**quiet, min_child_samples=5, verbose=-1).fit(X, kinds)
    yield "lightgbm", onnxmltools.convert_lightgbm(booster, initial_types=tools, zipmap=False, target_opset=15)
    yield "lightgbm-zipmap", onnxmltools.convert_lightgbm(booster, initial_types=tools, target_opset=15)
    regressor = lightgbm.LGBMRegressor(**quiet, min_child_samples=5, verbose=-1).fit(X, y)
    yield "lightgbm-regressor", onnxmltools.convert_lightgbm(regressor, initial_types=tools, target_opset=15)
    yield "xgboost", onnxmltools.convert_xgboost(xgboost.XGBClassifier(**quiet).fit(X, kinds), initial_types=tools, target_opset=15)
    yield "xgboost-two", onnxmltools.convert_xgboost(xgboost.XGBClassifier(**quiet).fit(X, two), initial_types=tools, target_opset=15)
    yield "xgboost-regressor", onnxmltools.convert_xgboost(xgboost.XGBRegressor(**quiet).fit(X, y), initial_types=tools, target_opset=15)


def rows(model):
    """Five rows for each input, as lists."""
    feeds = {}
    for i, value in enumerate(model.graph.input):
        kind = value.type.tensor_type.elem_type
        width = value.type.tensor_type.shape.dim[1].dim_value
        if kind == onnx.TensorProto.STRING:
            column = words if i == 2 else sizes
            feeds[value.name] = column[:5].reshape(5, 1)
        elif kind == onnx.TensorProto.INT64:
            feeds[value.name] = (X[:5] * 5).astype(numpy.int64)
        else:
            feeds[value.name] = X[:5] if width == 4 else X[:5, i:i + 1]
    return feeds


def plain_value(value):
    """Tensors as their type, shape and elements; sequences of maps as they are."""
    if isinstance(value, numpy.ndarray):
        kind = "string" if value.dtype.kind in "OU" else str(value.dtype)
        data = value.reshape(-1).tolist()
        # Nine digits tell every float32.
        short = [float(f"{v:.9g}") for v in data] if kind == "float32" else data
        return {"dtype": kind, "shape": list(value.shape), "data": short}
    return value


folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else None
target = folder or pathlib.Path(__file__).resolve().parents[2] / "test/fixtures/goldens/table-models"
target.mkdir(parents=True, exist_ok=True)
packages = [numpy, sklearn, skl2onnx, onnxmltools, lightgbm, xgboost, onnxruntime, onnx]
goldens = {"versions": {p.__name__: p.__version__ for p in packages}, "models": {}}
for name, model in exports():
    if folder is None and name not in TINY:
        continue
    onnx.save(model, target / f"{name}.onnx")
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    feeds = rows(model)
    results = session.run(None, feeds)
    goldens["models"][name] = {
        "feeds": {key: plain_value(value) for key, value in feeds.items()},
        "results": {output.name: plain_value(value) for output, value in zip(session.get_outputs(), results)},
    }
    print(f"{name}: {(target / f'{name}.onnx').stat().st_size} bytes, {sorted({n.op_type for n in model.graph.node})}")
(target / "goldens.json").write_text(json.dumps(goldens) + "\n")
