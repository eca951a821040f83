"""Writes test/fixtures/goldens/optimized-models/*.onnx: small networks as PyTorch exports them and as onnxruntime's optimizers
and quantizers rewrite them, with what onnxruntime's Python package computes of one batch, and the versions of all of them.

Run: python tools/goldens/optimized-models.py   (needs `pip install numpy torch onnx onnxruntime`)
"""

import json
import logging
import math
import pathlib
import tempfile
import warnings

import numpy
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from onnxruntime.transformers import optimizer
from onnxruntime.transformers.fusion_options import FusionOptions
from torch import nn

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)
onnxruntime.set_default_logger_severity(3)
torch.manual_seed(0)
WIDTH, HEADS, WORDS, INNER, LENGTH = 16, 2, 20, 24, 12
LEVELS = {
    "extended": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    "all": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL,
}


class Layer(nn.Module):
    """One layer of BERT."""

    def __init__(self):
        super().__init__()
        self.query, self.key, self.value, self.output = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.inner, self.outer = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)

    def heads(self, x):
        return x.view(x.size(0), x.size(1), HEADS, WIDTH // HEADS).permute(0, 2, 1, 3)

    def forward(self, x, mask):
        query, key, value = self.heads(self.query(x)), self.heads(self.key(x)), self.heads(self.value(x))
        weights = torch.softmax(query @ key.transpose(-1, -2) / math.sqrt(WIDTH // HEADS) + mask, -1)
        context = (weights @ value).permute(0, 2, 1, 3).contiguous()
        x = self.norm1(self.output(context.view(context.size(0), context.size(1), WIDTH)) + x)
        return self.norm2(self.outer(nn.functional.gelu(self.inner(x))) + x)


class Bert(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.positions, self.types = nn.Embedding(WORDS, WIDTH), nn.Embedding(LENGTH, WIDTH), nn.Embedding(2, WIDTH)
        self.norm, self.layer, self.head = nn.LayerNorm(WIDTH), Layer(), nn.Linear(WIDTH, 3)
        self.register_buffer("places", torch.arange(LENGTH)[None])

    def forward(self, ids, mask, types):
        penalty = (1.0 - mask[:, None, None, :].to(torch.float32)) * -10000.0
        x = self.words(ids) + self.types(types) + self.positions(self.places[:, : ids.size(1)])
        return self.head(self.layer(self.norm(x), penalty)[:, 0])


class Images(nn.Module):
    """Convolutions with what follows them: activations, sums, pools, a joint."""

    def __init__(self):
        super().__init__()
        self.stem, self.left, self.right = nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 1)
        self.head = nn.Linear(16, 3)

    def forward(self, x):
        x = torch.relu(self.stem(x))
        x = nn.functional.max_pool2d(torch.relu(self.left(x) + x), 2)
        x = torch.cat([nn.functional.leaky_relu(self.right(x), 0.1), torch.sigmoid(x)], 1)
        return self.head(x.mean((2, 3), keepdim=True).flatten(1))


class Batches(CalibrationDataReader):
    def __init__(self, feeds):
        self.feeds = iter(feeds)

    def get_next(self):
        return next(self.feeds, None)


draw = numpy.random.default_rng(4)
texts = {
    "input_ids": draw.integers(0, WORDS, (2, 7)),
    "attention_mask": numpy.array([[1] * 7, [1] * 5 + [0] * 2]),
    "token_type_ids": numpy.array([[0] * 4 + [1] * 3] * 2),
}
images = {"image": draw.normal(size=(2, 1, 12, 12)).astype(numpy.float32)}


def export(module, feeds, names, axes, path):
    torch.onnx.export(
        module.eval(), tuple(torch.from_numpy(feed) for feed in feeds.values()), path, opset_version=17, dynamo=False,
        input_names=list(feeds), output_names=names, dynamic_axes={name: axes for name in feeds} | {names[0]: {0: "batch"}},
    )


def offline(source, level, path):
    """What onnxruntime itself makes of a model when it loads it."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = LEVELS[level]
    options.optimized_model_filepath = str(path)
    onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])


def fused(source, path, multi_head):
    options = FusionOptions("bert")
    options.use_multi_head_attention = multi_head
    model = optimizer.optimize_model(
        str(source), model_type="bert", num_heads=HEADS, hidden_size=WIDTH, optimization_options=options, opt_level=0,
    )
    model.save_model_to_file(str(path))


def files(folder):
    """(name, feeds) of what is written."""
    bert, convolutions = folder / "bert.onnx", folder / "images.onnx"
    export(Bert(), texts, ["logits"], {0: "batch", 1: "length"}, bert)
    export(Images(), images, ["logits"], {0: "batch"}, convolutions)
    yield "bert", texts
    yield "images", images
    for level in LEVELS:
        offline(bert, level, folder / f"bert-{level}.onnx")
        offline(convolutions, level, folder / f"images-{level}.onnx")
    yield "bert-extended", texts
    yield "images-extended", images
    yield "images-all", images
    fused(bert, folder / "bert-attention.onnx", False)
    fused(bert, folder / "bert-multi-head.onnx", True)
    yield "bert-attention", texts
    yield "bert-multi-head", texts
    dynamic = folder / "bert-dynamic.onnx"
    quantize_dynamic(
        str(folder / "bert-attention.onnx"), str(dynamic), weight_type=QuantType.QUInt8,
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
    )
    yield "bert-dynamic", texts
    packed = MatMulNBitsQuantizer(onnx.load(bert), block_size=16, is_symmetric=False, bits=4)
    packed.process()
    packed.model.save_model_to_file(str(folder / "bert-4-bits.onnx"))
    yield "bert-4-bits", texts
    for kind in (QuantFormat.QDQ, QuantFormat.QOperator):
        quantize_static(
            str(convolutions), str(folder / f"images-{kind.name.lower()}.onnx"), Batches([images]), quant_format=kind,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QUInt8,
        )
        yield f"images-{kind.name.lower()}", images
    offline(folder / "images-qdq.onnx", "all", folder / "images-qdq-all.onnx")
    yield "images-qdq-all", images


def plain(value):
    data = value.reshape(-1).tolist()
    short = [float(f"{v:.9g}") for v in data] if value.dtype == numpy.float32 else data
    return {"dtype": str(value.dtype), "shape": list(value.shape), "data": short}


target = pathlib.Path(__file__).resolve().parents[2] / "test/fixtures/goldens/optimized-models"
target.mkdir(parents=True, exist_ok=True)
goldens = {"versions": {p.__name__: p.__version__ for p in (numpy, torch, onnx, onnxruntime)}, "models": {}}
with tempfile.TemporaryDirectory() as temporary:
    folder = pathlib.Path(temporary)
    for name, feeds in files(folder):
        model = onnx.load(folder / f"{name}.onnx")
        # Where nodes came from would tell the paths of this machine.
        for node in model.graph.node:
            node.doc_string = ""
            del node.metadata_props[:]
        onnx.save(model, target / f"{name}.onnx")
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        results = dict(zip([output.name for output in session.get_outputs()], session.run(None, feeds)))
        goldens["models"][name] = {
            "feeds": {key: plain(value) for key, value in feeds.items()},
            "results": {key: plain(value) for key, value in results.items()},
        }
        operators = sorted({f"{n.domain}.{n.op_type}" for n in model.graph.node if n.domain})
        print(f"{name}: {(target / f'{name}.onnx').stat().st_size} bytes, {operators}")
(target / "goldens.json").write_text(json.dumps(goldens) + "\n")
